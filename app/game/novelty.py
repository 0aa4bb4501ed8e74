"""The copy index: finds every run of characters that a text shares with a tweet of the archive.

Only every ninth position of the corpus is indexed, by a hash of the 16 bytes that begin there. A shared run of 24
characters or more holds such a window whole, wherever it lies, so none is missed; each hit is then followed to both
sides in the corpus itself, so none is made up. That is about 1.3 bytes of index for a byte of text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.wording import fold

SHORTEST_RUN = 24  # characters; every shared run of this length or more is found
WINDOW = 16  # bytes that are hashed; WINDOW + STRIDE - 1 = SHORTEST_RUN
STRIDE = 9  # bytes between two indexed positions
SHORT = 40  # characters; shorter texts are compared whole
NEAR = 0.9  # similarity of two short texts that counts as a near-exact copy
EDGE = 6  # folded characters; short texts are compared if they begin or end alike
CHUNK = 1 << 22  # bytes hashed at once: bounds the memory that building takes

Bytes = NDArray[np.uint8]
# Odd multipliers from a fixed seed: the index of the same corpus is the same everywhere.
FACTORS = np.random.default_rng(20170101).integers(1, 1 << 62, WINDOW, dtype=np.uint64) * 2 + 1


@dataclass(frozen=True)
class Copy:
    """A run of characters that a text shares with a tweet."""

    start: int  # where it begins in the text, in characters of the text
    length: int  # in characters


class CopyIndex:
    """What the tweets of an archive say, searchable for copies; case and kinds of white space make no difference."""

    def __init__(self, texts: Iterable[str], held_out: Iterable[str] = ()) -> None:
        """Index `texts`, then `held_out`; a search may leave the latter aside (see `longest_run`)."""
        parts: list[bytes] = []
        short: dict[str, bool] = {}
        size = 0
        for text in texts:
            parts.append(_plain(text))
            size += len(parts[-1]) + 1
            _note_short(short, text, False)
        self._boundary = size
        for text in held_out:
            parts.append(_plain(text))
            _note_short(short, text, True)
        # A newline stands between two tweets and in none, so no run crosses from one to the next.
        pad = b"\n" * (SHORTEST_RUN - WINDOW)
        self._padded: Bytes = np.frombuffer(pad + b"\n".join([*parts, pad]), np.uint8)
        self._corpus = self._padded[len(pad) : len(self._padded) - len(pad)]
        self._hashes, self._places = _sampled_windows(self._corpus)
        self._short = short
        self._edges: dict[str, list[str]] = {}
        for folded in short:
            for edge in _edges(folded):
                self._edges.setdefault(edge, []).append(folded)

    def longest_run(self, text: str, *, enough: int = 1 << 30, with_held_out: bool = True) -> Copy:
        """The longest run that `text` shares with one tweet; length 0 where none has 24 characters or more.

        The search ends early at a run of `enough` characters, whether or not there is a longer one.
        """
        plain = np.frombuffer(_plain(text), np.uint8)
        best = Copy(0, 0)
        reached: dict[int, int] = {}  # diagonal -> end of the run already followed on it
        for start, place in self._hits(plain, len(self._corpus) if with_held_out else self._boundary):
            if start < reached.get(place - start, 0):
                continue
            first, last = self._follow(plain, start, place)
            reached[place - start] = last
            found = _in_characters(plain, first, last)
            if found.length > best.length:
                best = found
            if best.length >= enough:
                break
        return best if best.length >= SHORTEST_RUN else Copy(0, 0)

    def sharing(self, text: str, characters: int) -> set[int]:
        """Which texts share a run of `characters` (24 or more) with `text`, by their numbers in the order given."""
        plain = np.frombuffer(_plain(text), np.uint8)
        found: set[int] = set()
        for start, place in self._hits(plain, len(self._corpus)):
            number = int(np.searchsorted(self._borders, place))
            if number not in found:
                first, last = self._follow(plain, start, place)
                if _in_characters(plain, first, last).length >= characters:
                    found.add(number)
        return found

    @cached_property
    def _borders(self) -> NDArray[np.int64]:
        """Where in the corpus each text ends."""
        return np.flatnonzero(self._corpus == ord("\n"))

    def resembles_short(self, text: str, *, with_held_out: bool = True) -> bool:
        """Whether a tweet of less than 40 characters, case and punctuation aside, says the same or nearly the same."""
        folded = fold(text)
        if folded in self._short and (with_held_out or not self._short[folded]):
            return True
        for edge in _edges(folded):
            for other in self._edges.get(edge, ()):
                if not with_held_out and self._short[other]:
                    continue
                if SequenceMatcher(None, folded, other, autojunk=False).ratio() >= NEAR:
                    return True
        return False

    def _hits(self, plain: Bytes, end: int) -> Iterable[tuple[int, int]]:
        """Pairs (place in the text, place in the corpus before `end`) around which a run may be long enough."""
        if len(plain) < SHORTEST_RUN or not len(self._hashes):
            return ()
        hashes = _hash(np.lib.stride_tricks.sliding_window_view(plain, WINDOW))
        first = np.searchsorted(self._hashes, hashes, "left")
        counts = np.searchsorted(self._hashes, hashes, "right") - first
        starts = np.repeat(np.arange(len(hashes)), counts)
        # The k-th hit of a window stands k after its first one in the sorted index.
        nth = np.arange(len(starts)) - np.repeat(np.cumsum(counts) - counts, counts)
        places = self._places[np.repeat(first, counts) + nth]
        starts, places = starts[places < end], places[places < end]
        kept = self._surrounded(plain, starts, places)
        return zip(starts[kept].tolist(), places[kept].tolist(), strict=True)

    def _surrounded(self, plain: Bytes, starts: NDArray[Any], places: NDArray[Any]) -> NDArray[np.bool_]:
        """Which hits agree for 24 bytes or more: common phrases of 16 bytes are dropped here, all at once."""
        more = SHORTEST_RUN - WINDOW
        text, corpus = np.pad(plain, more), self._padded
        # Both are padded in front, so that place - more of the unpadded one is place of the padded one.
        ahead = np.arange(more)[None, :]
        behind = more - 1 - ahead
        left = text[starts[:, None] + behind] == corpus[places[:, None] + behind]
        right = text[starts[:, None] + more + WINDOW + ahead] == corpus[places[:, None] + more + WINDOW + ahead]
        run = np.cumprod(left, axis=1).sum(axis=1) + np.cumprod(right, axis=1).sum(axis=1)
        return np.asarray(run >= more)

    def _follow(self, plain: Bytes, start: int, place: int) -> tuple[int, int]:
        """The ends, in bytes of the text, of the run around one hit."""
        before = _alike(plain[:start][::-1], self._corpus[max(0, place - start) : place][::-1])
        after = _alike(plain[start:], self._corpus[place : place + len(plain) - start])
        return start - before, start + after


def _plain(text: str) -> bytes:
    """The text in UTF-8 with its differences of case and white space removed, character for character."""
    lower = text.lower()
    if len(lower) != len(text):
        # A few capitals grow when lowered; places must stay those of the text.
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lower.replace("\n", " ").replace("’", "'").encode("utf-8", "replace")


def _sampled_windows(corpus: Bytes) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the windows at every ninth byte, sorted, and the places they begin at."""
    windows: NDArray[Any] = (
        np.lib.stride_tricks.sliding_window_view(corpus, WINDOW)[::STRIDE]
        if (len(corpus) >= WINDOW)
        else np.empty((0, WINDOW), np.uint8)
    )
    hashes = np.empty(len(windows), np.uint64)
    step = CHUNK // WINDOW
    for begin in range(0, len(windows), step):
        hashes[begin : begin + step] = _hash(windows[begin : begin + step])
    order = np.argsort(hashes, kind="stable")
    return hashes[order], order * STRIDE


def _hash(windows: NDArray[Any]) -> NDArray[np.uint64]:
    # A collision costs one comparison, never a wrong answer: every hit is checked in the corpus.
    total = np.zeros(len(windows), np.uint64)
    for column, factor in enumerate(FACTORS):
        total += windows[:, column].astype(np.uint64) * factor
    return total ^ (total >> np.uint64(29))


def _alike(left: Bytes, right: Bytes) -> int:
    """How many bytes the two have in common from their beginnings."""
    size = min(len(left), len(right))
    differs = left[:size] != right[:size]
    at = int(differs.argmax()) if size else 0
    return at if size and differs[at] else size


def _in_characters(plain: Bytes, first: int, last: int) -> Copy:
    """A run of bytes as a run of whole characters: half a character at an end does not count."""
    while first < last and plain[first] & 0xC0 == 0x80:
        first += 1
    while last > first and last < len(plain) and plain[last] & 0xC0 == 0x80:
        last -= 1
    begins = (plain & 0xC0) != 0x80
    return Copy(int(begins[:first].sum()), int(begins[first:last].sum()))


def _note_short(short: dict[str, bool], text: str, held_out: bool) -> None:
    if len(text) < SHORT:
        folded = fold(text)
        # A tweet that is in both counts as not held out.
        short[folded] = short.get(folded, True) and held_out


def _edges(folded: str) -> tuple[str, ...]:
    return ("<" + folded[:EDGE], ">" + folded[-EDGE:]) if len(folded) >= 2 * EDGE else ()
