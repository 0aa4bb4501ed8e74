"""Judging a canary: fourteen days of play on a clock that the test holds, from the rows to the arms."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from factories import add_archive, add_generator, add_samples, add_tweets, words
from playing import add_players, play
from sqlalchemy import Engine, insert, select, update

from app.db import canaries, evidence, generators, jobs, samples, screenings
from app.db.canaries import Canary, NoCanary, Opening
from app.db.session import reading, writing
from app.db.tables import guesses, labels, players, remarks, restocks
from app.db.tables import samples as samples_table
from app.game.canary import plan_for
from app.jobs import judging
from app.jobs.judging import look
from app.jobs.workshop import Interrupted, Skipped, Workshop

BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)
PASSED = ({"name": "bits per character", "outcome": "passed", "found": 1.0, "limit": 1.1, "words": "bits are fine"},)


@pytest.fixture
def game(either_engine: Engine, tmp_path: Path) -> Workshop:
    """An archive with a big deck, a champion that is no anchor, and a candidate whose samples are on the shelf."""
    return furnish(either_engine, tmp_path)


@pytest.fixture
def embedded(engine: Engine, tmp_path: Path) -> Workshop:
    return furnish(engine, tmp_path)


def furnish(engine: Engine, folder: Path) -> Workshop:
    with writing(engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, [words(seed) for seed in range(1200)])
        for _ in range(3):
            generator_id = add_generator(connection, archive_id)
            add_samples(connection, archive_id, generator_id, [words(9000 + 9 * generator_id + s) for s in range(500)])
        generators.place(connection, archive_id, "champion", 2, 1.0, BEGIN)
    return Workshop(engine, folder)


def open_canary(workshop: Workshop, active: int, at: datetime = BEGIN, **values: Any) -> int:
    with writing(workshop.engine) as connection:
        opening = Opening(plan_for(active), "retrain", **{"gates": PASSED, **values})
        return canaries.open_canary(connection, 1, 3, opening, at)


def canary_of(workshop: Workshop, canary_id: int) -> Canary:
    with reading(workshop.engine) as connection:
        found = canaries.find(connection, canary_id)
    assert found is not None
    return found


def playing(workshop: Workshop) -> dict[str, tuple[int, float]]:
    with reading(workshop.engine) as connection:
        arms = generators.arms_of(connection, 1).values()
        return {arm.arm: (arm.generator_id, round(arm.share, 3)) for arm in arms}


def last_decision(workshop: Workshop) -> generators.Decision:
    with reading(workshop.engine) as connection:
        return generators.decisions_on(connection, 1)[0]


def days_of_play(
    workshop: Workshop, canary_id: int, who: list[int], each: int, rates: dict[str, float], days: int = 14
) -> str:
    """What the looks of each day said last; the worker's own question comes first, as it does in life."""
    said = ""
    for day in range(1, days + 1):
        at = BEGIN + timedelta(days=day)
        play(workshop.engine, 1, who, at - timedelta(hours=6), each=each, rates=rates, seed=100 + day)
        judging.ask_for_looks(workshop, at)
        with writing(workshop.engine) as connection:
            asked = jobs.claim(connection, "test", ("judge",), at)
            if asked is None:
                continue
        try:
            said = look(workshop, canary_id, at)
            state = "done"
        except Skipped as reason:
            said, state = str(reason), "skipped"
        with writing(workshop.engine) as connection:
            jobs.finish(connection, asked.claim, state, said, at)
        if canary_of(workshop, canary_id).closed_at is not None:
            return said
    return said


@pytest.mark.slow
def test_eight_players_find_a_much_better_candidate_before_the_days_are_over(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 8, BEGIN)
    canary = open_canary(embedded, active=8)
    assert playing(embedded) == {"anchor": (1, 0.05), "candidate": (3, 0.5), "champion": (2, 0.45)}

    said = days_of_play(embedded, canary, who, 20, {"champion": 0.25, "candidate": 0.5})

    assert canary_of(embedded, canary).state == "promoted"
    assert "the candidate fools more" in said
    assert playing(embedded) == {"anchor": (1, 0.05), "champion": (3, 0.95)}
    decision = last_decision(embedded)
    assert (decision.verdict, decision.taken_by, decision.generator_id, decision.champion_id) == (
        *("promoted", "canary"),
        *(3, 2),
    )
    assert decision.figures["basis"] == "play"
    assert decision.figures["look"]["low"] > 0


@pytest.mark.slow
def test_eight_players_who_see_no_difference_leave_it_to_the_gates(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 8, BEGIN)
    canary = open_canary(embedded, active=8, scorer=-0.01)

    said = days_of_play(embedded, canary, who, 20, {"champion": 0.3, "candidate": 0.3})

    found = canary_of(embedded, canary)
    assert (found.state, found.closed_at) == ("no difference", BEGIN + timedelta(days=14))
    assert "not decided by play in 14 days" in said
    assert 1 <= found.looked <= 5
    assert playing(embedded) == {"anchor": (1, 0.05), "champion": (2, 0.95)}
    with reading(embedded.engine) as connection:
        assert samples.level(connection, 1, 3) == 0 < samples.level(connection, 1, 2)


def test_what_the_gates_alone_promote_is_recorded_as_such(embedded: Workshop) -> None:
    canary = open_canary(embedded, active=8)

    said = look(embedded, canary, BEGIN + timedelta(days=14))

    assert "promoted on the gates alone: no scorer chose both" in said
    assert playing(embedded)["champion"] == (3, 0.95)
    assert last_decision(embedded).figures["basis"] == "gates alone"


def test_a_worse_candidate_goes_by_itself(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 40, BEGIN)
    canary = open_canary(embedded, active=40)
    assert playing(embedded)["candidate"] == (3, 0.2)

    said = days_of_play(embedded, canary, who, 25, {"champion": 0.45, "candidate": 0.15})

    assert "the candidate fools less" in said
    assert canary_of(embedded, canary).state == "rolled back"
    assert playing(embedded)["champion"][0] == 2


def test_evidence_is_what_the_rules_say_and_nothing_else(game: Workshop) -> None:
    steady, seldom, made, early = (add_players(game.engine, 1, 2, BEGIN, **v) for v in ({}, {}, {"simulated": "x"}, {}))
    play(game.engine, 1, early, BEGIN, each=20, rates={})
    canary = open_canary(game, active=40)
    later = BEGIN + timedelta(hours=1)
    play(game.engine, 1, steady, later, each=20, rates={}, seed=1)
    play(game.engine, 1, seldom, later, each=4, rates={}, seed=2)
    play(game.engine, 1, made, later, each=20, rates={}, seed=3)
    play(game.engine, 1, steady, later, each=20, rates={}, seed=4, status="excluded")
    play(game.engine, 1, steady, later, each=20, rates={}, seed=5, mode="daily")
    play(game.engine, 1, steady, later, each=20, rates={}, seed=6, repeat=True)
    play(game.engine, 1, steady, later, each=20, rates={}, seed=7, policy_version=99)

    with reading(game.engine) as connection:
        found = evidence.read(connection, canary_of(game, canary), ("real",))

    assert set(found.player) == set(steady)
    with reading(game.engine) as connection:
        rows = connection.execute(select(guesses).where(guesses.c.player_id.in_(steady)).order_by(guesses.c.id)).all()
    first = rows[:40]  # two players, twenty guesses each
    met: set[tuple[int, str, int]] = set()
    expected = []
    for row in first:
        cards = {(row.player_id, "tweet", row.tweet_id), (row.player_id, "sample", row.sample_id)}
        if not cards & met and row.arm != "anchor":
            expected.append((row.player_id, row.tweet_id, row.arm == "candidate", row.verdict == "fooled"))
        met |= cards
    got = list(zip(found.player, found.tweet, found.candidate, found.fooled, strict=True))
    assert got == expected


def test_what_players_who_are_held_have_guessed_since_is_no_evidence(game: Workshop) -> None:
    """Their newest labels say accepted until the next screening; a canary may be looked at before."""
    who = add_players(game.engine, 1, 3, BEGIN)
    canary = open_canary(game, active=40)
    play(game.engine, 1, who, BEGIN + timedelta(hours=1), each=20, rates={})
    with writing(game.engine) as connection:
        for player_id, cleared in ((who[0], None), (who[1], BEGIN)):
            screenings.hold(connection, 1, player_id, "outlier", {}, BEGIN)
            if cleared:
                screenings.clear(connection, 1, player_id, cleared)

    with reading(game.engine) as connection:
        assert set(evidence.read(connection, canary_of(game, canary), ("real",)).player) == set(who[1:])


def test_before_it_is_time_nothing_is_looked_at(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 40, BEGIN)
    canary = open_canary(embedded, active=40)
    play(embedded.engine, 1, who, BEGIN, each=5, rates={})

    judging.ask_for_looks(embedded, BEGIN + timedelta(days=1))
    with reading(embedded.engine) as connection:
        assert jobs.listing(connection) == []
    with pytest.raises(Skipped, match=r"guesses of evidence, the next look is at 843"):
        look(embedded, canary, BEGIN + timedelta(days=1))
    assert canary_of(embedded, canary).looked == 0


def test_two_who_look_at_once_decide_once(game: Workshop) -> None:
    canary = open_canary(game, active=8)

    def attempt(_: int) -> str:
        try:
            return look(game, canary, BEGIN + timedelta(days=14))
        except Skipped as reason:
            return str(reason)

    with ThreadPoolExecutor(4) as several:
        said = list(several.map(attempt, range(4)))

    assert sum("promoted on the gates" in each for each in said) == 1
    with reading(game.engine) as connection:
        assert [each.verdict for each in generators.decisions_on(connection, 1)] == ["promoted", "canary opened"]


@pytest.mark.slow
def test_a_look_that_decides_nothing_is_made_once_too(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 40, BEGIN)
    canary = open_canary(embedded, active=40)
    play(embedded.engine, 1, who, BEGIN, each=30, rates={})
    before = canary_of(embedded, canary)

    assert "not decided yet" in look(embedded, canary, BEGIN + timedelta(days=1))

    assert canary_of(embedded, canary).looked == 1
    with writing(embedded.engine) as connection:
        assert not canaries.note_look(connection, before, {"guesses": 1})
    with pytest.raises(Skipped):
        look(embedded, canary, BEGIN + timedelta(days=1))


def test_who_plays_another_archive_is_not_active_in_this_one(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 40, BEGIN)
    play(embedded.engine, 1, who, BEGIN - timedelta(days=9), each=1, rates={})
    play(embedded.engine, 1, who[:6], BEGIN, each=2, rates={})
    with writing(embedded.engine) as connection:
        connection.execute(update(players).values(last_guess_at=BEGIN))
        assert evidence.active_players(connection, 1, ("real",), BEGIN - timedelta(days=7)) == 6


@pytest.mark.parametrize(
    "about",
    [{"has_cookie": False}, {"network": b"n" * 16}, {"settled_at": BEGIN}, {"report": ""}],
    ids=["no cookies", "one network", "set aside", "no words"],
)
def test_reports_that_may_be_one_persons_or_were_set_aside_end_nothing(
    embedded: Workshop, about: dict[str, Any]
) -> None:
    who = add_players(embedded.engine, 1, 40, BEGIN)
    canary = open_canary(embedded, active=40)
    play(embedded.engine, 1, who, BEGIN, each=5, rates={})
    of_round = {name: value for name, value in about.items() if name in guesses.c}
    with writing(embedded.engine) as connection:
        if of_round:
            connection.execute(update(guesses).values(of_round))
        of_candidate = select(guesses.c.player_id, guesses.c.id).where(guesses.c.arm == "candidate")
        told = {"report": "insulting", "said_at": BEGIN} | {name: about[name] for name in about.keys() - of_round}
        rows = [told | {"guess_id": guess} for guess in dict(connection.execute(of_candidate).all()).values()]
        connection.execute(insert(remarks), rows)

    with pytest.raises(Skipped, match="the next look is at"):
        look(embedded, canary, BEGIN + timedelta(hours=1))
    assert canary_of(embedded, canary).state == "open"


def test_reports_that_jump_end_it_at_once(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 40, BEGIN)
    canary = open_canary(embedded, active=40)
    play(embedded.engine, 1, who, BEGIN, each=5, rates={})
    with writing(embedded.engine) as connection:
        of_candidate = select(guesses.c.player_id, guesses.c.id).where(guesses.c.arm == "candidate")
        one_each = dict(connection.execute(of_candidate).all())
        rows = [{"guess_id": guess, "report": "insulting", "said_at": BEGIN} for guess in list(one_each.values())[:6]]
        connection.execute(insert(remarks), rows)

    judging.ask_for_looks(embedded, BEGIN + timedelta(hours=1))
    said = look(embedded, canary, BEGIN + timedelta(hours=1))

    with reading(embedded.engine) as connection:
        assert [(job.kind, dict(job.arguments)) for job in jobs.listing(connection)] == [("judge", {"canary": canary})]
    assert "v3 is rolled back: reports jumped: 6 in" in said
    assert canary_of(embedded, canary).state == "rolled back"
    assert playing(embedded)["champion"] == (2, 0.95)


def test_rejections_that_jump_end_it_at_once(embedded: Workshop) -> None:
    canary = open_canary(embedded, active=40)
    with writing(embedded.engine) as connection:
        row = {"archive_id": 1, "seed": 5, "state": "done", "goal": 9, "started_at": BEGIN + timedelta(hours=1)}
        for generator_id, rejected in ((2, 100), (3, 300)):
            counts = {"written": 1000, "rejected": {"copied from a tweet": rejected}, "generator_id": generator_id}
            connection.execute(insert(restocks).values(row | counts))

    assert "rejections jumped: vetting rejections 30.0%" in look(embedded, canary, BEGIN + timedelta(hours=2))


def test_hidden_samples_count_against_it(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 40, BEGIN)
    canary = open_canary(embedded, active=40)
    play(embedded.engine, 1, who, BEGIN, each=5, rates={})
    with writing(embedded.engine) as connection:
        some = select(guesses.c.sample_id).where(guesses.c.generator_id == 3).distinct().limit(8)
        values = {"hidden_at": BEGIN + timedelta(hours=1)}
        connection.execute(update(samples_table).where(samples_table.c.id.in_(some)).values(values))

    assert "hidden samples jumped: 8 in" in look(embedded, canary, BEGIN + timedelta(hours=2))


@pytest.mark.slow
def test_samples_that_nobody_met_do_not_count_against_it(embedded: Workshop) -> None:
    """Those that vetting holds back, or an admin then refuses, and those that a blocked word takes off both shelves."""
    who = add_players(embedded.engine, 1, 40, BEGIN)
    canary = open_canary(embedded, active=40)
    play(embedded.engine, 1, who, BEGIN, each=5, rates={})
    with writing(embedded.engine) as connection:
        met = select(guesses.c.sample_id)
        for generator_id, most in ((2, 60), (3, 100)):
            own = (samples_table.c.generator_id == generator_id, samples_table.c.id.not_in(met))
            some = select(samples_table.c.id).where(*own).limit(most)
            values = {"hidden_at": BEGIN + timedelta(hours=1), "hidden_reason": "held: crime"}
            connection.execute(update(samples_table).where(samples_table.c.id.in_(some)).values(values))

    with pytest.raises(Skipped, match="guesses of evidence"):
        look(embedded, canary, BEGIN + timedelta(hours=2))


def test_one_canary_at_a_time(game: Workshop) -> None:
    open_canary(game, active=40)

    with pytest.raises(NoCanary, match="another canary is open"):
        open_canary(game, active=40)


def test_who_is_crowned_by_hand_ends_the_canary(embedded: Workshop) -> None:
    canary = open_canary(embedded, active=40)
    with writing(embedded.engine) as connection:
        generators.crown(connection, 1, 1, 99, BEGIN + timedelta(days=1))

    assert canary_of(embedded, canary).state == "stopped"
    assert playing(embedded) == {"anchor": (1, 0.05), "champion": (1, 0.95)}
    with pytest.raises(Skipped, match="closed"):
        look(embedded, canary, BEGIN + timedelta(days=14))


def test_labels_that_are_read_anew_change_the_evidence(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 10, BEGIN)
    canary = canary_of(embedded, open_canary(embedded, active=40))
    play(embedded.engine, 1, who, BEGIN, each=10, rates={})
    with writing(embedded.engine) as connection:
        before = len(evidence.read(connection, canary, ("real",)))
        own = select(guesses.c.id).where(guesses.c.player_id == who[0])
        connection.execute(update(labels).where(labels.c.guess_id.in_(own)).values(status="quarantined"))
        after = evidence.read(connection, canary, ("real",))

    assert who[0] not in after.player
    assert before - len(after) in range(5, 11)


def test_a_look_that_ended_in_a_future_that_the_clock_took_back_holds_up_none(embedded: Workshop) -> None:
    open_canary(embedded, active=40)
    ahead = BEGIN + timedelta(days=60)
    with writing(embedded.engine) as connection:
        asked = jobs.ask(connection, "judge", 1, {"canary": 1}, asked_by="schedule", at=ahead)
        assert asked is not None
        jobs.finish(connection, jobs.begin(connection, asked, "test", ahead).claim, "skipped", "odd", ahead)

    judging.ask_for_looks(embedded, BEGIN + timedelta(days=15))

    with reading(embedded.engine) as connection:
        assert jobs.open_kinds(connection, 1) == {"judge"}


@pytest.mark.slow
@pytest.mark.parametrize("asked_when", [1, 2, 3])
def test_a_look_that_is_cancelled_decides_nothing(embedded: Workshop, asked_when: int) -> None:
    who = add_players(embedded.engine, 1, 10, BEGIN)
    canary, at = open_canary(embedded, active=10), BEGIN + timedelta(days=14)
    play(embedded.engine, 1, who, BEGIN, each=40, rates={"candidate": 0.9, "champion": 0.1})
    answers = iter([False] * (asked_when - 1) + [True])

    with pytest.raises(Interrupted):
        look(embedded, canary, at, lambda: next(answers))

    assert canary_of(embedded, canary).closed_at is None
    assert last_decision(embedded).verdict == "canary opened"
    look(embedded, canary, at)
    assert canary_of(embedded, canary).state == "promoted"


@pytest.mark.slow
def test_a_look_comes_as_soon_as_labels_that_came_back_make_enough(embedded: Workshop) -> None:
    who = add_players(embedded.engine, 1, 40, BEGIN)
    canary = canary_of(embedded, open_canary(embedded, active=40))
    play(embedded.engine, 1, who, BEGIN, each=30, rates={}, status="quarantined")
    later = BEGIN + timedelta(hours=1)
    judging.ask_for_looks(embedded, later)
    with writing(embedded.engine) as connection:
        assert jobs.open_kinds(connection, 1) == set()
        connection.execute(update(labels).values(status="accepted"))
        assert len(evidence.read(connection, canary, ("real",))) >= canary.fixed.looks[0]

    judging.ask_for_looks(embedded, later)

    with reading(embedded.engine) as connection:
        assert jobs.open_kinds(connection, 1) == {"judge"}
