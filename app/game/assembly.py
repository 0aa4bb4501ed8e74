"""Assembly: of samples that a scorer favours those that make the best shelf together.

A choice sample by sample takes the phrases that players believe again and again, and each by itself is a good choice:
what tells the shelf from tweets is what its samples share. So they are chosen together: as much of what is believed as
can be had while form is, taken together, that of tweets, and while samples have no more phrases in common with one
another, and copy no longer runs, than other drafts of the same network. Each is a term of one sum, which exchanges make
larger, a chosen sample for one that was left, as in `app/game/moments.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.game.form import Floats, forms
from app.game.heed import Heed, heedless
from app.game.measures import Phrases
from app.game.moments import apart

# The square of how far the mean form is from that of tweets weighs so much beside one standard deviation of belief.
# What phrases in common and copies weigh, as shares of the usual, grows as long as there is too much of them.
FORM, PHRASES, COPIES = 5.0, 0.1, 0.3
WORDS = (2, 4)  # of a phrase; those of three follow: forbidden as well, they would become rarer than in tweets
TRIED = 24  # of each side, the most promising ones, of which every pair is weighed
SMALL = 1e-6  # of a standard deviation: an exchange that gains less ends the search
EXCHANGES = 10  # at most, for each sample that is chosen
SET, SETS = 200, 10  # samples in a set of which Self-BLEU is taken, as gates do, and such sets
TIMES = 12  # at most, that the search goes on with other weights
GROWS, LEAST, MOST = 15.0, 0.2, 1.0  # in powers of e: by the share that there is too much, at least and at most

# By how many more phrases are in common once one more text has a phrase that 0, 1, 2 … chosen ones have, and by how
# many fewer once one of 0, 1, 2, 3 … is given up: of two that share it, both.
COMES, LEAVES = np.array([0.0, 2.0, 1.0]), np.array([0.0, 0.0, 2.0, 1.0])

Mask = NDArray[np.bool_]


class InCommon:
    """The phrases of some words that chosen texts have in common with one another, and what each text would change."""

    def __init__(self, texts: Phrases, words: int, chosen: Mask) -> None:
        """From what is chosen at first; `chosen` is to be kept up to date by its owner, before `moved` is told."""
        owners, self._of = texts.shared(words)
        self._chosen, self._begins = chosen, np.searchsorted(owners, np.arange(texts.size + 1))
        phrases = int(self._of.max(initial=-1)) + 1
        by_phrase = np.argsort(self._of, kind="stable")
        self._texts, self._first = owners[by_phrase], np.searchsorted(self._of[by_phrase], np.arange(phrases + 1))
        self._counts = np.bincount(self._of, chosen[owners].astype(float), phrases).astype(np.intp)
        self.total = float(self._counts[self._counts > 1].sum())
        each = np.where(chosen[owners], self._leaves(self._of), self._comes(self._of))
        self.change = np.bincount(owners, each, len(chosen))  # more if a text comes; fewer if a chosen one leaves

    def _comes(self, phrases: NDArray[np.intp]) -> Floats:
        return COMES[np.minimum(self._counts[phrases], 2)]

    def _leaves(self, phrases: NDArray[np.intp]) -> Floats:
        return LEAVES[np.minimum(self._counts[phrases], 3)]

    def moved(self, text: int) -> None:
        """Take note of a text that was chosen, or given up, just now."""
        by = 1 if self._chosen[text] else -1
        self.total += by * self.change[text]
        own = self._of[self._begins[text] : self._begins[text + 1]]
        for phrase in own[self._counts[own] <= 3]:  # what so many have is in common whoever comes or goes
            there = self._texts[self._first[phrase] : self._first[phrase + 1]]
            before = self._comes(phrase), self._leaves(phrase)
            self._counts[phrase] += by
            self.change[there] += np.where(
                self._chosen[there], self._leaves(phrase) - before[1], self._comes(phrase) - before[0]
            )
            self._counts[phrase] -= by
        self._counts[own] += by
        self.change[text] = float((self._leaves(own) if by > 0 else self._comes(own)).sum())


def assembled(
    texts: Sequence[str],
    believed: Floats,
    copied: Floats,
    count: int,
    tweets: Sequence[str],
    others: Sequence[str],
    heed: Heed = heedless,
) -> Mask:
    """Which `count` of some samples [N] make the best shelf together.

    Args:
        texts: of the samples.
        believed: by how many standard deviations each is believed more than is usual.
        copied: characters of the longest run that each copies; then of each of `others`.
        count: how many are chosen.
        tweets: whose form the shelf is to have.
        others: drafts of the same network as they come, at least as many as are chosen.
        heed: called at each exchange.
    """
    chosen = np.zeros(len(texts), bool)
    chosen[np.argsort(-believed, kind="stable")[:count]] = True
    if chosen.all() or not count or not tweets or not others:
        return chosen
    phrases, beside = Phrases(texts), Phrases(others)
    some = np.arange(len(others)) < count
    in_common = [InCommon(phrases, words, chosen) for words in WORDS]
    usual = [max(InCommon(beside, words, some).total * count / some.sum(), 1.0) for words in WORDS]
    copies = copied[: len(texts)] / max(copied[len(texts) :].mean(), 1.0)
    away, wanted = apart(forms(texts), forms(tweets)), _self_bleu(beside, some)
    weigh_phrases, weigh_copies = PHRASES, COPIES
    for _ in range(TIMES):
        weights = [weigh_phrases * count / most for most in usual]
        _exchange_all(chosen, believed - weigh_copies * copies, away, in_common, weights, heed)
        repeated, copied_more = _self_bleu(phrases, chosen) / wanted - 1, float(copies[chosen].mean()) - 1
        if max(repeated, copied_more) <= 0:
            break
        weigh_phrases *= _growth(repeated)
        weigh_copies *= _growth(copied_more)
    return chosen


def _growth(too_much: float) -> float:
    return float(np.exp(np.clip(GROWS * too_much, LEAST, MOST))) if too_much > 0 else 1.0


def _self_bleu(texts: Phrases, chosen: Mask) -> float:
    """Of sets as gates draw them."""
    places, random = np.flatnonzero(chosen), np.random.default_rng(len(chosen))
    return float(np.mean([texts.self_bleu(random.permutation(places)[:SET]) for _ in range(SETS)]))


def _exchange_all(
    chosen: Mask, worth: Floats, away: Floats, in_common: Sequence[InCommon], weights: Sequence[float], heed: Heed
) -> None:
    """Exchange chosen samples for others, in place, until no exchange makes the sum larger."""
    count, total, squares = int(chosen.sum()), away[chosen].sum(0), FORM * (away**2).sum(1) / chosen.sum()
    for _ in range(EXCHANGES * count):
        heed()
        now = worth - 2 * FORM * (away @ total) / count
        for each, weight in zip(in_common, weights, strict=True):
            now -= weight * each.change
        pair = _exchange(now, chosen, away, squares, FORM / count)
        if pair is None:
            return
        for text in pair:
            chosen[text] = not chosen[text]
            for each in in_common:
                each.moved(text)
        total += away[pair[1]] - away[pair[0]]


def _exchange(worth: Floats, chosen: Mask, away: Floats, own: Floats, spread: float) -> tuple[int, int] | None:
    """The chosen sample and the other one whose exchange gains most; None where none gains."""
    taken, left = np.flatnonzero(chosen), np.flatnonzero(~chosen)
    taken = taken[np.argsort(worth[taken] + own[taken], kind="stable")[:TRIED]]
    left = left[np.argsort(own[left] - worth[left], kind="stable")[:TRIED]]
    gains = (worth[left] - own[left])[None, :] - (worth[taken] + own[taken])[:, None]
    gains += 2 * spread * away[taken] @ away[left].T
    out, into = np.unravel_index(gains.argmax(), gains.shape)
    return (int(taken[out]), int(left[into])) if gains[out, into] > SMALL else None
