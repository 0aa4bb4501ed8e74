"""The API: rounds, guesses, and what players may do with what is theirs; errors are RFC 9457 problems."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.db import remarks, seats
from app.db.session import now, reading, writing
from app.web import play
from app.web.bodies import (
    GuessAsk,
    PlayerBody,
    RemarkAsk,
    RoundAsk,
    RoundBody,
    VerdictBody,
    asks,
    parsed,
    refuses,
)
from app.web.identity import as_dealt_to
from app.web.own import forget, recorded, skill_of
from app.web.problems import Problem
from app.web.services import apart, services
from app.web.thin import ThinRoute
from app.web.ways import wanted

router = APIRouter(prefix="/api")
# What players wait for the most.
busy = APIRouter(prefix="/api", route_class=ThinRoute)
NO_STORE = {"Cache-Control": "no-store"}

_COMMON = {"_413": "the body is larger than 64 kB", "_422": "a field is not as expected", "_503": "try again later"}
_LIMITED = _COMMON | {"_429": "too many requests; Retry-After says when"}


@busy.post(
    "/rounds",
    status_code=201,
    response_model=RoundBody,
    responses=refuses(
        **_LIMITED,
        _404="no such archive, or nothing of it can be a card",
        _409="two rounds are open already, or all of it is met",
    ),
    openapi_extra=asks(RoundAsk, {"archive": "mayor-of-gannet"}, required=False),
)
async def deal_round(request: Request) -> Response:
    """Deal a round. Asked again, it is the same open round until that is guessed at."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("rounds", visitor)
    ask = await parsed(request, RoundAsk)
    dealt = await house.dealer.deal(visitor, wanted(ask), ask.after)
    response = Response(dealt.body, 201, NO_STORE, "application/json")
    house.identity.keep_up(response, visitor, dealt.visitor)
    return response


@busy.post(
    "/guesses",
    status_code=201,
    response_model=VerdictBody,
    responses={
        200: {"model": VerdictBody, "description": "this guess was made before; the answer is what it was"},
        **refuses(**_LIMITED, _409="answered before with the other card", _410="expired, or passed"),
    },
    openapi_extra=asks(GuessAsk, {"round": "gAAAAAB…", "pick": 0, "recognised": False, "shown_ms": 5200}),
)
async def make_guess(request: Request) -> Response:
    """Say which card is the tweet. The answer is on disk before it is given, and stays the same."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("guesses", visitor)
    recorded = await play.guess(house, visitor, await parsed(request, GuessAsk))
    return Response(recorded.answer, 201 if recorded.is_new else 200, NO_STORE, "application/json")


@router.patch(
    "/guesses/{guess}",
    status_code=204,
    responses=refuses(**_LIMITED, _404="no such guess of this player"),
    openapi_extra=asks(RemarkAsk, {"reason": "sense"}),
)
async def remark(guess: str, request: Request) -> Response:
    """Say what gave a sample away, or report a card."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("remarks", visitor)
    ask = await parsed(request, RemarkAsk)
    player = as_dealt_to(house.seal, visitor, ask.round or "")
    try:
        round_id = bytes.fromhex(guess)
    except ValueError:
        round_id = b""

    def note() -> bool:
        with writing(house.engine) as connection:
            return remarks.note(connection, round_id, player.key, now(), reason=ask.reason, report=ask.report)

    if not await apart(note):
        raise Problem(404, "not-found", "there is no such guess of yours")
    return Response(status_code=204, headers=NO_STORE)


@router.get(
    "/players/me",
    response_model=PlayerBody,
    responses=refuses(**_LIMITED, _409="a round of the player's class is open"),
)
async def show_player(request: Request) -> Response:
    """How the player of this cookie does."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("players", visitor)

    def read() -> dict[str, Any]:
        with reading(house.engine) as connection:
            player = recorded(connection, visitor.key)
            rows = seats.of_player(connection, player.id) if player else []
        names = {entry.archive.id: entry.archive.slug for entry in house.catalogue.entries.values()}
        shown = [
            {
                "archive": names[row.archive_id],
                "guesses": row.guesses,
                "spotted": row.spotted,
                "streak": row.streak,
                "best_streak": row.best_streak,
            }
            for row in rows
            if row.archive_id in names
        ]
        sums = {name: sum(getattr(row, name) for row in rows) for name in ("guesses", "spotted")}
        nickname = player.nickname if player else None
        skill = skill_of(player, sums["guesses"]) if player else None
        return sums | {"nickname": nickname, "skill": skill, "archives": shown}

    return JSONResponse(await apart(read), headers=NO_STORE)


@router.delete("/players/me", status_code=204, responses=refuses(**_LIMITED))
async def forget_player(request: Request) -> Response:
    """Forget the player of this cookie: nothing leads from a person to the guesses any more, and open rounds die."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("players", visitor)
    await forget(house, visitor)
    response = Response(status_code=204, headers=NO_STORE)
    house.identity.dismiss(response)
    return response
