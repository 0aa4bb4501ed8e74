"""Hanging: what the hall shows of samples, and under which heading. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from app.game.scoring import SHOWN_FROM, interval

# By fool rate; half is what a coin would give, so that a sample cannot do better than to be told by nobody.
GROUPS = (
    ("Convincing", "at least half of the players took them for real", 0.5),
    ("Half right", "a quarter to a half were fooled", 0.25),
    ("Caught", "fewer than a quarter were fooled", 0.0),
)
EACH = 6  # of a group


class Counted(Protocol):
    """Something with guesses."""

    @property
    def guesses(self) -> int:
        """How many."""

    @property
    def fooled(self) -> int:
        """How many of them took a sample for the tweet."""


Sample = TypeVar("Sample", bound=Counted)


@dataclass(frozen=True)
class Group(Generic[Sample]):
    """Samples that players rated alike."""

    name: str
    words: str
    samples: Sequence[Sample]


def rate(card: Counted) -> float:
    """Share of guesses that were fooled."""
    return card.fooled / card.guesses


def groups(samples: Iterable[Sample]) -> list[Group[Sample]]:
    """Samples of five guesses or more by how players rated them; the first of each group fooled the most.

    Those that were caught are led by those that most players looked through.
    """
    left = [sample for sample in samples if sample.guesses >= SHOWN_FROM]
    found = []
    for name, words, least in GROUPS:
        here = [sample for sample in left if rate(sample) >= least]
        left = [sample for sample in left if rate(sample) < least]
        if least == 0.0:
            here.sort(key=lambda sample: (rate(sample), -sample.guesses))
        else:
            here.sort(key=lambda sample: (-sample.fooled, -rate(sample)))
        found.append(Group(name, words, here[:EACH]))
    return found


@dataclass(frozen=True)
class Member:
    """A generator, with what became of its guesses.

    Attributes:
        parts: what it plays now: champion, candidate, anchor.
    """

    id: int
    parent_id: int | None
    name: str
    parts: tuple[str, ...]
    guesses: int
    fooled: int

    @property
    def fool_rate(self) -> float | None:
        """None below five guesses."""
        return rate(self) if self.guesses >= SHOWN_FROM else None

    @property
    def between(self) -> tuple[float, float]:
        """The ends of the fool rate's 95 % interval."""
        return interval(self.fooled, self.guesses)


def family(members: Sequence[Member]) -> list[tuple[int, Member]]:
    """The family tree from the top down: each generator below the one that it was made from, with its depth."""
    ids = {member.id for member in members}
    below: dict[int | None, list[Member]] = {}
    for member in members:
        parent = member.parent_id if member.parent_id in ids else None
        below.setdefault(parent, []).append(member)
    found = []
    waiting = [(0, member) for member in reversed(below.get(None, []))]
    while waiting:
        depth, member = waiting.pop()
        found.append((depth, member))
        waiting += [(depth + 1, child) for child in reversed(below.get(member.id, []))]
    return found
