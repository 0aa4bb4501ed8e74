"""Choosing: which archive, and which of its generators, a page of the dashboard is about, and as it stood when."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection

from app.db import archives, generators
from app.db.archives import Archive
from app.db.generators import Generator
from app.web.admin.office import Refused


class Choice(NamedTuple):
    """What a page's form offers, and what was chosen of it; None: nothing, and the page shows all or none."""

    archives: list[Archive]
    which: Archive | None
    generators: list[Generator]
    generator_id: int | None


def chosen(connection: Connection, slug: str) -> tuple[list[Archive], Archive | None]:
    """The archives, and the one of that slug or else the first."""
    listed = archives.listing(connection)
    return listed, next((each for each in listed if each.slug == slug), listed[0] if listed else None)


def chosen_with_generator(connection: Connection, slug: str, name: str) -> Choice:
    """The archive of that slug or else the first, and its generator of that name such as v3, if it has one."""
    listed, which = chosen(connection, slug)
    made = generators.listing(connection, which.id) if which else []
    return Choice(listed, which, made, next((each.id for each in made if each.name == name), None))


def found(connection: Connection, slug: str) -> Archive:
    """The archive of that slug.

    Raises:
        Refused: there is none.
    """
    archive = archives.find(connection, slug)
    if archive is None:
        raise Refused(404, "No such archive", f"There is no archive {slug}; it may have been deleted.")
    return archive


def mark_of(*shown: object) -> str:
    """A mark of what a form shows, to be sent back with it."""
    return sha256(repr(shown).encode("utf-8", "replace")).hexdigest()[:16]


def as_shown(seen: str, slug: str, *stands: object) -> None:
    """Nothing, where what a form showed when it was opened still stands.

    Raises:
        Refused: somebody else has changed it meanwhile, which what is sent now would take back unnoticed.
    """
    if seen and seen != mark_of(*stands):
        words = f"Somebody else has changed {slug} since you opened its page, so nothing was saved: look at it anew."
        raise Refused(409, "Changed meanwhile", words)
