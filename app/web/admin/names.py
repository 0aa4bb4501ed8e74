"""Names of third parties: what an admin's answer changes at once, and what waits until the shelf is written anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from app.db import generators, jobs
from app.db.archives import Archive
from app.db.jobs import Job
from app.game.own_settings import OwnSettings

Answer = Literal["", "in", "out"]  # "": nobody was asked


def answered(
    connection: Connection, archive: Archive, own: OwnSettings, answer: Answer, who: str, at: datetime
) -> OwnSettings:
    """`own` with what the answer changes at once; the rest is asked of the worker.

    Kept out, names leave the game at once, and the shelf is written anew behind them. Let in, they wait for a shelf
    whose samples hold names too: or whoever is named would tell the tweet.
    """
    own = replace(own, name_others=archive.own.name_others)
    waiting = pending(connection, archive)
    wants = waiting.arguments["name_others"] if waiting else archive.may_name_others
    if not answer or (answer == "in") == wants:
        return own
    if waiting is not None:
        jobs.cancel(connection, waiting.id, at)
    if (answer == "in") == archive.may_name_others:
        return own
    is_played = generators.in_arm(connection, archive.id, generators.CHAMPION) is not None
    if answer == "out" or not is_played:
        own = replace(own, name_others=answer == "in")
    if is_played:
        ask_anew(connection, archive, answer == "in", who, at)
    return own


def ask_anew(connection: Connection, archive: Archive, name_others: bool, who: str, at: datetime) -> int | None:
    """Ask for a shelf under that rule; the job's id."""
    arguments = {"name_others": name_others}
    return jobs.ask(connection, "restock", archive.id, arguments, asked_by=who, at=at)


def pending(connection: Connection, archive: Archive) -> Job | None:
    """The job that is to write the shelf anew, while it waits or runs."""
    for job in jobs.listing(connection, archive_id=archive.id):
        if job.state in jobs.OPEN and job.wanted == "run" and "name_others" in job.arguments:
            return job
    return None
