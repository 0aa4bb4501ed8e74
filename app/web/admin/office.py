"""The office: what the rooms of the dashboard work with, who is in it, and who may change something."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.db import admins, audit
from app.db.admins import Admin, Span
from app.db.audit import Change
from app.db.session import now, reading, writing
from app.game.vetting import BlockedWords
from app.web.admin.threshold import Threshold
from app.web.troubles import Troubles

COOKIE = "whichtweet_admin"
SPAN = Span(idle=timedelta(hours=2), absolute=timedelta(hours=12))


@dataclass(frozen=True)
class Office:
    """What a room may use.

    Attributes:
        uploads: folder for files that wait to be imported.
        checkpoints: folder below which checkpoints are stored by relative key.
        troubles: what this process could not answer.
    """

    engine: Engine
    troubles: Troubles
    threshold: Threshold
    uploads: Path
    checkpoints: Path
    blocked_words: BlockedWords
    retrain_cron: str
    retrain_min_labels: int
    sample_retires_after: int
    shelf_low: int
    train_minutes: float
    learn_from: tuple[str, ...]
    canary_share: float
    anchor_share: float
    guesses_kept_days: int
    is_https: bool


class SignInNeeded(Exception):  # noqa: N818  # a state, not a mistake
    """Nobody is signed in."""


class Refused(Exception):  # noqa: N818  # an answer, not a mistake
    """The dashboard will not do that; `words` say why, and what to do."""

    def __init__(self, status: int, title: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.title = title
        self.words = words


def office(request: Request) -> Office:
    """The office of the application that got this request."""
    return request.app.state.office  # type: ignore[no-any-return]


def hash_of(token: str) -> bytes:
    """What is stored of a session's token."""
    return hashlib.sha256(token.encode()).digest()


def signed_in(request: Request) -> Admin:
    """Who sends this request.

    Raises:
        SignInNeeded: nobody is signed in, or the session has ended.
    """
    token = request.cookies.get(COOKIE)
    if not token:
        raise SignInNeeded
    engine, at = office(request).engine, now()
    with reading(engine) as connection:
        found = admins.signed_in(connection, hash_of(token), SPAN, at)
    if found is None:
        raise SignInNeeded
    admin, is_due = found
    if is_due:
        # Pages can be read also while nothing can be written: just then somebody looks.
        with contextlib.suppress(DBAPIError), writing(engine) as connection:
            admins.touch(connection, hash_of(token), at)
    return admin


def from_here(request: Request) -> None:
    """Nothing, where one of our own pages sent this request.

    Raises:
        Refused: another site did, or nobody can tell.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:  # said by the browser itself: right behind a proxy that gives us another host, too
        is_ours = site == "same-origin"
    elif origin is None or origin == "null":
        is_ours = False
    else:
        try:
            is_ours = urlsplit(origin).netloc == request.headers.get("host")
        except ValueError:  # brackets around nothing
            is_ours = False
    if not is_ours:
        raise Refused(403, "Not from here", "This was not sent from a page of this dashboard, so nothing was changed.")


def changing(request: Request, _: Annotated[None, Depends(from_here)]) -> Admin:
    """Who asks for a change, and may.

    Raises:
        Refused: a viewer, or another site, asks.
        SignInNeeded: nobody is signed in.
    """
    admin = signed_in(request)
    if not admin.may_change:
        raise Refused(403, "You may look, not change", f"{admin.name} is a viewer: ask an admin to do this.")
    return admin


Here = Annotated[Office, Depends(office)]
Viewing = Annotated[Admin, Depends(signed_in)]
Changing = Annotated[Admin, Depends(changing)]


def note(connection: Connection, admin: Admin, change: Change) -> None:
    """Keep a change in the audit, in the transaction that makes it, or before the first of many."""
    audit.note(connection, admin.name, change, now())
