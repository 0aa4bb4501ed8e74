"""How well a network foretells texts: its mean surprise in bits per character.

How samples are mixed beside real tweets is measured by `app/game/measures.py`: that needs no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.checkpoint import Checkpoint
from model.reader import Reader, log2_odds
from model.vocab import END_ID, UNKNOWN_ID


@dataclass(frozen=True)
class Bits:
    """Mean surprise on a set of texts."""

    bits_per_character: float  # lower is better; the end mark of each text counts as one character
    characters: int  # characters and end marks
    tweets: int


def bits_per_character(
    checkpoint: Checkpoint, texts: Sequence[str], *, account: str | None = None, batch: int = 64
) -> Bits:
    """Mean surprise per character over `texts`, each read from its start mark to its end mark.

    A character outside the vocabulary costs the bits of the unknown mark and those to say which character it is.

    Raises:
        ValueError: there are no texts.
    """
    if not texts:
        raise ValueError("found no texts to measure, expected at least one")
    reader, vocab = Reader(checkpoint), checkpoint.vocab
    total, characters = 0.0, 0
    ordered = sorted(texts, key=len, reverse=True)  # rows of like length: little is read for nothing
    for first in range(0, len(ordered), batch):
        rows = [vocab.encode(text) for text in ordered[first : first + batch]]
        state, symbols = reader.start(len(rows)), np.full(len(rows), vocab.start(account))
        for place in range(len(rows[0]) + 1):
            live = sum(len(row) >= place for row in rows)  # the shortest are last, and done first
            if live < len(symbols):
                state, symbols = state.keep(range(live)), symbols[:live]
            odds = log2_odds(reader.step(symbols, state))
            symbols = np.array([row[place] if place < len(row) else END_ID for row in rows[:live]])
            total -= float(odds[np.arange(live), symbols].sum(dtype=np.float64))
            total += vocab.unknown_bits * int((symbols == UNKNOWN_ID).sum())
            characters += live
    return Bits(total / characters, characters, len(texts))
