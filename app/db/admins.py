"""Admins: who may open the dashboard, in which role, and who is signed in now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import Connection, delete, insert, select, update

from app.db.tables import admin_sessions, admins

Role = Literal["admin", "viewer"]
ROLES: tuple[str, ...] = get_args(Role)
SEEN_EVERY = timedelta(minutes=1)  # a session's last sign of life is written no more often


@dataclass(frozen=True)
class Admin:
    """A row of `admins`."""

    id: int
    name: str
    password_hash: str
    role: str
    created_at: datetime

    @property
    def may_change(self) -> bool:
        """Whether this one may change things, and not only look at them."""
        return self.role == "admin"


@dataclass(frozen=True)
class Span:
    """How long a sign-in lasts: since the last request, and in all."""

    idle: timedelta
    absolute: timedelta


def create(connection: Connection, name: str, password_hash: str, role: str, at: datetime) -> bool:
    """Add an admin; False where the name is taken."""
    if find(connection, name) is not None:
        return False
    row = {"name": name, "password_hash": password_hash, "role": role, "created_at": at}
    connection.execute(insert(admins).values(row))
    return True


def find(connection: Connection, name: str) -> Admin | None:
    """The admin of that name."""
    row = connection.execute(select(admins).where(admins.c.name == name)).first()
    return None if row is None else Admin(**row._asdict())


def listing(connection: Connection) -> list[Admin]:
    """Every admin, by name."""
    return [Admin(**row._asdict()) for row in connection.execute(select(admins).order_by(admins.c.name))]


def set_password(connection: Connection, admin_id: int, password_hash: str) -> None:
    """Change a password; whoever was signed in with the old one is signed out."""
    connection.execute(update(admins).where(admins.c.id == admin_id).values(password_hash=password_hash))
    end_all(connection, admin_id)


def remove(connection: Connection, admin_id: int) -> None:
    """Remove an admin and end their sessions; what they did stays in the audit."""
    end_all(connection, admin_id)
    connection.execute(delete(admins).where(admins.c.id == admin_id))


def begin(connection: Connection, admin_id: int, token_hash: bytes, at: datetime) -> None:
    """Begin a session."""
    row = {"token_hash": token_hash, "admin_id": admin_id, "began_at": at, "seen_at": at}
    connection.execute(insert(admin_sessions).values(row))


def signed_in(connection: Connection, token_hash: bytes, span: Span, at: datetime) -> tuple[Admin, bool] | None:
    """Who holds this session, and whether its last sign of life is due to be written; None where it has ended."""
    query = select(*admins.c, admin_sessions.c.seen_at).join(admins, admins.c.id == admin_sessions.c.admin_id)
    query = query.where(
        admin_sessions.c.token_hash == token_hash,
        admin_sessions.c.seen_at > at - span.idle,
        admin_sessions.c.began_at > at - span.absolute,
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    fields = row._asdict()
    seen_at = fields.pop("seen_at")
    return Admin(**fields), at - seen_at >= SEEN_EVERY


def touch(connection: Connection, token_hash: bytes, at: datetime) -> None:
    """Note that a session is in use."""
    connection.execute(update(admin_sessions).where(admin_sessions.c.token_hash == token_hash).values(seen_at=at))


def end(connection: Connection, token_hash: bytes) -> None:
    """End one session."""
    connection.execute(delete(admin_sessions).where(admin_sessions.c.token_hash == token_hash))


def end_all(connection: Connection, admin_id: int) -> int:
    """End every session of an admin; how many there were."""
    return connection.execute(delete(admin_sessions).where(admin_sessions.c.admin_id == admin_id)).rowcount


def forget_ended(connection: Connection, span: Span, at: datetime) -> None:
    """Drop the rows of sessions that have ended."""
    ended = (admin_sessions.c.seen_at <= at - span.idle) | (admin_sessions.c.began_at <= at - span.absolute)
    connection.execute(delete(admin_sessions).where(ended))
