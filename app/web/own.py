"""/me: what a player played, how well, what came of it; their name, their other devices, their data, their leaving."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response, StreamingResponse

from app.db import classes, history, nicknames, players, scores, seats
from app.db.history import Wanted
from app.db.players import Player
from app.db.session import now, reading, writing
from app.game import skill
from app.game.nicknames import NicknameRefused
from app.game.rounds import MODES
from app.web.identity import Visitor
from app.web.plot import plot
from app.web.problems import Problem
from app.web.rendering import NO_STORE, html
from app.web.services import Services, apart, services

router = APIRouter(include_in_schema=False)

VERDICTS = ("spotted", "fooled")


@router.get("/me")
async def my_page(request: Request) -> Response:
    """How the visitor does, and what is theirs."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    return html("me.html", here="/me", **await apart(lambda: _summary(house, visitor.key)))


@router.post("/me/name")
async def name_form(request: Request) -> Response:
    """A nickname, or none."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("remarks", visitor)
    wanted = str((await request.form()).get("nickname", "")).strip()
    try:
        await apart(lambda: rename(house, visitor.key, wanted or None))
    except NicknameRefused as refused:
        summary = await apart(lambda: _summary(house, visitor.key))
        return html("me.html", status=422, here="/me", **summary | {"refused": str(refused), "wanted": wanted})
    return RedirectResponse("/me#name", 303, NO_STORE)


@router.get("/me/rounds")
async def my_rounds(request: Request) -> Response:
    """Every round that the visitor played, the newest first, as they filter them."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    chosen = {name: request.query_params.get(name, "") for name in ("verdict", "archive", "mode")}
    archives = {entry.archive.id: entry.archive for entry in house.catalogue.ranked(visitor.invites)}
    wanted = _wanted(chosen, {archive.slug: archive.id for archive in archives.values()}, request)

    def read() -> tuple[list[history.PastRound], list[str]]:
        with reading(house.engine) as connection:
            player = recorded(connection, visitor.key)
            if player is None:
                return [], []
            return history.page(connection, player.id, wanted), history.modes(connection, player.id)

    found, modes = await apart(read)
    older = None
    if len(found) > history.PAGE:
        found = found[: history.PAGE]
        filters = {name: value for name, value in chosen.items() if value}
        older = "/me/rounds?" + urlencode(filters | {"before": found[-1].guess_id})
    return html(
        "my_rounds.html",
        here="/me",
        rounds=found,
        archives=archives,
        chosen=chosen,
        modes=modes,
        verdicts=VERDICTS,
        older=older,
        is_first=wanted.before is None,
    )


@router.get("/me/download")
async def download(request: Request) -> Response:
    """Everything that is kept of the visitor, as one JSON file."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("downloads", visitor)

    def newest() -> int:
        with reading(house.engine) as connection:
            player = recorded(connection, visitor.key)
            return history.newest(connection, player.id) if player else 0

    last = await apart(newest)  # before the first byte: what has begun cannot be refused
    headers = NO_STORE | {"Content-Disposition": 'attachment; filename="my-rounds.json"'}
    return StreamingResponse(_everything(house, visitor.key, last), 200, headers, "application/json")


@router.get("/me/forget")
async def forget_page(request: Request) -> Response:
    """Asks once more."""
    house = services(request)
    house.limit("pages", house.identity.visitor(request))
    return html("forget.html", here="/me", is_done=False)


@router.post("/me/forget")
async def forget_form(request: Request) -> Response:
    """Forgets the visitor, at once."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("players", visitor)
    await forget(house, visitor)
    response = html("forget.html", here="/me", is_done=True)
    house.identity.dismiss(response)
    return response


async def forget(house: Services, visitor: Visitor) -> None:
    """Forget the player of the visitor's cookie; without one there is nobody to forget."""

    def drop() -> None:
        with writing(house.engine) as connection:
            players.forget(connection, visitor.key, now())

    if visitor.has_cookie:
        await apart(drop)


def rename(house: Services, key: bytes, wanted: str | None) -> None:
    """Give the player with that key a nickname, or take it away.

    Raises:
        NicknameRefused: it cannot be taken; says why.
    """
    shown = None if wanted is None else nicknames.accept(wanted, house.blocked_words)
    with writing(house.engine) as connection:
        nicknames.give(connection, key, shown)


def recorded(connection: Connection, key: bytes) -> Player | None:
    """The player with that key, who is about to be shown what is theirs; None where nothing is recorded.

    Raises:
        Problem: 409 while a round of their class is open: every figure of theirs would tell its verdict.
    """
    player = players.find(connection, key)
    if player is not None and classes.is_asking(connection, player.id, now()):
        raise Problem(409, "round-open", "a round of your class is open: your figures are back when it is revealed")
    return player


def skill_of(player: Player, guesses: int) -> dict[str, float] | None:
    """A player's skill as shares of average samples; None before it is known."""
    return skill.told(player.belief) if guesses >= skill.KNOWN_FROM else None


def _summary(house: Services, key: bytes) -> dict[str, Any]:
    archives = {entry.archive.id: entry.archive for entry in house.catalogue.entries.values()}
    at = now()
    with reading(house.engine) as connection:
        player = recorded(connection, key)
        if player is None:
            return {"player": None, "guesses": 0}
        rows = [row for row in seats.of_player(connection, player.id) if row.archive_id in archives]
        guesses = sum(row.guesses for row in rows)
        places = []
        for archive_id in dict.fromkeys(row.archive_id for row in rows):
            today = scores.keys(archive_id, player.id, at)[0]
            if (place := scores.place(connection, today, at)) is not None:
                places.append((archives[archive_id], place))
        return {
            "player": player,
            "guesses": guesses,
            "spotted": sum(row.spotted for row in rows),
            "best_streak": max((row.best_streak for row in rows), default=0),
            "skill": skill_of(player, guesses),
            "known_from": skill.KNOWN_FROM,
            "plot": plot(history.curve(connection, player.id)),
            "lessons": history.taught(connection, player.id),
            "archives": archives,
            "places": places,
        }


def _wanted(chosen: dict[str, str], slugs: dict[str, int], request: Request) -> Wanted:
    verdict, slug, mode = chosen["verdict"], chosen["archive"], chosen["mode"]
    before = request.query_params.get("before", "")
    if (
        (verdict and verdict not in VERDICTS)
        or (slug and slug not in slugs)
        or (mode and mode not in MODES)
        or (before and not (before.isascii() and before.isdigit() and len(before) < 19))
    ):
        raise Problem(404, "not-found", "there is no such filter")
    return Wanted(verdict, slugs.get(slug), mode, int(before) if before else None)


def _everything(house: Services, key: bytes, last: int) -> Iterator[str]:
    """Read in pages: whoever takes long to read an answer must not hold a connection to the database meanwhile.

    A round of their class may open before they have read on: rounds are told up to the guess `last`, and what sums them
    up is null then.
    """
    with reading(house.engine) as connection:
        player = players.find(connection, key)
        about = history.player_fields(connection, player.id) if player else None
    if player is None:
        yield json.dumps({"player": None, "rounds": []})
        return
    yield '{"player": ' + json.dumps(about, ensure_ascii=False) + ',\n "rounds": ['
    between, after = "\n  ", 0
    while True:
        with reading(house.engine) as connection:
            rows, at = history.export(connection, player.id, after, last)
        if at is None:
            break
        after = at
        for row in rows:
            yield between + json.dumps(row, ensure_ascii=False)
            between = ",\n  "
    with reading(house.engine) as connection:
        is_asked = classes.is_asking(connection, player.id, now())
        kept = None if is_asked else history.belongings(connection, player.id)
    yield '\n ],\n "kept": ' + json.dumps(kept, ensure_ascii=False) + "}\n"
