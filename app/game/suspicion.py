"""Suspicion: which players' guesses say so little of the cards that their labels should wait in quarantine.

Whole players are looked at, never single guesses, and each test asks the same: could an honest player, at the very edge
of what honest players do, have guessed like this? Only where that is next to impossible is anybody held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FEWEST_GUESSES = 20  # of a player, before anything is said of them
FEWEST_PLAYERS = 10  # with as many guesses, before anything is said of anybody
NEWEST = 500  # guesses of a player that are looked at: what somebody was long ago may change

SAME_SIDE = 0.90  # share of one side, below which nobody is said to pick always the same
LEANING = math.log(0.65 / 0.35)  # an honest player may pick a side in 65 of 100 rounds that tell them nothing
EDGE = 2.25  # standard deviations of skill: an honest player at the edge of the crowd
SPREAD = (0.5, 0.9)  # of skill, in logits: what a crowd's own spread is taken for at least and at most

IMPOSSIBLE = 1e-3  # chance of such guesses, for an honest player at the edge, below which a player is held
POSSIBLE = 1e-2  # and above which one who is held is cleared: between the two, nothing changes

SAME_SIDE_REASON, OUTLIER_REASON = "always the same side", "outlier"

Finding = Literal["fine", "suspect", "cannot tell", "between"]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """A player's guesses, the newest last, with what others' guesses say of the cards.

    Attributes:
        tweet_left: whether the tweet was the left card.
        left: whether the left card was picked.
        base: logit of spotting the tweet for a player of average skill, from a model in which this one had no part.
        lean: logit that the crowd leans to the left card by.
    """

    tweet_left: NDArray[np.bool_]
    left: NDArray[np.bool_]
    base: Numbers
    lean: Numbers

    @property
    def spotted(self) -> NDArray[np.bool_]:
        """Whether each guess found the tweet."""
        return np.asarray(self.tweet_left == self.left, dtype=np.bool_)


@dataclass(frozen=True)
class Crowd:
    """How skilled players are: the middle, and how far they spread, in logits."""

    skill: float
    spread: float


@dataclass(frozen=True)
class Suspicion:
    """What is to be said of a player, and what showed it.

    Attributes:
        chance: that an honest player at the edge guesses like this; the smallest of the tests' that were made.
    """

    finding: Finding
    reason: str | None
    guesses: int
    skill: float
    left_share: float
    spotted_share: float
    chance: float


def skill_of(seen: Seen, prior: float = 4.0) -> tuple[float, float]:
    """A player's skill above the average in logits, drawn a little to zero, and its standard error."""
    sign = np.where(seen.tweet_left, 1.0, -1.0)
    skill, told = 0.0, 1 / prior
    for _ in range(25):
        chance = _sigmoid(sign * (seen.base + skill) + seen.lean)
        told = float((chance * (1 - chance)).sum()) + 1 / prior
        step = (float((sign * (seen.left - chance)).sum()) - skill / prior) / told
        skill += min(1.0, max(-1.0, step))
    return skill, 1 / math.sqrt(told)


def crowd_of(skills: Numbers, errors: Numbers) -> Crowd:
    """The middle and spread of a crowd, by medians of its better half: those who vote wrong on purpose, or never look,
    are in the other one, and must not widen it.
    """
    middle = float(np.median(skills))
    better = skills[skills >= middle]
    rough = 1.4826 * float(np.median(better - middle))  # of a normal distribution, the standard deviation
    own = math.sqrt(max(0.0, rough**2 - float(np.median(errors**2))))
    return Crowd(middle, min(SPREAD[1], max(SPREAD[0], own)))


def suspect(seen: Seen, crowd: Crowd | None) -> Suspicion:
    """Whether a player's labels should wait. Without a crowd to compare with, nothing can be told."""
    count = len(seen.left)
    skill, _ = skill_of(seen) if count else (0.0, 0.0)
    share, spotted = (float(seen.left.mean()), float(seen.spotted.mean())) if count else (0.5, 0.5)
    told = (count, skill, share, spotted)
    if count < FEWEST_GUESSES or crowd is None:
        return Suspicion("cannot tell", None, *told, 1.0)
    one_side, outside = _same_side(seen, share), _outside(seen, crowd, skill)
    chance = min(one_side, outside)
    reason = SAME_SIDE_REASON if one_side <= outside else OUTLIER_REASON
    if chance < IMPOSSIBLE:
        return Suspicion("suspect", reason, *told, chance)
    return Suspicion("fine" if chance > POSSIBLE else "between", None, *told, chance)


def _same_side(seen: Seen, share: float) -> float:
    """The chance that somebody who leans as far as honest players do picks one side so often; 1 below nine in ten."""
    if max(share, 1 - share) < SAME_SIDE:
        return 1.0
    sign = np.where(seen.tweet_left, 1.0, -1.0)
    lean = LEANING if share > 0.5 else -LEANING
    # At average skill: of one who never looks, nothing is known of skill.
    left = _sigmoid(sign * seen.base + seen.lean + lean)
    if share > 0.5:
        return at_least(left, int(seen.left.sum()))
    return at_least(1 - left, int((~seen.left).sum()))


def _outside(seen: Seen, crowd: Crowd, skill: float) -> float:
    """The chance that a player at the edge of the crowd spots so few tweets, or so many."""
    is_low = skill < crowd.skill
    edge = crowd.skill + (-EDGE if is_low else EDGE) * crowd.spread
    sign = np.where(seen.tweet_left, 1.0, -1.0)
    spots = _sigmoid(seen.base + edge + sign * seen.lean)
    hits = int(seen.spotted.sum())
    return at_least(1 - spots, len(spots) - hits) if is_low else at_least(spots, hits)


def at_least(chances: Numbers, count: int) -> float:
    """The chance that at least `count` of independent events of these chances happen (Poisson binomial, exact)."""
    spread = np.zeros(len(chances) + 1)
    spread[0] = 1.0
    for chance in chances:
        spread[1:] = spread[1:] * (1 - chance) + spread[:-1] * chance
        spread[0] *= 1 - chance
    return float(spread[count:].sum())


def _sigmoid(logit: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-np.clip(logit, -40, 40)))
