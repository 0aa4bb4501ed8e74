"""The effect of an arm on the fool rate, in a model with an effect for each player and each tweet.

A linear model of whether a guess was fooled: arm + player + tweet, the latter two shrunk (ridge), for most tweets are
met by few. The arm is drawn by chance for each round, so the model is not needed to be fair, only to be less noisy. The
interval is clustered by player: a player's guesses are not independent of one another. Pure; numpy only.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

PLAYER_RIDGE = 10.0  # guesses: players' fool rates spread by about 0.15 around a noise of 0.48
TWEET_RIDGE = 15.0  # guesses: tweets' spread by a little less
ROUNDS = 60  # of the fit, at most; it settles long before
SETTLED = 1e-9

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Evidence:
    """Guesses that count, one a place.

    Attributes:
        candidate: whether the candidate's sample was shown, not the champion's.
        fooled: whether the sample was taken for the tweet.
        player: who guessed; any numbers.
        tweet: which tweet was shown; any numbers.
        weight: how much the guess counts; so that nobody decides alone.
    """

    candidate: NDArray[np.bool_]
    fooled: NDArray[np.bool_]
    player: Ints
    tweet: Ints
    weight: Floats

    def __len__(self) -> int:
        return len(self.fooled)


@dataclass(frozen=True)
class Effect:
    """What the candidate adds to the fool rate (0.05 are five points), and how sure that is.

    Attributes:
        z: the estimate in standard errors, brought down for few players; 0 where nothing can be told.
    """

    estimate: float
    error: float
    z: float
    players: int
    guesses: int
    candidate_guesses: int
    candidate_rate: float | None
    champion_rate: float | None

    def interval(self, z: float = 1.96) -> tuple[float, float]:
        """The estimate, and `z` standard errors to both sides."""
        widened = unlike_normal(z, self.players - 1)
        return self.estimate - widened * self.error, self.estimate + widened * self.error

    def to_json(self) -> dict[str, Any]:
        """The figures as plain values, with the 95 % interval."""
        low, high = self.interval()
        return asdict(self) | {"low": low, "high": high}


def effect_of(evidence: Evidence) -> Effect:
    """The effect of the candidate's arm; nothing can be told before both arms and three players are there."""
    arm, fooled = evidence.candidate.astype(np.float64), evidence.fooled.astype(np.float64)
    players, player = np.unique(evidence.player, return_inverse=True)
    _, tweet = np.unique(evidence.tweet, return_inverse=True)
    counted = Effect(
        *(0.0, math.inf, 0.0),
        players=len(players),
        guesses=len(evidence),
        candidate_guesses=int(evidence.candidate.sum()),
        candidate_rate=_mean(fooled[evidence.candidate]),
        champion_rate=_mean(fooled[~evidence.candidate]),
    )
    if len(players) < 3 or not 0 < arm.sum() < len(arm):
        return counted
    weight = evidence.weight / evidence.weight.mean()
    rest = weight * _without_effects(arm, player, tweet, weight)
    # The estimate is sum(rest * fooled) / sum(rest * arm): a ratio of sums over players, which are independent.
    of_outcome: Floats = np.bincount(player, rest * (fooled - np.average(fooled, weights=weight))).astype(np.float64)
    of_arm: Floats = np.bincount(player, rest * arm).astype(np.float64)
    estimate = float(of_outcome.sum() / of_arm.sum())
    error = _jackknifed(of_outcome, of_arm)
    if not error > 0:
        return replace(counted, estimate=estimate)
    return replace(counted, estimate=estimate, error=error, z=like_normal(estimate / error, len(players) - 1))


def like_normal(t: float, freedom: float) -> float:
    """The z that is as rare as Student's t with so many degrees of freedom (Wallace 1959; to about 0.01)."""
    shrink = (8 * freedom + 1) / (8 * freedom + 3)
    return math.copysign(shrink * math.sqrt(freedom * math.log1p(t * t / freedom)), t)


def unlike_normal(z: float, freedom: int) -> float:
    """The inverse: Student's t that is as rare as `z`."""
    if freedom < 1:
        return math.inf
    grown = z * (8 * freedom + 3) / (8 * freedom + 1)
    return math.sqrt(freedom * math.expm1(grown * grown / freedom))


def _without_effects(values: Floats, player: Ints, tweet: Ints, weight: Floats) -> Floats:
    """What is left of values without a mean, players' effects and tweets' effects (the latter two shrunk)."""
    left = values - np.average(values, weights=weight)
    for_player = np.bincount(player, weight) + PLAYER_RIDGE
    for_tweet = np.bincount(tweet, weight) + TWEET_RIDGE
    by_player, by_tweet = np.zeros(len(for_player)), np.zeros(len(for_tweet))
    for _ in range(ROUNDS):
        moved_player = (np.bincount(player, weight * left) - PLAYER_RIDGE * by_player) / for_player
        by_player += moved_player
        left -= moved_player[player]
        moved_tweet = (np.bincount(tweet, weight * left) - TWEET_RIDGE * by_tweet) / for_tweet
        by_tweet += moved_tweet
        left -= moved_tweet[tweet]
        left -= np.average(left, weights=weight)
        if max(np.abs(moved_player).max(), np.abs(moved_tweet).max()) < SETTLED:
            break
    return left


def _jackknifed(over: Floats, under: Floats) -> float:
    """The standard error of sum(over) / sum(under), each player left out in turn."""
    without = (over.sum() - over) / (under.sum() - under)
    count = len(over)
    return float(np.sqrt((count - 1) / count * np.sum((without - without.mean()) ** 2)))


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
