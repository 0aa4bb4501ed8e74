"""Skill: what was put into simulated players comes out again, with the uncertainty that is claimed."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.game.skill import NEWCOMER, UNREAD, Belief, after, share

beliefs = st.builds(Belief, st.floats(-4, 4), st.floats(0.004, 1.0))


def simulated(players: int, guesses: int, seed: int = 1) -> tuple[list[float], list[Belief], list[float], list[Belief]]:
    """Players of known skill guess at samples of known strength, twenty guesses a sample."""
    rng = Random(seed)
    skills = [rng.gauss(NEWCOMER.mean, NEWCOMER.deviation) for _ in range(players)]
    strengths = [rng.gauss(0, UNREAD.deviation) for _ in range(players * guesses // 20)]
    of_players, of_samples = [NEWCOMER] * players, [UNREAD] * len(strengths)
    rounds = [(player, sample % len(strengths)) for sample, player in enumerate(list(range(players)) * guesses)]
    rng.shuffle(rounds)
    for player, sample in rounds:
        spotted = rng.random() < 1 / (1 + math.exp(strengths[sample] - skills[player]))
        of_players[player], of_samples[sample] = after(
            of_players[player], of_samples[sample], "spotted" if spotted else "fooled"
        )
    return skills, of_players, strengths, of_samples


@pytest.fixture(scope="module")
def played() -> tuple[list[float], list[Belief], list[float], list[Belief]]:
    return simulated(players=200, guesses=120)


def test_skills_are_recovered(played: tuple[list[float], list[Belief], list[float], list[Belief]]) -> None:
    skills, of_players, strengths, of_samples = played
    assert np.corrcoef(skills, [belief.mean for belief in of_players])[0, 1] > 0.9
    assert np.corrcoef(strengths, [belief.mean for belief in of_samples])[0, 1] > 0.6


def test_the_uncertainty_is_what_it_claims_to_be(
    played: tuple[list[float], list[Belief], list[float], list[Belief]],
) -> None:
    skills, of_players, strengths, of_samples = played
    for truths, found in ((skills, of_players), (strengths, of_samples)):
        errors = [(belief.mean - truth) / belief.deviation for truth, belief in zip(truths, found, strict=True)]
        assert 0.88 < np.mean(np.abs(errors) < 2) < 0.99
        assert 0.85 < np.std(errors) < 1.3


def test_few_lucky_guesses_rank_below_many_good_ones() -> None:
    lucky = steady = NEWCOMER
    average = Belief(0.0, 0.1)
    for _ in range(8):
        lucky = after(lucky, average, "spotted")[0]
    for number in range(100):
        steady = after(steady, average, "fooled" if number % 4 == 0 else "spotted")[0]
    assert lucky.mean > steady.mean
    assert lucky.cautious < steady.cautious


@given(beliefs, beliefs)
def test_spotting_raises_the_skill_and_lowers_the_strength(player: Belief, sample: Belief) -> None:
    better, weaker = after(player, sample, "spotted")
    worse, stronger = after(player, sample, "fooled")
    assert better.mean > player.mean > worse.mean
    assert weaker.mean < sample.mean < stronger.mean
    assert better.variance <= max(player.variance + 0.002, 0.004)


@given(beliefs)
def test_shares_lie_between_none_and_all_in_order(player: Belief) -> None:
    low, middle, high = share(player)
    assert 0 < low < middle < high < 1


def test_somebody_who_changed_is_noticed() -> None:
    belief = NEWCOMER
    for _ in range(600):
        belief = after(belief, UNREAD, "fooled")[0]
    before = belief.mean
    for _ in range(60):
        belief = after(belief, UNREAD, "spotted")[0]
    assert belief.mean - before > 0.8
