"""Renewing: a shelf is written anew when an archive's rule about names changes, so that deck and shelf change together.

Were the deck alone to change, whoever is named on a card would tell which card is the tweet.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from app.db import archives, jobs, samples
from app.db.archives import Archive
from app.db.generators import Generator
from app.db.jobs import Job
from app.jobs.hold import Hold
from app.jobs.restocking import shelve, write
from app.jobs.workshop import Interrupted, Workshop


def renew(workshop: Workshop, archive: Archive, generator: Generator, job: Job, hold: Hold) -> int:
    """Fill the shelf under the rule about names that the job asks for; all that lay there leaves with the same flip,
    and from then on the rule holds for the deck too. How many samples were shelved.

    Raises:
        Interrupted: stopped, or called off; the shelf and the rule are as they were.
        JobError: next to nothing passes vetting, or the checkpoint is damaged or gone.
    """
    name_others = bool(job.arguments["name_others"])
    ruled = replace(archive, own=replace(archive.own, name_others=name_others))
    row = write(
        *(workshop, ruled, generator, workshop.shelf_full),
        job_id=job.id,
        on_progress=hold.on_stored,
        should_stop=hold.should_stop,
    )

    def change(connection: Connection, stamp: int) -> None:
        asked = jobs.find(connection, job.id)
        if asked is None or asked.wanted != "run":
            raise Interrupted
        samples.retire_before(connection, archive.id, stamp)
        archives.let_names(connection, archive.id, name_others)

    if row.state == "running":
        shelve(workshop, row, change)
    return row.shelved
