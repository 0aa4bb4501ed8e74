"""Small networks and texts for the tests."""

from __future__ import annotations

from importlib import import_module
from random import Random
from typing import Any

import numpy as np

from model.checkpoint import Checkpoint
from model.config import Config
from model.corpus import Text
from model.vocab import Vocab


class Lazily:
    """What a module calls by a name, imported when it is first used.

    Every process of a run collects all tests, and few run those of TensorFlow, which takes seconds to load.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._there(), name)

    def __call__(self, *words: Any, **named: Any) -> Any:
        return self._there()(*words, **named)

    def _there(self) -> Any:
        return getattr(import_module(self._module), self._name)


CHARACTERS = " ,.abcdefghijklmnopqrstuvwxyz"
NOUNS, VERBS = ["harbour", "town", "pier", "bridge", "mayor", "ferry"], ["opens", "closes", "sings", "sleeps", "waits"]


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


def small_talk(count: int, seed: int) -> list[Text]:
    """Small talk of an invented mayor: enough order to be learned in seconds."""
    random = Random(seed)
    return [Text(f"The {random.choice(NOUNS)} {random.choice(VERBS)} today. Good!") for _ in range(count)]
