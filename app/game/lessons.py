"""Lessons: samples that fooled players, weighed beside the tweets that a generator learns from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PRIOR_GUESSES = 2.0  # at the mean rate, added to each sample's own: one guess alone says little
HEAVIEST = 3.0  # a sample weighs at most as much as three tweets
SHARE = 0.15  # of all that is learned from, by weighted characters: the rest are real tweets


@dataclass(frozen=True)
class Lesson:
    """A text to learn from that is no tweet: a sample, with its weight beside a tweet's 1.0."""

    text: str
    weight: float


def draw_lessons(rounds: Iterable[tuple[int, bool, float]], texts: Mapping[int, str], characters: int) -> list[Lesson]:
    """The samples that were taken for tweets more often than most, each weighed by how much more often.

    Args:
        rounds: for each guess that teaches the sample's id, whether it fooled the player, and the guess's weight.
        texts: of the samples.
        characters: of the tweets beside which they are learned; bounds their share.
    """
    seen: dict[int, float] = {}
    fooled: dict[int, float] = {}
    for sample_id, was_fooled, weight in rounds:
        seen[sample_id] = seen.get(sample_id, 0.0) + weight
        fooled[sample_id] = fooled.get(sample_id, 0.0) + weight * was_fooled
    mean = sum(fooled.values()) / (sum(seen.values()) or 1.0)
    if not 0 < mean < 1:
        return []  # all fooled or none: nothing sets one sample apart
    lessons = []
    for sample_id in sorted(seen):
        rate = (fooled[sample_id] + PRIOR_GUESSES * mean) / (seen[sample_id] + PRIOR_GUESSES)
        if rate > mean and sample_id in texts:
            lessons.append(Lesson(texts[sample_id], HEAVIEST * (rate - mean) / (1 - mean)))
    weighted = sum(lesson.weight * len(lesson.text) for lesson in lessons)
    most = characters * SHARE / (1 - SHARE)
    scale = min(1.0, most / weighted) if weighted else 1.0
    return [Lesson(lesson.text, round(lesson.weight * scale, 4)) for lesson in lessons]
