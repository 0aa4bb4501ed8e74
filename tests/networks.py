"""Small networks and texts for the tests."""

from __future__ import annotations

import numpy as np

from model.checkpoint import Checkpoint
from model.config import Config
from model.vocab import Vocab

CHARACTERS = " ,.abcdefghijklmnopqrstuvwxyz"


def a_vocab(characters: str = CHARACTERS, accounts: tuple[str, ...] = ()) -> Vocab:
    return Vocab(characters, accounts)


def a_checkpoint(
    cell: str = "lstm",
    *,
    layers: int = 2,
    units: int = 32,
    embedding: int = 8,
    seed: int = 0,
    vocab: Vocab | None = None,
    scale: float = 0.3,
) -> Checkpoint:
    """A network with weights drawn at random: it writes nonsense, but always the same."""
    config, vocab = Config(cell, layers, units, embedding), vocab or a_vocab()
    random = np.random.default_rng(seed)
    weights = {
        name: (scale * random.standard_normal([len(vocab) if size is None else size for size in shape])).astype("f4")
        for name, shape in config.shapes.items()
    }
    return Checkpoint(config, vocab, weights, {"bits_per_character": 4.2})
