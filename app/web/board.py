"""/board: who spots best, today and this week, in each archive."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.db import players, scores
from app.db.session import now, reading
from app.game import skill
from app.game.boards import SITTING, SPANS
from app.web.bodies import BoardBody, refuses
from app.web.entries import Entry
from app.web.identity import Visitor
from app.web.problems import Problem
from app.web.rendering import NO_STORE, html
from app.web.services import Services, apart, services

router = APIRouter()


@router.get("/board", include_in_schema=False)
async def board_page(request: Request) -> Response:
    """The board as a page."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    slug, span = request.query_params.get("archive"), request.query_params.get("span", "day")
    entry = _entry(house, visitor, slug, span)
    board = await apart(lambda: _board(house, visitor.key, entry, span))
    return html(
        "board.html",
        here="/board",
        archive=entry.archive,
        archives=[other.archive for other in house.catalogue.ranked(visitor.invites)],
        span=span,
        known_from=skill.KNOWN_FROM,
        sitting=int(SITTING.total_seconds() // 60),
        looked_at=scores.LOOKED_AT,
        **board,
    )


@router.get(
    "/api/boards/{archive}",
    response_model=BoardBody,
    responses=refuses(
        _404="no such archive or span",
        _422="a field is not as expected",
        _429="too many requests; Retry-After says when",
        _503="try again later",
    ),
)
async def show_board(archive: str, request: Request, span: str = "day") -> Response:
    """Who spots best in an archive today (`day`) or this week (`week`)."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("players", visitor)
    entry = _entry(house, visitor, archive, span)
    board = await apart(lambda: _board(house, visitor.key, entry, span))
    return JSONResponse({"archive": entry.archive.slug, "span": span} | board, headers=NO_STORE)


def _entry(house: Services, visitor: Visitor, slug: str | None, span: str) -> Entry:
    entry = house.catalogue.find(slug, visitor.invites)
    if entry is None or span not in SPANS:
        raise Problem(404, "no-archive" if span in SPANS else "not-found", "there is no such board: day or week")
    return entry


def _board(house: Services, key: bytes, entry: Entry, span: str) -> dict[str, Any]:
    at = now()
    with reading(house.engine) as connection:
        player = players.find(connection, key)
        rows = scores.top(connection, span, entry.archive.id, at)
        own, place = None, None
        if player is not None:
            wanted = scores.keys(entry.archive.id, player.id, at)[SPANS.index(span)]
            score = scores.of(connection, [wanted]).get(wanted)
            own = None if score is None else score.guesses
            place = scores.place(connection, wanted, at)
    # Who are level share a place: as many as stand above, and one.
    levels = [row.belief.cautious for row in rows]
    shown = [
        {
            "place": levels.index(level) + 1,
            "name": row.nickname,
            "surely": round(skill.share(row.belief)[0], 4),
            "share": round(skill.share(row.belief)[1], 4),
            "guesses": row.guesses,
            "spotted": row.spotted,
            "best_streak": row.best_streak,
            "is_you": player is not None and row.player_id == player.id,
        }
        for row, level in zip(rows, levels, strict=True)
    ]
    return {"rows": shown, "your_guesses": own, "your_place": place}
