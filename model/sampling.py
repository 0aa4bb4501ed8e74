"""Choosing the next character from the network's odds: temperature, top-p, and no going round in circles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Decoding:
    """How samples are drawn from the odds."""

    temperature: float = 0.9  # 1.0 leaves the network's odds as they are; near 0 the likeliest always wins
    top_p: float = 0.95  # share of the odds that is kept, the likeliest first; 1.0 keeps all
    no_repeat: int = 24  # characters: a run this long is never written twice in one draft; 0 allows it

    def __post_init__(self) -> None:
        if not 0 < self.temperature <= 5:
            raise ValueError(f"temperature: found {self.temperature!r}, expected more than 0 and at most 5")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p: found {self.top_p!r}, expected more than 0 and at most 1")
        if self.no_repeat < 0 or self.no_repeat == 1:
            raise ValueError(f"no_repeat: found {self.no_repeat!r}, expected 0 or at least 2")

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The decoding among the fields of a recipe; those of others are passed over."""
        return cls(**{field.name: data[field.name] for field in fields(cls) if field.name in data})


def cumulated(logits: Array, decoding: Decoding) -> tuple[NDArray[np.intp], Array]:
    """For each row the symbols from the likeliest down, and the odds summed so far, 0 beyond the nucleus (top-p).

    Args:
        logits: [B, V]; −inf for what must not be chosen.
        decoding: temperature and top-p.

    Returns:
        Symbols [B, V] and their cumulated odds [B, V], which end at 1.0 with the nucleus (Holtzman et al. 2020).
    """
    order = np.argsort(-logits, axis=-1, kind="stable")
    sorted_logits = np.take_along_axis(logits, order, -1)
    odds = np.exp((sorted_logits - sorted_logits[:, :1]) / np.float32(decoding.temperature))
    total = np.cumsum(odds, -1)
    total /= total[:, -1:]
    # The nucleus is the shortest head that holds top_p of the odds.
    size = np.argmax(total >= min(decoding.top_p, 1.0 - 1e-6), -1)
    return order, np.minimum(total / total[np.arange(len(total)), size][:, None], np.float32(1.0))


def choose(logits: Array, uniforms: NDArray[np.float64], decoding: Decoding) -> NDArray[np.intp]:
    """One symbol for each row of logits [B, V]: where the row's uniform number [B] falls among the odds."""
    order, total = cumulated(logits, decoding)
    place = np.minimum((total <= uniforms[:, None]).sum(-1), order.shape[1] - 1)
    chosen: NDArray[np.intp] = order[np.arange(len(order)), place]
    return chosen


def repeats(text: str, character: str, no_repeat: int) -> bool:
    """Whether `character` would complete a run of `no_repeat` characters that `text` already holds."""
    if not no_repeat or len(text) < no_repeat:
        return False
    return (text[len(text) - no_repeat + 1 :] + character) in text
