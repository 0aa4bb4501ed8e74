"""Archives: one account's tweets, or one body of passages, under a slug.

An archive is there for readers once an import of it is done; before that its row only holds the place.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from app.db import tweets as tweet_room
from app.db.tables import archives, arms, generators, imports, jobs, samples, tweets
from app.game.own_settings import OwnSettings, OwnSettingsError
from app.game.third_parties import ThirdParties

PERMISSION = "permission"  # the basis of a private person's archive
BASES = ("own", "public", PERMISSION)
PRIVATE = ("own", PERMISSION)  # bases on which cards name no third parties unless a setting lets them


@dataclass(frozen=True)
class Archive:
    """A row of `archives`; what each column means stands there."""

    id: int
    slug: str
    name: str
    handle: str | None
    unit: str
    is_demo: bool
    created_at: datetime
    stamp: int
    paused: bool
    basis: str | None = None
    deleted_at: datetime | None = None
    own: OwnSettings = field(default_factory=OwnSettings)
    invite: str | None = None
    description: str | None = None

    @property
    def mark(self) -> tuple[int, datetime]:
        """What names it for good: its number may be given to another once it is removed (SQLite)."""
        return self.id, self.created_at

    @property
    def may_name_others(self) -> bool:
        """Whether its cards, tweets and samples alike, may name third parties."""
        return self.basis not in PRIVATE if self.own.name_others is None else self.own.name_others

    def others(self) -> ThirdParties | None:
        """Whom its cards may not name; None where they may name everybody."""
        return None if self.may_name_others else ThirdParties.but(self.handle, self.name)


@dataclass(frozen=True)
class Holdings:
    """What an archive holds: its tweets by split, and what imports left out, why."""

    archive: Archive
    splits: dict[str, int]  # train, validation, deck -> tweets
    left_out: dict[str, int]  # reason -> rows, over all imports that are done
    shelf: int  # samples of the champion that may be dealt now
    champion: str | None  # "v3"; None before the first training


def is_open() -> ColumnElement[bool]:
    """The condition that an archive is there for readers: an import of it is done, and nobody deleted it."""
    imported = exists().where(imports.c.archive_id == archives.c.id, imports.c.state == "done")
    return and_(imported, archives.c.deleted_at.is_(None))


def find(connection: Connection, slug: str) -> Archive | None:
    """The archive of that slug; None where there is none, or its first import is not done."""
    row = connection.execute(_all().where(archives.c.slug == slug, is_open())).first()
    return None if row is None else _archive(row)


def listing(connection: Connection) -> list[Archive]:
    """Every archive, the oldest first."""
    return [_archive(row) for row in connection.execute(_all().where(is_open()).order_by(archives.c.id))]


def holdings(connection: Connection, archive: Archive) -> Holdings:
    """What `archive` holds now."""
    left_out: dict[str, int] = {}
    done = select(imports.c.left_out).where(imports.c.archive_id == archive.id, imports.c.state == "done")
    for counts in connection.scalars(done):
        for reason, rows in counts.items():
            left_out[reason] = left_out.get(reason, 0) + rows
    champion = connection.execute(
        select(generators.c.id, generators.c.number)
        .join(arms, arms.c.generator_id == generators.c.id)
        .where(arms.c.archive_id == archive.id, arms.c.arm == "champion")
    ).first()
    return Holdings(
        archive,
        tweet_room.counts(connection, archive.id),
        left_out,
        0 if champion is None else _shelf_level(connection, archive, champion.id),
        None if champion is None else f"v{champion.number}",
    )


def is_deleted(connection: Connection, slug: str) -> bool:
    """Whether the slug belongs to an archive that was deleted and is not yet removed for good."""
    deleted = select(archives.c.id).where(archives.c.slug == slug, archives.c.deleted_at.is_not(None))
    return connection.execute(deleted).first() is not None


def hold_place(
    connection: Connection,
    slug: str,
    *,
    name: str,
    handle: str | None,
    unit: str,
    is_demo: bool,
    at: datetime,
) -> int:
    """The id of the archive of that slug, which is made if there is none yet.

    Nobody else sees a new one, and an old one changes nothing, before its import is done; a place whose first import
    was killed is held anew.
    """
    row = {"slug": slug, "name": name, "handle": handle, "unit": unit, "is_demo": is_demo, "created_at": at}
    done = exists().where(imports.c.archive_id == archives.c.id, imports.c.state == "done")
    found = connection.execute(select(archives.c.id, done.label("is_there")).where(archives.c.slug == slug)).first()
    if found is None:
        return int(connection.execute(insert(archives).values(row).returning(archives.c.id)).scalar_one())
    if not found.is_there:
        connection.execute(update(archives).where(archives.c.id == found.id).values(row))
    return int(found.id)


def describe(
    connection: Connection,
    archive_id: int,
    *,
    name: str | None = None,
    handle: str | None = None,
    description: str | None = None,
) -> None:
    """Change what is given; None leaves a column as it is."""
    given = {"name": name, "handle": handle, "description": description}
    values = {column: value for column, value in given.items() if value is not None}
    if values:
        connection.execute(update(archives).where(archives.c.id == archive_id).values(**values))


def note_basis(connection: Connection, slug: str, basis: str | None) -> None:
    """Note by what right an archive is played: own, public, permission, or None where nobody said.

    One of a private person, who allowed it, is entered by an invitation from then on.
    """
    row = connection.execute(_all().where(archives.c.slug == slug)).first()
    if row is None:
        return
    archive = _archive(row)
    invite = archive.invite or (new_invite() if basis == PERMISSION else None)
    values = {"basis": basis, "settings": under(archive, basis).to_json(), "invite": invite}
    connection.execute(update(archives).where(archives.c.id == archive.id).values(values))


def under(archive: Archive, basis: str | None) -> OwnSettings:
    """An archive's own settings under another basis: a basis alone lets no names in that were out."""
    if archive.may_name_others or basis in PRIVATE:
        return archive.own
    return replace(archive.own, name_others=False)


def let_names(connection: Connection, archive_id: int, name_others: bool) -> None:
    """Say whether an archive's cards may name third parties; the caller raises its stamp."""
    row = connection.execute(_all().where(archives.c.id == archive_id)).one()
    own = replace(_archive(row).own, name_others=name_others)
    connection.execute(update(archives).where(archives.c.id == archive_id).values(settings=own.to_json()))


def new_invite() -> str:
    """A new invitation; nobody guesses it."""
    return secrets.token_urlsafe(12)


def keep_settings(connection: Connection, archive_id: int, own: OwnSettings, invite: str | None) -> None:
    """Keep an archive's own settings, and by which link it is entered; web processes notice by its stamp."""
    values = {"settings": own.to_json(), "invite": invite, "stamp": archives.c.stamp + 1}
    connection.execute(update(archives).where(archives.c.id == archive_id).values(values))


def give_up_place(connection: Connection, archive_id: int) -> None:
    """Remove the archive if it holds nothing and never did: its first import failed."""
    holds = or_(
        exists().where(imports.c.archive_id == archive_id, imports.c.state != "failed"),
        exists().where(tweets.c.archive_id == archive_id),
        exists().where(jobs.c.archive_id == archive_id),
    )
    if connection.execute(select(holds)).scalar():
        return
    connection.execute(delete(imports).where(imports.c.archive_id == archive_id))
    connection.execute(delete(archives).where(archives.c.id == archive_id))


def _shelf_level(connection: Connection, archive: Archive, generator_id: int) -> int:
    column = samples.c
    eligible = select(func.count()).where(
        column.archive_id == archive.id,
        column.generator_id == generator_id,
        column.shelved_stamp <= archive.stamp,
        or_(column.retired_stamp.is_(None), column.retired_stamp > archive.stamp),
        column.hidden_at.is_(None),
    )
    return int(connection.execute(eligible).scalar_one())


def _all() -> Select[Any]:
    return select(archives)


def _archive(row: Row[Any]) -> Archive:
    values = row._asdict()
    return Archive(**{name: values[name] for name in values if name != "settings"}, own=_own(values["settings"]))


def _own(stored: dict[str, Any]) -> OwnSettings:
    try:
        return OwnSettings.from_json(stored)
    except (OwnSettingsError, TypeError):
        return OwnSettings()  # of another version of the program: the operator's settings hold meanwhile
