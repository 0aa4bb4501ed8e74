"""Forget me, from the request to the last file: nothing leads from the player to the guesses any more."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from factories import LONG_AGO, add_game, add_generator, add_guess, add_guesses, add_player
from sqlalchemy import func, insert, select

from app.db import jobs, labels, retractions, rollups, screenings
from app.db.networks import OF_THE_FORGOTTEN
from app.db.players import forget
from app.db.session import now, reading, writing
from app.db.tables import guesses, label_sets, players, remarks, seats
from app.db.tables import labels as label_table
from app.jobs import forgetting as forgetting_job
from app.jobs import freezing
from app.jobs.forgetting import forget_player
from app.jobs.freezing import freeze_labels, read_set
from app.jobs.hold import Hold
from app.jobs.workshop import Interrupted, JobError, Skipped, Workshop, plainly

pytestmark = pytest.mark.slow

KEY = b"a player's key.."
GUESSES = 700  # more than one transaction moves


@pytest.fixture
def workshop(either_engine, tmp_path):
    """A game with three players; the first has a seat, a remark and 700 labels."""
    with writing(either_engine) as connection:
        archive_id = add_game(connection)
        first = add_player(connection, key=KEY, nickname="Ada", nickname_key="ada")
        others = [add_player(connection) for _ in range(2)]
        cards = [{"tweet_id": number % 60 + 1, "network": b"n" * 16} for number in range(GUESSES)]
        guess_id = add_guesses(connection, first, cards)[-1]
        connection.execute(
            insert(remarks).values(guess_id=guess_id, reason="sense", report="I am Ada", said_at=LONG_AGO)
        )
        for other in others:
            add_guess(connection, other)
        counts = dict.fromkeys(("again", "stamp", "next_stamp", "guesses", "spotted", "streak", "best_streak"), 0)
        seat = {"player_id": first, "archive_id": archive_id, "mode": "endless", "position": 700}
        connection.execute(insert(seats).values(seat | counts))
    return Workshop(either_engine, tmp_path / "checkpoints", retrain_min_labels=1)


def asked(workshop):
    """The job that "forget me" asked for, claimed, and the hold on it."""
    with writing(workshop.engine) as connection:
        forget(connection, KEY, LONG_AGO)
        job = jobs.claim(connection, "worker", ["forget"], LONG_AGO)
    return job, Hold(workshop.engine, job.claim)


def test_a_newcomer_who_got_the_number_of_somebody_forgotten_keeps_their_guesses(workshop):
    """SQLite gives the highest number again; the job was killed after its last row, and is done once more."""
    job, hold = asked(workshop)
    removing = replace(workshop, forget_guesses=True)
    forget_player(removing, job, hold, plainly)
    with writing(workshop.engine) as connection:
        assert add_player(connection, id=1, last_guess_at=now()) == 1
        add_guess(connection, 1)
    with pytest.raises(Skipped):
        forget_player(removing, job, hold, plainly)
    with reading(workshop.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(guesses).where(guesses.c.player_id == 1)) == 1


def test_guesses_and_frozen_sets_lead_to_nobody(workshop):
    frozen = freeze_labels(workshop, workshop.archive("mayor"))
    before = workshop.folder(frozen["key"])
    assert before.exists()
    with writing(workshop.engine) as connection:
        screenings.hold(connection, 1, 1, "outlier", {}, LONG_AGO)
    words = forget_player(workshop, *asked(workshop), plainly)
    assert words.endswith("700 guesses moved to an id that leads nowhere, 1 frozen sets of labels amended")
    with reading(workshop.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(players).where(players.c.id == 1)) == 0
        assert connection.scalar(select(func.count()).select_from(seats)) == 0
        fresh = connection.scalar(select(guesses.c.player_id).where(guesses.c.id == 1))
        row = connection.execute(select(players).where(players.c.id == fresh)).one()
        assert (row.nickname, row.nickname_key, row.last_guess_at) == (None, None, None)
        assert row.key != KEY
        moved = select(func.count()).where(guesses.c.player_id == fresh)
        assert connection.scalar(moved) == GUESSES
        marks = select(guesses.c.network).where(guesses.c.player_id == fresh, guesses.c.network.is_not(None))
        assert set(connection.scalars(marks)) == {OF_THE_FORGOTTEN}
        assert connection.scalar(select(remarks.c.report)) is None
        assert list(screenings.held(connection, 1)) == [fresh]
        kept = connection.execute(select(label_sets)).one()
    assert not before.exists()
    body = workshop.folder(kept.file_key).read_bytes()
    assert sha256(body).hexdigest() == kept.sha256
    named = {json.loads(line)["player"] for line in body.splitlines()}
    assert named == {2, 3} | {name for name in named if str(name).startswith("forgotten-")}
    (change,) = kept.amendments
    assert (change["lines"], change["before"], change["after"]) == (GUESSES, frozen["sha256"], kept.sha256)
    # A retraining that was at work meanwhile reads the set by its id, and learns the same.
    assert len(read_set(workshop, frozen["id"])) == GUESSES + 2


def test_the_forgotten_count_as_one_network(workshop):
    """However many of them there are, and whatever networks they came from."""
    theirs: set[int] = set()
    with writing(workshop.engine) as connection:
        for number in range(60):
            key = b"forgotten %6d" % number
            theirs |= set(add_guesses(connection, add_player(connection, key=key), [{"network": b"%16d" % number}] * 3))
            forget(connection, key, LONG_AGO)
        for number in range(30):
            add_guesses(connection, add_player(connection), [{"network": b"honest %9d" % number}] * 3)
    rows = read_set(workshop, freeze_labels(workshop, workshop.archive("mayor"))["id"])
    weight = sum(row["weight"] for row in rows if row["guess"] in theirs)
    assert 0.05 <= weight / sum(row["weight"] for row in rows) <= 0.101


def test_what_the_guesses_taught_can_still_be_taken_back(workshop):
    frozen = freeze_labels(workshop, workshop.archive("mayor"))
    with writing(workshop.engine) as connection:
        add_generator(connection, 1, label_set_id=frozen["id"])
    forget_player(workshop, *asked(workshop), plainly)
    with reading(workshop.engine) as connection:
        fresh = connection.scalar(select(guesses.c.player_id).where(guesses.c.id == 1))
        assert [(each.name, each.labels) for each in retractions.learned_from(connection, fresh)] == [("v2", GUESSES)]
    assert retractions.retract(workshop.engine, fresh, LONG_AGO) == GUESSES


def test_guesses_go_too_where_the_house_says_so(workshop):
    frozen = freeze_labels(workshop, workshop.archive("mayor"))
    strict = Workshop(workshop.engine, workshop.checkpoints, forget_guesses=True)
    words = forget_player(strict, *asked(workshop), plainly)
    assert "700 guesses removed" in words
    with reading(workshop.engine) as connection:
        assert sorted(connection.scalars(select(guesses.c.player_id))) == [2, 3]
        assert connection.scalar(select(func.count()).select_from(label_table)) == 2
        assert connection.scalar(select(func.count()).select_from(remarks)) == 0
        assert sum(rollups.labels_by_status(connection).values()) == 2
        assert labels.find_set(connection, frozen["id"]).amendments[0]["lines"] == GUESSES
    assert sorted(line["player"] for line in read_set(workshop, frozen["id"])) == [2, 3]


def test_a_set_that_is_frozen_meanwhile_does_not_name_the_player(workshop, monkeypatch):
    """The player is forgotten after the labels were read, and before the set is recorded."""
    job, hold = asked(workshop)
    real, calls = labels.are_there, []

    def interrupting(connection, ids):
        calls.append(set(ids))
        return real(connection, ids)

    read = labels.taught

    def reading_slowly(*words, **more):
        rows = list(read(*words, **more))
        if not calls:
            forget_player(workshop, job, hold, plainly)
        return rows

    monkeypatch.setattr(labels, "taught", reading_slowly)
    monkeypatch.setattr(labels, "are_there", interrupting)
    frozen = freeze_labels(workshop, workshop.archive("mayor"))
    assert [1 in ids for ids in calls] == [True, False]
    assert len(read_set(workshop, frozen["id"])) == GUESSES + 2


def test_a_set_that_is_damaged_or_gone_does_not_stop_it(workshop):
    frozen = freeze_labels(workshop, workshop.archive("mayor"))
    workshop.folder(frozen["key"]).write_bytes(b"nonsense")
    job, hold = asked(workshop)
    assert "0 frozen sets" in forget_player(workshop, job, hold, plainly)
    with pytest.raises(Skipped, match="forgotten already"):
        forget_player(workshop, job, hold, plainly)


def test_one_that_was_killed_behind_the_last_row_still_looks_for_newer_sets(workshop, monkeypatch):
    frozen = freeze_labels(workshop, workshop.archive("mayor"))
    job, hold = asked(workshop)
    with monkeypatch.context() as patched:
        patched.setattr(forgetting_job, "_amend_all", lambda *words: 0)  # killed: neither of the two looks
        forget_player(workshop, job, hold, plainly)
    with pytest.raises(Skipped, match="forgotten already"):
        forget_player(workshop, job, hold, plainly)
    assert 1 not in {line["player"] for line in read_set(workshop, frozen["id"])}


def test_one_that_was_stopped_goes_on(workshop):
    job, _ = asked(workshop)
    with pytest.raises(Interrupted):
        forget_player(workshop, job, Hold(workshop.engine, job.claim, lambda: True), plainly)
    with reading(workshop.engine) as connection:
        left = connection.scalar(select(func.count()).select_from(guesses).where(guesses.c.player_id == 1))
        assert 0 < left < GUESSES
    assert f"{left:,} guesses moved" in forget_player(workshop, job, Hold(workshop.engine, job.claim), plainly)


def test_a_set_that_is_amended_while_it_is_read_is_read_all_the_same(workshop, monkeypatch):
    """Its row was read, and the file that it named is gone the moment after."""
    frozen = freeze_labels(workshop, workshop.archive("mayor"))
    job, hold = asked(workshop)
    read, done = freezing.body_of, []

    def amended_first(workshop, found):
        if not done:
            done.append(forget_player(workshop, job, hold, plainly))
        return read(workshop, found)

    monkeypatch.setattr(freezing, "body_of", amended_first)
    assert len(read_set(workshop, frozen["id"])) == frozen["labels"]
    assert done
    workshop.folder(read_key(workshop)).unlink()
    with pytest.raises(JobError, match="gone; it holds the labels of set 1"):
        read_set(workshop, frozen["id"])


def read_key(workshop):
    with reading(workshop.engine) as connection:
        return connection.scalar(select(label_sets.c.file_key))
