"""Choosing a symbol: temperature, nucleus, guard."""

from __future__ import annotations

import numpy as np
import pytest

from model.sampling import Decoding, choose, nucleus, repeats

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
    assert choose(np.roll(logits, 1), np.zeros(1), Decoding())[0] == [1]


@pytest.mark.parametrize("shift", [-2000, 2000])
def test_logits_may_be_of_any_size(shift: float) -> None:
    chosen, _ = choose(np.tile(LOGITS + np.float32(shift), (4, 1)), np.array([0.2, 0.55, 0.7, 0.9]), Decoding())
    assert chosen.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("top_p", [0.3, 0.7, 1.0])
def test_the_odds_within_the_nucleus_are_shares_of_one(top_p: float) -> None:
    odds, _ = nucleus(LOGITS[None], Decoding(1.0, top_p))
    assert odds.sum() == pytest.approx(1)


def test_the_guard_sees_a_run_that_was_there_before() -> None:
    assert repeats("so sad, so sa", "d", 5)
    assert not repeats("so sad, so sa", "y", 5)
    assert repeats("so sad, so sa", "d", 6)
    assert not repeats("so sad, so sa", "d", 7)
    assert not repeats("so sad, so sa", "d", 8)
    assert not repeats("so sad, so sa", "d", 0)


def test_a_text_shorter_than_the_run_holds_none() -> None:
    assert not repeats("aaaaa", "a", 7)


def test_to_end_completes_no_run() -> None:
    assert not repeats("a long text that may end", "", 24)


def test_the_largest_number_below_one_still_chooses_what_is_within_the_nucleus() -> None:
    logits = np.random.default_rng(0).standard_normal((500, 90)).astype(np.float32)
    uniforms = np.full(500, np.nextafter(1, 0))
    for top_p in (0.9, 1.0):
        odds, _ = nucleus(logits, Decoding(1.0, top_p))
        chosen, _ = choose(logits, uniforms, Decoding(1.0, top_p))
        assert (odds[np.arange(500), chosen] > 0).all()


@pytest.mark.parametrize(
    ("uniform", "top_p", "margin"),
    [
        (0.45, 1.0, 0.05),  # 0.5 is the border between the first symbol and the second
        (0.61, 1.0, 0.01),
        (0.3, 0.7, 0.05),  # 0.7 cuts 0.05 before the two likeliest end
        (0.65, 0.7, 2 / 3 - 0.65),
    ],
)
def test_a_choice_says_how_near_a_thing_it_was(uniform: float, top_p: float, margin: float) -> None:
    _, found = choose(LOGITS[None], np.array([uniform]), Decoding(1.0, top_p))
    assert found == pytest.approx([margin], abs=1e-6)


def test_a_symbol_outside_the_nucleus_has_no_border_to_be_near_to() -> None:
    logits = np.log([[0.1, 0.5, 0.25, 0.15]]).astype(np.float32)  # top-p keeps the second and the third
    _, margin = choose(logits, np.array([0.001]), Decoding(1.0, 0.7))
    assert margin == pytest.approx([0.05], abs=1e-6)


def test_the_margin_is_of_each_row_alone() -> None:
    _, margins = choose(np.tile(LOGITS, (2, 1)), np.array([0.45, 0.61]), Decoding(1.0, 1.0))
    assert margins == pytest.approx([0.05, 0.01], abs=1e-6)


@pytest.mark.parametrize("decoding", [(5.0, 1.0, 2), (1e-3, 1e-3, 0)])
def test_the_farthest_decodings_can_be_asked_for(decoding: tuple[float, float, int]) -> None:
    assert shares(Decoding(*decoding), 10).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "fields",
    [{"temperature": 0}, {"temperature": 5.1}, {"top_p": 0.0}, {"top_p": 1.2}, {"no_repeat": 1}, {"no_repeat": 24.5}],
)
def test_an_impossible_decoding_is_refused_by_name(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        Decoding(**fields)


def test_a_decoding_is_found_among_the_fields_of_a_recipe() -> None:
    recipe = {**Decoding(0.7, 0.8, 12).to_json(), "best_of": 4}
    assert Decoding.from_json(recipe) == Decoding(0.7, 0.8, 12)
