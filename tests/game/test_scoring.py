"""Scoring: verdicts, streaks, rates and their intervals."""

from __future__ import annotations

import pytest

from app.game.scoring import fool_rate, interval, streak, verdict


def test_who_picks_the_tweet_spotted_it() -> None:
    assert [verdict(pick, 1) for pick in (0, 1)] == ["fooled", "spotted"]


def test_a_streak_grows_until_one_is_fooled() -> None:
    assert [streak(4, "spotted"), streak(4, "fooled")] == [5, 0]


def test_a_fool_rate_needs_five_guesses() -> None:
    assert [fool_rate(2, 4), fool_rate(2, 5)] == [None, 0.4]


@pytest.mark.parametrize(("fooled", "guesses"), [(0, 10), (10, 10), (3, 7), (500, 1000)])
def test_the_interval_holds_the_rate_and_stays_inside(fooled: int, guesses: int) -> None:
    low, high = interval(fooled, guesses)
    assert 0 <= low <= fooled / guesses <= high <= 1


def test_the_interval_is_wilsons() -> None:
    # Wilson (1927): 5 of 10 gives 0.237 to 0.763.
    assert interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=5e-4)


def test_nothing_is_known_of_no_guesses() -> None:
    assert interval(0, 0) == (0.0, 1.0)
