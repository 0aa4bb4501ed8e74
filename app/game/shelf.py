"""The shelf: what can be dealt of an archive, by arm; a sample is found by its length, its strength and chance."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from app.game.deck import Texts, mix
from app.game.levels import Aim
from app.game.skill import UNREAD

# Those that take turns on the shelf; one trained on a class, dealt to it alone; whatever a player practises against.
ARMS = ("champion", "candidate", "anchor", "class", "practice")
CANDIDATE = ARMS[1]
LIKENESS = 0.8  # shorter card / longer card, at the least
NEIGHBOURS = 24  # samples of about the tweet's length among which chance decides
LOOKS = 8  # samples that one look-up asks the player's past about

# Asked for sample ids, tells those that the player met already.
Past = Callable[[Sequence[int]], Collection[int]]


class Rack:
    """The samples of one generator, by length; which of them lie on the shelf depends on the stamp."""

    def __init__(
        self,
        ids: Sequence[int],
        texts: Sequence[str],
        shelved: Sequence[int],
        retired: Sequence[int | None],
        strengths: Sequence[tuple[float, int] | None] = (),
    ) -> None:
        """`strengths`: of those that were read, their strength and the stamp from which it counts; none: of nobody."""
        order = sorted(range(len(ids)), key=lambda index: (len(texts[index]), ids[index]))
        self.ids = [ids[index] for index in order]
        self.texts = Texts([texts[index] for index in order])
        self._lengths = [len(texts[index]) for index in order]
        self._keys = [mix(sample_id) for sample_id in self.ids]
        self._spans = [(shelved[index], retired[index]) for index in order]
        self._strengths = [strengths[index] for index in order] if strengths else [None] * len(order)
        # Seats lag behind the shelf by different stamps, but only by a few of them at a time.
        self.on_shelf = lru_cache(maxsize=32)(self._on_shelf)

    def _on_shelf(self, stamp: int) -> tuple[list[int], list[int]]:
        """The samples that may be dealt at a stamp, shortest first: their indices and their lengths."""
        indices = [
            index
            for index, (shelved, retired) in enumerate(self._spans)
            if shelved <= stamp and (retired is None or stamp < retired)
        ]
        return indices, [self._lengths[index] for index in indices]

    def without(self, ids: Collection[int]) -> Rack:
        """The same, less those samples."""
        left = [index for index, sample_id in enumerate(self.ids) if sample_id not in ids]
        return Rack(
            [self.ids[index] for index in left],
            [self.texts[index] for index in left],
            [self._spans[index][0] for index in left],
            [self._spans[index][1] for index in left],
            [self._strengths[index] for index in left],
        )

    def level(self, stamp: int) -> int:
        """How many samples may be dealt at a stamp."""
        return len(self.on_shelf(stamp)[0])

    def choose(
        self, length: int, stamp: int, point: int, past: Past, aim: Aim | None = None
    ) -> tuple[int, float] | None:
        """A sample for a tweet of `length` characters that the player has not met: its index, its probability.

        Its neighbours are those nearest to it in the order of lengths, as many shorter as longer ones: so neither card
        tends to be the longer one, and where the shelf's lengths are distributed as the deck's, as restocking sees to,
        neither card's length tells anything. Among them the highest hash wins (rendezvous), so that a sample that comes
        or goes changes only the rounds that it takes part in. With an `aim` those that are about as strong as is wanted
        win more often.
        """
        indices, lengths = self.on_shelf(stamp)
        low = bisect_left(lengths, math.ceil(length * LIKENESS))
        high = bisect_right(lengths, math.floor(length / LIKENESS))
        first, last = bisect_left(lengths, length), bisect_right(lengths, length)
        # Anywhere among those that are just as long: a limit that many tweets reach is reached by many samples.
        middle = first + ((point & 0xFFFF) * (last - first + 1) >> 16)
        places = _outward(middle, low, high)
        while group := [indices[place] for place in islice(places, NEIGHBOURS)]:
            met = past([self.ids[index] for index in group])
            unmet = [index for index in group if self.ids[index] not in met]
            if unmet:
                return self._choose(unmet, stamp, point, aim)
        # Nothing of like length: what is nearest to the tweet, which the round then says of itself.
        rest = [indices[place] for place in _outward(middle, 0, len(lengths)) if not low <= place < high]
        index = self._first_unmet(rest, past)
        return None if index is None else (index, 1.0)

    def _choose(self, indices: Sequence[int], stamp: int, point: int, aim: Aim | None) -> tuple[int, float]:
        points = [mix(self._keys[index] ^ point) for index in indices]
        if aim is None:
            return indices[points.index(max(points))], 1 / len(indices)
        read = [self._strengths[index] for index in indices]
        # One that was not read by that stamp counts as average: what is found out later changes no open round.
        strengths = [UNREAD.mean if each is None or each[1] > stamp else each[0] for each in read]
        place, probability = aim.choose(strengths, points)
        return indices[place], probability

    def _first_unmet(self, indices: Sequence[int], past: Past) -> int | None:
        for start in range(0, len(indices), LOOKS):
            some = indices[start : start + LOOKS]
            met = past([self.ids[index] for index in some])
            for index in some:
                if self.ids[index] not in met:
                    return index
        return None


def _outward(middle: int, low: int, high: int) -> Iterator[int]:
    """The places in [low, high), from the middle outward, one below and one above in turn while there are both."""
    for distance in range(high - low):
        if low <= middle - 1 - distance < high:
            yield middle - 1 - distance
        if low <= middle + distance < high:
            yield middle + distance


@dataclass(frozen=True)
class Arm:
    """A generator at play: its name in play, its share of rounds, its samples."""

    name: str
    generator_id: int
    share: float
    rack: Rack


@dataclass(frozen=True)
class Shelf:
    """The samples that can be dealt of an archive, by arm.

    Attributes:
        stamp: the newest change that is in here.
        floor: the oldest stamp that it still knows; a seat that is older counts as this.
    """

    arms: tuple[Arm, ...]
    stamp: int
    floor: int = 0

    @property
    def has_canary(self) -> bool:
        """Whether a candidate is tried beside the champion: then cards are dealt at random, whatever the level."""
        return any(arm.name == CANDIDATE and arm.share > 0 for arm in self.arms)

    def level(self) -> int:
        """How many samples may be dealt now."""
        return sum(arm.rack.level(self.stamp) for arm in self.arms if arm.share > 0)
