"""The joint model: one penalised logistic regression of every pick on what players and cards bring to it.

The chance that a player picks the left card is

    sigmoid(x · (level + skill of the player − strength of the sample + ease of the tweet) + lean + side of the player)

where x is +1 if the tweet lies left and −1 if it lies right. A sample's strength is what its features foretell plus
what is its own; skill, side, ease and that rest are drawn towards zero, each as strongly as the data say (empirical
Bayes).
Nobody is judged by what they taught the model: players by a fit without them, samples by one without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from app.game.heed import Heed, heedless

FOLDS = 5
ROUNDS_OF_VARIANCE = 8  # of empirical Bayes: the variances move little after five
FEATURE_VARIANCE = 0.25  # of a coefficient: features are standardised, and few of them matter much
FREE = 100.0  # variance of what is hardly drawn to zero at all: level and lean
BOUNDS = (0.01, 4.0)  # of a variance, so that neither an empty nor a wild group runs away

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Picks:
    """Guesses as the model sees them; players, samples and tweets are numbered from 0.

    Attributes:
        tweet_left: whether the tweet was the left card.
        left: whether the left card was picked.
        weight: of each guess.
        features: of the samples, a row each, standardised.
        counts: how many players, samples and tweets there are.
    """

    player: Indices
    sample: Indices
    tweet: Indices
    tweet_left: NDArray[np.bool_]
    left: NDArray[np.bool_]
    weight: Numbers
    features: Numbers
    counts: tuple[int, int, int]

    def only(self, chosen: NDArray[np.bool_]) -> Picks:
        """The guesses that were chosen; the numbering stays."""
        return replace(
            self,
            player=self.player[chosen],
            sample=self.sample[chosen],
            tweet=self.tweet[chosen],
            tweet_left=self.tweet_left[chosen],
            left=self.left[chosen],
            weight=self.weight[chosen],
        )

    @property
    def sign(self) -> Numbers:
        """+1 where the tweet lies left, −1 where right."""
        return np.where(self.tweet_left, 1.0, -1.0)


@dataclass(frozen=True)
class Variances:
    """How far players and cards differ, in squared logits."""

    skill: float = 0.5
    side: float = 0.2
    strength: float = 0.3  # of a sample's own rest, beside what its features foretell
    ease: float = 0.3


@dataclass(frozen=True)
class Fit:
    """What a fit found, in logits. `slope` belongs to the features of samples; `rest` is what is a sample's own."""

    level: float
    lean: float
    slope: Numbers
    skill: Numbers
    side: Numbers
    rest: Numbers
    ease: Numbers

    def strength(self, picks: Picks) -> Numbers:
        """How hard each sample is to tell from a tweet."""
        return np.asarray(picks.features @ self.slope + self.rest, dtype=np.float64)

    def without_player(self, picks: Picks) -> Numbers:
        """What the cards bring to each guess, before who guesses is known."""
        return self.level - self.strength(picks)[picks.sample] + self.ease[picks.tweet]


def fit(picks: Picks, variances: Variances, start: Fit | None = None, heed: Heed = heedless) -> Fit:
    """The most probable values under these variances."""
    shape = _Shape(picks)
    ridge = shape.ridge(variances)
    sign, pull = picks.sign, picks.weight
    outcome = picks.left.astype(np.float64)
    # Measured in what the guesses can tell of each value at best, the valley is round, and few steps lead down.
    unit = 1 / np.sqrt(ridge + shape.told_at_best())

    def loss(scaled: Numbers) -> tuple[float, Numbers]:
        heed()
        vector = scaled * unit
        values = shape.split(vector)
        logit = sign * (values.without_player(picks) + values.skill[picks.player])
        logit += values.lean + values.side[picks.player]
        # log(1 + exp(z)) − y·z, without overflow.
        missed = np.logaddexp(0.0, logit) - outcome * logit
        slope = shape.gather(pull * (_sigmoid(logit) - outcome), sign) + ridge * vector
        return float(pull @ missed + ridge @ vector**2 / 2), slope * unit

    begin = np.zeros(shape.size) if start is None else shape.join(start) / unit
    options = {"maxiter": 200, "maxcor": 15, "ftol": 1e-8, "gtol": 1e-4}
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=options)
    return shape.split(found.x * unit)


def fit_with_variances(
    picks: Picks, variances: Variances | None = None, start: Fit | None = None, heed: Heed = heedless
) -> tuple[Fit, Variances]:
    """The most probable values, under the variances that the guesses themselves speak for.

    Where a fit to almost the same guesses is known, a few rounds from there do.
    """
    rounds = ROUNDS_OF_VARIANCE if variances is None else 3
    variances = variances or Variances()
    found = fit(picks, variances, start, heed)
    for _ in range(rounds):
        logit = picks.sign * (found.without_player(picks) + found.skill[picks.player])
        chance = _sigmoid(logit + found.lean + found.side[picks.player])
        told = picks.weight * chance * (1 - chance)
        players, samples, tweets = picks.counts
        variances = Variances(
            skill=_variance(found.skill, np.bincount(picks.player, told, players), variances.skill),
            side=_variance(found.side, np.bincount(picks.player, told, players), variances.side),
            strength=_variance(found.rest, np.bincount(picks.sample, told, samples), variances.strength),
            ease=_variance(found.ease, np.bincount(picks.tweet, told, tweets), variances.ease),
        )
        found = fit(picks, variances, found, heed)
    return found, variances


def strengths(
    picks: Picks, variances: Variances, start: Fit, seed: int = 0, heed: Heed = heedless
) -> tuple[Numbers, Numbers]:
    """Each sample's strength and its standard error, cross-fitted by sample.

    Who the players are, and what features foretell, is learned from other samples; the sample's own guesses then move
    it from what was foretold, the further the more there are.
    """
    count = picks.counts[1]
    fold = _folds(count, seed)
    value, error = np.zeros(count), np.zeros(count)
    for each in range(FOLDS):
        mine = fold[picks.sample] == each
        others = fit(picks.only(~mine), variances, start, heed)
        own = picks.only(mine)
        foretold = picks.features @ others.slope
        base = others.level + others.ease[own.tweet] + others.skill[own.player]
        push = others.lean + others.side[own.player]
        moved, doubt = _one_by_one(own, base, push, foretold, variances.strength)
        here = fold == each
        value[here], error[here] = moved[here], doubt[here]
    return value, error


def without_each_player(
    picks: Picks,
    variances: Variances,
    start: Fit,
    trusted: NDArray[np.bool_],
    seed: int = 0,
    heed: Heed = heedless,
) -> tuple[Numbers, Numbers]:
    """For each guess what the cards bring to it and the crowd's lean, from a fit in which its player had no part.

    Args:
        picks: the guesses of everybody.
        variances: how far players and cards differ.
        start: where the fits begin.
        trusted: players who may teach the model; the others are told about all the same.
        seed: of the folds.
        heed: called at each step.
    """
    fold = _folds(picks.counts[0], seed)
    base, lean = np.zeros(len(picks.player)), np.zeros(len(picks.player))
    for each in range(FOLDS):
        mine = fold[picks.player] == each
        others = fit(picks.only(~mine & trusted[picks.player]), variances, start, heed)
        base[mine] = others.without_player(picks)[mine]
        lean[mine] = others.lean
    return base, lean


def standardised(features: Sequence[Sequence[float]]) -> Numbers:
    """Features with mean 0 and spread 1; one that never varies becomes 0."""
    table = np.array(features, dtype=np.float64)
    spread = table.std(axis=0)
    return np.asarray((table - table.mean(axis=0)) / np.where(spread > 0, spread, 1.0), dtype=np.float64)


def _one_by_one(
    picks: Picks, base: Numbers, push: Numbers, foretold: Numbers, variance: float
) -> tuple[Numbers, Numbers]:
    """The most probable strength of each sample by itself, all else given; Newton's steps, all samples at once."""
    strength, count = foretold.copy(), picks.counts[1]
    outcome, sign = picks.left.astype(np.float64), picks.sign
    told = np.full(count, 1 / variance)
    for _ in range(12):
        chance = _sigmoid(sign * (base - strength[picks.sample]) + push)
        pull = np.bincount(picks.sample, picks.weight * sign * (chance - outcome), count)
        slope = pull - (strength - foretold) / variance
        told = np.bincount(picks.sample, picks.weight * chance * (1 - chance), count) + 1 / variance
        strength += np.clip(slope / told, -1.0, 1.0)
    return strength, 1 / np.sqrt(told)


class _Shape:
    """Where each group of values stands in the one vector that is optimised."""

    def __init__(self, picks: Picks) -> None:
        self._picks = picks
        players, samples, tweets = picks.counts
        self._sizes = (2, picks.features.shape[1], players, players, samples, tweets)
        self._ends = np.cumsum(self._sizes)
        self.size = int(self._ends[-1])

    def ridge(self, variances: Variances) -> Numbers:
        """What draws each value to zero: one over its variance before anything is seen."""
        each = (FREE, FEATURE_VARIANCE, variances.skill, variances.side, variances.strength, variances.ease)
        return 1 / np.repeat(np.array(each), self._sizes)

    def told_at_best(self) -> Numbers:
        """What the guesses would tell of each value if every pick were a toss-up: a quarter of their weight."""
        picks, (players, samples, tweets) = self._picks, self._picks.counts
        by_player = np.bincount(picks.player, picks.weight, players)
        by_sample = np.bincount(picks.sample, picks.weight, samples)
        groups = (
            np.full(2, picks.weight.sum()),
            by_sample @ picks.features**2,
            *(by_player, by_player, by_sample),
            np.bincount(picks.tweet, picks.weight, tweets),
        )
        return np.concatenate(groups) / 4

    def split(self, vector: Numbers) -> Fit:
        """The groups of a vector."""
        (level, lean), slope, skill, side, rest, ease = np.split(vector, self._ends[:-1])
        return Fit(float(level), float(lean), slope, skill, side, rest, ease)

    def join(self, values: Fit) -> Numbers:
        """The vector of the groups."""
        groups = (values.slope, values.skill, values.side, values.rest, values.ease)
        return np.concatenate([[values.level, values.lean], *groups])

    def gather(self, slope: Numbers, sign: Numbers) -> Numbers:
        """The slope of the loss by each value, from that by each guess's logit."""
        picks, turned = self._picks, slope * sign
        players, samples, tweets = picks.counts
        by_sample = np.bincount(picks.sample, turned, samples)
        groups = (
            np.array([turned.sum(), slope.sum()]),
            -(by_sample @ picks.features),
            np.bincount(picks.player, turned, players),
            np.bincount(picks.player, slope, players),
            -by_sample,
            np.bincount(picks.tweet, turned, tweets),
        )
        return np.concatenate(groups)


def _variance(values: Numbers, told: NDArray[Any], variance: float) -> float:
    """The next estimate of a group's variance: spread of the values, and what is not known of each of them."""
    here = told > 0
    if not here.any():
        return variance
    doubt = 1 / (told[here] + 1 / variance)
    return float(np.clip((values[here] ** 2 + doubt).mean(), *BOUNDS))


def _folds(count: int, seed: int) -> Indices:
    return np.random.default_rng(seed).permutation(count).astype(np.int64) % FOLDS


def _sigmoid(logit: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-np.clip(logit, -40, 40)))
