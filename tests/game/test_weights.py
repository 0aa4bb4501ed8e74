"""Weights: no player and no network rules a decision."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.game.weights import NETWORK_SHARE, PLAYER_SHARE, RELAXED, weigh


def shares(names, weights):
    """The share of all weight that each name holds."""
    sums = Counter()
    for name, weight in zip(names, weights.values, strict=True):
        sums[name] += float(weight)
    return {name: held / weights.values.sum() for name, held in sums.items()}


def crowd(players, guesses=20, networks=40):
    """Names of players and networks, a guess each."""
    rng = Random(1)
    who = [name for name in range(players) for _ in range(guesses)]
    where = [f"net {rng.randrange(networks)}" for _ in who]
    return who, where


def test_guesses_of_an_even_crowd_all_count_in_full():
    assert weigh(*crowd(100)).values == pytest.approx(np.ones(2000))


def test_a_player_who_guesses_all_night_counts_for_three_hundredths():
    who, where = crowd(100)
    who, where = who + ["owl"] * 5000, where + [f"net {i % 40}" for i in range(5000)]
    weights = weigh(who, where)
    held = shares(who, weights)
    assert held["owl"] == pytest.approx(PLAYER_SHARE, rel=1e-6)
    assert weights.values.max() == 1
    assert min(weights.values) > 0


def test_a_network_of_many_players_counts_for_a_tenth():
    who, where = crowd(100)
    who += [f"bot {i}" for i in range(300) for _ in range(10)]
    where += ["farm"] * 3000
    weights = weigh(who, where)
    assert shares(where, weights)["farm"] == pytest.approx(NETWORK_SHARE, rel=1e-6)
    assert max(shares(who, weights).values()) <= PLAYER_SHARE * (1 + 1e-9)


def test_a_network_that_is_not_known_is_no_network():
    who, _ = crowd(100)
    assert weigh(who, [None] * len(who)).values == pytest.approx(np.ones(len(who)))


@pytest.mark.parametrize(("players", "guesses"), [(60, 50), (6, 22), (1, 7), (11, 11)])
def test_where_all_come_from_one_network_all_count(players, guesses):
    who = [name for name in range(players) for _ in range(guesses)]
    assert weigh(who, ["home"] * len(who)).values == pytest.approx(np.ones(len(who)))


def test_with_few_players_the_cap_is_twice_an_even_share_and_said():
    who, where = crowd(8, 20, networks=8)
    who, where = who + [0] * 300, where + ["net 0"] * 300
    weights = weigh(who, where)
    assert weights.player_cap == RELAXED / 8
    assert max(shares(who, weights).values()) <= RELAXED / 8 + 1e-9


def test_a_class_in_one_room_is_not_silenced():
    who, _ = crowd(60, 10)
    weights = weigh(who, ["school"] * len(who))
    assert weights.network_cap == 1
    assert weights.values == pytest.approx(np.ones(600))


def test_nobody_is_weighed_where_nobody_guessed():
    assert weigh([], []).values.size == 0


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, 15)), min_size=1, max_size=600))
def test_no_crowd_breaks_the_caps(guesses):
    who = [player for player, _ in guesses]
    where = [network for _, network in guesses]
    weights = weigh(who, where)
    assert np.isfinite(weights.values).all()
    assert 0 < weights.values.min() <= weights.values.max() == 1
    assert max(shares(who, weights).values()) <= weights.player_cap + 1e-6
    known = {name: held for name, held in shares(where, weights).items() if name is not None}
    assert max(known.values(), default=0) <= weights.network_cap + 1e-6
    if len(set(who)) * PLAYER_SHARE >= 1:
        assert weights.player_cap == PLAYER_SHARE
