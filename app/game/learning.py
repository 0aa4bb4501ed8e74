"""What a retraining learns, by how many labels there are: first how to draw, then what to choose, then how to write.

The first two choose among samples and change no weight of the network. With few labels only temperature and top-p are
tried, one step at a time; a scorer needs about two thousand before it foretells players that it never saw.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

SCORER_FROM = 2000  # labels from which a scorer is trained, and the network's weights are tuned

TEMPERATURES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
TOP_PS = (0.9, 0.95, 0.98, 1.0)
LEAST_GUESSES = 100  # of a decoding before anything is concluded from it
PRIOR_GUESSES = 100.0  # at the mean of all, added to each decoding's own: small differences are mostly chance

Way = Literal["decoding", "scorer", "weights"]
WAYS: tuple[Way, ...] = ("decoding", "scorer", "weights")


def ways(labels: int) -> tuple[Way, ...]:
    """What is learned from so many labels."""
    return ("scorer", "weights") if labels >= SCORER_FROM else ("decoding",)


@dataclass(frozen=True, order=True)
class Draw:
    """A place on the grid of decodings."""

    temperature: float
    top_p: float

    @classmethod
    def nearest(cls, temperature: float, top_p: float) -> Draw:
        """The place that a decoding is nearest to."""
        return cls(
            min(TEMPERATURES, key=lambda value: abs(value - temperature)),
            min(TOP_PS, key=lambda value: abs(value - top_p)),
        )

    def neighbours(self) -> list[Draw]:
        """The places one step away, the more cautious ones first."""
        row, column = TEMPERATURES.index(self.temperature), TOP_PS.index(self.top_p)
        steps = ((row - 1, column), (row, column - 1), (row + 1, column), (row, column + 1))
        return [
            Draw(TEMPERATURES[r], TOP_PS[c]) for r, c in steps if 0 <= r < len(TEMPERATURES) and 0 <= c < len(TOP_PS)
        ]


@dataclass(frozen=True)
class Tried:
    """What is known of a decoding: weighted guesses at samples that were drawn so, and how many fooled the player; the
    latter as if all had been made in a mean week.
    """

    guesses: float
    fooled: float


def side_by_side(rounds: Iterable[tuple[Draw, Hashable, float, bool]]) -> dict[Draw, Tried]:
    """What is known of each decoding from rounds: the decoding, the week, the weight, and whether they fooled.

    Players learn to spot: of what fooled more in a week in which another was played as well it is told by how much, of
    what was played alone only the mean of all (observed less expected, as Mantel and Haenszel pool).
    """
    seen: dict[tuple[Draw, Hashable], Tried] = {}
    for draw, week, weight, fooled in rounds:
        before = seen.get((draw, week), Tried(0.0, 0.0))
        seen[draw, week] = Tried(before.guesses + weight, before.fooled + weight * fooled)
    weeks: dict[Hashable, Tried] = {}
    for (_, week), own in seen.items():
        both = weeks.get(week, Tried(0.0, 0.0))
        weeks[week] = Tried(both.guesses + own.guesses, both.fooled + own.fooled)
    mean = sum(week.fooled for week in weeks.values()) / (sum(week.guesses for week in weeks.values()) or 1.0)
    known: dict[Draw, Tried] = {}
    for (draw, week), own in seen.items():
        lead = own.fooled - own.guesses * weeks[week].fooled / weeks[week].guesses
        before = known.get(draw, Tried(0.0, 0.0))
        known[draw] = Tried(before.guesses + own.guesses, before.fooled + own.guesses * mean + lead)
    return known


@dataclass(frozen=True)
class Next:
    """The decoding that is to be played next, and why."""

    draw: Draw | None  # None: there is nothing to change yet, or any more
    words: str  # one line


def next_draw(tried: Mapping[Draw, Tried], now: Draw, held: Collection[Draw] = ()) -> Next:
    """Climb carefully: go back to the best decoding known, or try one step from it, never further.

    Args:
        tried: what the labels say of each decoding that was played.
        now: the champion's.
        held: whose samples failed a gate when they were last written: they come after all others.
    """
    known = {draw: seen for draw, seen in tried.items() if seen.guesses >= LEAST_GUESSES}
    if now not in known:
        seen = tried[now].guesses if now in tried else 0.0
        return Next(None, f"{_named(now)} has {seen:.0f} labels by chance, {LEAST_GUESSES} are needed to judge it")
    mean = sum(seen.fooled for seen in known.values()) / sum(seen.guesses for seen in known.values())
    rates = {
        draw: (seen.fooled + PRIOR_GUESSES * mean) / (seen.guesses + PRIOR_GUESSES) for draw, seen in known.items()
    }
    best = max(rates, key=lambda draw: (rates[draw], draw == now))
    if best != now:
        return Next(best, f"{_named(best)} fooled {rates[best]:.1%}, {_named(now)} {rates[now]:.1%}")
    untried = sorted((draw for draw in _outward(best, known) if draw not in known), key=lambda draw: draw in held)
    if untried:
        return Next(untried[0], f"{_named(now)} is the best known ({rates[now]:.1%}): one step from it is tried")
    return Next(None, f"{_named(now)} fooled {rates[now]:.1%}, no step from it more: it has settled")


def _outward(best: Draw, known: Mapping[Draw, Tried]) -> list[Draw]:
    """The steps from the best place; first the one that goes on the way that led up to it."""
    came = {_step(draw, best) for draw in best.neighbours() if draw in known}
    return sorted(best.neighbours(), key=lambda draw: _step(best, draw) not in came)


def _step(origin: Draw, to: Draw) -> tuple[int, int]:
    rows = TEMPERATURES.index(to.temperature) - TEMPERATURES.index(origin.temperature)
    return rows, TOP_PS.index(to.top_p) - TOP_PS.index(origin.top_p)


def _named(draw: Draw) -> str:
    return f"temperature {draw.temperature:g}, top-p {draw.top_p:g}"
