"""A screen finds in a crowd who is not honest, and what everybody and every sample is worth."""

from __future__ import annotations

import numpy as np
import pytest

from app.jobs.screens import Rounds, screen
from bench.crowds import Crowd

pytestmark = pytest.mark.slow

MIXED = {"careless": 0.1, "one side": 0.05, "bot": 0.05, "saboteur": 0.1}


@pytest.fixture(scope="module")
def mixed():
    crowd = Crowd(players=80, guesses=150, samples=120, shares=MIXED)
    return crowd, screen(crowd.rounds, crowd.features)


@pytest.fixture(scope="module")
def honest():
    crowd = Crowd(players=120, guesses=60, samples=120, seed=2)
    return crowd, screen(crowd.rounds, crowd.features)


def held(crowd, found, kind):
    """The share of a kind of player that is held."""
    of = crowd.of(kind)
    return sum(found.players[player].finding == "suspect" for player in of) / len(of)


def correlation(true, estimated):
    names = sorted(true)
    return np.corrcoef([true[name] for name in names], [estimated[name] for name in names])[0, 1]


def test_who_picks_one_side_is_held(mixed):
    assert held(*mixed, "one side") == 1.0


def test_most_who_vote_wrong_on_purpose_are_held(mixed):
    assert held(*mixed, "saboteur") >= 0.7


def test_honest_players_are_not_held(mixed, honest):
    assert held(*mixed, "skilled") == 0.0
    assert held(*honest, "skilled") <= 0.01


def test_who_does_not_look_is_no_liar(mixed):
    """Coins tell nothing; what they add is noise, which the weights bound, and no lie."""
    assert held(*mixed, "careless") == 0.0


def test_strengths_are_found_in_spite_of_them(mixed):
    crowd, found = mixed
    assert correlation(crowd.strengths, {name: value for name, (value, _) in found.strengths.items()}) > 0.85


def test_strengths_and_skills_of_an_honest_crowd_are_found(honest):
    crowd, found = honest
    values = {name: value for name, (value, _) in found.strengths.items()}
    assert correlation(crowd.strengths, values) > 0.85
    assert correlation(crowd.skills, {name: each.skill for name, each in found.players.items()}) > 0.8
    off = [(crowd.strengths[name] - value) / error for name, (value, error) in found.strengths.items()]
    assert 0.7 < np.std(off) < 1.3  # the errors are what they say


def test_features_foretell_samples_that_were_seen_once():
    crowd = Crowd(players=60, guesses=80, samples=1500, seed=4)
    found = screen(crowd.rounds, crowd.features)
    assert correlation(
        {name: crowd.strengths[name] for name in found.strengths},
        {name: value for name, (value, _) in found.strengths.items()},
    ) > 0.5  # fmt: skip


def test_nobody_is_screened_where_nobody_guessed():
    assert screen(Rounds([], [], [], [], [], []), {}).players == {}
