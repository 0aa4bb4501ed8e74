"""Restocking: vetted samples reach the shelf all at once, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from factories import add_tweets
from sqlalchemy import select, update
from stock import letter_writer, shelf, small_talk, stock_generator

from app.db import generators, restocks, samples
from app.db.archives import Archive
from app.db.generators import Decided, Generator
from app.db.samples import NewSample
from app.db.session import reading, writing
from app.db.tables import archives, jobs, tweets
from app.db.tables import samples as samples_table
from app.game import choice
from app.game.choice import ShelfChoice
from app.game.steering import Balance, Lexicon, Steering
from app.game.vetting import BlockedWordsError
from app.jobs import filling, restocking
from app.jobs.restocking import restock
from app.jobs.workshop import Interrupted, JobError, Workshop
from model.checkpoint import write_checkpoint
from model.generate import Decoding, generate
from model.text import normalise

pytestmark = pytest.mark.slow


def stamp(workshop: Workshop) -> int:
    with reading(workshop.engine) as connection:
        return int(connection.execute(select(archives.c.stamp)).scalar_one())


def stopped_when_some_are_stored(
    workshop: Workshop, archive: Archive, generator: Generator, goal: int, **job: Any
) -> None:
    """A restock that is stopped when its first samples are stored."""
    stored: list[object] = []
    given: dict[str, Any] = {"on_progress": stored.append, "should_stop": lambda: bool(stored), **job}
    with pytest.raises(Interrupted):
        restock(workshop, archive, generator, goal, **given)
    assert len(shelf(workshop.engine)) > 0


def test_a_restock_shelves_as_many_samples_as_it_was_asked_for(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    before = stamp(workshop)

    done = restock(workshop, archive, generator, 100)

    assert (done.shelved, done.level) == (100, 100)
    assert {row.shelved_stamp for row in shelf(workshop.engine)} == {before + 1} == {stamp(workshop)}


def test_what_was_turned_away_is_counted_by_rule(workshop: Workshop, archive: Archive, generator: Generator) -> None:
    done = restock(workshop, archive, generator, 100)

    assert sum(done.rejected.values()) == done.written - done.shelved
    assert done.rejected["too short or too long"] > 0
    assert done.rejected["does not end by itself"] > 0


def test_the_same_rules_are_tried_on_held_out_tweets(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    before = restock(workshop, archive, generator, 20)
    with writing(workshop.engine) as connection:
        add_tweets(connection, archive.id, [f"So I say again: {small_talk(1)[0]}", "Too short."])

    after = restock(workshop, archive, generator, 20)

    assert after.tweets_read == before.tweets_read + 2 == 62
    more = {rule: count - before.tweets_rejected.get(rule, 0) for rule, count in after.tweets_rejected.items()}
    assert more == {"copied from a tweet": 1, "too short or too long": 1}


@pytest.fixture
def balanced_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restocks of few samples are balanced, too: large ones take long."""
    monkeypatch.setattr(filling, "LEAST_BALANCED", 100)


@pytest.mark.usefixtures("balanced_early")
@pytest.mark.parametrize("goal", [10, 120])
def test_a_sample_can_be_written_again_from_its_seed_and_what_steered_it(
    workshop: Workshop, archive: Archive, generator: Generator, goal: int
) -> None:
    done = restock(workshop, archive, generator, goal)

    row = shelf(workshop.engine)[-1]
    with reading(workshop.engine) as connection:
        found = restocks.find(connection, done.restock_id)
    assert found is not None
    balance = Balance.from_json(found.balance) if found.balance else None
    steering = Steering(letter_writer().vocab.symbols, balance, Lexicon(handles=[]))
    decoding = Decoding(**generator.decoding)
    draft = next(generate(letter_writer(), 1, decoding=decoding, seed=row.seed, limit=400, bend=steering.bend))
    assert normalise(draft.text) == row.text


@pytest.mark.usefixtures("balanced_early")
def test_a_balance_brings_drafts_to_the_tweets_lengths_and_serves_the_next_restocks(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    plain = restock(workshop, archive, generator, 50)
    balanced = restock(workshop, archive, generator, 200)
    again = restock(workshop, archive, generator, 50)

    with reading(workshop.engine) as connection:
        rows = [restocks.find(connection, done.restock_id) for done in (plain, balanced, again)]
    assert [row.balance is None for row in rows if row] == [True, False, False]
    assert len({str(row.balance) for row in rows[1:] if row}) == 1
    too_long = [done.rejected["too short or too long"] / done.written for done in (plain, balanced, again)]
    assert max(too_long[1:]) < too_long[0] / 2


@pytest.mark.usefixtures("balanced_early")
def test_of_samples_and_spares_those_are_shelved_whose_form_is_nearest_to_tweets(
    workshop: Workshop, archive: Archive, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[int] = []

    def last_but_not_least(texts: Sequence[str], seeds: Sequence[int], tweets: Sequence[str], count: int) -> Any:
        stored.append(len(texts))
        return np.arange(len(texts)) >= len(texts) - count

    monkeypatch.setattr(choice, "together", last_but_not_least)
    done = restock(workshop, archive, generator, 120)

    rows = shelf(workshop.engine)
    assert stored == [round(120 * (1 + choice.SPARES))]
    assert (done.shelved, done.level, len(rows)) == (120, 120, 120)
    assert sum(done.rejected.values()) == done.written - done.shelved


def test_a_restock_that_is_stopped_at_its_goal_chooses_among_spares_all_the_same(
    workshop: Workshop, archive: Archive, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[int] = []

    def first(texts: Sequence[str], seeds: Sequence[int], tweets: Sequence[str], count: int) -> Any:
        stored.append(len(texts))
        return np.arange(len(texts)) < count

    monkeypatch.setattr(filling, "CHUNK", 1)  # each draft is a batch of its own: no count is passed over
    monkeypatch.setattr(choice, "FEWEST", 20)
    monkeypatch.setattr(choice, "together", first)
    _queue_job(workshop, archive, 7)
    with suppress(Interrupted):
        restock(workshop, archive, generator, 24, job_id=7, should_stop=lambda: len(shelf(workshop.engine)) == 24)

    assert restock(workshop, archive, generator, 24, job_id=7).shelved == 24
    assert stored == [round(24 * (1 + choice.SPARES))]


class Slow:
    """A choice that takes its time, and asks meanwhile."""

    def best(self, stored: Sequence[Any], tweets: object, learned: object, goal: int, heed: Callable[[], None]) -> Any:
        while True:
            heed()


def test_a_restock_that_is_stopped_while_it_chooses_has_parted_with_nothing(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    asked = iter([False, False, True])
    opened = {"archive_id": archive.id, "generator_id": generator.id, "seed": 5, "goal": 2, "job_id": None}
    texts = [NewSample(number, f"The ferry waits {number}.", f"{number:032x}") for number in range(3)]
    with writing(workshop.engine) as connection:
        row = restocks.begin(connection, **opened, at=archive.created_at)
        whose = {"archive_id": archive.id, "generator_id": generator.id, "restock_id": row.id, "text_version": 1}
        samples.add(connection, texts, **whose)

    with pytest.raises(Interrupted):
        filling.part_with_spares(workshop, row.id, cast(ShelfChoice, Slow()), [], lambda: next(asked))

    assert len(shelf(workshop.engine)) == 3


def test_what_the_choice_learned_from_is_chosen_among_before_anything_else_is_written(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    stopped_when_some_are_stored(workshop, archive, generator, 150, job_id=7)
    with reading(workshop.engine) as connection:
        row = restocks.of_job(connection, 7, generator.id)
    assert row is not None
    first = [sample.seed for sample in shelf(workshop.engine)]
    assert max(first) < row.seed
    _queue_job(workshop, archive, 7)

    restock(workshop, archive, generator, 150, job_id=7)

    assert max(sample.seed for sample in shelf(workshop.engine)) > row.seed


def test_nothing_is_on_the_shelf_before_the_flip(workshop: Workshop, archive: Archive, generator: Generator) -> None:
    seen: list[tuple[int, int]] = []

    def look(figures: Mapping[str, Any]) -> None:
        with reading(workshop.engine) as connection:
            seen.append((len(shelf(workshop.engine)), samples.level(connection, archive.id)))

    restock(workshop, archive, generator, 190, on_progress=look)

    assert [stored for stored, _ in seen] == sorted(stored for stored, _ in seen)
    assert seen[-1] == (round(190 * (1 + choice.SPARES)), 0)  # with the spares that it parts with at the end


def test_a_restock_that_is_stopped_with_its_last_batch_shelves_nothing(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    before = stamp(workshop)

    with pytest.raises(Interrupted):
        restock(workshop, archive, generator, 30, job_id=7, should_stop=lambda: len(shelf(workshop.engine)) == 30)

    assert stamp(workshop) == before
    _queue_job(workshop, archive, 7)
    assert restock(workshop, archive, generator, 30, job_id=7).level == 30


@pytest.mark.usefixtures("balanced_early")
def test_an_interrupted_restock_goes_on_where_it_stood(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    stopped_when_some_are_stored(workshop, archive, generator, 150, job_id=7)
    stored = {row.id: row.text for row in shelf(workshop.engine)}
    begun = {row.restock_id for row in shelf(workshop.engine)}
    _queue_job(workshop, archive, 7)

    done = restock(workshop, archive, generator, 150, job_id=7)

    assert done.shelved == 150
    assert {row.restock_id for row in shelf(workshop.engine)} == begun == {done.restock_id}
    # What was stored is there as it was, or was parted with as a spare; none of it was written again.
    again = [row for row in shelf(workshop.engine) if row.text in stored.values() and row.id not in stored]
    assert again == []
    assert sum(done.rejected.values()) == done.written - done.shelved


def test_asked_for_again_a_finished_restock_adds_nothing(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    _queue_job(workshop, archive, 7)
    first = restock(workshop, archive, generator, 50, job_id=7)

    assert restock(workshop, archive, generator, 50, job_id=7) == first
    assert len(shelf(workshop.engine)) == 50


def test_what_an_abandoned_restock_left_is_thrown_away(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    stopped_when_some_are_stored(workshop, archive, generator, 120)

    restock(workshop, archive, generator, 10)

    assert len(shelf(workshop.engine)) == 10


def test_two_restocks_at_once_do_not_disturb_each_other(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    _queue_job(workshop, archive, 1)
    _queue_job(workshop, archive, 2)
    inner: list[int] = []

    def meanwhile(figures: Mapping[str, Any]) -> None:
        if not inner:
            inner.append(restock(workshop, archive, generator, 30, job_id=2).shelved)

    done = restock(workshop, archive, generator, 150, job_id=1, on_progress=meanwhile)

    assert (inner, done.shelved, done.level) == ([30], 150, 180)


def test_a_text_that_is_shelved_meanwhile_counts_as_a_duplicate(
    workshop: Workshop, archive: Archive, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restocking.secrets, "randbits", lambda bits: 5)
    _queue_job(workshop, archive, 1)
    _queue_job(workshop, archive, 2)
    first: list[int] = []

    def meanwhile(figures: Mapping[str, Any]) -> None:
        if not first:
            first.append(restock(workshop, archive, generator, 60, job_id=2).shelved)

    done = restock(workshop, archive, generator, 120, job_id=1, on_progress=meanwhile)

    assert done.rejected["duplicate"] > 0
    assert sum(done.rejected.values()) == done.written - done.shelved
    assert done.level == 120 + first[0]


def test_a_new_champion_takes_the_shelf_in_one_moment(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    restock(workshop, archive, generator, 30)
    new = stock_generator(workshop, archive, seed=1)

    restock(workshop, archive, new, 40, promote=Decided("promoted", "test"))

    with reading(workshop.engine) as connection:
        arms = generators.arms_of(connection, archive.id)
        assert (arms["champion"].generator_id, arms["champion"].share) == (new.id, 1.0)
        assert arms["anchor"].generator_id == generator.id
        assert samples.level(connection, archive.id) == samples.level(connection, archive.id, new.id) == 40
    old = [row for row in shelf(workshop.engine) if row.generator_id == generator.id]
    assert {row.retired_stamp for row in old} == {stamp(workshop)}


def test_a_generator_that_still_plays_keeps_its_samples(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    restock(workshop, archive, generator, 30)
    with writing(workshop.engine) as connection:
        generators.place(connection, archive.id, "anchor", generator.id, 0.05, archive.created_at)
        generators.place(connection, archive.id, "champion", generator.id, 0.95, archive.created_at)

    restock(workshop, archive, stock_generator(workshop, archive, seed=1), 20, promote=Decided("promoted", "test"))

    with reading(workshop.engine) as connection:
        assert samples.level(connection, archive.id, generator.id) == 30
        assert sum(arm.share for arm in generators.arms_of(connection, archive.id).values()) == 1.0


def test_a_generator_that_writes_nothing_of_use_is_told(workshop: Workshop, archive: Archive) -> None:
    babbler = stock_generator(workshop, archive)
    write_checkpoint(workshop.folder(babbler.checkpoint_key), letter_writer(end=1e-7))

    with pytest.raises(JobError, match=r"v1 is not ready for play: .* does not end by itself.*train longer"):
        restock(workshop, archive, babbler, 100)

    assert shelf(workshop.engine) == []


def test_an_archive_of_which_no_tweet_is_a_card_is_told_instead_of_opened(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    """Samples beside which no tweet can stand would make it the main archive, with nothing to deal."""
    with writing(workshop.engine) as connection:
        connection.execute(update(tweets).values(text=tweets.c.text + " and so on" * 30))

    with pytest.raises(
        JobError, match=r"none of the 400 tweets of gannet can be a card \(400: too short or too long\)"
    ):
        restock(workshop, archive, generator, 20)

    assert shelf(workshop.engine) == []


def test_a_damaged_checkpoint_is_named(workshop: Workshop, archive: Archive, generator: Generator) -> None:
    (workshop.folder(generator.checkpoint_key) / "weights.safetensors").write_bytes(b"nothing")

    with pytest.raises(JobError, match=r"weights\.safetensors: damaged"):
        restock(workshop, archive, generator, 10)

    with reading(workshop.engine) as connection:
        assert restocks.abandoned(connection, archive.id) == []


def test_blocked_words_that_cannot_be_read_stop_a_restock(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    with pytest.raises(BlockedWordsError):
        restock(replace(workshop, blocked_words=workshop.checkpoints / "none.txt"), archive, generator, 10)


def _queue_job(workshop: Workshop, archive: Archive, job_id: int) -> None:
    with writing(workshop.engine) as connection:
        row = {"id": job_id, "kind": "restock", "archive_id": archive.id, "arguments": {}, "asked_by": "test"}
        connection.execute(
            jobs.insert().values(row | {"wanted": "run", "state": "running", "created_at": archive.created_at})
        )


def test_hidden_samples_are_not_on_the_shelf(workshop: Workshop, archive: Archive, generator: Generator) -> None:
    restock(workshop, archive, generator, 10)
    with writing(workshop.engine) as connection:
        connection.execute(update(samples_table).where(samples_table.c.id == 1).values(hidden_at=archive.created_at))
        assert samples.level(connection, archive.id) == 9
