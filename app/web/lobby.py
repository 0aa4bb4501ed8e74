"""/ways: the archives to choose from, the ways to play each, and the generators to practise against."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from app.db import opponents, players
from app.db.archives import Archive
from app.db.opponents import Extent, Opponent, Portrait
from app.db.session import reading
from app.web.bodies import ArchivesBody, refuses
from app.web.problems import shelf_empty
from app.web.rendering import NO_STORE, html
from app.web.services import Services, apart, services

router = APIRouter()
FRESH_SECONDS = 60.0  # so long an archive is not counted again


@router.get("/ways", include_in_schema=False)
async def ways_page(request: Request) -> Response:
    """Archives and ways to play."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    archives = [entry.archive for entry in house.catalogue.ranked(visitor.invites)]
    if not archives:
        raise shelf_empty()

    def read() -> tuple[dict[int, Portrait], dict[int, list[Opponent]]]:
        with reading(house.engine) as connection:
            player = players.find(connection, visitor.key)
            player_id = player.id if player else None
            return (
                {archive.id: _portrait(connection, archive) for archive in archives},
                {archive.id: opponents.opponents(connection, archive.id, player_id) for archive in archives},
            )

    portraits, rivals = await apart(read)
    return html(
        "ways.html",
        here="/ways",
        unit=archives[0].unit,
        archives=archives,
        has_real=not archives[0].is_demo,
        portraits=portraits,
        rivals=rivals,
    )


@router.get("/api/archives", response_model=ArchivesBody, responses=refuses(_503="try again later"))
async def list_archives(request: Request) -> Response:
    """The archives that can be played, the main one first."""
    house = services(request)
    entries = house.catalogue.ranked(house.identity.visitor(request).invites)
    portraits = await apart(lambda: _portraits(house, [entry.archive for entry in entries]))
    listed = [
        {
            "slug": entry.archive.slug,
            "handle": entry.archive.handle,
            "name": entry.archive.name,
            "description": entry.archive.description,
            "unit": entry.archive.unit,
            "is_demo": entry.archive.is_demo,
            "is_open": entry.is_open,
            "size": portraits[entry.archive.id].extent.size,
            "champion": portraits[entry.archive.id].champion,
            "fool_rate": portraits[entry.archive.id].fool_rate,
        }
        for entry in entries
    ]
    return JSONResponse({"archives": listed}, headers=NO_STORE)


def _portraits(house: Services, archives: list[Archive]) -> dict[int, Portrait]:
    with reading(house.engine) as connection:
        return {archive.id: _portrait(connection, archive) for archive in archives}


# By database as well: one process may serve several games, as tests do.
_extents: dict[tuple[str, int], tuple[float, Extent]] = {}


def _portrait(connection: Connection, archive: Archive) -> Portrait:
    name = (str(connection.engine.url), archive.id)
    at, extent = _extents.get(name, (0.0, None))
    if extent is None or time.monotonic() - at > FRESH_SECONDS:
        extent = opponents.extent(connection, archive.id)
        _extents[name] = (time.monotonic(), extent)
    return opponents.portrait(connection, archive.id, extent)
