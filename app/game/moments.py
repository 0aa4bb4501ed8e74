"""Moments: of samples that are there already, a choice whose form, taken together, is that of tweets.

Draft by draft a choice is right on average alone, and where few drafts have a form that tweets have often, it falls
short of them: no draft can be taken twice. So from where odds have led, a chosen sample is exchanged for one that was
left, the pair that helps most first (as Fedorov's exchanges do for designs of experiments, 1972), as long as that
brings the means of what a card shows nearer to those of tweets: how much of everything there is, its square (spread is
form too), whether there is any, and the length. Differences are weighed by the tweets' own spread (Mahalanobis), so
that figures that go together in tweets count once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.game.form import FEWEST, Floats, Line, forms, nearest

RIDGE = 0.05  # of a figure's spread in tweets: what hardly ever differs among them must not outweigh the rest
NARROW = 0.05  # spread of a figure that no tweet, or each of them, shows
WILDEST = 10.0  # spreads from the tweets' mean: beyond, one sample says no more
TRIED = 30  # of each side, the most promising ones, of which every pair is weighed
SMALL = 1e-6  # of what is left of the difference: an exchange that mends less ends the search


def together(texts: Sequence[str], seeds: Sequence[int], tweets: Sequence[str], count: int) -> NDArray[np.bool_]:
    """Which `count` of some samples [N] to keep, so that their form is, together, that of tweets.

    Of fewer than 50, or beside so few tweets, the first ones: their moments would be chance.

    Args:
        texts: of the samples.
        seeds: of the samples; chance comes from them, so asking again gives the same answer.
        tweets: what they are to be like.
        count: how many are kept.
    """
    kept = nearest(texts, seeds, tweets, count)
    if min(len(texts), len(tweets)) < FEWEST or kept.all() or not kept.any():
        return kept
    return _exchanged(apart(forms(texts), forms(tweets)), kept)


def apart(ours: Floats, theirs: Floats) -> Floats:
    """By how much each sample's figures differ from the tweets' mean [N, F], so that their squares can be summed."""
    measure = Line.flat(np.vstack([theirs, ours]), theirs[:, 0])
    figures, tweets = (np.hstack([measure.expanded(plain)[:, :-1], plain > 0]) for plain in (ours, theirs))
    mean, spread = tweets.mean(0), np.maximum(tweets.std(0), NARROW)
    figures, tweets = (np.clip((each - mean) / spread, -WILDEST, WILDEST) for each in (figures, tweets))
    together = tweets.T @ tweets / len(tweets) + RIDGE * np.eye(len(mean))
    apart: Floats = figures @ np.linalg.cholesky(np.linalg.inv(together))
    return apart


def _exchanged(apart: Floats, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The choice from which no exchange of the most promising ones leads nearer to a sum of nought."""
    kept, squares, total = kept.copy(), (apart**2).sum(1), apart[kept].sum(0)
    for _ in range(2 * len(kept)):
        along = apart @ total
        taken, left = np.flatnonzero(kept), np.flatnonzero(~kept)
        taken = taken[np.argsort(squares[taken] - 2 * along[taken], kind="stable")[:TRIED]]
        left = left[np.argsort(squares[left] + 2 * along[left], kind="stable")[:TRIED]]
        gains = (squares[taken] - 2 * along[taken])[:, None] + squares[left] + 2 * along[left]
        gains -= 2 * apart[taken] @ apart[left].T
        out, into = np.unravel_index(gains.argmin(), gains.shape)
        if gains[out, into] > -SMALL * (total @ total):
            break
        kept[taken[out]], kept[left[into]] = False, True
        total += apart[left[into]] - apart[taken[out]]
    return kept
