"""The pages and the API of results: after the first ten, a daily, a challenge; and making a challenge of one's own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.db import players, records, sets
from app.db.session import now, reading, writing
from app.game.sets import TEN
from app.web import results
from app.web.bodies import ChallengeAsk, ChallengeBody, ResultBody, asks, parsed, refuses
from app.web.identity import Visitor, as_dealt_to
from app.web.problems import Problem, shelf_empty
from app.web.rendering import NO_STORE, html
from app.web.results import Result
from app.web.services import Services, apart, services
from app.web.ways import Way

router = APIRouter()
_REFUSED = refuses(
    _404="no such set",
    _422="a field is not as expected",
    _429="too many requests; Retry-After says when",
    _503="try again later",
)


@router.get("/a/{slug}/result", include_in_schema=False)
async def first_ten_page(slug: str, request: Request) -> Response:
    """What came of the visitor's first ten rounds."""
    house, visitor = _asked(request, "pages")
    return await result_page(request, house, visitor, Way(slug=slug))


@router.get("/daily/{slug}/{day}/result", include_in_schema=False)
async def daily_result_page(slug: str, day: str, request: Request) -> Response:
    """What came of a day's ten."""
    house, visitor = _asked(request, "pages")
    return await result_page(request, house, visitor, Way("daily", slug, day))


@router.get("/c/{name}/result", include_in_schema=False)
async def challenge_result_page(name: str, request: Request) -> Response:
    """What came of a challenge, side by side."""
    house, visitor = _asked(request, "pages")
    return await result_page(request, house, visitor, Way("challenge", None, name))


@router.post("/challenges", include_in_schema=False)
async def challenge_form(request: Request) -> Response:
    """A challenge of the visitor's last ten rounds, from a form; its page says where to send it."""
    house, visitor = _asked(request, "remarks")
    form = await request.form()
    token = str(form.get("round", ""))
    visitor = as_dealt_to(house.seal, visitor, token)
    name = await _make_challenge(house, visitor, str(form.get("archive", "")) or None)
    if not visitor.has_cookie:
        return await result_page(request, house, visitor, Way("challenge", None, name), token)
    return RedirectResponse(f"/c/{name}/result", 303, NO_STORE)


@router.post(
    "/api/challenges",
    status_code=201,
    response_model=ChallengeBody,
    responses=_REFUSED | refuses(_409="fewer than ten rounds were played", _413="the body is larger than 64 kB"),
    openapi_extra=asks(ChallengeAsk, {"archive": "mayor-of-gannet"}, required=False),
)
async def make_challenge(request: Request) -> Response:
    """Make a challenge of the last ten endless rounds in an archive; asked again, it is the same."""
    house, visitor = _asked(request, "remarks")
    ask = await parsed(request, ChallengeAsk)
    name = await _make_challenge(house, visitor, ask.archive)
    return JSONResponse({"challenge": name, "url": _address(request, f"/c/{name}")}, 201, NO_STORE)


@router.get("/api/sets/first/{archive}", response_model=ResultBody, responses=_REFUSED)
async def first_result(archive: str, request: Request) -> Response:
    """How the player's first ten rounds in an archive went."""
    house, visitor = _asked(request, "players")
    return _told(request, visitor, await results.of_first_ten(house, visitor, archive))


@router.get("/api/sets/daily/{archive}/{day}", response_model=ResultBody, responses=_REFUSED)
async def daily_result(archive: str, day: str, request: Request) -> Response:
    """How the player stands in a day's ten."""
    house, visitor = _asked(request, "players")
    return _told(request, visitor, await results.of_set(house, visitor, Way("daily", archive, day)))


@router.get("/api/sets/challenge/{name}", response_model=ResultBody, responses=_REFUSED)
async def challenge_result(name: str, request: Request) -> Response:
    """How the player stands in a challenge, and once they are through how the others do."""
    house, visitor = _asked(request, "players")
    return _told(request, visitor, await results.of_set(house, visitor, Way("challenge", None, name)))


def _asked(request: Request, what: str) -> tuple[Services, Visitor]:
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit(what, visitor)
    return house, visitor


async def _make_challenge(house: Services, visitor: Visitor, slug: str | None) -> str:
    entry = house.catalogue.find(slug, visitor.invites)
    if entry is None:
        raise shelf_empty() if slug is None else Problem(404, "no-archive", f"there is no archive {slug}")
    archive_id = entry.archive.id
    # A place whose card is not shown would be a gap; at the end of the ten, nobody would ever be through.
    tweets, samples = entry.kept_tweets | entry.hidden_tweets, entry.kept_samples | entry.hidden_samples

    def make() -> str | None:
        with reading(house.engine) as connection:
            player = players.find(connection, visitor.key)
            if player is None:
                return None
            rounds = records.last_ten(connection, player.id, archive_id, tweets, samples)
        if len(rounds) < TEN:
            return None
        with writing(house.engine) as connection:
            return records.make_challenge(connection, player.id, archive_id, rounds, now(), visitor.key)

    name = await apart(make)
    if name is None:
        raise Problem(409, "too-few-rounds", "a challenge is made of the last ten rounds that you played: play ten")
    return name


async def result_page(request: Request, house: Services, visitor: Visitor, way: Way, token: str = "") -> Response:
    """What came of the visitor's first ten (of an endless way) or of a set.

    `token`: of a round of theirs, by which a browser that takes no cookie says who asks.
    """
    if way.mode == "endless":
        result = await results.of_first_ten(house, visitor, way.slug or "")
    else:
        result = await results.of_set(house, visitor, way)
    if not result.is_through:
        # Nobody sees what came of a set before they are through: back to its open round.
        return RedirectResponse(result.way.path, 303, NO_STORE)

    def past() -> list[tuple[str, str]]:
        with reading(house.engine) as connection:
            return sets.days(connection, result.entry.archive.id, result.player_id)

    is_daily = result.kind == "daily"
    return html(
        "result.html",
        here={"daily": "/daily", "challenge": "/ways"}.get(result.kind, "/"),
        result=result,
        archive=result.entry.archive,
        unit=result.entry.archive.unit,
        squares=results.SQUARES,
        address=_address(request, result.way.path),
        token=token,
        days=await apart(past) if is_daily else [],
        is_today=is_daily and result.way.name == house.fixed.today(),
        midnight=house.fixed.midnight() if is_daily else None,
    )


def _told(request: Request, visitor: Visitor, result: Result) -> Response:
    through = result.is_through
    body: dict[str, Any] = {
        "mode": result.kind,
        "archive": result.entry.archive.slug,
        "name": result.way.name,
        "played": len(result.verdicts),
        "of": result.of,
        "spotted": result.spotted,
        "verdicts": result.verdicts,
        "is_through": through,
        "players": result.players,
        "average": result.average,
        "beaten": result.beaten if through else None,
        "share": result.share(_address(request, result.way.path)) if through else None,
        "sittings": [
            {
                "name": each.nickname,
                "is_you": each.player_id == result.player_id,
                "is_maker": each.player_id == result.made_by,
                "verdicts": each.verdicts,
                "spotted": each.spotted,
            }
            for each in result.sittings
        ],
    }
    return JSONResponse(body, headers=NO_STORE)


def _address(request: Request, path: str) -> str:
    return str(request.base_url.replace(path=path))
