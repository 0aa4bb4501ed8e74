"""The audit's page: who changed what, when and why; and all of it as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from app.db import audit
from app.db.audit import Entry
from app.db.exporting import cell
from app.db.session import reading
from app.web.admin import views
from app.web.admin.office import Here, Viewing

router = APIRouter(include_in_schema=False)
PAGE = 50
_COLUMNS = ("id", "at", "who", "what", "subject", "before", "after", "reason")


@router.get("/audit")
def show_audit(request: Request, here: Here, admin: Viewing, before: int | None = None, who: str = "") -> Response:
    """The newest changes first."""
    with reading(here.engine) as connection:
        entries = audit.page(connection, before_id=before, who=who, limit=PAGE + 1)
    older = entries[PAGE - 1].id if len(entries) > PAGE else None
    return views.page(request, "audit.html", admin, entries=entries[:PAGE], older=older, who=who)


@router.get("/audit.csv")
def export_audit(here: Here, admin: Viewing) -> Response:
    """Every change, as CSV."""

    def following(after_id: int) -> list[Entry]:
        # In pages: whoever takes long to read an answer must not hold a connection to the database meanwhile.
        with reading(here.engine) as connection:
            return audit.following(connection, after_id)

    def lines() -> Iterator[str]:
        yield _line(_COLUMNS)
        after_id = 0
        while entries := following(after_id):
            after_id = entries[-1].id
            for entry in entries:
                before, after = (json.dumps(dict(v), ensure_ascii=False) for v in (entry.before, entry.after))
                fields = (entry.id, entry.at.isoformat(), entry.who, entry.what, entry.subject)
                yield _line((*fields, before, after, entry.reason or ""))

    headers = views.NO_STORE | {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(lines(), headers=headers, media_type="text/csv; charset=utf-8")


def _line(fields: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(field) for field in fields])
    return out.getvalue()
