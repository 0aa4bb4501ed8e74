"""The choice of drafts for the shelf: by form, and where a scorer has learned what players believe, by that too.

Both share the same drafts. A draft is kept with a probability in proportion to exp(lean · standing) times the odds of
its form, where its standing is by how much its score is above what is usual for its form and for how much of it is
copied, and the odds are learned from drafts weighted in the same way: so those that the scorer likes have, together,
the form of tweets again, and the tell that a choice by score alone would bring (short samples, safe marks, phrases of
old) does not come back. A share of the shelf is left to chance, that is to form alone, so that the next scorer also
learns what this one thinks little of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.game.copied import Familiar
from app.game.form import KEPT, FormMatch, Line, forms

BEST_OF = 10  # vetted drafts for each sample that the scorer has a say in
LEAN = 3.0  # how much more likely a draft is kept, in powers of e, for each standard deviation of its score
CHANCE = 0.15  # share of the shelf that the scorer has no say in
RIDGE = 20.0  # of what is usual: a form that few drafts have says little
MUCH = 24  # characters of a run that is copied, from which on a draft is not favoured
LONGEST_COPY = 40  # characters of a run; vetting lets few through that are longer
HIGHEST = 2.5  # standard deviations: beyond, a score says no more

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A draft that passed vetting, with its score where there is a scorer."""

    text: str
    score: float | None
    seed: int


@dataclass(frozen=True)
class Usual:
    """What scores are usual for a form, lengths among it, and for how much is copied: none of it is to be favoured."""

    line: Line
    spread: float  # of the scores about it
    familiar: Familiar  # the tweets that may be copied

    @classmethod
    def fit(cls, texts: Sequence[str], scores: Sequence[float], familiar: Familiar | None = None) -> Self:
        """Learn from the drafts of a pilot."""
        familiar = familiar or Familiar(())
        if not texts:
            texts, scores = [""], [0.0]
        values, plain = np.array(scores, float), _features(texts, familiar)
        # About the mean: the ridge draws to zero what is not the constant's alone.
        line = Line.through(plain, values - values.mean(), RIDGE)
        spread = float((values - values.mean() - line.odds(plain)).std())
        line = replace(line, slope=np.r_[line.slope[:-1], line.slope[-1] + values.mean()])
        return cls(line, spread if spread > 1e-9 else 1.0, familiar)

    def standings(self, texts: Sequence[str], scores: Sequence[float]) -> Floats:
        """Standard deviations by which scores [N] are above what is usual for such texts."""
        if not texts:
            return np.zeros(0)
        plain = _features(texts, self.familiar)
        above = (np.array(scores, float) - self.line.odds(plain)) / self.spread
        # What copies much is never favoured, however well it is written: it was written by somebody else.
        return np.clip(above, -HIGHEST, np.where(plain[:, -1] >= MUCH / 10, 0.0, HIGHEST))


def _features(texts: Sequence[str], familiar: Familiar) -> Floats:
    copied = np.array([min(familiar.longest(text), LONGEST_COPY) / 10 for text in texts])
    return np.hstack([forms(texts), copied[:, None]])


@dataclass(frozen=True)
class ShelfChoice:
    """Which vetted drafts become samples.

    Attributes:
        plain: the choice by form alone.
        scored: the choice by form among drafts that lean to the scorer's side; None where there is no scorer.
        usual: what scores are usual.
        rate: how many times as rarely chance takes a draft as form alone would.
    """

    plain: FormMatch
    scored: FormMatch | None = None
    usual: Usual | None = None
    rate: float = 1.0

    @classmethod
    def fit(
        cls,
        pilot: Sequence[Candidate],
        tweets: Sequence[str],
        best_of: int | None = None,
        learned: Sequence[str] = (),
    ) -> Self:
        """Learn from a pilot's vetted drafts and from tweets that may be cards.

        Args:
            pilot: drafts of the same generator, with scores where there is a scorer.
            tweets: what the samples' form is to be like.
            best_of: vetted drafts for each sample that the scorer chooses; None: there is no scorer.
            learned: tweets that a draft may copy from.
        """
        plain = FormMatch.fit([draft.text for draft in pilot], tweets)
        if best_of is None:
            return cls(plain)
        texts = [draft.text for draft in pilot if draft.score is not None]
        scores = [draft.score for draft in pilot if draft.score is not None]
        usual = Usual.fit(texts, scores, Familiar(learned))
        scored = FormMatch.fit(texts, tweets, kept=1 / best_of, tilts=LEAN * usual.standings(texts, scores))
        return cls(plain, scored, usual, CHANCE / (1 - CHANCE) / (best_of * KEPT))

    def takes(self, drafts: Sequence[Candidate]) -> list[str | None]:
        """Who takes each draft: `chance`, `scorer` or nobody (None). Asked again, the answer is the same."""
        texts, seeds = [draft.text for draft in drafts], [draft.seed for draft in drafts]
        by_form = self.plain.keeps(texts, seeds)
        if self.scored is None or self.usual is None:
            return ["chance" if kept else None for kept in by_form]
        known = np.array([draft.score is not None for draft in drafts])
        scores = [0.0 if draft.score is None else draft.score for draft in drafts]
        tilts = LEAN * np.where(known, self.usual.standings(texts, scores), 0.0)
        by_score = known & self.scored.keeps(texts, seeds, tilts)
        taken: list[str | None] = []
        for draft, plain, scored in zip(drafts, by_form, by_score, strict=True):
            by_chance = bool(plain) and _draw(draft.seed) < self.rate
            taken.append("chance" if by_chance else "scorer" if scored else None)
        return taken


def _draw(seed: int) -> float:
    """A number in [0, 1) of the draft's own, another one than form draws."""
    return int.from_bytes(blake2b(seed.to_bytes(16, "little"), digest_size=8, person=b"chance").digest(), "big") / 2**64
