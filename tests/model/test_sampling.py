"""Choosing a symbol: temperature, nucleus, guard."""

from __future__ import annotations

import numpy as np
import pytest

from model.sampling import Decoding, choose, repeats

ODDS = np.array([0.5, 0.1, 0.25, 0.15])
LOGITS = np.log(ODDS).astype(np.float32)


def shares(decoding: Decoding, draws: int = 40_000) -> np.ndarray:
    uniforms = (np.arange(draws) + 0.5) / draws
    chosen, _ = choose(np.tile(LOGITS, (draws, 1)), uniforms, decoding)
    return np.bincount(chosen, minlength=4) / draws


def test_at_temperature_one_the_odds_are_the_networks() -> None:
    assert shares(Decoding(1.0, 1.0)) == pytest.approx(ODDS, abs=1e-3)


def test_temperature_sharpens_and_flattens() -> None:
    for temperature in (0.5, 2.0):
        bent = ODDS ** (1 / temperature)
        assert shares(Decoding(temperature, 1.0)) == pytest.approx(bent / bent.sum(), abs=1e-3)


def test_top_p_keeps_the_shortest_head_that_holds_its_share() -> None:
    assert shares(Decoding(1.0, 0.7)) == pytest.approx(np.array([2 / 3, 0, 1 / 3, 0]), abs=1e-3)
    assert shares(Decoding(1.0, 0.2)) == pytest.approx(np.array([1, 0, 0, 0]), abs=1e-3)
    assert (shares(Decoding(1.0, 0.99)) > 0).all()


def test_what_is_forbidden_is_never_chosen() -> None:
    logits = np.array([[0.0, -np.inf, 1.0, -np.inf]], np.float32)
    chosen = {int(choose(logits, np.array([u]), Decoding(2.0, 1.0))[0][0]) for u in np.linspace(0, 1 - 1e-9, 99)}
    assert chosen == {0, 2}


def test_the_guard_sees_a_run_that_was_there_before() -> None:
    assert repeats("so sad, so sa", "d", 5)
    assert not repeats("so sad, so sa", "y", 5)
    assert not repeats("so sad, so sa", "d", 8)
    assert not repeats("so sad, so sa", "d", 0)


@pytest.mark.parametrize("fields", [{"temperature": 0}, {"top_p": 0.0}, {"top_p": 1.2}, {"no_repeat": 1}])
def test_an_impossible_decoding_is_refused_by_name(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        Decoding(**fields)


def test_a_decoding_is_found_among_the_fields_of_a_recipe() -> None:
    recipe = {**Decoding(0.7, 0.8, 12).to_json(), "best_of": 4}
    assert Decoding.from_json(recipe) == Decoding(0.7, 0.8, 12)
