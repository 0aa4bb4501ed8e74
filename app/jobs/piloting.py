"""The pilot of a restock: the drafts that it learns from.

From the first ones, which are thrown away, the network is steered: its symbols and lengths are brought to those of
tweets, and it is led to no word that it has not read, no handle and (where it has read other accounts) no name that the
archive lacks. From those that it then writes, the choice by form learns; they are the first to be chosen among. All
follow from the restock's seed, so a restock that was interrupted learns the same again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from app.db.generators import Generator
from app.game import sensitive
from app.game.choice import BEST_OF, Candidate, ShelfChoice
from app.game.vetting import Vetting
from app.jobs.errors import Interrupted
from app.jobs.workshop import ShouldStop, Workshop
from app.jobs.writers import Scoring, Steered, Writers
from model.generate import Draft
from model.sampling import Decoding
from model.text import normalise

PILOT = 2400  # vetted drafts, at most, from which the choice by form learns
SCORED_PILOT = 3000  # the same where a scorer has a say: its favourites among them count most
SCORED_FACTOR = 5  # vetted drafts of that pilot for a sample that is wanted; otherwise one
TRIGGER_TWEETS = 20_000  # from which words that trigger each other are taken, evenly chosen
FORM_TWEETS = 4000  # tweets that they are compared with, evenly chosen
LEAST = 50  # vetted drafts, or tweets, below which nothing is balanced: differences would be chance
# Rounds of balancing: vetted drafts at most, and the share of the way that is gone after them. The last steps are
# short and rest on more, so that what is left of chance is small.
ROUNDS = ((300, 1.0), (450, 1.0), (900, 0.7), (1200, 0.5))
BEFORE = 1 << 40  # seeds of a pilot lie so far before those of the samples, and of the next pilot: no draft is both


@dataclass(frozen=True)
class Pilot:
    """What the pilots of one restock have in common.

    Attributes:
        workshop: the surroundings.
        generator: who writes.
        vetting: what a draft must keep to: what it turns away most (long texts copy more) is to be written more.
        cards: tweets outside the deck that may be cards: what drafts are to be like.
        words: that the network has read (`app/jobs/base.py`); None: any may be written.
        seed: of the restock.
        goal: samples that are wanted; for few, less is learned from.
        should_stop: asked between chunks.
    """

    workshop: Workshop
    generator: Generator
    vetting: Vetting
    cards: Sequence[str]
    words: Collection[str] | None
    seed: int
    goal: int
    should_stop: ShouldStop

    def led(self) -> Steered:
        """What leads drafts to no strange handle, name and word, and to words of one subject, without any balance."""
        rules = self.vetting.rules
        names = None if rules.names is None else rules.names.words
        tweets = [] if self.words is None else self.cards[:: max(1, len(self.cards) // TRIGGER_TWEETS)]
        return Steered(handles=rules.handles, names=names, words=self.words, tweets=tweets)

    def steer(self) -> Steered:
        """What brings drafts nearest to tweets.

        Raises:
            Interrupted: `should_stop` said so.
            JobError: the checkpoint is damaged or gone.
        """
        steered = self.led()
        if len(self.cards) < LEAST:
            return steered
        temperature = Decoding.from_json(self.generator.decoding).temperature
        for number, (most, step) in enumerate(ROUNDS, start=2):
            texts = [candidate.text for candidate in self._written(number, most, steered)[1]]
            if len(texts) >= LEAST:
                balance = steered.balance.moved(texts, self.cards, temperature, step)
                steered = replace(steered, balance=balance)
        return steered

    def choose(self, steered: Steered, scoring: Scoring | None) -> tuple[ShelfChoice, list[Draft]]:
        """Which drafts become samples: by form and, where there is a scorer, by that too; and those it is learned from.

        Raises:
            Interrupted: `should_stop` said so.
            JobError: the checkpoint is damaged or gone.
        """
        drafts, pilot = self._written(1, SCORED_PILOT if scoring else PILOT, steered, scoring)
        best_of = int(self.generator.decoding.get("best_of", BEST_OF)) if scoring else None
        some = self.cards[:: max(1, len(self.cards) // FORM_TWEETS)]
        return ShelfChoice.fit(pilot, some, best_of), drafts

    def _written(
        self, number: int, most: int, steered: Steered, scoring: Scoring | None = None
    ) -> tuple[list[Draft], list[Candidate]]:
        """All drafts that are read until about `most` may be samples, or four times as many were read; and those."""
        wanted = min(most, max(self.goal if scoring is None else self.goal * SCORED_FACTOR, 100))
        read: list[Draft] = []
        found: list[Candidate] = []
        folder, decoding, longest = (
            self.workshop.folder(self.generator.checkpoint_key),
            self.generator.decoding,
            self.vetting.rules.longest,
        )
        with Writers(folder, decoding, longest, self.workshop.processes, scoring, steered, wanted) as writers:
            for drafts in writers.drafts(max(0, self.seed - number * BEFORE)):
                if self.should_stop():
                    raise Interrupted
                read += drafts
                found += self._cards(drafts)
                if len(found) >= wanted or len(read) >= 4 * wanted:
                    break
        return read, found

    def _cards(self, drafts: Sequence[Draft]) -> Iterator[Candidate]:
        for draft in drafts:
            text = normalise(draft.text)
            if self.vetting.fault(text, draft.ended) is None and sensitive.shipped().subject(text) is None:
                yield Candidate(text, draft.score, draft.seed)
