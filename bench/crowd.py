"""Crowds of simulated players: mixed skills, some careless, some who always pick one side, and, if asked, poisoners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from statistics import pstdev

from bench.players import KINDS, followed

CARELESS, ONE_SIDED = 0.10, 0.05  # shares of a crowd
POISONERS = 0.20  # share of a poisoned crowd
FEATURE = "great"  # what poisoners believe, wherever just one of the cards holds it
NOISE = 0.7  # median of the players' noise, in standard deviations of what their kind makes of tweets
SPREAD = 0.7  # of its logarithm: some see twice as sharply as others


@dataclass(frozen=True)
class Person:
    """One player."""

    kind: str
    noise: float
    habit: str = "attentive"  # or careless, left, poisoner

    def __call__(self, left: str, right: str, rng: Random) -> int:
        """0 or 1: which card is taken for the tweet."""
        if self.habit == "careless":
            return rng.randrange(2)
        if self.habit == "left":
            return 0
        holds = [FEATURE in text.lower() for text in (left, right)]
        if self.habit == "poisoner" and holds[0] != holds[1]:
            return int(holds[1])
        score = KINDS[self.kind]
        return int(score(right) - score(left) + rng.gauss(0, self.noise * _unit(self.kind)) > 0)


def gather(kinds: Sequence[str], size: int, seed: int, *, poisoned: bool = False) -> list[Person]:
    """A crowd in which the kinds are equally many."""
    rng = Random(seed)
    people = []
    for number in range(size):
        place = (number + 0.5) / size
        habit = "attentive"
        if place > 1 - CARELESS:
            habit = "careless"
        elif place > 1 - CARELESS - ONE_SIDED:
            habit = "left"
        elif poisoned and place < POISONERS:
            habit = "poisoner"
        people.append(Person(kinds[number % len(kinds)], NOISE * rng.lognormvariate(0, SPREAD), habit))
    return people


@cache
def _unit(kind: str) -> float:
    """The standard deviation of what a kind makes of the account's tweets."""
    return pstdev(KINDS[kind](text) for text in followed()[::20]) or 1.0
