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
    ("uniform", "top_p", "margin", "is_near"),
    [
        (0.45, 1.0, 0.06, True),  # 0.5 is the border between the first symbol and the second
        (0.45, 1.0, 0.04, False),
        (0.61, 1.0, 0.02, True),
        (0.61, 1.0, 0.005, False),
        # The two likeliest hold 0.75. Cut at 0.76, the nucleus has a third symbol, and some numbers fall elsewhere.
        (0.60, 0.7, 0.06, True),
        (0.90, 0.7, 0.06, True),
        (0.30, 0.7, 0.06, False),  # it falls on the likeliest in any case
        (0.60, 0.7, 0.04, False),  # 0.74 cuts where 0.7 does
        # And the other way round: cut at 0.74, it has two.
        (0.60, 0.76, 0.02, True),
        (0.30, 0.76, 0.02, False),
        (0.60, 0.76, 0.005, False),
        (0.65, 0.7, 0.02, True),  # with two symbols the border between them is at two thirds
        (0.65, 0.7, 0.01, False),
        (0.55, 0.7, 0.06, True),  # with three it is at 0.556
        (0.52, 0.7, 0.06, True),
        (0.45, 0.7, 0.06, False),
    ],
)
def test_a_choice_is_near_where_other_odds_would_make_another_one(
    monkeypatch: pytest.MonkeyPatch, uniform: float, top_p: float, margin: float, is_near: bool
) -> None:
    monkeypatch.setattr("model.sampling.NEAR", margin)
    _, found = choose(LOGITS[None], np.array([uniform]), Decoding(1.0, top_p))
    assert found.tolist() == [is_near]


def test_a_symbol_outside_the_nucleus_has_no_border_to_be_near_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.sampling.NEAR", 0.04)
    logits = np.log([[0.1, 0.5, 0.25, 0.15]]).astype(np.float32)  # top-p keeps the second and the third
    _, found = choose(logits, np.array([0.001]), Decoding(1.0, 0.7))
    assert not found.any()


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_what_is_near_is_told_of_each_row_alone(monkeypatch: pytest.MonkeyPatch, order: list[int]) -> None:
    monkeypatch.setattr("model.sampling.NEAR", 0.06)
    # The second row is near to a border, the third to the edge of the nucleus, the first to neither.
    logits = np.log([[0.4, 0.4, 0.1, 0.1], [0.45, 0.35, 0.1, 0.1], ODDS]).astype(np.float32)
    _, found = choose(logits[order], np.array([0.2, 0.52, 0.9])[order], Decoding(1.0, 0.7))
    assert found.tolist() == [place > 0 for place in order]


def test_the_colder_the_sooner_a_choice_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.sampling.NEAR", 0.01)

    def is_near(temperature: float, beside: float) -> bool:
        bent = ODDS ** (1 / temperature)
        number = bent[0] / bent.sum() - beside
        return bool(choose(LOGITS[None], np.array([number]), Decoding(temperature, 1.0))[1][0])

    assert is_near(0.5, 0.015)
    assert not is_near(0.5, 0.025)
    assert not is_near(1.0, 0.015)
    assert is_near(2.0, 0.0075)
    assert not is_near(2.0, 0.015)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_odds_that_differ_by_less_make_the_same_choice_unless_it_is_near(
    monkeypatch: pytest.MonkeyPatch, temperature: float
) -> None:
    monkeypatch.setattr("model.sampling.NEAR", 1e-3)
    random = np.random.default_rng(5)
    # Falling evenly, each row at its own pace, in an order of its own: heads everywhere, and no two odds alike.
    falling = -np.arange(30) * random.uniform(0.1, 0.3, (20_000, 1))
    logits = random.permuted(falling, axis=1).astype(np.float32)
    other = logits + random.choice([-1e-3, 1e-3], logits.shape).astype(np.float32)
    uniforms, decoding = random.random(20_000), Decoding(temperature, 0.9)
    (chosen, is_near), (again, _) = (choose(each, uniforms, decoding) for each in (logits, other))
    assert (chosen != again).sum() > 5
    assert is_near[chosen != again].all()
    # That a head holds nearly top-p makes few choices near.
    edge = np.abs(nucleus(logits, decoding)[1] - 0.9).min(-1) < 1e-3
    assert edge.sum() > 500
    assert is_near[edge].mean() < 0.5


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
