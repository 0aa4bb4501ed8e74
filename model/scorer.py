"""The scorer: a network over a whole card (many to one) that predicts whether players take it for real.

Its body is a generator's network, read and not changed: the mean of its states over the card, and how the characters
surprised it. Its head is a weight for each of them, learned from picks (Bradley & Terry 1952):

    P(a player believes card a rather than card b) = σ(s_a − s_b ± side),    s = w · (features − mean) / spread
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from model.checkpoint import Checkpoint, replace_file
from model.reader import Array, Reader, log2_odds
from model.vocab import END_ID

FORMAT = 1
SURPRISES = 5  # figures of a card's surprise, behind its mean state
RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # of which the one that foretells held-out players best is taken
FOLDS = 10  # of players
FEWEST = 50  # picks from which a head can be learned at all
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
    tweet: int  # 0 or 1: which card was the tweet; for the measure alone, nothing is learned from it
    weight: float = 1.0  # how much it counts beside others


@dataclass(frozen=True)
class Held:
    """How well a scorer foretells picks of players, and of cards, that it did not learn from."""

    picks: int
    auc: float  # of left against right; 0.5 is chance
    fooled_auc: float  # of the rounds that fooled against the others: whether it ranks samples, not just finds tweets
    bits: float  # mean surprise of a pick; 1.0 is chance
    slope: float  # of the picks on the foretold odds; 1.0: calibrated, less: too sure of itself
    calibration: tuple[tuple[float, float, int], ...]  # (foretold, found, picks) by tenths of what was foretold
    error: float  # mean distance of foretold and found in that table, weighted by picks
    ridge: float


@dataclass(frozen=True)
class Scorer:
    """A trained head, with the digest of the checkpoint whose states it reads."""

    body: str  # SHA-256 of the checkpoint
    mean: Array  # [D] of the features
    spread: Array  # [D]
    weights: Array  # [D]
    held: Held

    def score(self, checkpoint: Checkpoint, texts: Sequence[str]) -> Floats:
        """For each text the log odds of being believed, up to a constant."""
        return self.judge(card_features(checkpoint, texts))

    def judge(self, features: Array) -> Floats:
        """The same from features [N, D]."""
        scaled: Floats = _scaled(features, self.mean, self.spread) @ self.weights.astype(np.float64)
        return scaled

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
            about = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["scorer"])
            held = dict(about["held"])
            held["calibration"] = tuple((float(a), float(b), int(n)) for a, b, n in held["calibration"])
            mean, spread, weights = (arrays[name] for name in ("mean", "spread", "weights"))
            made = cls(str(about["body"]), mean, spread, weights, Held(**held))
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
            raise ScorerError(f"not a scorer: {error}") from None
        if about.get("format") != FORMAT:
            raise ScorerError(f"found a scorer of format {about.get('format')!r}, expected {FORMAT}")
        if not mean.shape == spread.shape == weights.shape or mean.ndim != 1:
            raise ScorerError(f"not a scorer: shapes {mean.shape}, {spread.shape}, {weights.shape} differ")
        if not all(np.isfinite(array).all() for array in (mean, spread, weights)):
            raise ScorerError("not a scorer: it holds numbers that are not finite")
        return made


def write_scorer(folder: Path, scorer: Scorer) -> str:
    """Keep a scorer in `folder` under the name of its SHA-256, which is returned."""
    data = scorer.to_bytes()
    digest = hashlib.sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(scorer_file(folder, digest), data)
    return digest


def read_scorer(folder: Path, digest: str) -> Scorer:
    """The scorer with that SHA-256, verified.

    Raises:
        ScorerError: it is missing, damaged, or no scorer.
    """
    path = scorer_file(folder, digest)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ScorerError(f"{path}: {error.strerror or error}") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise ScorerError(f"{path}: damaged: its SHA-256 is not {digest[:12]}…")
    try:
        return Scorer.from_bytes(data)
    except ScorerError as error:
        raise ScorerError(f"{path}: {error}") from None


def scorer_file(folder: Path, digest: str) -> Path:
    """Where the scorer with that SHA-256 lies."""
    return folder / f"{digest[:16]}.safetensors"


def card_features(checkpoint: Checkpoint, texts: Sequence[str], batch: int = 128) -> Array:
    """What the network makes of each text as a whole [N, units + 5], read from start to end mark.

    The mean of the topmost layer's states; then of the characters' surprise the mean, the spread, the mean of the
    worst tenth and the share over 6 bits, and the surprise of the end mark. Nothing of it grows with the length.
    """
    reader = Reader(checkpoint)
    features = np.zeros((len(texts), checkpoint.config.units + SURPRISES), np.float32)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]), reverse=True)
    for first in range(0, len(order), batch):
        places = order[first : first + batch]
        features[places] = _read_cards(reader, [texts[place] for place in places])
    return features


def _read_cards(reader: Reader, texts: Sequence[str]) -> Array:
    """The features of texts [B] that are sorted, the longest first."""
    units, rows = reader.config.units, [reader.vocab.encode(text) for text in texts]
    lengths = np.array([len(row) for row in rows])
    ids = np.full((len(rows), int(lengths[0]) + 2), END_ID)
    ids[:, 0] = reader.vocab.start()
    for place, row in enumerate(rows):
        ids[place, 1 : len(row) + 1] = row
    state, total = reader.start(len(rows)), np.zeros((len(rows), units), np.float32)
    bits = np.zeros((len(rows), ids.shape[1] - 1), np.float32)
    for place in range(ids.shape[1] - 1):
        live = int((lengths >= place).sum())  # the shortest are last, and done first
        if live < len(state.h):
            state = state.keep(range(live))
        odds = log2_odds(reader.step(ids[:live, place], state))
        total[:live] += state.h[:, -units:]
        bits[:live, place] = -odds[np.arange(live), ids[:live, place + 1]]
    surprises = [_surprise(bits[place, : length + 1]) for place, length in enumerate(lengths)]
    return np.hstack([total / (lengths + 1)[:, None], np.array(surprises, np.float32)]).astype(np.float32)


def _surprise(bits: Array) -> list[float]:
    inside = bits[:-1] if len(bits) > 1 else bits
    worst = np.sort(inside)[-max(1, len(inside) // 10) :]
    return [float(v) for v in (inside.mean(), inside.std(), worst.mean(), (inside > 6).mean(), bits[-1])]


def train_scorer(body: str, features: Array, picks: Sequence[Pick], *, seed: int = 0) -> Scorer:
    """Learn from picks what makes a card believed.

    How strictly the head is regularised is decided, and what it is worth is measured, on players that are held out,
    with all cards that they saw: a card that is known would be foretold by heart.
    The scores are scaled by the slope found there, so that their odds are neither too sure nor too shy.

    Args:
        body: SHA-256 of the checkpoint that the features were read with.
        features: of the cards [N, D], by `card_features`.
        picks: the guesses; their cards are rows of `features`.
        seed: of the folds.

    Raises:
        ScorerError: there are too few players to hold some out, or all picked the same side.
    """
    players = sorted({pick.player for pick in picks})
    if len(players) < FOLDS:
        raise ScorerError(f"found picks of {len(players)} players, a scorer needs {FOLDS} or more")
    mean, spread = features.mean(0), features.std(0) + np.float32(1e-6)
    scaled = _scaled(features, mean, spread)
    apart, answers = _pairs(scaled, picks)
    weights = np.array([pick.weight for pick in picks])
    weights *= len(weights) / weights.sum()
    fold_of = dict(zip(players, np.random.default_rng(seed).permutation(len(players)) % FOLDS, strict=True))
    folds = np.array([fold_of[pick.player] for pick in picks])
    cards = np.array([(pick.left, pick.right) for pick in picks])
    tried = [(_held_margins(apart, answers, weights, folds, cards, ridge), ridge) for ridge in RIDGES]
    margins, ridge = min(tried, key=lambda pair: _bits(pair[0], answers, weights))
    tweets = np.array([pick.tweet for pick in picks])
    held = _measure(margins, answers, weights, tweets, ridge)
    head = _bradley_terry(apart, answers, weights, ridge)[:-1] * np.clip(held.slope, 0.1, 3.0)
    return Scorer(body, mean, spread, head.astype(np.float32), held)


def _scaled(features: Array, mean: Array, spread: Array) -> Floats:
    scaled: Floats = np.clip((features - mean) / spread, -4, 4).astype(np.float64)
    return scaled


def _pairs(scaled: Floats, picks: Sequence[Pick]) -> tuple[Floats, Floats]:
    """For each pick left minus right, with a constant for the side; and whether it was left."""
    left, right = (np.array([getattr(pick, name) for pick in picks]) for name in ("left", "right"))
    apart = np.hstack([scaled[left] - scaled[right], np.ones((len(picks), 1))])
    return apart, np.array([float(pick.pick == 0) for pick in picks])


def _held_margins(
    apart: Floats, answers: Floats, weights: Floats, folds: NDArray[Any], cards: NDArray[Any], ridge: float
) -> Floats:
    """The foretold log odds of each pick, by a head that learned neither from its player nor from its cards."""
    margins = np.zeros(len(answers))
    for fold in range(FOLDS):
        held = folds == fold
        learned = ~held & ~np.isin(cards, cards[held]).any(1)
        if learned.sum() >= FEWEST:  # else nothing is foretold: even odds
            margins[held] = apart[held] @ _bradley_terry(apart[learned], answers[learned], weights[learned], ridge)
    return margins


def _bradley_terry(apart: Floats, answers: Floats, weights: Floats, ridge: float) -> Floats:
    """Ridge logistic regression by Newton's method; the side, the last column, is hardly held back."""
    penalty = np.full(apart.shape[1], ridge)
    penalty[-1] = 1.0
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


def _bits(margins: Floats, answers: Floats, weights: Floats) -> float:
    """Mean surprise of the picks in bits, had they been foretold so."""
    wrong = np.logaddexp(0, np.where(answers == 1, -margins, margins)) / np.log(2)
    return float((weights * wrong).sum() / weights.sum())


def _measure(margins: Floats, answers: Floats, weights: Floats, tweets: NDArray[Any], ridge: float) -> Held:
    slope = float(_bradley_terry(np.c_[margins, np.ones(len(margins))], answers, weights, 1e-3)[0])
    foretold = 1 / (1 + np.exp(-margins))
    order = np.argsort(foretold, kind="stable")
    table = tuple(
        (round(float(foretold[part].mean()), 4), round(float(answers[part].mean()), 4), len(part))
        for part in np.array_split(order, BINS)
        if len(part)
    )
    error = sum(abs(a - b) * n for a, b, n in table) / len(margins)
    bits = _bits(margins, answers, weights)
    fooled = auc(np.where(tweets == 1, margins, -margins), (answers == tweets).astype(np.float64))
    return Held(len(margins), auc(margins, answers), fooled, bits, slope, table, round(error, 4), ridge)


def auc(scores: Floats, answers: Floats) -> float:
    """The chance that a case that is so scores above one that is not; 0.5 where all are alike."""
    values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[places]
    yes = float(answers.sum())
    no = len(answers) - yes
    if not yes or not no or not len(values):
        return 0.5
    return float((ranks[answers == 1].sum() - yes * (yes + 1) / 2) / (yes * no))
