"""Uploads: a file arrives, is looked into by the worker, and is imported when somebody says so."""

from __future__ import annotations

import secrets
import shutil
from typing import Annotated, Any
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import APIRouter, Form, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.db import archives, jobs, uploads, workers
from app.db.audit import Change
from app.db.session import now, reading, writing
from app.web.admin import views
from app.web.admin.archives import BASES, FEW_CARDS
from app.web.admin.office import Changing, Here, Office, Refused, Viewing, note
from app.web.admin.overview import ALIVE
from app.web.admin.receiving import receive, told_of

router = APIRouter(include_in_schema=False)


@router.post("/uploads")
async def upload(request: Request, here: Here, admin: Changing) -> Response:
    """Take a file, and have the worker look into it."""
    key, name, size = await receive(request, here.uploads)

    def keep() -> int:
        with writing(here.engine) as connection:
            at = now()
            upload_id = uploads.add(connection, key=key, source=name, size=size, asked_by=admin.name, at=at)
            _ask_for_look(connection, here, upload_id, {}, admin.name)
            note(connection, admin, Change("file uploaded", name, {}, {"bytes": size}))
        return upload_id

    with told_of(here.uploads, key):
        upload_id = await to_thread.run_sync(keep)
    return views.back(f"/admin/uploads/{upload_id}", "The file has arrived.")


@router.post("/uploads/fetch")
def fetch(here: Here, admin: Changing, url: Annotated[str, Form(min_length=8, max_length=2000)]) -> Response:
    """Have the worker fetch a file from the internet, and look into it."""
    url = url.strip()
    # What the worker says of an address is kept, and PostgreSQL keeps no NUL.
    if not url.startswith(("https://", "http://")) or not url.isprintable():
        raise Refused(422, "No address", "Expected the address of a file, such as https://example.org/tweets.csv.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Refused(422, "No address", "Its brackets hold no address of a machine.") from None
    if "@" in parts.netloc:  # not even to be written down: jobs and the audit can be read by viewers
        raise Refused(422, "A password", "An address with a name and a password in it is not fetched: upload the file.")
    path = parts.path
    key, name = secrets.token_hex(8), uploads.safe_name(path)
    with writing(here.engine) as connection:
        at = now()
        upload_id = uploads.add(connection, key=key, source=name, size=0, asked_by=admin.name, at=at)
        arguments = {"upload": upload_id, "path": str(here.uploads.absolute() / key / name), "url": url}
        asked = jobs.ask(connection, "fetch", None, arguments, asked_by=admin.name, at=at)
        if asked is not None:
            uploads.set_job(connection, upload_id, "waiting", asked, {})
        note(connection, admin, Change("file asked for", name, {}, {"url": url}))
    return views.back(f"/admin/uploads/{upload_id}", "The worker fetches it.")


@router.get("/uploads/{upload_id}")
def show_upload(request: Request, here: Here, admin: Viewing, upload_id: int) -> Response:
    """What a look into the file found, before anything of it is kept."""
    with reading(here.engine) as connection:
        found = _found(connection, upload_id)
        job = jobs.find(connection, found.job_id) if found.job_id else None
        known = [archive.slug for archive in archives.listing(connection)]
        alive = workers.listing(connection, now() - ALIVE)
    return views.page(
        *(request, "upload.html", admin),
        upload=found,
        job=job,
        preview=found.preview,
        known=known,
        formats=uploads.FORMATS,
        bases=BASES,
        few=FEW_CARDS,
        alive=alive,
    )


@router.post("/uploads/{upload_id}/look")
def look_again(
    here: Here,
    admin: Changing,
    upload_id: int,
    format: Annotated[str, Form()] = "auto",
    handle: Annotated[str, Form(max_length=64)] = "",
    split: Annotated[str, Form()] = "",
    encoding_errors: Annotated[str, Form()] = "strict",
) -> Response:
    """Look into the file once more, read in another way."""
    options = _reading_options(format, handle, split, encoding_errors)
    with writing(here.engine) as connection:
        found = _resting(connection, upload_id)
        _ask_for_look(connection, here, upload_id, options, admin.name)
        note(connection, admin, Change("file looked into anew", found.source, dict(found.options), options))
    return views.back(f"/admin/uploads/{upload_id}")


@router.post("/uploads/{upload_id}/import")
def bring_in(
    here: Here,
    admin: Changing,
    upload_id: int,
    slug: Annotated[str, Form(min_length=1, max_length=64)],
    basis: Annotated[str, Form()] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    handle: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Import the file, as it was last looked into."""
    if basis not in BASES:
        raise Refused(422, "One answer is missing", "Say by what right these texts are played.")
    with writing(here.engine) as connection:
        found = _resting(connection, upload_id)
        if found.state != "ready":
            raise Refused(409, "Not yet", "The file could not be read: look into it in another way first.")
        options = dict(found.options) | {"slug": slug.strip(), "basis": basis}
        options |= {key: value.strip() for key, value in (("name", name), ("handle", handle)) if value.strip()}
        arguments = {"path": str(_path(here, found)), **options}
        asked = jobs.ask(connection, "import", None, arguments, asked_by=admin.name, at=now())
        if asked is None:
            raise Refused(409, "Asked for already", "This import has been asked for.")
        uploads.set_job(connection, upload_id, "imported", asked, options)
        note(connection, admin, Change("import asked for", slug, {}, {"file": found.source, "basis": basis}))
    return views.back(f"/admin/jobs/{asked}", "The import is asked for.")


@router.post("/uploads/{upload_id}/drop")
def drop(here: Here, admin: Changing, upload_id: int) -> Response:
    """Throw the file away."""
    with writing(here.engine) as connection:
        uploads.hold(connection, upload_id)
        found = _found(connection, upload_id)
        if found.state == "imported":
            raise Refused(409, "It is imported", "The import reads the file, or has; cancel its job first.")
        uploads.drop(connection, upload_id)
        if found.job_id is not None:
            jobs.cancel(connection, found.job_id, now())
        note(connection, admin, Change("file dropped", found.source))
    shutil.rmtree(here.uploads / found.key, ignore_errors=True)
    return views.back("/admin/archives", "The file is gone.")


def _found(connection: Connection, upload_id: int) -> uploads.Upload:
    found = uploads.find(connection, upload_id)
    if found is None or found.state == "dropped":
        raise Refused(404, "No such file", "It was dropped, or never came.")
    return found


def _resting(connection: Connection, upload_id: int) -> uploads.Upload:
    """An upload with which no job is at work; nobody else changes it until the transaction ends."""
    uploads.hold(connection, upload_id)
    found = _found(connection, upload_id)
    if found.state == "imported":
        raise Refused(409, "It is imported", "Somebody has asked for its import already: the jobs tell how far it is.")
    if found.state == "waiting":
        raise Refused(409, "Not yet", "The worker looks into the file: wait until the page shows what it found.")
    return found


def _path(here: Office, found: uploads.Upload) -> Any:
    return here.uploads.absolute() / found.key / found.source


def _ask_for_look(connection: Connection, here: Office, upload_id: int, options: dict[str, Any], who: str) -> None:
    found = _found(connection, upload_id)
    arguments = {"upload": upload_id, "path": str(_path(here, found)), **options}
    asked = jobs.ask(connection, "preview", None, arguments, asked_by=who, at=now())
    if asked is not None:
        uploads.set_job(connection, upload_id, "waiting", asked, options)


def _reading_options(format: str, handle: str, split: str, encoding_errors: str) -> dict[str, Any]:
    if format not in ("auto", *uploads.FORMATS) or split not in ("", "line", "paragraph"):
        raise Refused(422, "No such format", "Pick one of the formats in the list.")
    if encoding_errors not in uploads.ENCODING_ERRORS:
        raise Refused(422, "No such way to read", "Pick one of the ways in the list.")
    options: dict[str, Any] = {"format": format}
    if handle.strip():
        options["handle"] = handle.strip()
    if split and format == "text":
        options["split"] = split
    if encoding_errors != "strict":
        options["encoding_errors"] = encoding_errors
    return options
