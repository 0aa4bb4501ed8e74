"""How well scores rank cases is told with an error that knows which cases hang together."""

from __future__ import annotations

import numpy as np
import pytest

from model.ranking import auc, auc_and_error


def test_auc_counts_ties_as_halves() -> None:
    assert auc(np.array([1.0, 2, 3, 4]), np.array([0.0, 0, 1, 1])) == 1.0
    assert auc(np.array([1.0, 1, 1, 1]), np.array([0.0, 1, 0, 1])) == 0.5
    assert auc(np.array([1.0, 2]), np.array([1.0, 1])) == 0.5


def test_the_error_of_an_auc_knows_that_rounds_hang_together() -> None:
    """Scores that tell nothing, of samples some of which are more often believed: what is found lies about 0.5 as far
    as it says, where cases taken one by one would be surer than they are by more than a third."""
    random = np.random.default_rng(5)
    off, alone = [], []
    for _ in range(300):
        player, sample, tweet = (random.integers(0, count, 900) for count in (30, 45, 300))
        strength, skill = random.normal(0, 0.8, 45), random.normal(0, 0.7, 30)
        chance = 1 / (1 + np.exp(0.6 + skill[player] - strength[sample]))
        fooled = (random.random(900) < chance).astype(float)
        scores = random.normal(size=45)[sample] + 0.3 * random.normal(size=300)[tweet]
        weights = np.ones(900)
        found, error = auc_and_error(scores, fooled, weights, (player, sample, tweet))
        assert error is not None
        off.append((found - 0.5) / error)
        alone.append((found - 0.5) / (auc_and_error(scores, fooled, weights, ())[1] or 1.0))
    assert 0.8 < np.std(off) < 1.2
    assert np.std(alone) > 1.35
    assert abs(np.mean(off)) < 0.2


def test_a_case_of_twice_the_weight_counts_like_two() -> None:
    random = np.random.default_rng(1)
    scores, answers = random.normal(size=60), (random.random(60) < 0.4).astype(float)
    twice = np.where(np.arange(60) < 20, 2.0, 1.0)
    again = np.concatenate([np.arange(60), np.arange(20)])
    found = auc_and_error(scores, answers, twice, (np.arange(60),))
    double = auc_and_error(scores[again], answers[again], np.ones(80), (again,))
    assert found == pytest.approx(double)


def test_no_error_is_told_where_there_is_nothing_to_compare() -> None:
    ones = np.ones(4)
    assert auc_and_error(np.arange(4.0), ones, ones, ()) == (0.5, None)
    assert auc_and_error(np.arange(4.0), np.array([0.0, 1, 0, 1]), ones, (np.zeros(4, int),))[1] is None
    assert auc_and_error(ones, np.array([0.0, 1, 0, 1]), ones, (np.arange(4),)) == (0.5, None)
