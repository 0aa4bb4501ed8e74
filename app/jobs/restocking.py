"""Restocking: samples are written, vetted, stored where nobody sees them, and shelved by one flip.

Killed at any moment, a restock goes on where it stood: what it stored and how many drafts it had read are written in
one transaction, and drafts follow from their seeds.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from app.db import generators, restocks, samples
from app.db.archives import Archive
from app.db.generators import Decided, Generator
from app.db.restocks import Restock
from app.db.session import now, reading, writing
from app.game.steering import Balance
from app.game.vetting import LONGEST, SHORTEST, Vetting
from app.jobs import filling
from app.jobs.base import words_read
from app.jobs.piloting import Pilot
from app.jobs.vetting import scoring_of, vetting_for
from app.jobs.workshop import Interrupted, JobError, Progress, ShouldStop, Workshop
from app.jobs.writers import Steered

# What happens together with the flip, given its stamp.
Then = Callable[[Connection, int], None]

REPORTED_TWEETS = 2000  # held-out tweets that the rules are tried on, for comparison


@dataclass(frozen=True)
class Restocked:
    """What a restock came to."""

    restock_id: int
    generator: str
    written: int  # drafts
    shelved: int  # samples
    rejected: Mapping[str, int]  # rule -> drafts
    tweets_read: int  # held-out tweets that the rules were tried on
    tweets_rejected: Mapping[str, int]  # rule -> held-out tweets
    seconds: float
    level: int  # samples of the generator on the shelf now


def restock(
    workshop: Workshop,
    archive: Archive,
    generator: Generator,
    goal: int,
    *,
    job_id: int | None = None,
    promote: Decided | None = None,
    on_progress: Progress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Restocked:
    """Put `goal` vetted samples of a generator on the shelf.

    Args:
        workshop: the surroundings.
        archive: whose shelf.
        generator: who writes.
        goal: samples to shelve; fewer are found only by a generator that is not ready, and then none are shelved.
        job_id: the job this belongs to; asked again with the same one, an interrupted restock goes on.
        promote: the decision that makes the generator the champion, with the same flip that shelves its samples.
        on_progress: told drafts written, samples found, goal.
        should_stop: asked between batches.

    Raises:
        Interrupted: `should_stop` said so; nothing of it is on the shelf.
        JobError: next to nothing passes vetting, or the checkpoint is damaged or gone.
    """
    began = time.monotonic()
    row = write(*(workshop, archive, generator, goal), job_id=job_id, on_progress=on_progress, should_stop=should_stop)

    def crown(connection: Connection, stamp: int) -> None:
        if promote is not None:
            generators.note_decision(connection, row.archive_id, row.generator_id, promote, now())
            generators.crown(connection, row.archive_id, row.generator_id, stamp, now())

    if row.state == "running":
        if should_stop():  # after its last batch too: what is not shelved yet need not be
            raise Interrupted
        shelve(workshop, row, crown if promote is not None else None, time.monotonic() - began)
    return _told(workshop, row.id, generator)


def make_do(workshop: Workshop, generator: Generator, job_id: int, least: int) -> Restocked | None:
    """Shelve what a job's restock had stored when it was stopped, if that is `least` samples; else throw it away."""
    with reading(workshop.engine) as connection:
        row = restocks.of_job(connection, job_id, generator.id)
    if row is None:
        return None
    if row.shelved < least:
        discard(workshop, row)
        return None
    shelve(workshop, row)
    return _told(workshop, row.id, generator)


def write(
    workshop: Workshop,
    archive: Archive,
    generator: Generator,
    goal: int,
    *,
    job_id: int | None = None,
    on_progress: Progress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Restock:
    """Write and vet the samples of a restock, and store them where nobody sees them; `shelve` or `discard` them then.

    One that is done already is given as it is. For the arguments and what is raised see `restock`.
    """
    purge_abandoned(workshop, archive.id)
    began = time.monotonic()
    row = _open(workshop, archive, generator, goal, job_id)
    if row.state != "running" or row.shelved == row.goal:
        return row
    vetting, known, deck = vetting_for(workshop, archive, generator)
    note_tweets(workshop, row, vetting, deck)
    try:
        _need_a_card(archive, vetting, [*known, *deck])
        scoring = scoring_of(workshop, archive, generator)
        cards = [text for text in known if vetting.rules.card_fault(text) is None]
        words = words_read(workshop, archive, generator)
        pilot = Pilot(workshop, generator, vetting, cards, words, row.seed, row.goal, should_stop)
        steered = _steered(workshop, pilot, row)
        shelf_choice, first = pilot.choose(steered, scoring)
        choice = filling.Choice(vetting, shelf_choice, scoring, steered, first)
        filling.fill(workshop, generator, row, choice, on_progress, should_stop)
        filling.part_with_spares(workshop, row.id, shelf_choice, cards, should_stop)
    except JobError:
        discard(workshop, row, time.monotonic() - began)
        raise
    with reading(workshop.engine) as connection:
        return restocks.find(connection, row.id) or row


def _need_a_card(archive: Archive, vetting: Vetting, texts: Sequence[str]) -> None:
    """Refuse an archive none of whose texts can be a card: no sample of their kind can be one either.

    Raises:
        JobError: names the rule that most of them break.
    """
    faults: Counter[str] = Counter()
    for text in texts:
        if (fault := vetting.rules.card_fault(text)) is None:
            return
        faults[fault] += 1
    if faults:
        rule, count = faults.most_common(1)[0]
        raise JobError(
            f"none of the {len(texts):,} {archive.unit}s of {archive.slug} can be a card ({count:,}: {rule}): cards"
            f" have {SHORTEST} to {LONGEST[archive.unit]} characters and stand on their own; no training changes that"
        )


def note_tweets(workshop: Workshop, row: Restock, vetting: Vetting, deck: list[str]) -> None:
    """Record what the same rules say of held-out tweets, evenly chosen."""
    some = deck[:: max(1, len(deck) // REPORTED_TWEETS)]
    faults = Counter(fault for text in some if (fault := vetting.tweet_fault(text)) is not None)
    with writing(workshop.engine) as connection:
        restocks.note_tweets(connection, row.id, len(some), faults)


def purge_abandoned(workshop: Workshop, archive_id: int) -> None:
    """Throw away what restocks left behind that nobody will go on with."""
    with reading(workshop.engine) as connection:
        left = restocks.abandoned(connection, archive_id)
    for row in left:
        discard(workshop, row)


def _open(workshop: Workshop, archive: Archive, generator: Generator, goal: int, job_id: int | None) -> Restock:
    """The restock that the job was at, or a new one."""
    with writing(workshop.engine) as connection:
        if job_id is not None and (row := restocks.of_job(connection, job_id, generator.id)) is not None:
            return row
        return restocks.begin(
            connection,
            archive_id=archive.id,
            generator_id=generator.id,
            seed=secrets.randbits(62),
            goal=goal,
            job_id=job_id,
            at=now(),
        )


def steered_before(workshop: Workshop, pilot: Pilot) -> Steered | None:
    """As the network's last drafts were; None where none were."""
    with reading(workshop.engine) as connection:
        known = restocks.newest_balance(connection, pilot.generator)
    return None if known is None else replace(pilot.led(), balance=Balance.from_json(known))


def _steered(workshop: Workshop, pilot: Pilot, row: Restock) -> Steered:
    """As this restock began, or the network's last one; a pilot finds out where there was none.

    It is written into the row: with it a sample can be written again from its seed.
    """
    if row.balance is not None:
        return replace(pilot.led(), balance=Balance.from_json(row.balance))
    before = steered_before(workshop, pilot)
    if before is None and row.goal < filling.LEAST_BALANCED:
        return pilot.led()
    steered = before or pilot.steer()
    with writing(workshop.engine) as connection:
        restocks.note_balance(connection, row.id, steered.balance.to_json())
    return steered


def shelve(workshop: Workshop, row: Restock, then: Then | None = None, seconds: float = 0.0) -> None:
    """Put what a restock stored on the shelf, in one short transaction, and do `then` with it; once.

    With a `then` that crowns, samples of generators that play no part any more leave the shelf in the same moment: it
    is never empty in between.
    """
    with writing(workshop.engine) as connection:
        if not restocks.close(connection, row.id, "done", seconds, now()):
            return
        if then is not None:
            samples.lock_shelf(connection, row.archive_id)
        stamp = samples.next_stamp(connection, row.archive_id)
        samples.shelve(connection, row.id, stamp)
        if then is not None:
            then(connection, stamp)


def discard(workshop: Workshop, row: Restock, seconds: float = 0.0) -> None:
    """Throw away what a restock stored; it counts as failed."""
    while True:
        with writing(workshop.engine) as connection:
            if not samples.purge(connection, row.id):
                restocks.close(connection, row.id, "failed", seconds, now())
                return


def _told(workshop: Workshop, row_id: int, generator: Generator) -> Restocked:
    with reading(workshop.engine) as connection:
        row = restocks.find(connection, row_id)
        level = samples.level(connection, generator.archive_id, generator.id)
    if row is None:
        raise JobError("the restock vanished from the database while it ran")
    return Restocked(
        restock_id=row.id,
        generator=generator.name,
        written=row.written,
        shelved=row.shelved,
        rejected=row.rejected,
        tweets_read=row.tweets_read,
        tweets_rejected=row.tweets_rejected,
        seconds=row.seconds or 0.0,
        level=level,
    )
