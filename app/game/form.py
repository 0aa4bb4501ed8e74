"""Form: what a card shows without being read (case, marks, word length, endings), and a choice of samples by it.

A network that is sampled cautiously writes shorter words and fewer capitals than its account, and the account's own
limit (140 characters for years) is a cliff that a network rounds off; a player who never reads could learn to see that.
So the shelf takes from the vetted drafts a selection whose form is distributed as that of real tweets: a classifier
estimates, from form alone, the odds that a card is a tweet, and a draft is kept with a probability in proportion to
them (importance resampling; Bickel et al., "Discriminative learning under covariate shift", 2009). A logistic
regression sees how much of everything there is, and a few boosted trees on top of it what no straight line shows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from hashlib import blake2b
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from model.text import LINK

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

MARKS = ".,!?:;'’\"“”-–&()/$%@#…"
KEPT = 0.35  # share of the vetted drafts that is kept: more is faster, less comes closer to the tweets' form
FEWEST = 50  # drafts, and tweets, below which a regression would see chance alone
FEWEST_FOR_TREES = 200  # of both, below which trees would learn single texts by heart
RIDGE = 2.0  # of the regression: small samples must not be trusted in every detail
STEPS = 25  # Newton steps at most; it converges in about eight
SMALL = 1e-6  # of a slope: a step that is smaller ends the search
MOST_OF_ONE = 20.0  # times as much as the mean draft that one may count to the trees
BINS = 24  # of lengths, as many tweets in each: a limit that an account kept to has a bin of its own

Floats = NDArray[np.float64]

_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")
_PILE = re.compile(r"[.!?]{2,}")
_NAMED = re.compile(r"@(?<!\w@)\w")  # looked behind only where there is an @: it is tried at no other character
_LAST_TAG = re.compile(r"#\w+\W*$")


def form(text: str) -> list[float]:
    """The features of a card; counts are taken as roots, so that one wild text does not rule the mean."""
    words = text.split()
    lengths = list(map(len, words))
    count = max(1, len(words))
    last = text[-1:]
    letters = capitals = digits = far = beyond_ascii = 0
    # A text holds few different characters, and a restock asks for the form of ten thousands.
    for character, times in Counter(text).items():
        if character.isalpha():
            letters += times
            capitals += times * character.isupper()
        elif character.isdigit():
            digits += times
        if character > "\u2fff":
            far += times
        elif character > "\x7f":
            beyond_ascii += times
    return [
        len(text) / 100,
        sum(lengths) / count,
        max(lengths, default=0) / 5,
        capitals / max(1, letters) * 5,
        len([word for word in words if len(word) > 1 and word.isupper()]) ** 0.5,
        sum(map(str.isupper, [word[0] for word in words])) / count * 3,
        digits**0.5,
        len(_SENTENCE_END.findall(text)) / count * 5,
        float(text[:1].isupper()),
        float(not text[:1].isalnum()),
        float(last in ".!?"),
        float(last == "!"),
        float(last.isalnum()),
        float(last == LINK),
        text.count(LINK) ** 0.5,
        text.count("\n") ** 0.5,
        far**0.5,
        beyond_ascii**0.5,
        len(_PILE.findall(text)) ** 0.5,
        len(_NAMED.findall(text)) ** 0.5,
        len(_LAST_TAG.findall(text)),
        float(text[:1] in "\"'“‘" and bool(text)),
        text.count('"') % 2,
        text.count("“") - text.count("”"),
        text.count("(") - text.count(")"),
        count / 10,
        *(text.count(mark) ** 0.5 for mark in MARKS),
    ]


@dataclass(frozen=True)
class Line:
    """A regression on form: straight in each feature, its square and the bin of the length."""

    mean: Floats
    spread: Floats
    edges: Floats  # of the bins of lengths
    slope: Floats

    @classmethod
    def flat(cls, plain: Floats, lengths: Floats, bins: int = BINS) -> Self:
        """Of no slope, in the measure of features [N, F], with bins that hold as many of the lengths each."""
        edges = np.unique(np.quantile(lengths, np.linspace(0, 1, bins + 1)[1:-1]))
        return cls(plain.mean(0), plain.std(0) + 1e-6, edges, np.zeros(0))

    @classmethod
    def fit(cls, plain: Floats, answers: Floats, weights: Floats) -> Self:
        """Learn from features [N, F] which answers [N] are 1."""
        flat = cls.flat(plain, plain[answers > 0, 0])
        return replace(flat, slope=_logistic(flat.expanded(plain), answers, weights))

    @classmethod
    def through(cls, plain: Floats, values: Floats, ridge: float = RIDGE) -> Self:
        """The straight line through values [N] of features [N, F], by least squares."""
        flat = cls.flat(plain, plain[:, 0], BINS // 2)
        wide = flat.expanded(plain)
        slope = np.asarray(np.linalg.solve(wide.T @ wide + ridge * np.eye(wide.shape[1]), wide.T @ values), float)
        return replace(flat, slope=slope)

    def expanded(self, plain: Floats) -> Floats:
        """Standardised features, their squares (spread is form too), the length's bin and a constant."""
        scaled = np.clip((plain - self.mean) / self.spread, -4, 4)
        bins = np.eye(len(self.edges) + 1)[np.searchsorted(self.edges, plain[:, 0], side="right")]
        return np.hstack([scaled, scaled**2 - 1, bins, np.ones((len(plain), 1))])

    def odds(self, plain: Floats) -> Floats:
        """What it foretells [N] of features [N, F]: log odds, or values that it was laid through."""
        return np.asarray(self.expanded(plain) @ self.slope)


@dataclass(frozen=True)
class FormOdds:
    """The log odds, by form alone, that a card is a tweet."""

    line: Line
    trees: HistGradientBoostingClassifier | None  # what the line cannot see; None where there is too little to learn

    @classmethod
    def fit(cls, drafts: Sequence[str], tweets: Sequence[str], shares: Floats) -> Self:
        """Learn from drafts, each of which counts by its share (they sum to 1), and from tweets."""
        plain = forms((*tweets, *drafts))
        answers = np.r_[np.ones(len(tweets)), np.zeros(len(drafts))]
        line = Line.fit(plain, answers, _weights(len(tweets), shares))
        # scikit-learn comes with what training needs; a shelf that is filled before that is chosen by the line alone.
        if min(len(tweets), len(drafts)) < FEWEST_FOR_TREES or find_spec("sklearn") is None:
            return cls(line, None)
        # The trees see drafts that count as the line would have them, so what they find comes on top of it.
        chosen = shares * np.exp(line.odds(plain[len(tweets) :]))
        chosen = np.minimum(chosen / chosen.mean(), MOST_OF_ONE)
        return cls(line, _grown(plain, answers, _weights(len(tweets), chosen / chosen.sum())))

    def of(self, texts: Sequence[str]) -> Floats:
        """The log odds [N] of texts."""
        plain = forms(texts)
        line = self.line.odds(plain)
        if self.trees is None:
            return line
        with _one_thread():
            return np.asarray(line + self.trees.decision_function(plain))


@dataclass(frozen=True)
class FormMatch:
    """Keeps drafts so that the form of those kept is distributed as that of tweets."""

    odds: FormOdds | None  # None: all forms count the same
    top: float  # log odds at which a draft is surely kept

    @classmethod
    def fit(
        cls,
        drafts: Sequence[str],
        tweets: Sequence[str],
        kept: float = KEPT,
        tilts: Floats | None = None,
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
            return cls(None, 0.0 if tilts is None or not len(tilts) else _threshold(np.sort(tilts), kept))
        tilts = np.zeros(len(drafts)) if tilts is None else tilts
        shares = np.exp(tilts - tilts.max())
        odds = FormOdds.fit(drafts, tweets, shares / shares.sum())
        return cls(odds, _threshold(np.sort(odds.of(drafts) + tilts), kept))

    def keeps(self, texts: Sequence[str], seeds: Sequence[int], tilts: Floats | float = 0.0) -> NDArray[np.bool_]:
        """Which vetted drafts are kept; chance comes from their seeds, so asking again gives the same answer."""
        if not len(texts):
            return np.zeros(0, bool)
        odds = (0.0 if self.odds is None else self.odds.of(texts)) + np.broadcast_to(tilts, len(texts))
        return np.asarray([_draw(seed) for seed in seeds] < np.exp(np.minimum(0.0, odds - self.top)))


def nearest(texts: Sequence[str], seeds: Sequence[int], tweets: Sequence[str], count: int) -> NDArray[np.bool_]:
    """Which `count` of some drafts to keep, so that the form of those is distributed as that of tweets.

    What the drafts lack, or have too much of, is told by themselves: not by others of the same kind, as for a
    `FormMatch` that has to choose before it has seen them.
    """
    if min(len(texts), len(tweets)) < FEWEST:
        return np.arange(len(texts)) < count
    odds = FormOdds.fit(texts, tweets, np.full(len(texts), 1 / len(texts))).of(texts)
    # As a `FormMatch` draws, with the threshold that leaves so many; but not the same draw, by which they were chosen.
    ranks = np.argsort(np.log([_draw(seed, b"nearest") for seed in seeds]) - odds, kind="stable")
    kept = np.zeros(len(texts), bool)
    kept[ranks[:count]] = True
    return kept


def _grown(features: Floats, answers: Floats, weights: Floats) -> HistGradientBoostingClassifier:
    """A few small boosted trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=60,
        max_leaf_nodes=6,
        min_samples_leaf=25,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=0,
    )
    with _one_thread():
        return trees.fit(features, answers, sample_weight=weights)


def _one_thread() -> AbstractContextManager[object]:
    """On a machine with other work the threads of so small a job only wait for each other."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, "openmp")
    return limits


def _weights(tweets: int, shares: Floats) -> Floats:
    """The weights of tweets, alike, and of drafts by their shares: both come to half of the whole."""
    return np.concatenate((np.full(tweets, 0.5 / tweets), 0.5 * shares)) * (tweets + len(shares))


def forms(texts: Sequence[str]) -> Floats:
    """The features of cards [N, F]."""
    return np.array([form(text) for text in texts], float)


def _draw(seed: int, purpose: bytes = b"") -> float:
    """A number in [0, 1) of the seed's own, another one for each purpose."""
    digest = blake2b(seed.to_bytes(16, "little"), digest_size=8, person=purpose).digest()
    return int.from_bytes(digest, "little") / 2**64


def _logistic(features: Floats, answers: Floats, weights: Floats) -> Floats:
    """Ridge logistic regression by Newton's method, each step halved until it leads downhill."""

    def cost(slope: Floats) -> float:
        margins = features @ slope
        return float((weights * (np.logaddexp(0, margins) - answers * margins)).sum() + RIDGE / 2 * slope @ slope)

    slope = np.zeros(features.shape[1])
    now = cost(slope)
    for _ in range(STEPS):
        chance = 0.5 + 0.5 * np.tanh(features @ slope / 2)  # the logistic function, without overflow
        gradient = features.T @ (weights * (answers - chance)) - RIDGE * slope
        curvature = (features * (weights * chance * (1 - chance))[:, None]).T @ features
        step = np.linalg.solve(curvature + RIDGE * np.eye(len(slope)), gradient)
        # Where drafts and tweets are nearly set apart, a whole step leads far beyond the goal.
        while (after := cost(slope + step)) > now and np.abs(step).max() > SMALL:
            step = step / 2
        if after >= now:
            break
        slope, now = slope + step, after
        if np.abs(step).max() < SMALL:
            break
    return slope


def _threshold(odds: Floats, kept: float) -> float:
    """The log odds from which on all are kept, so that about `kept` of the drafts with these odds are."""
    low, high = float(odds[0]) - 1, float(odds[-1]) + 1
    for _ in range(60):
        middle = (low + high) / 2
        if np.exp(np.minimum(0, odds - middle)).mean() > kept:
            low = middle
        else:
            high = middle
    return high
