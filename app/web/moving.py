"""Moving: a player goes on at another device, by a code that is typed there."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.db import players, seats, transfers
from app.db.session import now, reading, writing
from app.web.identity import Visitor
from app.web.problems import Problem
from app.web.rendering import NO_STORE, html
from app.web.services import Services, apart, services

router = APIRouter(include_in_schema=False)


@router.post("/me/move")
async def make_code(request: Request) -> Response:
    """A code for the visitor to type into another device."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.moving.count(visitor)
    code = house.moving.new_code()

    def open_way() -> bool:
        with writing(house.engine) as connection:
            player = players.find(connection, visitor.key)
            if player is not None:
                transfers.open_way(connection, player.id, house.moving.mark(code), now())
            return player is not None

    if not await apart(open_way):
        raise Problem(404, "not-found", "play a round first: there is nothing to take along yet")
    minutes = int(transfers.LIFE.total_seconds() // 60)
    return html("move_code.html", here="/me", code=f"{code[:5]}-{code[5:]}", minutes=minutes)


@router.get("/move")
async def move_page(request: Request) -> Response:
    """Asks for the code."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    return html("move.html", here="/me", guesses=await apart(lambda: _guesses(house, visitor)), refused="")


@router.post("/move")
async def take_code(request: Request) -> Response:
    """The visitor becomes the player that the code leads to."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.moving.count(visitor)
    code = str((await request.form()).get("code", ""))[:64]

    def take() -> bytes | None:
        with writing(house.engine) as connection:
            return transfers.take(connection, house.moving.mark(code), now())

    key = await apart(take)
    if key is None:
        refused = "That code is not one of ours, was used, or is older than ten minutes. Get a new one."
        guesses = await apart(lambda: _guesses(house, visitor))
        return html("move.html", status=422, here="/me", guesses=guesses, refused=refused)
    response = RedirectResponse("/me", 303, NO_STORE)
    house.identity.greet(response, Visitor(key, {}, True))
    return response


def _guesses(house: Services, visitor: Visitor) -> int:
    """Rounds that this device has played by itself: they would stay behind."""
    with reading(house.engine) as connection:
        player = players.find(connection, visitor.key)
        return sum(row.guesses for row in seats.of_player(connection, player.id)) if player else 0
