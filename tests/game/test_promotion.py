"""Gates: what a generator must show before it plays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.game.promotion import Training, bits_gate, budget, reason, verdict


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
    assert "2.000, at most 2.040" in reason([bits_gate(2.0, 2.0)])


def test_gates_that_passed_are_no_reason_to_hold_a_candidate_back() -> None:
    passed, failed, unknown = bits_gate(2.0, 2.0), bits_gate(3.0, 2.0), bits_gate(None, 2.0)

    assert reason([passed, failed, unknown]) == f"{failed.words}; {unknown.words}"


def test_a_gate_is_stored_with_its_figures() -> None:
    stored = bits_gate(3.0, 2.0).to_json()
    assert (stored["outcome"], stored["found"], stored["limit"]) == ("failed", 3.0, pytest.approx(2.04))


ANCHOR = Training("v1", is_anchor=True, seconds=3600, bits=2.0)


def test_a_candidate_beside_its_anchor_is_equal_unless_it_foretells_tweets_much_better() -> None:
    alike = budget(Training("v2", False, 900, 1.97), ANCHOR, ANCHOR)
    better = budget(Training("v2", False, 900, 1.9), ANCHOR, ANCHOR)

    assert (alike["equal"], better["equal"]) == (True, False)
    assert "train the anchor on" in better["words"]
    assert set(alike) == {"candidate", "champion", "anchor", "equal", "words"}
    assert alike["candidate"] == {"name": "v2", "seconds": 900, "bits per character": 1.97}
    assert budget(Training("v2", False, 9000, 1.97), ANCHOR, ANCHOR)["equal"]


def test_a_candidate_that_trained_longer_than_a_retrained_champion_is_told() -> None:
    champion = Training("v2", False, 900, 2.0)

    assert budget(Training("v3", False, 1000, 2.0), champion, ANCHOR)["equal"]
    longer = budget(Training("v3", False, 1800, 2.0), champion, ANCHOR)
    assert (longer["equal"], longer["champion"]["seconds"]) == (False, 900)
    assert "trained longer" in longer["words"]
    assert budget(Training("v3", False, 1125, 2.0), champion, ANCHOR)["equal"]
    assert not budget(Training("v3", False, 1126, 2.0), champion, ANCHOR)["equal"]


@pytest.mark.parametrize("unknown", [{"seconds": None}, {"bits": None}])
@pytest.mark.parametrize("whose", ["candidate", "champion", "anchor"])
def test_what_is_not_known_of_a_training_is_not_held_against_it(whose: str, unknown: dict[str, None]) -> None:
    trained = {"candidate": Training("v3", False, 900, 2.0), "champion": Training("v2", False, 900, 2.0)}
    trained["anchor"] = ANCHOR
    assert budget(**trained | {whose: replace(trained[whose], **unknown)})["equal"]
