"""Form: what a card shows without being read (case, marks, word length, endings), and a choice of samples by it.

A network that is sampled cautiously writes shorter words and fewer capitals than its account, and a player who never
reads could learn to see that. So the shelf takes from the vetted drafts a selection whose form is distributed as that
of real tweets: a logistic regression estimates, from form alone, the odds that a card is a tweet, and a draft is kept
with a probability in proportion to them (importance resampling; Bickel et al., "Discriminative learning under
covariate shift", 2009).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.text import LINK

MARKS = ".,!?:;'’\"“”-–&()/$%@#…"
KEPT = 0.2  # share of the vetted drafts that is kept: more is faster, less comes closer to the tweets' form
FEWEST = 50  # drafts, and tweets, below which a regression would see chance alone
RIDGE = 2.0  # of the regression: small samples must not be trusted in every detail
STEPS = 25  # Newton steps at most; it converges in about eight

_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")


def form(text: str) -> list[float]:
    """The features of a card; counts are taken as roots, so that one wild text does not rule the mean."""
    letters = [character for character in text if character.isalpha()]
    words = text.split()
    count = max(1, len(words))
    last = text[-1:]
    return [
        len(text) / 100,
        sum(map(len, words)) / count,
        max(map(len, words), default=0) / 5,
        sum(map(str.isupper, letters)) / max(1, len(letters)) * 5,
        sum(word.isupper() and len(word) > 1 for word in words) ** 0.5,
        sum(word[:1].isupper() for word in words) / count * 3,
        sum(map(str.isdigit, text)) ** 0.5,
        len(_SENTENCE_END.findall(text)) / count * 5,
        float(text[:1].isupper()),
        float(not text[:1].isalnum()),
        float(last in ".!?"),
        float(last == "!"),
        float(last.isalnum()),
        float(last == LINK),
        text.count(LINK) ** 0.5,
        text.count("\n") ** 0.5,
        sum(ord(character) > 0x2FFF for character in text) ** 0.5,
        sum(0x7F < ord(character) <= 0x2FFF for character in text) ** 0.5,
        len(re.findall(r"[.!?]{2,}", text)) ** 0.5,
        len(re.findall(r"(?<!\w)@\w", text)) ** 0.5,
        len(re.findall(r"#\w+\W*$", text)),
        *(text.count(mark) ** 0.5 for mark in MARKS),
    ]


@dataclass(frozen=True)
class FormMatch:
    """Keeps drafts so that the form of those kept is distributed as that of tweets."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    slope: NDArray[np.float64]
    top: float  # log odds at which a draft is surely kept

    @classmethod
    def fit(
        cls,
        drafts: Sequence[str],
        tweets: Sequence[str],
        kept: float = KEPT,
        tilts: NDArray[np.float64] | None = None,
    ) -> Self:
        """Learn from vetted drafts and from tweets that may be cards what sets their forms apart.

        With next to none of either, nothing is learned and everything is kept.

        Args:
            drafts: what the generator writes.
            tweets: what the samples' form is to be like.
            kept: share of the drafts that is kept.
            tilts: log odds at which each draft is kept for other reasons than form; its form counts that much more.
        """
        if min(len(drafts), len(tweets)) < FEWEST:
            size = len(form(""))
            top = 0.0 if tilts is None or not len(tilts) else _threshold(np.sort(tilts), kept)
            return cls(np.zeros(size), np.ones(size), np.zeros(2 * size + 1), top)
        plain = np.array([form(text) for text in (*tweets, *drafts)])
        mean, spread = plain.mean(0), plain.std(0) + 1e-6
        features = _expand(plain, mean, spread)
        answers = np.r_[np.ones(len(tweets)), np.zeros(len(drafts))]
        tilts = np.zeros(len(drafts)) if tilts is None else tilts
        shares = np.exp(tilts - tilts.max())
        weights = np.r_[np.full(len(tweets), 0.5 / len(tweets)), 0.5 * shares / shares.sum()] * len(answers)
        slope = _logistic(features, answers, weights)
        odds = np.sort(features[len(tweets) :] @ slope + tilts)
        return cls(mean, spread, slope, _threshold(odds, kept))

    def keeps(self, text: str, seed: int, tilt: float = 0.0) -> bool:
        """Whether a vetted draft is kept; chance comes from its seed, so asking again gives the same answer."""
        odds = float((_expand(np.array([form(text)]), self.mean, self.spread) @ self.slope)[0]) + tilt
        draw = int.from_bytes(blake2b(seed.to_bytes(16, "little"), digest_size=8).digest(), "little") / 2**64
        return bool(draw < np.exp(min(0.0, odds - self.top)))


def _expand(plain: NDArray[np.float64], mean: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standardised features, their squares (spread is form too) and a constant."""
    scaled = np.clip((plain - mean) / spread, -4, 4)
    return np.hstack([scaled, scaled**2 - 1, np.ones((len(scaled), 1))])


def _logistic(
    features: NDArray[np.float64], answers: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Ridge logistic regression by Newton's method."""
    slope = np.zeros(features.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-features @ slope))
        gradient = features.T @ (weights * (answers - chance)) - RIDGE * slope
        curvature = (features * (weights * chance * (1 - chance))[:, None]).T @ features
        step = np.linalg.solve(curvature + RIDGE * np.eye(len(slope)), gradient)
        slope += step
        if np.abs(step).max() < 1e-6:
            break
    return slope


def _threshold(odds: NDArray[np.float64], kept: float) -> float:
    """The log odds from which on all are kept, so that about `kept` of the drafts with these odds are."""
    low, high = float(odds[0]) - 1, float(odds[-1]) + 1
    for _ in range(60):
        middle = (low + high) / 2
        if np.exp(np.minimum(0, odds - middle)).mean() > kept:
            low = middle
        else:
            high = middle
    return high
