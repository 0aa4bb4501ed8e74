"""The scorer: a network over a whole card (many to one) that predicts whether players take it for real.

Its body is a generator's network, read and not changed: the mean of its states over the card, and how the characters
and words surprised it. Its head is a weight for each of them, learned from picks (Bradley & Terry 1952):

    P(a player believes card a rather than card b) = σ(s_a − s_b ± level ± side)
    s = w · (features − mean) / spread

The level is by how much tweets as such are believed more than samples, its sign by which card is the tweet. It is
learned beside the score and left out of it: a score that has to explain why tweets win learns what sets tweets apart
from samples, and hardly what sets one sample apart from another, which is all that the shelf can choose by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from model.checkpoint import Checkpoint
from model.ranking import auc, auc_and_error, effective_number
from model.reader import Array, Reader, Traces, skim

FORMAT = 1
FIGURES = 17  # of a card's surprise, behind its mean state
WORD = re.compile(r"\S+")
RIDGES = (10.0, 30.0, 100.0)  # of which the one that foretells held-out players best is taken
# How many times as strictly the states are held back as the figures of surprise: there are hundreds of them, and with
# few labels they learn the crowd's whims by heart. Infinite: they are left out.
STATES = (3.0, 30.0, float("inf"))
FOLDS = 10  # of players
# Into so many parts the picks of a fold are taken, by their scarcer kind of card, until so much is left to learn from.
PARTS, LEFT = (1, 3, 9), 0.4
TRIALS = 30  # heads that are learned to measure one: of so many parts of all folds, drawn, if there are more
FEWEST = 50  # picks from which a head can be learned at all
LEVEL = -2  # place of the level in a head; the side stands behind it
STEPS = 12  # Newton steps at most; it converges in about five
BINS = 10  # of the calibration table

Floats = NDArray[np.float64]


class ScorerError(ValueError):
    """A scorer cannot be trained or read; the message is one line."""


@dataclass(frozen=True)
class Pick:
    """One guess: two cards, by their places among the texts, and which one the player believed."""

    left: int
    right: int
    pick: int  # 0: the left card was taken for the tweet, 1: the right one
    player: int  # whose guess: players are held out whole
    tweet: int  # 0 or 1: which card was the tweet
    weight: float = 1.0  # how much it counts beside others


@dataclass(frozen=True)
class Held:
    """How well a scorer foretells picks of players, and of cards, that it did not learn from."""

    picks: int
    auc: float  # of left against right, by score, level and side; 0.5 is chance
    fooled_auc: float  # of the rounds that fooled against the others, by score alone, weighted: does it rank samples?
    bits: float  # mean surprise of a pick; 1.0 is chance
    slope: float  # of the picks on the foretold odds; 1.0: calibrated, less: too sure of itself
    calibration: tuple[tuple[float, float, int], ...]  # (foretold, found, picks) by tenths of what was foretold
    error: float  # mean distance of foretold and found in that table, weighted by picks
    ridge: float
    states: float  # how many times the ridge on the states is that; infinite: they were left out
    level: float = 0.0  # log odds by which a tweet is believed before a sample of the same score
    fooled_error: float | None = None  # standard error of `fooled_auc`, clustered; None where it cannot be told
    voices: float = 0.0  # so many players, samples or tweets, whichever are fewest, are behind it, counted alike


@dataclass(frozen=True)
class Scorer:
    """A trained head, with the digest of the checkpoint whose states it reads."""

    body: str  # SHA-256 of the checkpoint
    mean: Array  # [D] of the features
    spread: Array  # [D]
    weights: Array  # [D]
    held: Held

    def judge(self, features: Array) -> Floats:
        """For each card the log odds of being believed, up to a constant, from its features [N, D]."""
        scores: Floats = _scaled(features, self.mean, self.spread) @ self.weights.astype(np.float64)
        return scores

    def to_bytes(self) -> bytes:
        """A safetensors file; what is no array stands as JSON in its header."""
        arrays = {"mean": self.mean, "spread": self.spread, "weights": self.weights}
        about = json.dumps({"format": FORMAT, "body": self.body, "held": asdict(self.held)}, sort_keys=True)
        return bytes(safetensors.numpy.save(arrays, {"scorer": about}))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` wrote.

        Raises:
            ScorerError: it is something else.
        """
        try:
            arrays = safetensors.numpy.load(data)
            size = int.from_bytes(data[:8], "little")  # of the header, which is JSON
            about = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["scorer"])
            held = Held(**about["held"] | {"calibration": tuple(map(tuple, about["held"]["calibration"]))})
            parts = mean, spread, weights = arrays["mean"], arrays["spread"], arrays["weights"]
            made = cls(str(about["body"]), *parts, held)
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
            raise ScorerError(f"not a scorer: {error}") from None
        if about.get("format") != FORMAT:
            raise ScorerError(f"found a scorer of format {about.get('format')!r}, expected {FORMAT}")
        if not mean.shape == spread.shape == weights.shape or mean.ndim != 1:
            raise ScorerError(f"not a scorer: shapes {mean.shape}, {spread.shape}, {weights.shape} differ")
        if not np.isfinite(parts).all():
            raise ScorerError("not a scorer: it holds numbers that are not finite")
        return made


def card_features(checkpoint: Checkpoint, texts: Sequence[str]) -> Array:
    """What the network makes of each text [N, units + 17], read from its start to its end mark: see `features_of`."""
    features = np.zeros((len(texts), checkpoint.config.units + FIGURES), np.float32)
    for place, traces in skim(Reader(checkpoint), texts):
        features[place] = features_of(traces, texts[place])
    return features


def features_of(traces: Traces, text: str) -> Array:
    """The mean of the topmost layer's states, and how a text's characters, then its words, surprised the network.

    None of the figures [units + 17] grows with the length.
    """
    bits = traces.bits
    inside = bits[:-1] if len(bits) > 1 else bits
    worst = np.sort(inside)[-max(1, len(inside) // 10) :]
    characters = [inside.mean(), inside.std(), worst.mean(), (inside > 6).mean(), bits[-1]]
    return np.concatenate([traces.state, np.array([*characters, *_words(bits, text)], np.float32)])


def _words(bits: Array, text: str) -> list[Any]:
    """A word that nobody knows is no surprise at its first letter, but at those within."""
    places = [match.span() for match in WORD.finditer(text)] or [(0, len(bits))]
    whole = np.array([bits[begin:end].sum() for begin, end in places])
    within = np.array([bits[begin + 1 : end].sum() for begin, end in places])
    mean = np.array([bits[begin:end].mean() for begin, end in places])
    first = np.array([bits[begin] for begin, _ in places])
    worst = np.sort(within)[::-1]
    most = [within.mean(), worst[: max(1, len(worst) // 5)].mean(), worst[0] ** 0.5]
    shares = [(within < 2).mean(), (within > 8).mean(), (within > 12).mean(), (within > 18).mean(), (whole > 20).mean()]
    return [*most, *shares, whole.mean(), whole.std(), first.mean(), mean.max()]


def train_scorer(body: str, features: Array, picks: Sequence[Pick], *, seed: int = 0) -> Scorer:
    """Learn from picks what makes a card believed.

    How strictly the head is regularised is decided, and what it is worth is measured, on players that are held out,
    with all cards of the picks that are foretold: a card that is known would be foretold by heart. Where many picks
    share few cards, few are foretold at a time, so that enough others are left to learn from.
    The scores are scaled by the slope found there, so that their odds are neither too sure nor too shy.

    Args:
        body: SHA-256 of the checkpoint that the features were read with.
        features: of the cards [N, D], by `card_features`.
        picks: the guesses; their cards are rows of `features`.
        seed: of the folds.

    Raises:
        ScorerError: there are too few players to hold some out.
    """
    players, numbers = np.unique([pick.player for pick in picks], return_inverse=True)
    if len(players) < FOLDS:
        raise ScorerError(f"found picks of {len(players)} players, a scorer needs {FOLDS} or more")
    random = np.random.default_rng(seed)
    folds = random.permutation(len(players)) % FOLDS
    mean, spread = features.mean(0), features.std(0) + np.float32(1e-6)
    lesson = _Lesson(_scaled(features, mean, spread), picks, folds[numbers], random)
    tried = [lesson.measure(ridge, states) for states in STATES for ridge in RIDGES]
    held = min(tried, key=lambda held: held.bits)
    head = lesson.head(np.ones(len(picks), bool), held.ridge, held.states) * np.clip(held.slope, 0.1, 3.0)
    return Scorer(body, mean, spread, head[:LEVEL].astype(np.float32), replace(held, level=float(head[LEVEL])))


class _Lesson:
    """The picks as a regression: for each the features of left minus right, 1 or −1 by which is the tweet, and 1."""

    def __init__(self, scaled: Floats, picks: Sequence[Pick], folds: NDArray[Any], random: np.random.Generator) -> None:
        self._cards = np.array([(pick.left, pick.right) for pick in picks])
        apart = scaled[self._cards[:, 0]] - scaled[self._cards[:, 1]]
        self._tweets = np.array([pick.tweet for pick in picks])
        self._trials = _trials(self._cards, self._tweets, folds, random)
        self._players = np.unique([pick.player for pick in picks], return_inverse=True)[1]
        self._apart = np.c_[apart, 1.0 - 2.0 * self._tweets, np.ones(len(picks))]
        self._states = scaled.shape[1] - FIGURES
        self._answers = np.array([float(pick.pick == 0) for pick in picks])
        self._weights = np.array([pick.weight for pick in picks])
        self._weights *= len(picks) / self._weights.sum()

    def measure(self, ridge: float, states: float) -> Held:
        """What heads are worth that are held back so strictly, each on picks of whose players and cards it has learned
        nothing."""
        heads = np.zeros_like(self._apart)  # one for each pick
        foretold = np.zeros(len(heads), bool)
        for held, learned in self._trials:
            foretold |= held
            if learned.sum() >= FEWEST:  # else nothing is told: even odds
                heads[held] = self.head(learned, ridge, states)
        return self._worth((self._apart * heads)[foretold], foretold, ridge, states)

    def _worth(self, shares: Floats, which: NDArray[np.bool_], ridge: float, states: float) -> Held:
        """From what each figure adds to the log odds of these picks."""
        margins, own = shares.sum(1), shares[:, :LEVEL].sum(1)  # log odds, and what of them is the score's
        answers, weights = self._answers[which], self._weights[which]
        # Mean surprise of the picks in bits, had they been foretold so.
        wrong = np.logaddexp(0, np.where(answers == 1, -margins, margins)) / np.log(2)
        bits = float((weights * wrong).sum() / weights.sum())
        once = np.c_[margins, np.ones(len(margins))]
        slope = float(_bradley_terry(once, answers, weights, np.full(2, 1e-3))[0])
        foretold = 1 / (1 + np.exp(-margins))
        table = tuple(
            (round(float(foretold[part].mean()), 4), round(float(answers[part].mean()), 4), len(part))
            for part in np.array_split(np.argsort(foretold, kind="stable"), BINS)
            if len(part)
        )
        error = round(sum(abs(a - b) * n for a, b, n in table) / len(margins), 4)
        fooled, doubt, voices = self._fooled(own, which)
        return Held(
            *(len(margins), auc(margins, answers), fooled, bits, slope, table, error, ridge, states),
            fooled_error=doubt,
            voices=voices,
        )

    def _fooled(self, own: Floats, which: NDArray[np.bool_]) -> tuple[float, float | None, float]:
        """How well scores tell the rounds that fooled from the others, the standard error of that, and the voices.

        A player's rounds are not independent of one another, nor are those with the same sample or tweet: some are
        more often believed than others, for reasons that no scorer knows.
        """
        tweets, weights = self._tweets[which], self._weights[which]
        scores, is_fooled = np.where(tweets == 1, own, -own), self._answers[which] == tweets
        samples, shown = _by_kind(self._cards[which], tweets)
        ways = [np.unique(each, return_inverse=True)[1] for each in (self._players[which], samples, shown)]
        found, doubt = auc_and_error(scores, is_fooled.astype(np.float64), weights, ways)
        return found, doubt, min(effective_number(way, weights) for way in ways)

    def head(self, which: NDArray[np.bool_], ridge: float, states: float) -> Floats:
        """The weights that these picks teach; 0 for states that are left out."""
        begin = self._states if np.isinf(states) else 0
        penalty = np.full(self._apart.shape[1] - begin, ridge)
        penalty[: self._states - begin] *= states
        penalty[LEVEL:] = 1.0  # level and side are hardly held back
        learned = _bradley_terry(self._apart[which, begin:], self._answers[which], self._weights[which], penalty)
        return np.concatenate([np.zeros(begin), learned])


def _trials(
    cards: NDArray[Any], tweets: NDArray[Any], folds: NDArray[Any], random: np.random.Generator
) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Picks [N] to be foretold, and those to learn from: of no player and no card of the first."""
    scarce = min((np.unique(kind, return_inverse=True)[1] for kind in _by_kind(cards, tweets)), key=np.max)
    rank = random.permutation(scarce.max() + 1)[scarce]
    for parts in PARTS:
        parted = [(fold, (folds == fold) & (rank % parts == part)) for fold in range(FOLDS) for part in range(parts)]
        # Where there are fewer cards than parts, some are empty: tried, they would seem to leave everything.
        parted = [(fold, held) for fold, held in parted if held.any()]
        drawn = random.permutation(len(parted))[:TRIALS]
        trials = [
            (held, (folds != fold) & ~np.isin(cards, cards[held]).any(1))
            for fold, held in (parted[place] for place in drawn)
        ]
        if np.mean([learned.mean() for _, learned in trials]) >= LEFT:
            break
    return trials


def _by_kind(cards: NDArray[Any], tweets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The sample and the tweet of each pick, from its two cards [N, 2] and which is the tweet."""
    places = np.arange(len(cards))
    return cards[places, 1 - tweets], cards[places, tweets]


def _scaled(features: Array, mean: Array, spread: Array) -> Floats:
    scaled: Floats = np.clip((features - mean) / spread, -4, 4).astype(np.float64)
    return scaled


def _bradley_terry(apart: Floats, answers: Floats, weights: Floats, penalty: Floats) -> Floats:
    """Ridge logistic regression by Newton's method."""
    slope = np.zeros(apart.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(apart @ slope, -30, 30)))
        gradient = apart.T @ (weights * (answers - chance)) - penalty * slope
        curvature = (apart * (weights * chance * (1 - chance))[:, None]).T @ apart
        step = np.linalg.solve(curvature + np.diag(penalty), gradient)
        slope += step
        if np.abs(step).max() < 1e-6:
            break
    return slope
