"""Promotion: the gates that a new generator passes before it may play, each with the figure that decided it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

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


def verdict(gates: Sequence[Gate]) -> Verdict:
    """Promote where every gate is passed; one that cannot judge leaves the decision to a person."""
    return "promote" if gates and all(gate.outcome == "passed" for gate in gates) else "hold"


def reason(gates: Sequence[Gate]) -> str:
    """The gates that did not pass, or all of them where each did, in words."""
    telling = [gate for gate in gates if gate.outcome != "passed"] or list(gates)
    return "; ".join(gate.words for gate in telling)
