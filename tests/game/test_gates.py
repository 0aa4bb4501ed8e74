"""Gates for sets of samples: what is like tweets passes, what is not is held back, by name and figure."""

from __future__ import annotations

from random import Random

import pytest

from app.game.gates import (
    COPIED,
    DISTINCT,
    LENGTH_MIX,
    MARK_MIX,
    SELF_BLEU,
    SET,
    Bounds,
    copied_gate,
    fix_bounds,
    rejections_gate,
    set_gates,
)

HEADS, TAILS = "ba de fi go lu me no pi ra so ti vu", "bel dor fin gar lom net pas rik"
WORDS = [head + tail for head in HEADS.split() for tail in TAILS.split()]


def write(count: int, seed: int, mean: float = 16, marks: float = 0.2, vocabulary: int = 96) -> list[str]:
    """Texts of words that mean nothing, of lengths like those of tweets."""
    random = Random(seed)
    texts = []
    for _ in range(count):
        chosen = [WORDS[random.randrange(vocabulary)] for _ in range(max(4, round(random.gauss(mean, 5))))]
        if random.random() < marks:
            chosen.append("#" + random.choice(WORDS))
        texts.append(" ".join(chosen).capitalize() + ".")
    return texts


TWEETS = write(1500, seed=1)
BOUNDS = fix_bounds(TWEETS)


def outcomes(samples: list[str], bounds: Bounds = BOUNDS) -> dict[str, str]:
    return {gate.name: gate.outcome for gate in set_gates(bounds, samples)}


def test_what_is_written_like_the_tweets_passes() -> None:
    assert set(outcomes(write(600, seed=2)).values()) == {"passed"}


@pytest.mark.parametrize(
    ("samples", "gates"),
    [
        (write(600, seed=3, mean=9), {LENGTH_MIX}),
        (write(600, seed=4, marks=0.7), {MARK_MIX}),
        (write(600, seed=5, vocabulary=20), {SELF_BLEU, DISTINCT}),
        (write(12, seed=6) * 50, {SELF_BLEU, DISTINCT}),
    ],
)
def test_what_is_mixed_otherwise_is_held_back(samples: list[str], gates: set[str]) -> None:
    found = outcomes(samples)

    assert gates <= {name for name, outcome in found.items() if outcome == "failed"}


def test_a_gate_that_fails_names_its_figure_and_its_limits() -> None:
    gate = next(gate for gate in set_gates(BOUNDS, write(600, seed=3, mean=9)) if gate.name == LENGTH_MIX)

    assert gate.found is not None
    assert gate.limit is not None
    assert gate.found > gate.limit
    assert f"{gate.found:.3f}" in gate.words
    assert f"{gate.limit:.3f}" in gate.words


def test_too_few_tweets_or_samples_cannot_be_judged() -> None:
    assert set(outcomes(write(600, 2), fix_bounds(TWEETS[: 2 * SET - 1])).values()) == {"cannot judge"}
    assert set(outcomes(write(SET - 1, 2)).values()) == {"cannot judge"}
    assert (
        "cannot judge by 0 tweets (400 or more are needed): an admin decides" in set_gates(fix_bounds([]), [])[0].words
    )
    assert "by 199 samples (200 or more" in set_gates(BOUNDS, write(SET - 1, 2))[0].words


def test_one_set_of_samples_and_two_of_tweets_can_be_judged() -> None:
    assert "cannot judge" not in outcomes(write(SET, 2)).values()
    assert "cannot judge" not in outcomes(write(SET, 2), fix_bounds(TWEETS[: 2 * SET])).values()


def test_bounds_survive_being_stored_and_come_out_the_same() -> None:
    assert Bounds.from_json(BOUNDS.to_json()) == fix_bounds(TWEETS)


def test_samples_that_copy_more_than_the_champions_are_held_back() -> None:
    champion, honest = write(300, seed=7), write(300, seed=8)
    copying = [tweet[:45] + text[:60] for tweet, text in zip(TWEETS, honest, strict=False)]

    assert copied_gate(honest, champion, TWEETS).outcome == "passed"
    gate = copied_gate(copying, champion, TWEETS)
    assert (gate.name, gate.outcome) == (COPIED, "failed")
    assert gate.found is not None
    assert gate.found >= 40
    assert f"{gate.found:.1f} characters" in gate.words


@pytest.mark.parametrize(("ours", "theirs"), [(50, 300), (300, 199), (300, 0)])
def test_who_is_told_that_copies_cannot_be_judged_is_told_by_what_and_what_follows(ours: int, theirs: int) -> None:
    gate = copied_gate(write(ours, seed=8), write(theirs, seed=7), TWEETS)
    assert gate.outcome == "cannot judge"
    assert f"{ours} samples beside {theirs} of the champion's (200 or more are needed of each)" in gate.words
    assert gate.words.endswith("an admin decides")


def test_a_run_a_little_longer_than_chance_explains_is_held_back() -> None:
    champion = write(300, seed=7)
    copying = [tweet[:18] + text[18:] for tweet, text in zip(TWEETS, champion, strict=False)]

    gate = copied_gate(copying, champion, TWEETS)
    assert gate.outcome == "failed"
    assert gate.found is not None
    assert gate.limit is not None
    assert gate.found < gate.limit + 5


def test_the_search_for_copies_hears_that_nobody_waits_any_more() -> None:
    class EnoughError(Exception):
        pass

    def stop() -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        copied_gate(write(SET, seed=8), write(SET, seed=7), TWEETS, stop)


@pytest.mark.parametrize(
    ("candidate", "champion", "outcome"),
    [
        ((1000, 120), (1000, 100), "passed"),
        ((1000, 121), (1000, 100), "failed"),
        ((5000, 400), (1000, 100), "passed"),
        ((499, 400), (1000, 100), "cannot judge"),
        ((1000, 100), (0, 0), "cannot judge"),
    ],
)
def test_drafts_are_turned_away_little_more_often_than_the_champions(
    candidate: tuple[int, int], champion: tuple[int, int], outcome: str
) -> None:
    assert rejections_gate(candidate, champion).outcome == outcome
