"""The effect of an arm: found where it is, and no surer of itself than it may be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.game.effect import Evidence, effect_of, like_normal, unlike_normal


def play(seed: int, guesses: int = 3000, players: int = 60, effect: float = 0.0, share: float = 0.3) -> Evidence:
    """Guesses of unlike players at unlike tweets."""
    random = np.random.default_rng(seed)
    player, tweet = random.integers(0, players, guesses), random.integers(0, 500, guesses)
    candidate = random.random(guesses) < share
    rate = 0.4 + random.normal(0, 0.15, players)[player] + random.normal(0, 0.1, 500)[tweet] + effect * candidate
    return Evidence(candidate, random.random(guesses) < rate, player, tweet, np.ones(guesses))


def test_what_the_candidate_adds_is_found() -> None:
    found = [effect_of(play(seed, effect=0.1)).estimate for seed in range(20)]

    assert np.mean(found) == pytest.approx(0.1, abs=0.012)


@pytest.mark.slow
def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    held = [low <= 0.05 <= high for low, high in (effect_of(play(s, 1200, effect=0.05)).interval() for s in range(200))]

    assert 0.91 <= np.mean(held) <= 0.99


@pytest.mark.slow
def test_few_players_make_the_interval_wider_than_many_guesses_suggest() -> None:
    held = [low <= 0 <= high for low, high in (effect_of(play(s, 800, players=6)).interval() for s in range(200))]

    assert np.mean(held) >= 0.92


def test_a_candidate_that_only_met_the_easy_players_gains_nothing_by_that() -> None:
    # Player 0 is fooled by everything and saw the candidate nearly always; the others by little, and saw it seldom.
    random = np.random.default_rng(3)
    player = np.repeat(np.arange(40), 100)
    easy = player < 20
    candidate = random.random(len(player)) < np.where(easy, 0.6, 0.1)
    fooled = random.random(len(player)) < np.where(easy, 0.7, 0.2)
    plain = fooled[candidate].mean() - fooled[~candidate].mean()

    found = effect_of(Evidence(candidate, fooled, player, np.arange(len(player)), np.ones(len(player))))

    assert plain > 0.2
    assert abs(found.estimate) < 0.06


def test_a_guess_without_weight_does_not_count() -> None:
    some = play(5)
    weight = np.where(np.arange(len(some)) < 1500, 1.0, 1e-9)
    half = Evidence(*(column[:1500] for column in (some.candidate, some.fooled, some.player, some.tweet, some.weight)))

    found = effect_of(Evidence(some.candidate, some.fooled, some.player, some.tweet, weight))

    assert found.estimate == pytest.approx(effect_of(half).estimate, abs=0.005)


@pytest.mark.parametrize("players", [1, 2])
def test_before_three_players_nothing_can_be_told(players: int) -> None:
    found = effect_of(play(1, 100, players=players))

    assert (found.z, found.error, found.players) == (0.0, math.inf, players)


def test_without_any_guess_nothing_can_be_told() -> None:
    none = np.empty(0)

    found = effect_of(Evidence(none.astype(bool), none.astype(bool), none.astype(int), none.astype(int), none))

    assert (found.guesses, found.z, found.candidate_rate) == (0, 0.0, None)


def test_students_t_is_turned_into_z_and_back() -> None:
    assert like_normal(2.365, 7) == pytest.approx(1.96, abs=0.01)
    assert unlike_normal(1.96, 29) == pytest.approx(2.045, abs=0.01)
