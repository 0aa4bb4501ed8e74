"""Lessons: samples that fooled players, weighed beside the tweets that a generator learns from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

PRIOR_GUESSES = 2.0  # at the expected rate, added to each sample's own: one guess alone says little
HEAVIEST = 3.0  # a sample weighs at most as much as three tweets
SHARE = 0.15  # of all that is learned from, by weighted characters: the rest are real tweets


@dataclass(frozen=True)
class Lesson:
    """A text to learn from that is no tweet: a sample, with its weight beside a tweet's 1.0."""

    text: str
    weight: float


@dataclass(frozen=True)
class Lived:
    """A guess that teaches."""

    sample_id: int
    fooled: bool  # whether the sample was taken for the tweet
    weight: float = 1.0  # how much it counts beside others
    foretold: float | None = None  # the chance that it would fool, where a scorer foretold it


def draw_lessons(
    rounds: Iterable[Lived], texts: Mapping[int, str], characters: int, repeating: Collection[int] = ()
) -> list[Lesson]:
    """The samples that are taken for tweets more often than most, each weighed by how much more often.

    How often is told by its own guesses together with two more, at the rate that the scorer foretells for it, or at
    the mean rate where there is no scorer.

    Args:
        rounds: the guesses that teach.
        texts: of the samples.
        characters: of the tweets beside which they are learned; bounds their share.
        repeating: samples of which players said that they repeat themselves: none of them is a lesson.
    """
    seen: dict[int, float] = {}
    fooled: dict[int, float] = {}
    foretold: dict[int, float] = {}
    for one in rounds:
        seen[one.sample_id] = seen.get(one.sample_id, 0) + one.weight
        fooled[one.sample_id] = fooled.get(one.sample_id, 0) + one.weight * one.fooled
        if one.foretold is not None:
            foretold[one.sample_id] = foretold.get(one.sample_id, 0) + one.weight * one.foretold
    mean = sum(fooled.values()) / (sum(seen.values()) or 1.0)
    if not 0 < mean < 1:
        return []  # all fooled or none: nothing sets one sample apart
    lessons = []
    for sample_id in sorted(seen):
        expected = foretold[sample_id] / seen[sample_id] if sample_id in foretold else mean
        rate = (fooled[sample_id] + PRIOR_GUESSES * expected) / (seen[sample_id] + PRIOR_GUESSES)
        if rate > mean and sample_id in texts and sample_id not in repeating:
            lessons.append(Lesson(texts[sample_id], HEAVIEST * (rate - mean) / (1 - mean)))
    weighted = sum(lesson.weight * len(lesson.text) for lesson in lessons)
    most = characters * SHARE / (1 - SHARE)
    scale = min(1.0, most / weighted) if weighted else 1.0
    return [Lesson(lesson.text, round(lesson.weight * scale, 4)) for lesson in lessons]
