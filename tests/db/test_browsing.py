"""Browsing: the database leaves out only cards that no word can be in, however they are written."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest
from factories import add_archive, add_generator, add_samples, add_tweets
from sqlalchemy import Engine, event

from app.db import browsing
from app.db.browsing import Kind
from app.db.session import reading, writing
from app.game.vetting import BlockedWords
from app.wording import fold

KINDS: tuple[Kind, ...] = ("sample", "tweet")
PIECES = (
    "harbour",
    "HARBOUR",
    "hárbour",
    "har'bour",
    "har’bour",
    "har`bour",
    "harbours",
    "ﬁsh",
    "50%",
    "a_b",
    "ß",
    "☃",
)
GLUE = (" ", "_", "\n", ", ", "-", "")


@pytest.fixture
def texts() -> list[str]:
    pairs = [left + glue + right for (left, right), glue in product(product(PIECES, PIECES), GLUE)]
    return Random(1).sample(pairs, 300)


def test_no_card_that_holds_a_word_is_left_out(either_engine: Engine, texts: list[str]) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, texts)
        add_samples(connection, archive_id, add_generator(connection, archive_id), texts)
    for word in ("harbour", "harbour*", "fish", "50", "a b", "harbour fish", "ss"):
        blocked = BlockedWords.of([word])
        wanted = sorted(text for text in texts if blocked.found_in(text))
        assert wanted, word
        with reading(either_engine) as connection:
            found = [browsing.look(connection, kind, archive_id, {fold(word).split()[0]}) for kind in KINDS]
        for cards in (look.cards for look in found):
            assert sorted(text for _, text in cards if blocked.found_in(text)) == wanted, word
            assert len(cards) < len(texts)


def test_what_cannot_hold_a_word_is_not_read(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, ["the ferry is late", "The Harbour is open", "100 % of it", "it's new"])
    with reading(either_engine) as connection:
        deck = browsing.look(connection, "tweet", archive_id, {"harbour"})
    assert sorted(text for _, text in deck.cards) == ["The Harbour is open", "it's new"]
    assert (deck.through, deck.before_id) == (4, None)


def test_a_large_deck_is_looked_through_in_parts_and_once(
    either_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "LOOK", 4)
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, [f"the harbour has {number} ferries" for number in range(11)])
    seen: list[int] = []
    before: int | None = None
    with reading(either_engine) as connection:
        while True:
            part = browsing.look(connection, "tweet", archive_id, {"harbour"}, before)
            assert part.through <= 4
            seen += [card for card, _ in part.cards]
            before = part.before_id
            if before is None:
                break
    assert len(seen) == len(set(seen)) == 11


@pytest.mark.parametrize("order", browsing.ORDERS)
def test_behind_a_sample_that_nobody_guessed_at_comes_nothing_or_what_is_older(
    either_engine: Engine, order: str
) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        generator_id = add_generator(connection, archive_id)
        add_samples(connection, archive_id, generator_id, ["a", "b"], guesses=7, fooled=3)
        add_samples(connection, archive_id, generator_id, ["c"])
    with reading(either_engine) as connection:
        rows = browsing.sample_page(connection, browsing.Wanted(archive_id, order=order, before_id=3)).rows
    assert len(rows) == (2 if order == "newest" else 0)


@pytest.mark.parametrize("order", browsing.ORDERS)
def test_words_are_looked_for_in_parts_of_what_there_is_and_each_card_comes_once(
    either_engine: Engine, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(browsing, "WINDOW", 20)
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        generator_id = add_generator(connection, archive_id)
        texts = [f"{'harbour' if number % 3 == 0 else 'ferry'} {number}" for number in range(30)]
        for place in range(0, 30, 5):  # many of them alike
            add_samples(connection, archive_id, generator_id, texts[place : place + 5], guesses=8, fooled=place % 4)
    seen: list[str] = []
    pages = 0
    wanted = browsing.Wanted(archive_id, words="Harbour", order=order, limit=2)
    with reading(either_engine) as connection:
        while True:
            page = browsing.sample_page(connection, wanted)
            seen += [row.text for row in page.rows]
            pages += 1
            if page.last_id is None:
                break
            wanted = replace(wanted, before_id=page.last_id)
    assert sorted(seen) == sorted(text for text in texts if "harbour" in text)
    assert pages >= 5


@pytest.mark.parametrize("order", browsing.ORDERS[1:])
def test_orders_are_walked_in_their_indexes(engine: Engine, order: str) -> None:
    """Nothing is sorted: a page of a hundred thousand samples asks for as little as one of a hundred."""
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    with reading(engine) as connection:
        for before in (None, 3):
            browsing.sample_page(connection, browsing.Wanted(1, order=order, before_id=before))
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1][0]}", asked[-1][1])]
            assert not [step for step in plan if "TEMP B-TREE" in step or step.startswith("SCAN")], plan
