"""The choice of drafts for the shelf: by form, and where a scorer has learned what players believe, by that too.

Both share the same drafts. Without a scorer a draft is kept by the odds of its form. With one, those that it thinks
most of are stored, several for each that is wanted, and in the end the best shelf of them is put together
(`app/game/assembly.py`). A share of the shelf is left to chance, that is to form alone, so that the next scorer also
learns what this one thinks little of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.game.assembly import Mask, assembled
from app.game.copied import copied_runs, some_of
from app.game.form import FEWEST, KEPT, FormMatch, Line, forms
from app.game.heed import Heed, heedless
from app.game.moments import together

BEST_OF = 12  # vetted drafts for each sample that is wanted, where a scorer has a say
FAVOURED = 0.4  # share of the drafts that are stored then, those that the scorer thinks most of
CHANCE = 0.15  # share of the shelf that the scorer has no say in
SPARES = 0.5  # samples that are stored beside those that are wanted, where form alone chooses
RIDGE = 20.0  # of what is usual: a form that few drafts have says little
HIGHEST = 2.5  # standard deviations: beyond, a score says no more
COMPARED = 1000  # drafts whose copies say what is usual

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A draft that passed vetting, with its score where there is a scorer."""

    text: str
    score: float | None
    seed: int


@dataclass(frozen=True)
class Usual:
    """What scores are usual for a form, lengths among it."""

    line: Line
    spread: float  # of the scores about it

    @classmethod
    def fit(cls, texts: Sequence[str], scores: Sequence[float]) -> Self:
        """Learn from the drafts of a pilot."""
        if not texts:
            texts, scores = [""], [0.0]
        values, plain = np.array(scores, float), forms(texts)
        # About the mean: the ridge draws to zero what is not the constant's alone.
        line = Line.through(plain, values - values.mean(), RIDGE)
        spread = float((values - values.mean() - line.odds(plain)).std())
        line = replace(line, slope=np.r_[line.slope[:-1], line.slope[-1] + values.mean()])
        return cls(line, spread if spread > 1e-9 else 1.0)

    def standings(self, texts: Sequence[str], scores: Sequence[float]) -> Floats:
        """Standard deviations by which scores [N] are above what is usual for such texts."""
        if not texts:
            return np.zeros(0)
        above: Floats = (np.array(scores, float) - self.line.odds(forms(texts))) / self.spread
        return np.clip(above, -HIGHEST, HIGHEST)


@dataclass(frozen=True)
class Favour:
    """What a scorer makes of drafts, beside those of a pilot.

    Attributes:
        texts: of the pilot's drafts.
        mean, spread: of their scores.
        usual: what scores are usual for a form.
        bar: that the better of a draft's two standings, among all drafts and among those of its form, must reach: by
            the first alone a scorer that goes by form would leave other forms without candidates.
    """

    texts: tuple[str, ...]
    mean: float
    spread: float
    usual: Usual
    bar: float

    @classmethod
    def fit(cls, texts: Sequence[str], scores: Sequence[float]) -> Self:
        """Learn from the drafts of a pilot."""
        values = np.array(scores, float) if len(scores) else np.zeros(1)
        found = cls(tuple(texts), float(values.mean()), float(values.std()) or 1.0, Usual.fit(texts, scores), 0.0)
        return replace(found, bar=float(np.quantile(found._best(texts, scores), 1 - FAVOURED)) if texts else 0.0)

    def believed(self, scores: Sequence[float]) -> Floats:
        """Standard deviations by which scores [N] are above the mean."""
        return np.clip((np.array(scores, float) - self.mean) / self.spread, -HIGHEST, HIGHEST)

    def finds_good(self, texts: Sequence[str], scores: Sequence[float]) -> NDArray[np.bool_]:
        """Which drafts [N] reach the bar."""
        return self._best(texts, scores) >= self.bar

    def _best(self, texts: Sequence[str], scores: Sequence[float]) -> Floats:
        best: Floats = np.maximum(self.believed(scores), self.usual.standings(texts, scores))
        return best


@dataclass(frozen=True)
class ShelfChoice:
    """Which vetted drafts are stored, and which of those become samples.

    Attributes:
        plain: the choice by form alone.
        favour: the scorer's; None where there is none.
        best_of: vetted drafts for each sample that is wanted, where there is a scorer.
    """

    plain: FormMatch
    favour: Favour | None = None
    best_of: int = BEST_OF

    @classmethod
    def fit(cls, pilot: Sequence[Candidate], tweets: Sequence[str], best_of: int | None = None) -> Self:
        """Learn from a pilot's vetted drafts and from tweets that may be cards.

        Args:
            pilot: drafts of the same generator, with scores where there is a scorer.
            tweets: what the samples' form is to be like.
            best_of: vetted drafts for each sample that is wanted; None: there is no scorer.
        """
        plain = FormMatch.fit([draft.text for draft in pilot], tweets)
        if best_of is None:
            return cls(plain)
        scored = [draft for draft in pilot if draft.score is not None]
        favour = Favour.fit([draft.text for draft in scored], [draft.score or 0.0 for draft in scored])
        return cls(plain, favour, best_of)

    def stored(self, goal: int) -> int:
        """How many drafts are stored for `goal` samples."""
        if self.favour is None:
            return goal if goal < FEWEST else round(goal * (1 + SPARES))
        return round(goal * (CHANCE * (1 + SPARES) + self.best_of * FAVOURED))

    def takes(self, drafts: Sequence[Candidate]) -> list[str | None]:
        """Who takes each draft: `chance`, `scorer` or nobody (None). Asked again, the answer is the same."""
        texts, seeds = [draft.text for draft in drafts], [draft.seed for draft in drafts]
        by_form = self.plain.keeps(texts, seeds)
        if self.favour is None:
            return ["chance" if kept else None for kept in by_form]
        # As rarely as chance is to have its share of the shelf, with spares, from so many drafts.
        rate = CHANCE * (1 + SPARES) / (self.best_of * KEPT)
        good = self.favour.finds_good(texts, [draft.score or 0.0 for draft in drafts])
        taken: list[str | None] = []
        for draft, plain, is_good in zip(drafts, by_form, good, strict=True):
            by_chance = bool(plain) and _draw(draft.seed) < rate
            taken.append("chance" if by_chance else "scorer" if is_good and draft.score is not None else None)
        return taken

    def best(
        self,
        stored: Sequence[Candidate],
        tweets: Sequence[str],
        learned: Sequence[str],
        goal: int,
        heed: Heed = heedless,
    ) -> Mask:
        """Which `goal` of the drafts that were stored [N] become samples; those without a score were left to chance.

        Args:
            stored: the drafts; all have passed vetting.
            tweets: what the samples' form is to be like.
            learned: tweets that a draft may copy from.
            goal: how many samples are wanted.
            heed: called often where a scorer has a say: that may take a minute.
        """
        favoured = np.array([draft.score is not None for draft in stored], bool)
        by_scorer = 0 if self.favour is None else min(int(favoured.sum()), round(goal * (1 - CHANCE)))
        by_scorer = max(by_scorer, goal - int((~favoured).sum()))
        kept = np.zeros(len(stored), bool)
        plain = [draft for draft in stored if draft.score is None]
        seeds = [draft.seed for draft in plain]
        kept[~favoured] = together([draft.text for draft in plain], seeds, tweets, goal - by_scorer)
        if self.favour is not None and favoured.any():
            scored = [draft for draft in stored if draft.score is not None]
            kept[favoured] = _assembled(self.favour, scored, by_scorer, tweets, some_of(learned), heed)
        return kept


def _assembled(
    favour: Favour,
    drafts: Sequence[Candidate],
    count: int,
    tweets: Sequence[str],
    learned: Sequence[str],
    heed: Heed,
) -> Mask:
    texts, others = [draft.text for draft in drafts], favour.texts
    runs = copied_runs([*texts, *others[:COMPARED]], learned, heed)
    copied = np.array([int(run.max(initial=0)) for run in runs], float)
    believed = favour.believed([draft.score or 0.0 for draft in drafts])
    return assembled(texts, believed, copied, count, tweets, others, heed)


def _draw(seed: int) -> float:
    """A number in [0, 1) of the draft's own, another one than form draws."""
    return int.from_bytes(blake2b(seed.to_bytes(16, "little"), digest_size=8, person=b"chance").digest(), "big") / 2**64
