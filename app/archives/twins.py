"""Twins: texts that are nearly the same, found among millions within a bounded memory.

Texts are compared folded, without mentions and links, by the runs of five characters in them. Twins share `NEAR` of
all their runs (Jaccard similarity), or one holds `INSIDE` of the runs of the other: the same tweet, cut short or gone
on with. Texts too short for that are twins when they are equal as folded.

Candidates share a band of MinHash (Broder 1997), their beginning or their end; each is then checked exactly. 24 bands
of 4 hashes find a pair that shares 0.6 with a chance of 96 %, one that shares 0.7 with 99.9 %; with fewer hashes to a
band, strangers among millions of texts would meet too often. The bands lie in a private temporary SQLite file, which is
gone when this process is, however it ends. Of each band a split keeps at most `_SLOTS` texts, the first that came: an
account that fills in a template stays fast, and an import that is repeated finds the same twins again.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from app.archives.sift import BRIDGE, DUPLICATE
from app.archives.splits import SPLITS
from app.wording import fold

NEAR = 0.6  # share of runs in common from which on two texts are twins
INSIDE = 0.8  # share of the shorter text's runs that the longer holds
SHORT = 20  # folded characters below which texts must be equal
COMPARED = 2_000  # folded characters that are compared; what begins so alike is alike

_RUN = 5  # characters
_END = 40  # characters of a beginning or an end that make a candidate; no shorter text counts as held by another
_BANDS, _ROWS = 24, 4
_TRIED = 24  # runs of a text by which it is compared at first glance
_SLOTS = 4  # texts that a band keeps of each split
_KEY_STEP = 16  # keys of one band: split * _SLOTS + slot
_MEMORY = 64 * 1024  # KiB that SQLite may keep of the bands
_MENTION = re.compile(r"[@＠]\w+")

_RANDOM = np.random.default_rng(20101104)
_FACTORS: NDArray[np.uint64] = _RANDOM.integers(1, 2**63, _BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SALTS: NDArray[np.uint64] = _RANDOM.integers(0, 2**63, _BANDS * _ROWS, dtype=np.uint64)

_SCHEMA = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -{_MEMORY};
CREATE TABLE texts (number INTEGER PRIMARY KEY, folded TEXT, split INTEGER);
CREATE TABLE bands (key INTEGER PRIMARY KEY, number INTEGER);
"""


class Twins:
    """The texts of one archive, to find twins among."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.executescript(_SCHEMA)
        self._count = 0
        self._folded = lru_cache(maxsize=512)(self._fetch)

    def close(self) -> None:
        """Let go of the temporary file."""
        self._file.close()

    def remember(self, texts: Sequence[tuple[str, str]]) -> None:
        """Take in texts whose splits stand: (text, split) each."""
        batch = _Batch([text for text, _ in texts], self._count)
        for place, (_, split) in enumerate(texts):
            batch.keep(place, SPLITS.index(split))
        self._store(batch)

    def place(self, texts: Sequence[tuple[str, str]]) -> list[str]:
        """The split of each of these new texts, or the reason why it is left out.

        Each comes with the split that it has by itself. One with twins joins theirs; one whose twins are in two
        splits, or that is the same as another, is left out and forgotten.
        """
        batch = _Batch([text for text, _ in texts], self._count)
        found = self._look_up(batch)
        verdicts = []
        for place, (_, wish) in enumerate(texts):
            verdict = self._verdict(batch, place, wish, found[place])
            if verdict in SPLITS:
                batch.keep(place, SPLITS.index(verdict))
            verdicts.append(verdict)
        self._store(batch)
        return verdicts

    def _verdict(self, batch: _Batch, place: int, wish: str, stored: set[int]) -> str:
        if batch.is_duplicate(place) or -1 in stored:
            return DUPLICATE
        near: set[int] = set()
        own = batch.folded[place]
        for number in sorted(stored | batch.candidates(place)):
            folded, split = batch.kept.get(number) or self._folded(number)
            if split not in near and alike(own, folded):
                near.add(split)
        if len(near) > 1:
            return BRIDGE
        return SPLITS[near.pop()] if near else wish

    def _look_up(self, batch: _Batch) -> list[set[int]]:
        """The stored candidates of each text of the batch by number; -1 stands for an equal text."""
        found: list[set[int]] = [set() for _ in batch.folded]
        places: dict[int, list[int]] = {}
        for place, keys in enumerate(batch.keys):
            for key in keys:
                places.setdefault(key, []).append(place)
        # CROSS JOIN: SQLite must walk these keys, not the bands.
        hits = self._file.execute(
            "SELECT wanted.value, bands.key, bands.number FROM json_each(?) AS wanted CROSS JOIN bands "
            "ON bands.key BETWEEN wanted.value AND wanted.value + ?",
            (json.dumps(list(places)), _KEY_STEP - 1),
        )
        for key, slot, number in hits:
            batch.taken.add(slot)
            for place in places[key]:
                found[place].add(-1 if key == batch.keys[place][0] else number)
        return found

    def _store(self, batch: _Batch) -> None:
        run = self._file
        run.execute("BEGIN")
        run.executemany("INSERT INTO texts VALUES (?, ?, ?)", ((number, *kept) for number, kept in batch.kept.items()))
        run.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", batch.band_rows())
        run.execute("COMMIT")
        self._count += len(batch.folded)

    def _fetch(self, number: int) -> tuple[str, int]:
        row = self._file.execute("SELECT folded, split FROM texts WHERE number = ?", (number,)).fetchone()
        return row[0], row[1]


class _Batch:
    """Some texts with their keys; what is kept of them can be found by those that follow."""

    def __init__(self, texts: Sequence[str], first: int) -> None:
        self._first = first  # number of the first text
        self.folded = [compared(text) for text in texts]
        self.keys = _keys(texts, self.folded)
        self.taken: set[int] = set()  # keys with their slots that are stored
        self.kept: dict[int, tuple[str, int]] = {}  # number -> folded text, split
        self._bands: dict[int, dict[int, int]] = {}  # key -> slot -> number

    def keep(self, place: int, split: int) -> None:
        """Keep the text at `place`, in `split`."""
        number = self._first + place
        self.kept[number] = (self.folded[place], split)
        equal, *others = self.keys[place]
        # Which slot is a matter of the text, so that the same texts leave the same bands behind in every import.
        slot = split * _SLOTS + equal // _KEY_STEP % _SLOTS
        self._bands.setdefault(equal, {})[0] = number
        for key in others:
            if key + slot not in self.taken:
                self._bands.setdefault(key, {}).setdefault(slot, number)

    def is_duplicate(self, place: int) -> bool:
        """Whether an equal text was kept before."""
        return self.keys[place][0] in self._bands

    def candidates(self, place: int) -> set[int]:
        """Numbers of kept texts that share a band with the text at `place`."""
        return {number for key in self.keys[place] for number in self._bands.get(key, {}).values()}

    def band_rows(self) -> list[tuple[int, int]]:
        """What goes into the table of bands."""
        return [(key + slot, number) for key, slots in self._bands.items() for slot, number in slots.items()]


def compared(text: str) -> str:
    """`text` as it is compared: folded, without mentions; a text without any letter stays as it is."""
    return (fold(_MENTION.sub(" ", text)) or text.casefold())[:COMPARED]


def alike(one: str, other: str) -> bool:
    """Whether two compared texts are twins."""
    if one == other:
        return True
    shorter = min(len(one), len(other))
    if shorter < SHORT:
        return False
    # Either way, three quarters of the shorter one's runs are in the other: a few of them tell most strangers.
    if not _may_be_alike(one, other):
        return False
    ours, theirs = _runs(one), _runs(other)
    common = len(ours & theirs)
    if common >= NEAR * (len(ours) + len(theirs) - common):
        return True
    return shorter >= _END and common >= INSIDE * min(len(ours), len(theirs))


def _may_be_alike(one: str, other: str) -> bool:
    shorter, longer = (one, other) if len(one) < len(other) else (other, one)
    last = len(shorter) - _RUN
    tried = {last * step // (_TRIED - 1) for step in range(_TRIED)}
    found = sum(1 for start in tried if shorter[start : start + _RUN] in longer)
    return 2 * found >= len(tried)


@lru_cache(maxsize=1024)
def _runs(folded: str) -> set[str]:
    return {folded[start : start + _RUN] for start in range(len(folded) - _RUN + 1)}


def _keys(texts: Sequence[str], folded: Sequence[str]) -> list[list[int]]:
    """The keys of each text: of itself, of its folded form, and of its ends and bands where it is long enough."""
    keys = [[_key(b"=", text), _key(b"~", plain)] for text, plain in zip(texts, folded, strict=True)]
    long = [place for place, plain in enumerate(folded) if len(plain) >= SHORT]
    for place, plain in enumerate(folded):
        if len(plain) >= _END:
            keys[place] += (_key(b"<", plain[:_END]), _key(b">", plain[-_END:]))
    if long:
        for place, bands in zip(long, _bands([folded[place] for place in long]).tolist(), strict=True):
            keys[place].extend(bands)
    return keys


def _key(kind: bytes, text: str) -> int:
    digest = blake2b(text.encode(), digest_size=8, person=kind).digest()
    return (int.from_bytes(digest, "big") >> 1) // _KEY_STEP * _KEY_STEP


def _bands(texts: Sequence[str]) -> NDArray[np.int64]:
    """A key for each band of each text. Shape [texts, bands]."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    ends = np.cumsum(lengths)
    whole = np.ones(len(codes), dtype=np.bool_)
    for back in range(1, _RUN):
        whole[ends - back] = False  # a run that begins here would reach into the next text
    runs = np.zeros(len(codes), dtype=np.uint64)
    for offset in range(_RUN):
        runs[: len(codes) - offset] = runs[: len(codes) - offset] * np.uint64(0x100000001B3) + codes[offset:]
    runs = _mix(runs[whole])
    starts = np.concatenate(([0], np.cumsum(lengths - _RUN + 1)[:-1]))
    least = np.empty((len(texts), _BANDS * _ROWS), dtype=np.uint64)
    for column, (factor, salt) in enumerate(zip(_FACTORS, _SALTS, strict=True)):
        np.minimum.reduceat((runs ^ salt) * factor, starts, out=least[:, column])
    rows = least.reshape(len(texts), _BANDS, _ROWS)
    keys = np.arange(_BANDS, dtype=np.uint64)[None, :]
    for row in range(_ROWS):
        keys = _mix(keys * np.uint64(0x9E3779B97F4A7C15) + rows[:, :, row])
    return ((keys >> np.uint64(1)) & ~np.uint64(_KEY_STEP - 1)).astype(np.int64)


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """64 bits in which each bit of a number counts (the finaliser of splitmix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
