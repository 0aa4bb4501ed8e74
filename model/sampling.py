"""Choosing the next character from the network's odds: temperature, top-p, and no going round in circles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Floats = NDArray[np.float64]

# A single row is multiplied by a quicker routine, whose odds differ by up to 1e-6 or so from those of a batch. A choice
# that odds this far apart might make in another way is a near thing.
NEAR = 1e-5


@dataclass(frozen=True)
class Decoding:
    """How samples are drawn from the odds."""

    temperature: float = 1.0  # 1.0 leaves the network's odds as they are; near 0 the likeliest always wins
    top_p: float = 0.98  # share of the odds that is kept, the likeliest first; 1.0 keeps all
    no_repeat: int = 24  # characters: a run this long is never written twice in one draft; 0 allows it

    def __post_init__(self) -> None:
        if not 0 < self.temperature <= 5:
            raise ValueError(f"temperature: found {self.temperature!r}, expected more than 0 and at most 5")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p: found {self.top_p!r}, expected more than 0 and at most 1")
        if type(self.no_repeat) is not int or self.no_repeat < 0 or self.no_repeat == 1:
            raise ValueError(f"no_repeat: found {self.no_repeat!r}, expected 0 or a whole number of at least 2")

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The decoding among the fields of a recipe; those of others are passed over."""
        return cls(**{field.name: data[field.name] for field in fields(cls) if field.name in data})


def nucleus(logits: Array, decoding: Decoding) -> tuple[Floats, Floats]:
    """The odds [B, V] that a symbol is drawn with: bent by the temperature, cut to the nucleus (Holtzman et al. 2020).

    Args:
        logits: [B, V]; −inf for what must not be chosen.
        decoding: temperature and top-p; the nucleus is the shortest head of likeliest symbols that holds top_p, with
            all that are as likely as its last one.

    Returns:
        The odds, 0 outside the nucleus, and what the heads of 1, 2, … V likeliest symbols hold.
    """
    odds = np.exp((logits - logits.max(-1, keepdims=True)).astype(np.float64) / decoding.temperature)
    odds /= odds.sum(-1, keepdims=True)
    falling = -np.sort(-odds, axis=-1)
    heads: Floats = falling.cumsum(-1)
    if decoding.top_p < 1:
        last = (heads[:, :-1] < decoding.top_p).sum(-1)
        odds *= odds >= falling[np.arange(len(odds)), last][:, None]
        odds /= odds.sum(-1, keepdims=True)
    return odds, heads


def choose(logits: Array, uniforms: Floats, decoding: Decoding) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """One symbol for each row of logits [B, V]: where the row's uniform number [B] falls among the odds.

    The second array [B] says whether it was a near thing: whether odds that differ by `NEAR` might choose another one.
    """
    margin = NEAR / min(1.0, decoding.temperature)  # the colder, the more the odds make of a difference in the logits
    odds, heads = nucleus(logits, decoding)
    chosen, is_near = _fallen(odds, uniforms, margin)
    # Where a head holds nearly top-p, the nucleus may have a symbol more or less: a near thing only for a number that
    # then falls elsewhere, which few do.
    if decoding.top_p < 1 and len(edge := np.flatnonzero(np.abs(heads - decoding.top_p).min(-1) < margin)):
        for top_p in (decoding.top_p - margin, decoding.top_p + margin):
            moved = replace(decoding, top_p=min(max(top_p, 1e-9), 1.0))
            other, too = _fallen(nucleus(logits[edge], moved)[0], uniforms[edge], margin)
            is_near[edge] |= too | (other != chosen[edge])
    return chosen, is_near


def _fallen(odds: Floats, uniforms: Floats, margin: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Among which of the odds [B, V] each uniform number [B] falls, and whether it falls near a border of theirs."""
    borders = odds.cumsum(-1)
    borders /= borders[:, -1:]
    chosen: NDArray[np.intp] = (borders <= uniforms[:, None]).sum(-1)
    is_near: NDArray[np.bool_] = np.abs(np.where(odds > 0, borders, 2.0) - uniforms[:, None]).min(-1) < margin
    return chosen, is_near


def repeats(text: str, character: str, no_repeat: int) -> bool:
    """Whether `character` would complete a run of `no_repeat` characters that `text` already holds; the end, which
    has no character, completes none."""
    if not character or not no_repeat or len(text) < no_repeat:
        return False
    return (text[len(text) - no_repeat + 1 :] + character) in text
