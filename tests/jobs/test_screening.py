"""Screening an archive: labels wait, come back, and go; a person's word stands; what could not run changes nothing."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from factories import LONG_AGO, add_game, add_guess, add_player
from sqlalchemy import func, select

from app.db import jobs, labelling, overruling, retractions, rollups, screenings
from app.db.session import open_engine, reading, writing
from app.db.tables import guesses, label_tallies, labels
from app.game.labels import BY_HAND
from app.game.suspicion import OUTLIER_REASON, SAME_SIDE_REASON
from app.jobs import tasks
from app.jobs.freezing import freeze_labels
from app.jobs.hold import Hold
from app.jobs.screening import ask_for_screenings, in_words, screen_players
from app.jobs.workshop import Interrupted, Workshop, plainly
from bench.crowds import Crowd

PLAYERS, GUESSES = 24, 40

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def furnished(migrated, tmp_path_factory):
    """A game of 60 cards, with 24 players; the first always picks the left card, the second spots nothing."""
    file = tmp_path_factory.mktemp("screening") / "whichtweet.db"
    shutil.copy(migrated, file)
    engine = open_engine(f"sqlite:///{file}")
    crowd = Crowd(players=PLAYERS, guesses=GUESSES, samples=60, seed=5)
    with writing(engine) as connection:
        add_game(connection)
        ids = [add_player(connection) for _ in range(PLAYERS)]
        rounds = crowd.rounds
        for place, who in enumerate(rounds.players):
            tweet_index = 0 if rounds.tweet_left[place] else 1
            pick = 0 if rounds.left[place] else 1
            pick = 0 if who == 0 else 1 - tweet_index if who == 1 else pick
            cards = {"sample_id": rounds.samples[place] + 1, "tweet_id": rounds.tweets[place] + 1}
            add_guess(connection, ids[who], tweet_index=tweet_index, pick=pick, **cards)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


@pytest.fixture
def workshop(furnished, tmp_path):
    shutil.copy(furnished, tmp_path / "whichtweet.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'whichtweet.db'}")
    yield Workshop(engine, tmp_path / "checkpoints")
    engine.dispose()


@pytest.fixture
def archive(workshop):
    return workshop.archive("mayor")


def standing(workshop, player_id):
    """How many labels of a player stand how."""
    query = (
        select(labels.c.status, labels.c.reason, func.count())
        .join(guesses, guesses.c.id == labels.c.guess_id)
        .where(guesses.c.player_id == player_id)
        .group_by(labels.c.status, labels.c.reason)
    )
    with reading(workshop.engine) as connection:
        return {(status, reason): count for status, reason, count in connection.execute(query)}


def counted(workshop):
    """Labels by status and reason: as the dashboard counts them, and as they are."""
    with reading(workshop.engine) as connection:
        tallied = {}
        for (_, status, reason), count in rollups.labels_by_status(connection).items():
            tallied[status, reason] = tallied.get((status, reason), 0) + count
        real = select(labels.c.status, func.coalesce(labels.c.reason, ""), func.count())
        rows = connection.execute(real.group_by(labels.c.status, labels.c.reason))
        return tallied, {(status, reason): count for status, reason, count in rows}


def test_all_labels_of_a_suspect_wait_with_the_reason(workshop, archive):
    figures = screen_players(workshop, archive)
    assert [(row["player"], row["reason"]) for row in figures["held"]] == [(1, SAME_SIDE_REASON), (2, OUTLIER_REASON)]
    assert standing(workshop, 1) == {("quarantined", SAME_SIDE_REASON): GUESSES}
    assert standing(workshop, 2) == {("quarantined", OUTLIER_REASON): GUESSES}
    assert standing(workshop, 3) == {("accepted", None): GUESSES}
    tallied, real = counted(workshop)
    assert tallied == real


def test_a_second_look_changes_nothing_and_holds_what_is_new(workshop, archive):
    screen_players(workshop, archive)
    with writing(workshop.engine) as connection:
        add_guess(connection, 1)
    figures = screen_players(workshop, archive)
    assert (figures["held"], len(figures["still held"])) == ([], 2)
    assert standing(workshop, 1) == {("quarantined", SAME_SIDE_REASON): GUESSES + 1}
    with reading(workshop.engine) as connection:
        assert len(screenings.of_player(connection, 1)) == 1


def play_like_others(workshop):
    """The player who was held makes 120 guesses more, as anybody would."""
    rng = np.random.default_rng(6)
    with writing(workshop.engine) as connection:
        for _ in range(120):
            tweet_index = int(rng.random() < 0.5)
            pick = tweet_index if rng.random() < 0.62 else 1 - tweet_index
            cards = {"sample_id": int(rng.integers(60)) + 1, "tweet_id": int(rng.integers(60)) + 1}
            add_guess(connection, 1, tweet_index=tweet_index, pick=pick, **cards)


def test_later_guesses_clear_a_player(workshop, archive):
    screen_players(workshop, archive)
    play_like_others(workshop)
    figures = screen_players(workshop, archive)
    assert [row["player"] for row in figures["cleared"]] == [1]
    assert standing(workshop, 1) == {("accepted", None): GUESSES + 120}
    with reading(workshop.engine) as connection:
        assert screenings.of_player(connection, 1)[0].cleared_at is not None
    tallied, real = counted(workshop)
    assert tallied == real


def test_one_that_is_killed_while_it_gives_labels_back_gives_them_back_the_next_time(workshop, archive, monkeypatch):
    screen_players(workshop, archive)
    play_like_others(workshop)

    def die(*words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(overruling, "give_back", die)
        with pytest.raises(KeyboardInterrupt):
            screen_players(workshop, archive)
    screen_players(workshop, archive)

    assert standing(workshop, 1) == {("accepted", None): GUESSES + 120}
    with reading(workshop.engine) as connection:
        assert 1 not in screenings.held(connection, archive.id)


class Patience:
    """Says stop from the `last`-th time on that it is asked."""

    def __init__(self, last):
        self.last, self.asked = last, 0

    def __call__(self):
        self.asked += 1
        return self.asked >= self.last


def test_a_screening_stops_wherever_it_stands(workshop, archive):
    """Its steps are short: with a hundred times as many guesses each is a fraction of a second."""
    for last in (1, 100, 400):
        patience = Patience(last)
        with pytest.raises(Interrupted):
            screen_players(workshop, archive, patience)
        assert patience.asked == last
    assert standing(workshop, 1) == {("accepted", None): GUESSES}
    with reading(workshop.engine) as connection:
        assert screenings.last(connection, archive.id) is None


def test_a_retraining_stops_while_it_screens(workshop, archive):
    with pytest.raises(Interrupted):
        freeze_labels(workshop, archive, should_stop=Patience(100))


def test_a_screening_that_is_cancelled_ends(workshop):
    with writing(workshop.engine) as connection:
        jobs.ask(connection, "screen", 1, {}, asked_by="ada", at=LONG_AGO)
        job = jobs.claim(connection, "test", ("screen",), LONG_AGO)
        jobs.cancel(connection, job.id, LONG_AGO)
    hold = Hold(workshop.engine, job.claim)
    with pytest.raises(Interrupted):
        tasks.do(workshop, job, hold, lambda name, do: (hold.step(name), plainly(name, do))[1])
    assert hold.why == "cancelled"


def test_what_an_admin_decided_stands(workshop, archive):
    with writing(workshop.engine) as connection:
        own = list(connection.scalars(select(guesses.c.id).where(guesses.c.player_id == 1)))
        labelling.relabel(connection, own[:3], "quarantined", LONG_AGO)
        labelling.relabel(connection, own[:3], "accepted", LONG_AGO)
    screen_players(workshop, archive)
    assert standing(workshop, 1) == {("accepted", None): 3, ("quarantined", SAME_SIDE_REASON): GUESSES - 3}


def test_a_check_that_could_not_run_is_recorded_and_changes_nothing(workshop, archive):
    screen_players(workshop, archive)
    for player_id in range(3, 20):
        retractions.retract(workshop.engine, player_id, LONG_AGO)
    figures = screen_players(workshop, archive)
    assert "7 players with 20 labels or more, 10 are needed" in in_words(figures)
    assert standing(workshop, 1) == {("quarantined", SAME_SIDE_REASON): GUESSES}
    with reading(workshop.engine) as connection:
        assert screenings.last(connection, archive.id).trouble == figures["trouble"]


def test_the_schedule_asks_once_and_only_where_there_is_something_new(workshop, archive):
    for _ in range(2):
        ask_for_screenings(workshop, LONG_AGO, LONG_AGO)
    with reading(workshop.engine) as connection:
        assert [job.kind for job in jobs.listing(connection)] == ["screen"]
    with writing(workshop.engine) as connection:
        jobs.cancel(connection, 1, LONG_AGO)
    screen_players(workshop, archive)
    ask_for_screenings(workshop, LONG_AGO.replace(hour=1), LONG_AGO)
    ask_for_screenings(workshop, None, LONG_AGO)
    with reading(workshop.engine) as connection:
        assert len(jobs.listing(connection)) == 1


def test_taken_back_labels_come_back_as_the_rules_said(workshop, archive):
    with writing(workshop.engine) as connection:
        add_guess(connection, 3, status="excluded", reason="too quick")
        add_guess(connection, 3, status="quarantined", reason="daily cap")
    assert retractions.retract(workshop.engine, 3, LONG_AGO) == GUESSES + 1
    assert standing(workshop, 3) == {("excluded", "retracted"): GUESSES + 1, ("excluded", "too quick"): 1}
    assert retractions.retract(workshop.engine, 3, LONG_AGO) == 0
    assert retractions.restore(workshop.engine, 3, LONG_AGO) == GUESSES + 1
    told = {("accepted", None): GUESSES, ("excluded", "too quick"): 1, ("quarantined", "daily cap"): 1}
    assert standing(workshop, 3) == told
    tallied, real = counted(workshop)
    assert tallied == real
    with reading(workshop.engine) as connection:
        assert connection.scalar(select(func.min(label_tallies.c.labels))) >= 0


def test_what_an_admin_decided_by_hand_outlives_a_retraction(workshop, archive):
    with writing(workshop.engine) as connection:
        own = list(connection.scalars(select(guesses.c.id).where(guesses.c.player_id == 3)))
        quick = add_guess(connection, 3, status="excluded", reason="too quick")
        labelling.relabel(connection, own[:2], "quarantined", LONG_AGO)
        labelling.relabel(connection, [own[2]], "excluded", LONG_AGO)
        labelling.relabel(connection, [quick], "accepted", LONG_AGO)
    before = standing(workshop, 3)
    assert before == {("accepted", None): GUESSES - 2, ("quarantined", BY_HAND): 2, ("excluded", BY_HAND): 1}
    for _ in range(2):  # a second time too: what stands by hand is not lost on the way back
        assert retractions.retract(workshop.engine, 3, LONG_AGO) == GUESSES
        assert standing(workshop, 3) == {("excluded", "retracted"): GUESSES, ("excluded", BY_HAND): 1}
        assert retractions.restore(workshop.engine, 3, LONG_AGO) == GUESSES
        assert standing(workshop, 3) == before
    with reading(workshop.engine) as connection:
        spoken = select(labels.c.guess_id).where(labels.c.decided_by == "admin")
        assert set(connection.scalars(spoken)) == {*own[:3], quick}
    tallied, real = counted(workshop)
    assert {key: count for key, count in tallied.items() if count} == real
