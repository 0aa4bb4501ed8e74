"""Promotion: the gates that a new generator passes before it may play, each with the figure that decided it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

LONGER = 1.25  # times the champion's training; machines are not equally fast every night
BITS_TOLERANCE = 1.02  # a candidate's bits per character may be 2 % above the champion's

Outcome = Literal["passed", "failed", "cannot judge"]
Verdict = Literal["promote", "hold"]


@dataclass(frozen=True)
class Gate:
    """One condition and what was found."""

    name: str
    outcome: Outcome
    found: float | None
    limit: float | None
    words: str  # one line that names the figures

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def bits_gate(candidate: float | None, champion: float | None) -> Gate:
    """Bits per character on the validation split: no worse than the champion's by more than 2 %."""
    name = "bits per character"
    if candidate is None or champion is None:
        return Gate(name, "cannot judge", candidate, None, f"{name}: not measured for both generators")
    limit = champion * BITS_TOLERANCE
    outcome: Outcome = "passed" if candidate <= limit else "failed"
    words = f"{name} {candidate:.3f}, at most {limit:.3f} allowed (the champion's {champion:.3f} + 2 %)"
    return Gate(name, outcome, candidate, limit, words)


@dataclass(frozen=True)
class Training:
    """How a generator was trained, as far as it is known.

    Attributes:
        is_anchor: trained on tweets alone, from chance; the others from an anchor, for `seconds` more.
    """

    name: str
    is_anchor: bool
    seconds: float | None
    bits: float | None


def budget(candidate: Training, champion: Training, anchor: Training) -> dict[str, Any]:
    """Whether a candidate may owe its place to training longer, not to labels; kept with every decision on it.

    Each retraining begins at the anchor, so a candidate has trained no longer than a retrained champion unless its own
    budget was longer. Beside an anchor it has, always; what that can have brought shows in bits per character: a
    candidate that foretells tweets better than the anchor by more than 2 % has found what the anchor still lacked.
    """
    figures: dict[str, Any] = {
        each: {"name": made.name, "seconds": made.seconds, "bits per character": made.bits}
        for each, made in (("candidate", candidate), ("champion", champion), ("anchor", anchor))
    }
    longer = not champion.is_anchor and _exceeds(candidate.seconds, champion.seconds, LONGER)
    unfinished = _exceeds(anchor.bits, candidate.bits, BITS_TOLERANCE)
    if unfinished:
        words = "the anchor was not trained to its end: time alone may explain a gain; train the anchor on"
    elif longer:
        words = "it trained longer than the champion did: time may explain a part of a gain"
    else:
        words = "its training was no longer than what it is compared with, or brought nothing by itself"
    return figures | {"equal": not (longer or unfinished), "words": words}


def _exceeds(value: float | None, other: float | None, times: float) -> bool:
    return value is not None and other is not None and value > other * times


def verdict(gates: Sequence[Gate]) -> Verdict:
    """Promote where every gate is passed; one that cannot judge leaves the decision to a person."""
    return "promote" if gates and all(gate.outcome == "passed" for gate in gates) else "hold"


def reason(gates: Sequence[Gate]) -> str:
    """The gates that did not pass, or all of them where each did, in words."""
    telling = [gate for gate in gates if gate.outcome != "passed"] or list(gates)
    return "; ".join(gate.words for gate in telling)
