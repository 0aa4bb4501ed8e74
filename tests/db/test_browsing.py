"""Browsing: the database leaves out only cards that no word can be in, however they are written."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from factories import add_archive, add_generator, add_samples, add_tweets
from sqlalchemy import Engine

from app.db import browsing
from app.db.session import reading, writing
from app.game.vetting import BlockedWords
from app.wording import fold

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
            found = browsing.in_play(connection, archive_id, {fold(word).split()[0]})
        for cards in found:
            assert sorted(text for _, text in cards if blocked.found_in(text)) == wanted, word
            assert len(cards) < len(texts)


def test_what_cannot_hold_a_word_is_not_read(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, ["the ferry is late", "The Harbour is open", "100 % of it", "it's new"])
    with reading(either_engine) as connection:
        _, deck = browsing.in_play(connection, archive_id, {"harbour"})
    assert [text for _, text in deck] == ["The Harbour is open", "it's new"]
