"""How well a network foretells texts: its mean surprise in bits per character.

How samples are mixed beside real tweets is measured by `app/game/measures.py`: that needs no network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model.checkpoint import Checkpoint
from model.reader import Reader, skim
from model.vocab import UNKNOWN_ID


@dataclass(frozen=True)
class Bits:
    """Mean surprise on a set of texts."""

    bits_per_character: float  # lower is better; the end mark of each text counts as one character
    characters: int  # characters and end marks
    tweets: int


def bits_per_character(
    checkpoint: Checkpoint, texts: Sequence[str], on_read: Callable[[int], None] = lambda _: None
) -> Bits:
    """Mean surprise per character over `texts`, each read from its start mark to its end mark.

    `on_read` is told how many have been read; they are read many at a time.

    A character outside the vocabulary costs the bits of the unknown mark and those to say which character it is.

    Raises:
        ValueError: there are no texts.
    """
    if not texts:
        raise ValueError("found no texts to measure, expected at least one")
    vocab, characters = checkpoint.vocab, sum(len(text) + 1 for text in texts)
    total = 0.0
    for read, (_, traces) in enumerate(skim(Reader(checkpoint), texts), 1):
        total += float(traces.bits.sum(dtype=np.float64))
        on_read(read)
    total += vocab.unknown_bits * sum(int((vocab.encode(text) == UNKNOWN_ID).sum()) for text in texts)
    return Bits(total / characters, characters, len(texts))
