"""The deck and each player's own order of it: every tweet once, no list kept, later imports at the end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDS = 6  # of the Feistel network; four already mix, six cost a microsecond more

UNKNOWN, GOOD, BAD = 0, 1, 2
_MARKS = ".,;:!?\"'()[]…“”‘’-–—*"


class Texts:
    """Many texts in one buffer: a fifth of the memory that as many Python strings take."""

    def __init__(self, texts: Sequence[str]) -> None:
        encoded = [text.encode() for text in texts]
        self._ends = np.cumsum([len(piece) for piece in encoded], dtype=np.int64)
        self._buffer = b"".join(encoded)

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each text: at least as many as characters. Shape [texts]."""
        return np.diff(self._ends, prepend=0)

    def __getitem__(self, index: int) -> str:
        start = int(self._ends[index - 1]) if index else 0
        return self._buffer[start : int(self._ends[index])].decode()


class Tweet(NamedTuple):
    """A deck card: the tweet's id in the database and its text."""

    id: int
    text: str


@dataclass(frozen=True)
class Block:
    """The deck cards that one import added.

    Attributes:
        start: its first place in the archive's deck: what names the block, for good.
        ids: tweet ids, in the order of the deck; 0 where there is a gap. Shape [cards].
        texts: their texts, as many.
        fit: whether each may be dealt as far as its row tells (it stands on its own). Shape [cards].
    """

    start: int
    ids: NDArray[np.int64]
    texts: Texts
    fit: NDArray[np.bool_]


class Deck:
    """All cards that may be dealt of an archive, block after block."""

    def __init__(
        self, blocks: Sequence[Block], fault: Callable[[str], str | None], hidden: Collection[int] = ()
    ) -> None:
        """`fault` says why a text may not be dealt, or None; `hidden` are tweets that an admin took off the deck."""
        self.blocks = tuple(blocks)
        self._fault = fault
        self._words: frozenset[str] | None = None
        self._ends: list[int] = np.cumsum([len(block.ids) for block in blocks], dtype=np.int64).tolist()
        off = np.array(sorted(hidden), dtype=np.int64)
        # Texts are checked as they come up, once each, so that a start waits for no check.
        self._state = [
            np.where(block.fit & ~np.isin(block.ids, off), UNKNOWN, BAD).astype(np.uint8) for block in blocks
        ]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def card(self, player: bytes, position: int) -> Tweet | None:
        """The card at a place of the player's own order; None where that card is not dealt."""
        number = bisect_right(self._ends, position)
        block = self.blocks[number]
        place = position - (self._ends[number - 1] if number else 0)
        index = permute(place, len(block.ids), order_key(player, block.start))
        if not self._is_good(block, self._state[number], index):
            return None
        return Tweet(int(block.ids[index]), block.texts[index])

    def _is_good(self, block: Block, state: NDArray[np.uint8], index: int) -> bool:
        if state[index] == UNKNOWN:
            state[index] = GOOD if self._fault(block.texts[index]) is None else BAD
        return bool(state[index] == GOOD)

    def dealt(self, most: int) -> int:
        """How many cards may be dealt; at most `most` are looked for."""
        found = 0
        for block, state in zip(self.blocks, self._state, strict=True):
            for index in np.flatnonzero(state != BAD):
                found += self._is_good(block, state, int(index))
                if found == most:
                    return found
        return found

    def short(self, longest: int, most: int) -> list[Tweet]:
        """Up to `most` cards that may be dealt and take at most `longest` bytes, from all over the deck."""
        found: list[Tweet] = []
        for block, state in zip(self.blocks, self._state, strict=True):
            fit = np.flatnonzero((block.texts.sizes <= longest) & (state != BAD))
            for index in fit[:: max(1, len(fit) // most)]:
                text = block.texts[int(index)]
                if self._fault(text) is None:
                    found.append(Tweet(int(block.ids[index]), text))
        return found[:: max(1, len(found) // most)][:most]

    def words(self, most: int) -> frozenset[str]:
        """The words of the first `most` texts of the deck, in small letters."""
        if self._words is None:
            texts = islice((block.texts[index] for block in self.blocks for index in range(len(block.ids))), most)
            self._words = frozenset(word for text in texts for word in bare_words(text))
        return self._words


def bare_words(text: str) -> list[str]:
    """The words of a text in small letters, without the marks around them."""
    return [word.strip(_MARKS).lower() for word in text.split()]


@lru_cache(maxsize=4096)
def order_key(player: bytes, block: int) -> tuple[int, ...]:
    """The keys of a player's order of one block; only who knows the player's key can tell the order."""
    digest = blake2b(b"order" + block.to_bytes(8, "big"), key=player, digest_size=ROUNDS * 8).digest()
    return tuple(int.from_bytes(digest[i : i + 8], "big") for i in range(0, len(digest), 8))


def permute(place: int, size: int, keys: Sequence[int]) -> int:
    """Where a keyed shuffle of `size` cards puts `place`: a Feistel network, walked on until inside the block.

    The network permutes the smallest even number of bits that covers `size`, at most four times too many numbers;
    stepping on from those outside leaves a permutation of the inside (cycle walking: Black and Rogaway, 2002).
    """
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = place >> half, place & mask
        for key in keys:
            left, right = right, left ^ (mix(right ^ key) & mask)
        place = left << half | right
        if place < size:
            return place


def mix(number: int) -> int:
    """64 bits in which each bit of `number` counts (the finaliser of splitmix64)."""
    number &= 0xFFFFFFFFFFFFFFFF
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return number ^ (number >> 31)
