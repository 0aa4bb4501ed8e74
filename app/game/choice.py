"""The choice of drafts for the shelf: by form, and where a scorer has learned what players believe, by that too.

Both share the same drafts. A draft is kept with a probability in proportion to exp(lean · standing) times the odds of
its form, where its standing is by how much its score is above what is usual for its length, and the odds are learned
from drafts weighted in the same way: so those that the scorer likes have, together, the form of tweets again, and the
tell that a choice by score alone would bring (short samples, safe marks) does not come back. A share of the shelf is
left to chance, that is to form alone, so that the next scorer also learns what this one thinks little of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.game.form import KEPT, FormMatch

BEST_OF = 10  # vetted drafts for each sample that the scorer has a say in
LEAN = 2.5  # how much more likely a draft is kept, in powers of e, for each standard deviation of its score
CHANCE = 0.15  # share of the shelf that the scorer has no say in
BANDS = 6  # of lengths, as many drafts in each
HIGHEST = 2.5  # standard deviations: beyond, a score says no more

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A draft that passed vetting, with its score where there is a scorer."""

    text: str
    score: float | None
    seed: int


@dataclass(frozen=True)
class Bands:
    """What scores are usual, by length: the scorer must not favour one length over another."""

    centres: Floats  # mean length in each band
    mean: Floats  # of the scores in each band; between the centres it is interpolated
    spread: float  # of the scores about their band's mean

    @classmethod
    def fit(cls, lengths: Sequence[int], scores: Sequence[float]) -> Self:
        """Learn from the drafts of a pilot."""
        sizes, values = np.array(lengths, float), np.array(scores, float)
        if not len(sizes):
            return cls(np.zeros(1), np.zeros(1), 1.0)
        edges = np.unique(np.quantile(sizes, np.linspace(0, 1, BANDS + 1)[1:-1]))
        band = np.searchsorted(edges, sizes, side="right")
        there = np.unique(band)
        centres = np.array([sizes[band == b].mean() for b in there])
        # Two drafts at the overall mean are added to each band: a band with next to none says little.
        mean = np.array([(values[band == b].sum() + 2 * values.mean()) / ((band == b).sum() + 2) for b in there])
        spread = float((values - np.interp(sizes, centres, mean)).std())
        return cls(centres, mean, spread if spread > 1e-9 else 1.0)

    def standing(self, length: int, score: float) -> float:
        """Standard deviations of a score above what is usual for the length."""
        usual = np.interp(length, self.centres, self.mean)
        return float(np.clip((score - usual) / self.spread, -HIGHEST, HIGHEST))


@dataclass(frozen=True)
class ShelfChoice:
    """Which vetted drafts become samples.

    Attributes:
        plain: the choice by form alone.
        scored: the choice by form among drafts that lean to the scorer's side; None where there is no scorer.
        bands: what scores are usual.
        rate: how many times as rarely chance takes a draft as form alone would.
    """

    plain: FormMatch
    scored: FormMatch | None = None
    bands: Bands | None = None
    rate: float = 1.0

    @classmethod
    def fit(cls, pilot: Sequence[Candidate], tweets: Sequence[str], best_of: int | None = None) -> Self:
        """Learn from a pilot's vetted drafts and from tweets that may be cards.

        Args:
            pilot: drafts of the same generator, with scores where there is a scorer.
            tweets: what the samples' form is to be like.
            best_of: vetted drafts for each sample that the scorer chooses; None: there is no scorer.
        """
        plain = FormMatch.fit([draft.text for draft in pilot], tweets)
        if best_of is None:
            return cls(plain)
        judged = [(draft.text, draft.score) for draft in pilot if draft.score is not None]
        bands = Bands.fit([len(text) for text, _ in judged], [score for _, score in judged])
        tilts = np.array([LEAN * bands.standing(len(text), score) for text, score in judged])
        scored = FormMatch.fit([text for text, _ in judged], tweets, kept=1 / best_of, tilts=tilts)
        return cls(plain, scored, bands, CHANCE / (1 - CHANCE) / (best_of * KEPT))

    def takes(self, drafts: Sequence[Candidate]) -> list[str | None]:
        """Who takes each draft: `chance`, `scorer` or nobody (None). Asked again, the answer is the same."""
        texts, seeds = [draft.text for draft in drafts], [draft.seed for draft in drafts]
        by_form = self.plain.keeps(texts, seeds)
        if self.scored is None or self.bands is None:
            return ["chance" if kept else None for kept in by_form]
        standings = [self._standing(draft) for draft in drafts]
        tilts = LEAN * np.array([0.0 if standing is None else standing for standing in standings])
        by_score = self.scored.keeps(texts, seeds, tilts)
        taken: list[str | None] = []
        for draft, standing, plain, scored in zip(drafts, standings, by_form, by_score, strict=True):
            by_chance = bool(plain) and _draw(draft.seed) < self.rate
            taken.append("chance" if by_chance else "scorer" if scored and standing is not None else None)
        return taken

    def _standing(self, draft: Candidate) -> float | None:
        if draft.score is None or self.bands is None:
            return None
        return self.bands.standing(len(draft.text), draft.score)


def _draw(seed: int) -> float:
    """A number in [0, 1) of the draft's own, another one than form draws."""
    return int.from_bytes(blake2b(seed.to_bytes(16, "little"), digest_size=8, person=b"chance").digest(), "big") / 2**64
