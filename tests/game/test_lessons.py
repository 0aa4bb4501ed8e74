"""Lessons: which samples a generator learns from, and how much they weigh."""

from __future__ import annotations

from app.game.lessons import HEAVIEST, SHARE, draw_lessons

TEXTS = {1: "one " * 20, 2: "two " * 20, 3: "three " * 20}


def test_samples_that_fool_more_than_most_are_learned() -> None:
    rounds = [(1, True, 1.0), (1, True, 1.0), (2, False, 1.0), (2, False, 1.0), (3, True, 1.0), (3, False, 1.0)]

    assert [lesson.text for lesson in draw_lessons(rounds, TEXTS, 1_000_000)] == [TEXTS[1]]


def test_one_that_fooled_more_people_weighs_more() -> None:
    rounds = [(1, True, 1.0)] * 9 + [(2, True, 1.0)] * 2 + [(3, False, 1.0)] * 11
    first, second = draw_lessons(rounds, TEXTS, 1_000_000)

    assert second.weight < first.weight <= HEAVIEST


def test_a_guess_counts_by_its_weight() -> None:
    loud = [(1, True, 0.01)] * 90 + [(2, False, 0.01)] * 90
    others = [(2, True, 1.0)] * 5 + [(1, False, 1.0)] * 5

    assert [lesson.text for lesson in draw_lessons(loud + others, TEXTS, 1_000_000)] == [TEXTS[2]]


def test_real_tweets_stay_the_larger_part() -> None:
    rounds = [(1, True, 1.0)] * 9 + [(2, True, 1.0)] * 9 + [(3, False, 1.0)] * 18
    lessons = draw_lessons(rounds, TEXTS, characters=400)
    weighted = sum(lesson.weight * len(lesson.text) for lesson in lessons)

    assert weighted / (weighted + 400) <= SHARE + 0.001


def test_verdicts_that_are_all_alike_teach_nothing() -> None:
    assert draw_lessons([(1, True, 1.0), (2, True, 1.0)], TEXTS, 1000) == []
    assert draw_lessons([(1, False, 1.0), (2, False, 1.0)], TEXTS, 1000) == []
    assert draw_lessons([], TEXTS, 1000) == []
