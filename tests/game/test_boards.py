"""Leaderboards: what is ranked, when days and weeks begin, and what ends a streak."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.game.boards import Score, after, counts, period
from app.game.skill import UNREAD

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday


def test_a_week_begins_on_monday() -> None:
    sunday, monday, next_sunday = AT - timedelta(days=1), AT, AT + timedelta(days=6)
    assert period("week", sunday) + 1 == period("week", monday) == period("week", next_sunday)
    assert period("day", sunday) + 1 == period("day", monday)


def test_a_day_begins_at_midnight_utc() -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert period("day", midnight) == period("day", midnight - timedelta(milliseconds=1)) + 1


@pytest.mark.parametrize("how", [{"mode": "challenge"}, {"mode": "class"}, {"repeat": True}, {"is_owned": False}])
def test_where_somebody_may_have_told_the_answer_nothing_is_ranked(how: dict[str, object]) -> None:
    usual: dict[str, object] = {"mode": "endless", "verdict": "spotted"}
    usual |= {"repeat": False, "is_owned": True, "has_score": True}
    assert counts(**usual)  # type: ignore[arg-type]
    assert not counts(**usual | how)  # type: ignore[arg-type]


def test_a_miss_is_kept_from_no_score() -> None:
    assert counts("endless", "fooled", repeat=False, is_owned=False, has_score=True)
    assert not counts("endless", "fooled", repeat=False, is_owned=False, has_score=False)
    assert not counts("practice", "fooled", repeat=False, is_owned=False, has_score=True)


def one_more(score: Score | None, at: datetime, last: datetime | None) -> Score:
    return after(score, UNREAD, "spotted", at, last)


def test_a_streak_goes_on_within_a_sitting() -> None:
    score = one_more(None, AT, None)
    score = one_more(score, AT + timedelta(minutes=10), AT)
    assert (score.streak, score.best_streak) == (2, 2)


def test_a_round_left_open_ends_the_streak_and_the_best_stays() -> None:
    score = one_more(one_more(None, AT, None), AT + timedelta(minutes=1), AT)
    score = one_more(score, AT + timedelta(minutes=12), AT + timedelta(minutes=1))
    assert (score.streak, score.best_streak) == (1, 2)


def test_a_round_left_for_another_place_ends_the_streak() -> None:
    score = one_more(None, AT, None)
    elsewhere = AT + timedelta(minutes=1)
    assert one_more(score, AT + timedelta(minutes=2), elsewhere).streak == 1


def test_a_miss_ends_the_streak() -> None:
    score = after(one_more(None, AT, None), UNREAD, "fooled", AT + timedelta(seconds=9), AT)
    assert (score.guesses, score.spotted, score.streak, score.best_streak) == (2, 1, 0, 1)


def test_fewer_than_ten_guesses_have_no_level() -> None:
    score = None
    for number in range(10):
        assert score is None or score.level is None
        score = one_more(score, AT + timedelta(seconds=number), None)
    assert score is not None
    assert score.level == score.belief.cautious
