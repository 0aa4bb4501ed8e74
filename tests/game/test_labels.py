"""Label rules: which guesses teach."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.game.labels import DAILY_CAP, RETRACTED, Label, Sighting, Standing, is_too_quick, judge, standing

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
GOOD = Sighting(
    shown_at=NOON,
    guessed_at=NOON + timedelta(seconds=9),
    characters=220,
    has_cookie=True,
    is_simulated=False,
    is_repeat=False,
    recognised=False,
    accepted_today=0,
)


def test_a_considered_guess_teaches() -> None:
    assert judge(GOOD) == Label("accepted")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recognised": True}, "recognised"),
        ({"has_cookie": False}, "no cookie"),
        ({"is_repeat": True}, "repeated card"),
        ({"is_simulated": True}, "simulated"),
        ({"guessed_at": NOON + timedelta(seconds=1)}, "too quick"),
        ({"mode": "challenge"}, "challenge round"),
        ({"mode": "practice"}, "practice round"),
        ({"mode": "class"}, "class round"),
        ({"is_chosen": True}, "chosen pair"),
    ],
)
def test_a_guess_is_excluded_with_its_reason(change: dict[str, object], reason: str) -> None:
    assert judge(replace(GOOD, **change)) == Label("excluded", reason)  # type: ignore[arg-type]


def test_what_is_too_quick_for_long_cards_may_do_for_short_ones() -> None:
    quick = replace(GOOD, guessed_at=NOON + timedelta(seconds=1.5))
    assert judge(replace(quick, characters=500)).reason == "too quick"
    assert judge(replace(quick, characters=90)) == Label("accepted")


def test_half_a_second_and_eight_milliseconds_a_character_are_long_enough() -> None:
    shortest = timedelta(milliseconds=500 + 8 * 220)
    assert judge(replace(GOOD, guessed_at=NOON + shortest)) == Label("accepted")
    assert judge(replace(GOOD, guessed_at=NOON + shortest - timedelta(milliseconds=1))).reason == "too quick"
    assert judge(replace(GOOD, guessed_at=NOON)).reason == "too quick"


def test_what_comes_after_the_daily_cap_waits() -> None:
    assert judge(replace(GOOD, accepted_today=DAILY_CAP)) == Label("quarantined", "daily cap")
    assert judge(replace(GOOD, accepted_today=DAILY_CAP - 1)) == Label("accepted")


def test_simulated_players_teach_where_the_operator_says_so() -> None:
    robot = replace(GOOD, is_simulated=True, has_cookie=False, guessed_at=NOON, accepted_today=DAILY_CAP)
    assert judge(robot, ("real", "simulated")) == Label("accepted")
    assert judge(robot, ("simulated",)) == Label("accepted")
    assert judge(GOOD, ("simulated",)) == Label("excluded", "not simulated")


def test_the_daily_ten_teach_at_first_sight():
    assert judge(replace(GOOD, mode="daily")) == Label("accepted")
    assert judge(replace(GOOD, mode="daily", is_repeat=True)).reason == "repeated card"


def test_a_class_teaches_where_its_host_said_so():
    assert judge(replace(GOOD, mode="class", class_teaches=True)) == Label("accepted")
    assert judge(replace(GOOD, mode="practice", class_teaches=True)).reason == "practice round"


@pytest.mark.parametrize(
    "unknown",
    [
        {"shown_at": None, "guessed_at": NOON},
        {"characters": None, "guessed_at": NOON},
        {"has_cookie": None},
        {"shown_at": NOON + timedelta(seconds=90)},  # dealt by a machine whose clock is ahead
    ],
)
def test_a_check_that_could_not_run_is_not_a_check_that_failed(unknown: dict[str, object]) -> None:
    sighting = replace(GOOD, **unknown)  # type: ignore[arg-type]
    assert judge(sighting) == Label("accepted")
    assert is_too_quick(sighting) is not True


@pytest.mark.parametrize("ruled", [Label("accepted"), Label("quarantined", "daily cap")])
def test_a_player_whose_labels_were_taken_back_teaches_nothing_new(ruled: Label) -> None:
    assert standing(ruled, is_retracted=True) == Standing(Label("excluded", RETRACTED), "retraction", ruled)
    assert standing(ruled, is_retracted=False) == Standing(ruled, "rules", ruled)


def test_what_the_rules_exclude_keeps_its_own_reason():
    quick = Label("excluded", "too quick")
    assert standing(quick, is_retracted=True) == Standing(quick, "rules", quick)
