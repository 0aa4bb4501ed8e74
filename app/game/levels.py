"""Levels: once a player's skill is known, most of their rounds are about as hard as they are good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.game.skill import NEWCOMER, Belief

AT_RANDOM = 0.25  # share of the rounds of a player of known skill in which chance alone chooses all the same
KNOWN = 0.3  # variance of a player's skill below which it is known: after 12 to 18 guesses
READ = 0.34  # variance of a sample's strength below which it is read: after five labels or six
WIDTH = 0.5  # logits beside the aim at which a sample is chosen 0.6 times as often as right on it
FARTHEST = 3.0  # logits: no aim lies farther out, no sample does either


def known(skill: Belief) -> float | None:
    """The skill that rounds are chosen by; None while it is not known well enough."""
    return skill.mean if skill.variance <= KNOWN else None


def read(strength: Belief) -> float | None:
    """The strength that a sample is chosen by from now on; None while guesses have not told it."""
    return strength.mean if strength.variance <= READ else None


@dataclass(frozen=True)
class Aim:
    """What a sample is chosen by for a player of known skill.

    Attributes:
        strength: of the samples that are wanted, in logits.
        is_chance: this round is one of those in which chance alone chooses.
    """

    strength: float
    is_chance: bool

    def choose(self, strengths: Sequence[float], points: Sequence[int]) -> tuple[int, float]:
        """Which of some samples: its place among them, and its probability over both ways of choosing.

        Args:
            strengths: of the samples, in logits.
            points: a number below 2^64 for each, drawn by chance: the highest wins, weighed by how near the sample is
                (weighted rendezvous: a sample that comes or goes changes only the rounds that it takes part in).
        """
        gaps = [(each - self.strength) / WIDTH for each in strengths]
        weights = [math.exp(-gap * gap / 2) for gap in gaps]
        if self.is_chance:
            place = points.index(max(points))
        else:
            # An exponential of each sample's own rate: the least one is this sample's with odds of its weight.
            waits = [(_HIGHEST - math.log(point + 1)) / weight for point, weight in zip(points, weights, strict=True)]
            place = waits.index(min(waits))
        return place, AT_RANDOM / len(points) + (1 - AT_RANDOM) * weights[place] / sum(weights)


_HIGHEST = math.log(2**64)


def aim(skill: float, coin: float) -> Aim:
    """What is aimed at for a player of that skill: an average player meets average samples.

    `coin`, even between 0 and 1 and independent of the cards, says whether chance alone chooses.
    """
    return Aim(max(-FARTHEST, min(FARTHEST, skill - NEWCOMER.mean)), coin < AT_RANDOM)
