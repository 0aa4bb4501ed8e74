"""Plots for pages: where the points of a curve of skill lie in its picture, which the template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.db.history import Point
from app.game.skill import share

WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 10, 26  # room for the labels
LINES = (0, 25, 50, 75, 100)  # per cent


@dataclass(frozen=True)
class Plot:
    """A curve of skill with the band that it lies in, in units of the picture.

    Attributes:
        rows: for the table: round, low end, middle, high end; shares.
    """

    line: str
    band: str
    last: tuple[float, float]
    first_round: int
    last_round: int
    rows: list[tuple[int, float, float, float]]
    lines: list[tuple[int, float]]


def plot(points: Sequence[Point]) -> Plot | None:
    """The picture of a curve; None below two points."""
    if len(points) < 2:
        return None
    first, final = points[0].number, points[-1].number
    rows = [(point.number, *share(point.belief)) for point in points]
    across = [LEFT + (number - first) / (final - first) * (WIDTH - LEFT - RIGHT) for number, *_ in rows]
    middle = [(x, _down(row[2])) for x, row in zip(across, rows, strict=True)]
    upper = [(x, _down(row[3])) for x, row in zip(across, rows, strict=True)]
    lower = [(x, _down(row[1])) for x, row in zip(across, rows, strict=True)]
    thinned = rows[:: -max(1, len(rows) // 10)]
    lines = [(percent, round(_down(percent / 100), 1)) for percent in LINES]
    return Plot(_joined(middle), _joined([*upper, *lower[::-1]]), middle[-1], first, final, thinned, lines)


def _down(share_of: float) -> float:
    return TOP + (1 - share_of) * (HEIGHT - TOP - BOTTOM)


def _joined(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
