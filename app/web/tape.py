"""The tape: a text character by character, with what the network thought of each; made ready for the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.web.equations import Equation

STEPS = (0.5, 1.5, 3.0, 5.0, 8.0)  # bits: where the next stronger mark begins
HEIGHT = 24  # of a strip, in its own units
NAMED = {"": "the end", " ": "space", "\n": "line break", "🔗": "link", "\ufffd": "a character that it does not know"}


@dataclass(frozen=True)
class Strip:
    """One value of a unit over time: an outline to be filled, as high as the value is far from zero."""

    equation: Equation
    path: str


@dataclass(frozen=True)
class Tape:
    """A text that was read or written.

    Attributes:
        characters: for each its name, bits, mark, the likeliest (name, share) and, where they were asked for, the
            values of a unit by name.
        bits: mean surprise per character.
        strips: the values of the unit over time; none where a text was written.
        focus: which character to show first: the one that surprised the most.
    """

    characters: Sequence[dict[str, Any]]
    bits: float
    strips: Sequence[Strip]
    focus: int


def named(character: str) -> str:
    """How a character is written where it stands alone."""
    return NAMED.get(character, character)


def mark(bits: float) -> int:
    """How strongly a surprise is marked: 0 (expected) to 5."""
    return sum(bits >= step for step in STEPS)


def of(told: Sequence[dict[str, Any]], equations: Sequence[Equation] = ()) -> Tape:
    """The tape of characters as the desk tells them."""
    characters = [
        one
        | {
            "name": named(one["c"]),
            "mark": mark(one["bits"]),
            "best": [[named(character), odds] for character, odds in one["best"]],
        }
        for one in told
    ]
    bits = [one["bits"] for one in told]
    focus = max(range(len(bits)), key=bits.__getitem__, default=0)
    strips = [_strip(equation, [one["gates"][equation.name] for one in told]) for equation in equations]
    return Tape(characters, sum(bits) / max(1, len(bits)), strips, focus)


def _strip(equation: Equation, values: Sequence[float]) -> Strip:
    highest = max(1.0, *(abs(value) for value in values))
    zero, scale = (HEIGHT / 2, HEIGHT / 2) if equation.signed else (HEIGHT, HEIGHT)
    columns = []
    for place, value in enumerate(values):
        top = round(zero - scale * value / highest, 1)
        columns.append(f"M{place} {zero:g}V{top:g}h.8V{zero:g}z")
    return Strip(equation, "".join(columns))
