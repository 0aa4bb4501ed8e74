"""Copied runs: for each character of a text, how long a run from there on stands in other texts as well.

Exact and for whole sets at once, where `novelty` asks quickly of one text whether it copies.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.game.heed import Heed, heedless

Places = NDArray[np.int64]
Ranks = NDArray[np.int32]

SEARCHED = 40_000  # learned texts that are enough to compare two sets by: some 200 MB of memory


def copied_runs(texts: Sequence[str], learned: Sequence[str], heed: Heed = heedless) -> list[Places]:
    """For each character of each text, how long a run beginning there is found in `learned`, in characters.

    All suffixes are sorted together (prefix doubling, Manber & Myers 1990); the longest match of a suffix is one of
    its two nearest neighbours from the learned texts.
    """
    if not texts:
        return []
    longest = 1 << max(1, (max(len(text) for text in texts) - 1).bit_length())
    joined = np.frombuffer("\0".join([*texts, *learned, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum([len(text) + 1 for text in texts])
    ours = int(ends[-1])
    ranks: list[Ranks] = [np.unique(joined, return_inverse=True)[1].astype(np.int32)]
    while 1 << len(ranks) <= longest:
        heed()
        last, step = ranks[-1].astype(np.int64), 1 << (len(ranks) - 1)
        after = np.concatenate([last[step:], np.full(min(step, len(last)), -1)])[: len(last)]
        ranks.append(np.unique(last * (last.max() + 2) + after + 1, return_inverse=True)[1].astype(np.int32))
    order = np.argsort(ranks[-1], kind="stable")
    is_learned, places = order >= ours, np.arange(len(order))
    before = np.maximum.accumulate(np.where(is_learned, places, -1))
    behind = np.minimum.accumulate(np.where(is_learned, places, len(order))[::-1])[::-1]
    mine = ~is_learned
    run = np.zeros(ours, np.int64)
    for neighbour in (before[mine], behind[mine]):
        there = (neighbour >= 0) & (neighbour < len(order))
        at, other = order[mine][there], order[neighbour[there]]
        run[at] = np.maximum(run[at], _common(ranks, at, other))
    left = np.repeat(ends - 1, np.diff(ends, prepend=0)) - np.arange(ours)
    return [part[:-1] for part in np.split(np.minimum(run, left), ends[:-1])]


def _common(ranks: list[Ranks], a: Places, b: Places) -> Places:
    """Length of the common beginning of the suffixes at a and b, from the ranks of their heads of 1, 2, 4, …"""
    length = np.zeros(len(a), np.int64)
    size = len(ranks[0])
    for level in reversed(range(len(ranks))):
        x, y = a + length, b + length
        inside = (x < size) & (y < size)
        same = inside & (ranks[level][np.minimum(x, size - 1)] == ranks[level][np.minimum(y, size - 1)])
        length += same.astype(np.int64) << level
    return length


def some_of(learned: Sequence[str]) -> Sequence[str]:
    """Of very many learned texts so many, evenly chosen, that two sets can be compared by what they copy of them."""
    return learned[:: -(-len(learned) // SEARCHED)] if learned else learned
