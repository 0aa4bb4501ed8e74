"""Gates: what a generator must show before it plays."""

from __future__ import annotations

import pytest

from app.game.promotion import bits_gate, reason, verdict


@pytest.mark.parametrize(
    ("candidate", "outcome"), [(1.5, "passed"), (2.0, "passed"), (2.04, "passed"), (2.05, "failed")]
)
def test_a_candidate_may_be_two_per_cent_worse(candidate: float, outcome: str) -> None:
    assert bits_gate(candidate, 2.0).outcome == outcome


def test_what_was_not_measured_cannot_be_judged() -> None:
    assert bits_gate(None, 2.0).outcome == bits_gate(2.0, None).outcome == "cannot judge"


def test_one_gate_that_is_not_passed_holds_a_candidate_back() -> None:
    passed, failed, unknown = bits_gate(2.0, 2.0), bits_gate(3.0, 2.0), bits_gate(None, 2.0)

    assert verdict([passed]) == "promote"
    assert verdict([passed, failed]) == verdict([passed, unknown]) == verdict([]) == "hold"


def test_a_gate_that_fails_names_its_figure() -> None:
    assert "3.000, at most 2.040" in reason([bits_gate(2.0, 2.0), bits_gate(3.0, 2.0)])
    assert "2.000" not in reason([bits_gate(1.0, 1.0), bits_gate(3.0, 4.0), bits_gate(None, 1.0)])
