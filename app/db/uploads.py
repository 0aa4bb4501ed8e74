"""Uploads: files that an admin sent, from their arrival until they are imported or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, insert, select, update

# For pages, which do not reach down to the archives.
from app.archives.records import FORMATS as FORMATS
from app.archives.source import ENCODING_ERRORS as ENCODING_ERRORS
from app.db.tables import jobs, uploads

ARRIVING = ".arriving-"  # how the name of a folder begins whose file is not whole yet


@dataclass(frozen=True)
class Upload:
    """A row of `uploads`."""

    id: int
    key: str
    source: str
    bytes: int
    state: str  # waiting, ready, failed, imported, dropped
    options: Mapping[str, Any]
    preview: Mapping[str, Any]
    job_id: int | None
    asked_by: str
    created_at: datetime


# A file whose import came to nothing waits for another: under a name that can be used, say. So does one whose look did.
_CAME_TO_NOTHING = jobs.c.state.in_(("failed", "cancelled"))
_STATE = case(
    ((uploads.c.state == "imported") & _CAME_TO_NOTHING, "ready"),
    ((uploads.c.state == "waiting") & _CAME_TO_NOTHING, "failed"),
    else_=uploads.c.state,
)


def _as_they_stand() -> Select[Any]:
    columns = [_STATE.label("state") if column is uploads.c.state else column for column in uploads.c]
    return select(*columns).select_from(uploads.outerjoin(jobs, jobs.c.id == uploads.c.job_id))


def safe_name(name: str) -> str:
    """A file's own name without its path, and nothing in it that a file system could take amiss."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(character if character.isalnum() or character in "-_. " else "_" for character in last)
    return kept.strip(". ")[-80:] or "upload"


def add(connection: Connection, *, key: str, source: str, size: int, asked_by: str, at: datetime) -> int:
    """Note a file that has arrived; its id."""
    row = {"key": key, "source": source[:500], "bytes": size, "state": "waiting", "options": {}, "preview": {}}
    row |= {"asked_by": asked_by, "created_at": at}
    return int(connection.execute(insert(uploads).values(row).returning(uploads.c.id)).scalar_one())


def find(connection: Connection, upload_id: int) -> Upload | None:
    """The upload with that id."""
    row = connection.execute(_as_they_stand().where(uploads.c.id == upload_id)).first()
    return None if row is None else Upload(**row._asdict())


def hold(connection: Connection, upload_id: int) -> None:
    """Let nobody else change the upload until the transaction ends: of two admins at once one is told so."""
    connection.execute(select(uploads.c.id).where(uploads.c.id == upload_id).with_for_update())


def open_ones(connection: Connection) -> list[Upload]:
    """Uploads that wait for somebody, the newest first."""
    query = _as_they_stand().where(_STATE.in_(("waiting", "ready", "failed"))).order_by(uploads.c.id.desc())
    return [Upload(**row._asdict()) for row in connection.execute(query.limit(50))]


def set_job(connection: Connection, upload_id: int, state: str, job_id: int, options: Mapping[str, Any]) -> None:
    """Note which job is at work on an upload, and what was chosen for it."""
    values = {"state": state, "job_id": job_id, "options": dict(options)}
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(values))


def follow(connection: Connection, ended: int, job_id: int, state: str) -> None:
    """Note which job does once more what the job `ended` was to do with an upload."""
    its = (uploads.c.job_id == ended, uploads.c.state != "dropped")
    connection.execute(update(uploads).where(*its).values(job_id=job_id, state=state))


def note_preview(connection: Connection, upload_id: int, state: str, found: Mapping[str, Any]) -> None:
    """Keep what a look into an upload found."""
    values = {"state": state, "preview": dict(found)}
    # One that was thrown away meanwhile stays away.
    connection.execute(update(uploads).where(uploads.c.id == upload_id, uploads.c.state != "dropped").values(values))


def drop(connection: Connection, upload_id: int) -> None:
    """Note that the file is gone and was not imported."""
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(state="dropped"))


def note_arrival(connection: Connection, upload_id: int, size: int) -> bool:
    """Note that a file that was fetched is whole; False where nobody wants it any more."""
    its = (uploads.c.id == upload_id, uploads.c.state != "dropped")
    return connection.execute(update(uploads).where(*its).values(bytes=size)).rowcount == 1
