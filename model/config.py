"""Shapes of networks and recipes of trainings: frozen, and every field checked; a shape is written to JSON and read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

# How many blocks of `units` columns a cell's input and recurrent matrices have.
BLOCKS = {"lstm": 4, "gru": 3, "rnn": 1}
RATE, TUNING_RATE = 4e-3, 1.5e-3  # highest learning rates: from chance, and of a network that begins from another
WHOLE = ("batch", "window", "patience", "validations", "seed")  # fields of a recipe that are whole numbers


class ConfigError(ValueError):
    """A field is missing, unknown or out of range; the message is one line that names it."""


@dataclass(frozen=True)
class Config:
    """The shape of a network: what must be known to make sense of its weights."""

    cell: str = "lstm"  # lstm, gru or rnn
    layers: int = 2
    units: int = 512  # width of each layer's state
    embedding: int = 64  # width of a symbol's vector

    def __post_init__(self) -> None:
        if self.cell not in tuple(BLOCKS):
            raise ConfigError(f"cell: found {self.cell!r}, expected one of {', '.join(BLOCKS)}")
        for name, most in (("layers", 16), ("units", 8192), ("embedding", 4096)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ConfigError(f"{name}: found {value!r}, expected a whole number from 1 to {most}")

    @property
    def shapes(self) -> dict[str, tuple[int | None, ...]]:
        """Name and shape of every weight, laid out as Keras has them; None stands for the size of the vocabulary."""
        wide = BLOCKS[self.cell] * self.units
        shapes: dict[str, tuple[int | None, ...]] = {"embedding": (None, self.embedding)}
        for layer in range(self.layers):
            shapes[f"layers.{layer}.kernel"] = (self.units if layer else self.embedding, wide)
            shapes[f"layers.{layer}.recurrent"] = (self.units, wide)
            # A GRU has one bias for the input products and one for the recurrent ones (Keras's reset_after).
            shapes[f"layers.{layer}.bias"] = (2, wide) if self.cell == "gru" else (wide,)
        shapes["output.kernel"] = (self.units, None)
        shapes["output.bias"] = (None,)
        return shapes

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The config that `to_json` wrote.

        Raises:
            ConfigError: a field is missing, unknown or out of range.
        """
        if not isinstance(data, Mapping):
            raise ConfigError(f"config: found {type(data).__name__}, expected an object")
        names = {field.name for field in fields(cls)}
        if odd := names ^ set(data):
            raise ConfigError(f"config: the field {min(odd)} is {'missing' if min(odd) in names else 'unknown'}")
        return cls(**data)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

    minutes: float | None = None  # length of the training; None: `epochs` decide
    epochs: float = 30.0  # passes over the corpus, where no minutes are given
    batch: int = 32  # rows of the packed stream; fewer make more steps a minute, more make each character cheaper
    window: int = 64  # characters a row reads between two updates (truncated BPTT)
    rate: float | None = None  # highest learning rate; None: by whether the network begins from another
    warm_up: float = 0.02  # share of the training in which the rate climbs
    dropout: float | None = None  # share of a layer's outputs that is silenced; None: by the size of the corpus
    weight_dropout: float | None = None  # share of the recurrent weights that is silenced; None: likewise
    full_noise: float = 6.0  # passes over the corpus that ask for all of that; a training of fewer gets as much less
    averaging: float = 0.999  # decay of the weights' moving average a step
    patience: int = 8  # validations without a new best before the training stops
    validations: int = 25  # validations in a whole training
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is None:
                continue
            if type(value) not in (int, float) or not 0 <= value < math.inf:
                raise ConfigError(f"{name}: found {value!r}, expected a number that is not negative")
            if type(value) is not int and name in WHOLE:
                raise ConfigError(f"{name}: found {value!r}, expected a whole number")
            if value == 0 and name in ("minutes", "epochs", "batch", "window", "rate", "validations"):
                raise ConfigError(f"{name}: found {value!r}, expected more than 0")
            if value >= 1 and name in ("dropout", "weight_dropout", "averaging", "warm_up"):
                raise ConfigError(f"{name}: found {value!r}, expected less than 1")

    def filled(self, characters: int, *, tuning: bool = False) -> Recipe:
        """The recipe with what is left open chosen for a corpus of so many characters, and a network from chance or,
        where it is `tuning`, from another one.

        That takes gentler steps, so that it forgets little. Small corpora need more noise, lest a network learn them
        by heart; not one that begins from another, which noise makes forget what it knows: on the demo four minutes of
        tuning came to 1.78 bits per character with it, to 1.66 without. Nor has it less in a short training: it may
        have read these very texts before.
        """
        chosen: dict[str, Any] = {"rate": TUNING_RATE if tuning else RATE, "dropout": 0.25, "weight_dropout": 0.0}
        if characters < 700_000 and not tuning:
            chosen |= {"dropout": 0.5, "weight_dropout": 0.3}
        if characters >= 5e6:
            chosen |= {"dropout": 0.1}
        left_open = {name: value for name, value in chosen.items() if getattr(self, name) is None}
        return replace(self, full_noise=0.0 if tuning else self.full_noise, **left_open)

    def noise_for(self, passes: float) -> float:
        """The share of the noise for a training that goes through the corpus so many times, from start to end."""
        return min(1.0, passes / self.full_noise) if self.full_noise else 1.0

    def rate_at(self, progress: float) -> float:
        """The learning rate when this share of the training is over: a short climb, then half a cosine down."""
        highest = self.rate or RATE
        if progress < self.warm_up:
            return highest * max(progress / self.warm_up, 0.01)
        rest = min(1.0, (progress - self.warm_up) / (1 - self.warm_up))
        return highest * max(0.5 * (1 + math.cos(math.pi * rest)), 0.005)
