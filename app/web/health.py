"""Health: whether the process lives, and whether it can deal and record."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from app.db.session import reading
from app.web.services import services

router = APIRouter(include_in_schema=True)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "something that play needs is missing; `missing` says what"}})
async def readyz(request: Request) -> Response:
    """The database answers and at least one archive has something to deal."""
    house = services(request)

    def ask() -> None:
        with reading(house.engine) as connection:
            connection.execute(text("SELECT 1"))

    missing = []
    try:
        await to_thread.run_sync(ask)
    except SQLAlchemyError:
        missing.append("database")
    if not any(entry.is_open for entry in house.catalogue.entries.values()):
        missing.append("shelf")
    body = {"status": "not ready", "missing": missing} if missing else {"status": "ready"}
    return JSONResponse(body, 503 if missing else 200, headers={"Cache-Control": "no-store"})
