"""Weights: how much each guess counts, so that no player and no network rules what is learned or decided."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PLAYER_SHARE = 0.03  # of all weight: the most that one player counts for in any decision
NETWORK_SHARE = 0.10  # and the most for one network
# Where a cap cannot be met (fewer than 34 players, or 11 networks), it is twice the least that could be: enough that
# a player with a single guess does not push everybody else down to the weight of one guess.
RELAXED = 2.0
_SLACK = 1e-6  # a cap that can be met by exact equality alone cannot be met in floating point
_ROUNDING = 1e-11  # of sums: where caps bind nobody, what they leave is the total itself, give or take a last bit
_HALVINGS = 60  # of a bisection: to the last bit of what a weight holds

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """What `weigh` gives.

    Attributes:
        values: for each guess, in their order: 1 for a guess that counts in full, never 0.
        player_cap: the share of all weight that no player exceeds; 0.03 wherever there are players enough.
        network_cap: the same for networks; 0.10 wherever there are networks enough.
    """

    values: Numbers
    player_cap: float
    network_cap: float


def weigh(
    players: Sequence[Hashable],
    networks: Sequence[Hashable | None],
    *,
    player_share: float = PLAYER_SHARE,
    network_share: float = NETWORK_SHARE,
) -> Weights:
    """Weights of guesses under which a player counts for at most 3 % and a network for at most 10 % of them all.

    Args:
        players: who made each guess.
        networks: from which network each came; None where that is not known (any more): such a guess is
            not held against a network, for a check that could not run is not a check that failed.
        player_share: the most that a player may count for.
        network_share: the most that a network may count for.
    """
    if len(players) == 0:
        return Weights(np.ones(0), player_share, network_share)
    player = _numbered(players)
    network = _numbered(
        [("player", who) if where is None else ("network", where) for who, where in zip(players, networks, strict=True)]
    )
    own = np.bincount(player).astype(np.float64)
    player_cap = player_share if player_share * len(own) >= 1 + _SLACK else min(1.0, RELAXED / len(own))
    # With all caps at work each player weighs `player_cap`, spread over the networks as the player's guesses are.
    spread = np.bincount(network, weights=player_cap / own[player]).astype(np.float64)
    network_cap = network_share
    if np.minimum(spread, network_share).sum() < 1 + _SLACK:
        network_cap = min(1.0, RELAXED * _least_cap(spread))

    def capped(total: float) -> Numbers:
        by_player = np.minimum(1.0, player_cap * total / own)[player]
        held = np.bincount(network, weights=by_player)
        return by_player * np.minimum(1.0, network_cap * total / held)[network]

    # The total that capping by shares of it leaves as it is. What capping leaves grows with the total, ever slower, so
    # there is one largest; every smaller total is safe too.
    low, high = 0.0, float(len(player))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if capped(middle).sum() >= middle * (1 - _ROUNDING) else (low, middle)
    values = capped(low)
    return Weights(values / values.max(), player_cap, network_cap)


def _least_cap(spread: Numbers) -> float:
    """The least cap under which what is left of `spread` still adds up to 1."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if np.minimum(spread, middle).sum() >= 1 else (middle, high)
    return high


def _numbered(names: Sequence[Hashable]) -> NDArray[np.int64]:
    """Each name as a number from 0, in the order of their first appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
