"""Lessons: which samples a generator learns from, and how much they weigh."""

from __future__ import annotations

from collections.abc import Iterable

from app.game.lessons import HEAVIEST, SHARE, Lived, draw_lessons

TEXTS = {1: "one " * 20, 2: "two " * 20, 3: "three " * 20}


def lived(rounds: Iterable[tuple[int, bool]]) -> list[Lived]:
    return [Lived(*one) for one in rounds]


def test_samples_that_fool_more_than_most_are_learned() -> None:
    rounds = [(1, True), (1, True), (2, False), (2, False), (3, True), (3, False)]

    assert [lesson.text for lesson in draw_lessons(lived(rounds), TEXTS, 1_000_000)] == [TEXTS[1]]


def test_one_that_fooled_more_people_weighs_more() -> None:
    rounds = [(1, True)] * 9 + [(2, True)] * 2 + [(3, False)] * 11
    first, second = draw_lessons(lived(rounds), TEXTS, 1_000_000)

    assert second.weight < first.weight <= HEAVIEST


def test_real_tweets_stay_the_larger_part() -> None:
    rounds = [(1, True)] * 9 + [(2, True)] * 9 + [(3, False)] * 18
    lessons = draw_lessons(lived(rounds), TEXTS, characters=400)
    weighted = sum(lesson.weight * len(lesson.text) for lesson in lessons)

    assert weighted / (weighted + 400) <= SHARE + 0.001


def test_verdicts_that_are_all_alike_teach_nothing() -> None:
    assert draw_lessons(lived([(1, True), (2, True)]), TEXTS, 1000) == []
    assert draw_lessons(lived([(1, False), (2, False)]), TEXTS, 1000) == []
    assert draw_lessons([], TEXTS, 1000) == []


def test_what_a_scorer_foretells_counts_where_guesses_are_few() -> None:
    rounds = [Lived(1, True, foretold=0.4), Lived(2, True, foretold=0.9), Lived(3, False), Lived(3, False)]

    first, second = draw_lessons(rounds, TEXTS, 1_000_000)

    assert first.weight < second.weight


def test_a_guess_counts_by_its_weight() -> None:
    loud = [Lived(1, True, 0.01)] * 90 + [Lived(2, False, 0.01)] * 90
    others = [Lived(2, True)] * 5 + [Lived(1, False)] * 5

    assert [lesson.text for lesson in draw_lessons(loud + others, TEXTS, 1_000_000)] == [TEXTS[2]]


def test_a_guess_of_no_weight_hardly_counts() -> None:
    rounds = [Lived(1, True, 0.001), Lived(2, True), Lived(2, True), Lived(3, False), Lived(3, False)]
    weights = {lesson.text: lesson.weight for lesson in draw_lessons(rounds, TEXTS, 1_000_000)}

    assert weights.get(TEXTS[1], 0) < 0.1 * weights[TEXTS[2]]


def test_a_sample_that_was_said_to_repeat_itself_is_no_lesson() -> None:
    rounds = lived([(1, True), (1, True), (2, True), (2, True), (3, False), (3, False), (3, False)])

    assert [lesson.text for lesson in draw_lessons(rounds, TEXTS, 1_000_000, repeating={1})] == [TEXTS[2]]
