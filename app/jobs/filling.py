"""Filling a restock: drafts are written, vetted, chosen, and stored where nobody sees them.

What was stored and how many drafts had been read are written in one transaction, and drafts follow from their seeds: so
it goes on where it stood.
"""

from __future__ import annotations

from collections import Counter, abc
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from app.db import restocks, samples
from app.db.generators import Generator
from app.db.restocks import Restock
from app.db.samples import NewSample
from app.db.session import reading, writing
from app.game import sensitive
from app.game.choice import Candidate, ShelfChoice
from app.game.vetting import DUPLICATE, FORM, HELD, Vetting, text_hash
from app.jobs.piloting import FORM_TWEETS
from app.jobs.workshop import Interrupted, JobError, Progress, ShouldStop, Workshop, heed
from app.jobs.writers import CHUNK, Scoring, Steered, Writers
from model.generate import Draft
from model.text import TEXT_VERSION, normalise

DRAFTS_PER_SAMPLE = 30  # so many drafts for one that passes: the generator is not ready for play
LEAST_BALANCED = 400  # samples: fewer are not balanced anew: a pilot of their size would move odds by chance
TRIAL = 1500  # drafts that are read before that is judged
HELD_PER_SAMPLE = 30  # so many are held back for one that may be shelved: the shelf would never be full
HELD_TRIAL = 300  # samples that are held back before that is judged


@dataclass(frozen=True)
class Choice:
    """Which drafts become samples: those that pass vetting, and of them such as have the form of tweets.

    Where the generator has a scorer, such as players are likely to believe are preferred.
    """

    vetting: Vetting
    shelf: ShelfChoice
    scoring: Scoring | None
    steered: Steered
    first: Sequence[Draft]  # drafts that are there already: what the choice was learned from


@dataclass
class _Tally:
    """How far a restock is; what the next batch will say about it."""

    written: int
    shelved: int
    rejected: Counter[str]

    @property
    def vetted(self) -> int:
        """Drafts that broke no rule, chosen by their form or not, held back or not."""
        return self.shelved + self.rejected[FORM] + self.rejected[HELD]


def fill(
    workshop: Workshop,
    generator: Generator,
    row: Restock,
    choice: Choice,
    on_progress: Progress,
    should_stop: ShouldStop,
) -> None:
    """Write and vet drafts from where the restock stands, and store those that are chosen, until there are enough.

    Raises:
        Interrupted: `should_stop` said so; what was stored stays.
        JobError: next to nothing passes vetting or may be shown unseen, or the checkpoint is damaged or gone.
    """
    tally = _Tally(row.written, row.shelved, Counter(row.rejected))
    wanted = choice.shelf.stored(row.goal)
    if _is_enough(tally, row.goal, choice):
        return
    found: list[NewSample] = []
    with closing(_drafts(workshop, generator, row, choice, wanted)) as chunks:
        for drafts in chunks:
            if should_stop():
                raise Interrupted
            found += _chosen(drafts, choice, tally, wanted)
            # A restock that stands at its goal has parted with its spares (or has all): of this one that is not told.
            if tally.shelved != row.goal or _is_enough(tally, row.goal, choice):
                _store(workshop, row, found, tally)
                found = []
            samples_done = tally.shelved * row.goal // wanted
            on_progress({"written": tally.written, "samples": samples_done, "goal": row.goal})
            if _is_enough(tally, row.goal, choice):
                return
            if tally.written >= TRIAL and tally.vetted * DRAFTS_PER_SAMPLE < tally.written:
                raise JobError(_not_ready(generator, tally))
            if tally.rejected[HELD] > max(HELD_TRIAL, HELD_PER_SAMPLE * tally.shelved):
                raise JobError(_too_grave(generator, tally))


def _drafts(
    workshop: Workshop, generator: Generator, row: Restock, choice: Choice, wanted: int
) -> abc.Generator[list[Draft], None, None]:
    """Drafts without end from where the restock stands, a chunk at a time: first those that the choice learned from."""
    for start in range(row.written, len(choice.first), CHUNK):
        yield list(choice.first[start : start + CHUNK])
    folder, longest = workshop.folder(generator.checkpoint_key), choice.vetting.rules.longest
    given = (folder, generator.decoding, longest, workshop.processes, choice.scoring, choice.steered, wanted)
    with Writers(*given) as writers:
        yield from writers.drafts(row.seed + max(0, row.written - len(choice.first)))


def _is_enough(tally: _Tally, goal: int, choice: Choice) -> bool:
    """Whether as much is stored as is chosen among, or was, before some of it was parted with."""
    shelf = choice.shelf
    if tally.shelved >= shelf.stored(goal):
        return True
    return shelf.favour is not None and goal <= tally.shelved and tally.vetted >= shelf.best_of * goal


def part_with_spares(
    workshop: Workshop, restock_id: int, shelf: ShelfChoice, cards: Sequence[str], should_stop: ShouldStop
) -> None:
    """Leave as many samples as were asked for: those that are, together, the best shelf.

    Some at a time: a restock that was killed meanwhile chooses again, among what is left.

    Raises:
        Interrupted: `should_stop` said so, before any was parted with.
    """
    with reading(workshop.engine) as connection:
        row, stored = restocks.find(connection, restock_id), samples.waiting(connection, restock_id)
    if row is None or len(stored) <= row.goal:
        return
    drafts = [Candidate(sample.text, sample.score, sample.seed) for sample in stored]
    some_cards = cards[:: max(1, len(cards) // FORM_TWEETS)]
    kept = shelf.best(drafts, some_cards, cards, row.goal, partial(heed, should_stop))
    spares = [sample.id for sample, keep in zip(stored, kept, strict=True) if not keep]
    rejected, shelved = Counter(row.rejected), row.shelved
    for first in range(0, len(spares), samples.BATCH):
        some = spares[first : first + samples.BATCH]
        rejected, shelved = rejected + Counter({FORM: len(some)}), shelved - len(some)
        with writing(workshop.engine) as connection:
            samples.drop(connection, some)
            restocks.advance(connection, row.id, written=row.written, shelved=shelved, rejected=rejected)


def _chosen(drafts: Sequence[Draft], choice: Choice, tally: _Tally, goal: int) -> Iterator[NewSample]:
    """The samples that drafts make; drafts beyond the goal are left unread."""
    texts = [normalise(draft.text) for draft in drafts]
    candidates = [Candidate(text, draft.score, draft.seed) for text, draft in zip(texts, drafts, strict=True)]
    for draft, text, taken in zip(drafts, texts, choice.shelf.takes(candidates), strict=True):
        if tally.shelved >= goal:
            return
        tally.written += 1
        fault = choice.vetting.vet(text, draft.ended)
        if fault is not None or taken is None:
            tally.rejected[fault or FORM] += 1
            continue
        held = sensitive.shipped().subject(text)
        if held is None:
            tally.shelved += 1
        else:
            tally.rejected[HELD] += 1
        yield NewSample(draft.seed, text, text_hash(text), draft.score if taken == "scorer" else None, held)


def _store(workshop: Workshop, row: Restock, found: list[NewSample], tally: _Tally) -> None:
    with writing(workshop.engine) as connection:
        for held in (False, True):
            some = [sample for sample in found if bool(sample.held) == held]
            new = samples.add(
                connection,
                some,
                archive_id=row.archive_id,
                generator_id=row.generator_id,
                restock_id=row.id,
                text_version=TEXT_VERSION,
            )
            # Another worker may have stored the same text meanwhile.
            lost = len(some) - new
            tally.rejected[DUPLICATE] += lost
            if held:
                tally.rejected[HELD] -= lost
            else:
                tally.shelved -= lost
        counts = {rule: count for rule, count in tally.rejected.items() if count}
        restocks.advance(connection, row.id, written=tally.written, shelved=tally.shelved, rejected=counts)


def _not_ready(generator: Generator, tally: _Tally) -> str:
    rule, count = max(
        ((rule, n) for rule, n in tally.rejected.items() if rule not in (FORM, HELD)), key=lambda pair: pair[1]
    )
    return (
        f"{generator.name} is not ready for play: {tally.vetted} of {tally.written} drafts passed vetting"
        f" ({count}: {rule}); train longer"
    )


def _too_grave(generator: Generator, tally: _Tally) -> str:
    return (
        f"{generator.name} writes of hardly anything else than persons and something grave: {tally.rejected[HELD]:,} of"
        f" {tally.rejected[HELD] + tally.shelved:,} chosen drafts are held back for a look, too many for a shelf"
    )
