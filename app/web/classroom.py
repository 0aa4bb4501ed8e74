"""/class: a room that plays together, on the phones of players and on the lecturer's wall; works by plain forms."""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256
from typing import Any

import segno
from fastapi import APIRouter, Request
from markupsafe import Markup
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from app.db import classes, players
from app.db.session import now, writing
from app.game import scoring
from app.game.classroom import ROUNDS
from app.game.nicknames import NicknameRefused, accept
from app.web import lectern, play
from app.web.bodies import GuessAsk
from app.web.identity import Visitor, open_round
from app.web.problems import Problem
from app.web.rendering import NO_STORE, html
from app.web.rooms import Scene
from app.web.services import Services, apart, services

router = APIRouter(include_in_schema=False)

COOKIE = "whichtweet-lectern"
COOKIE_SECONDS = 86_400
NO_COOKIE = "a class knows you by a cookie, and your browser brought none: let it take one, then come in again"
SHOWN = 8  # on the wall's board: what can be read from ten metres


@router.get("/class")
async def door(request: Request) -> Response:
    """Asks for the room's code, or leads into the room."""
    house = services(request)
    house.limit("pages", house.identity.visitor(request))
    code = request.query_params.get("code", "").strip().upper()
    if code and await apart(lambda: house.rooms.scene(code)) is not None:
        return RedirectResponse(f"/class/{code}", 303, NO_STORE)
    refused = f"There is no room {code[:8]}. Look at the wall again." if code else ""
    return html("class_door.html", status=404 if code else 200, here="/class", refused=refused)


@router.get("/class/{code}")
async def room_page(code: str, request: Request) -> Response:
    """The room: its form to come in, then whatever goes on in it."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    # As phones write what is typed from the wall.
    if code != code.upper() and await apart(lambda: house.rooms.scene(code.upper())) is not None:
        return RedirectResponse(f"/class/{code.upper()}", 303, NO_STORE)
    scene = await _scene(request, code)
    response = html("class.html", here="/class", **await apart(lambda: _seen(house, scene, visitor)))
    if not visitor.has_cookie:
        # With the form to come in, so that whoever sends it without takes none.
        house.identity.greet(response, visitor)
    return response


@router.get("/class/{code}/now")
async def room_now(code: str, request: Request) -> Response:
    """What goes on in the room, without the page around it; 204 while nothing has changed since `seen`."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("looks", visitor)
    scene = await _scene(request, code)
    if request.query_params.get("seen") == _version(scene, visitor.key, now()):
        return Response(status_code=204, headers=NO_STORE)
    return html("class_now.html", **await apart(lambda: _seen(house, scene, visitor)))


@router.post("/class/{code}/join")
async def join(code: str, request: Request) -> Response:
    """Come in, with a name or without; who takes no cookie would be a stranger on the next page, and is told so."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("joins", visitor)
    scene = await _scene(request, code, anew=True)
    wanted = str((await request.form()).get("name", "")).strip()
    if scene.room.ended_at is not None:
        return RedirectResponse(f"/class/{code}", 303, NO_STORE)
    name, refused = None, "" if visitor.has_cookie else NO_COOKIE
    try:
        name = accept(wanted, house.blocked_words) if wanted else None
    except NicknameRefused as refusal:
        refused = str(refusal)
    if refused:
        seen = await apart(lambda: _seen(house, scene, visitor))
        response = html("class.html", status=422, here="/class", **seen | {"refused": refused, "wanted": wanted})
        if not visitor.has_cookie:
            house.identity.greet(response, visitor)
        return response

    def let_in() -> Visitor:
        with writing(house.engine) as connection:
            # The cookie of a tab or a device that "forget me" did not reach: whoever holds it is somebody new.
            is_gone = players.was_forgotten(connection, visitor.key)
            member = Visitor(players.new_key(), has_cookie=True) if is_gone else visitor
            classes.join(connection, scene.room.id, member.key, name, now())
            return member

    member = await apart(let_in)
    await _scene(request, code, anew=True)
    entrance = RedirectResponse(f"/class/{code}", 303, NO_STORE)
    if member is not visitor:
        house.identity.greet(entrance, member)
    return entrance


@router.post("/class/{code}/pick")
async def pick(code: str, request: Request) -> Response:
    """Take one of the two cards for the tweet. It is on disk before the answer; the verdict comes with the reveal."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("guesses", visitor)
    form = await request.form()
    scene = await _scene(request, code, anew=True)
    try:
        ask = GuessAsk(round=str(form.get("round", "")), pick=int(str(form.get("pick", ""))))
    except (ValidationError, ValueError):
        raise Problem(422, "bad-request", "the form is not one of ours") from None
    asked = scene.asked
    sealed = open_round(house.seal, visitor, ask.round)
    is_here = asked is not None and sealed.sample_id == asked.sample_id and sealed.tweet_id == asked.tweet_id
    if is_here and scene.member(visitor.key) and scene.takes(now()):
        try:
            await play.guess(house, visitor, ask, in_class=scene.room)
        except Problem as problem:
            # Picked before, perhaps in another tab: the room shows what counts.
            if problem.status not in (409, 410):
                raise
        await _scene(request, code, anew=True)
    return RedirectResponse(f"/class/{code}", 303, NO_STORE)


@router.get("/class/{code}/lectern")
async def lectern_page(code: str, request: Request) -> Response:
    """The wall, with the lecturer's buttons; asks for the key where the browser has none."""
    house = services(request)
    scene = await _scene(request, code)
    if not _is_lecturer(request, scene):
        house.limit("pages", house.identity.visitor(request))
        return html("lectern_key.html", here="/class", code=code, refused="")
    return html("lectern.html", here="/class", **_wall(scene))


@router.post("/class/{code}/key")
async def show_key(code: str, request: Request) -> Response:
    """Take the lecturer's key into a cookie."""
    house = services(request)
    house.moving.count(house.identity.visitor(request), "keys")
    scene = await _scene(request, code)
    key = str((await request.form()).get("key", "")).strip()
    if not hmac.compare_digest(sha256(key.encode()).digest(), scene.room.key_hash):
        refused = "That is not the key of this room. It stands in the terminal."
        return html("lectern_key.html", status=403, here="/class", code=code, refused=refused)
    response = RedirectResponse(f"/class/{code}/lectern", 303, NO_STORE)
    path, secure = f"/class/{code}", house.identity.is_secure
    response.set_cookie(COOKIE, key, max_age=COOKIE_SECONDS, path=path, secure=secure, httponly=True, samesite="strict")
    return response


@router.get("/class/{code}/lectern/now")
async def lectern_now(code: str, request: Request) -> Response:
    """What is on the wall, without the page around it."""
    scene = await _scene(request, code)
    _check_lecturer(request, scene)
    wall = _wall(scene)
    if request.query_params.get("seen") == wall["version"]:
        return Response(status_code=204, headers=NO_STORE)
    return html("lectern_now.html", **wall)


@router.post("/class/{code}/lectern")
async def lead(code: str, request: Request) -> Response:
    """The lecturer's buttons: next, reveal, train, end."""
    house = services(request)
    scene = await _scene(request, code, anew=True)
    _check_lecturer(request, scene)
    form = await request.form()
    place = f"{scene.room.leg}.{scene.room.number}"
    # A button that was pressed twice, or on a page left behind, does nothing the second time.
    if str(form.get("place")) == place:
        await apart(lambda: lectern.act(house, scene, str(form.get("do", "")), now()))
        await _scene(request, code, anew=True)
    return RedirectResponse(f"/class/{code}/lectern", 303, NO_STORE)


async def _scene(request: Request, code: str, *, anew: bool = False) -> Scene:
    house = services(request)
    scene = await apart(lambda: house.rooms.scene(code, anew=anew))
    if scene is None:
        # Wherever it was tried: codes are short enough to be found out.
        house.limit("codes", house.identity.visitor(request))
        raise Problem(404, "not-found", "there is no such room")
    return scene


def _is_lecturer(request: Request, scene: Scene) -> bool:
    shown = sha256(request.cookies.get(COOKIE, "").encode()).digest()
    return hmac.compare_digest(shown, scene.room.key_hash)


def _check_lecturer(request: Request, scene: Scene) -> None:
    if not _is_lecturer(request, scene):
        raise Problem(403, "bad-request", "this is for the lecturer of the room")


def _version(scene: Scene, key: bytes, at: datetime) -> str:
    member = scene.member(key)
    mine = member is not None and member.player_id in scene.here()
    told = len(scene.picks) if scene.phase(at) == "revealed" else 0
    state = scene.job.state if scene.job else ""
    place = (scene.room.leg, scene.room.number, scene.is_taken_back)
    parts = (scene.phase(at), *place, mine, told, state, member is not None)
    return ".".join(map(str, parts))


def _seen(house: Services, scene: Scene, visitor: Visitor) -> dict[str, Any]:
    """The room as one member sees it."""
    at = now()
    member = scene.member(visitor.key)
    shown = _common(scene, at) | {"version": _version(scene, visitor.key, at), "member": member}
    if member is None:
        return shown
    mine = scene.here().get(member.player_id)
    token = ""
    if shown["phase"] == "asking" and mine is None and scene.asked is not None:
        entry = house.catalogue.by_id(scene.room.archive_id)
        dealt = house.rooms.deal(scene, scene.asked, member, entry.shelf.stamp if entry else 0)
        token = house.seal.close(dealt, at)
    lines = scene.board(at)
    place = next(number for number, line in enumerate(lines, start=1) if line[0].player_id == member.player_id)
    return shown | {"mine": mine, "token": token, "place": place, "line": lines[place - 1]}


def _wall(scene: Scene) -> dict[str, Any]:
    """The room as it is projected."""
    at = now()
    address = f"{scene.room.address}/class/{scene.room.code}"
    shown = _common(scene, at)
    progress = (scene.job.state, scene.job.progress.get("seconds_left"), scene.job.step) if scene.job else ()
    place = (scene.room.leg, scene.room.number, scene.is_taken_back)
    parts = (shown["phase"], *place, len(scene.members), len(scene.picks), *progress)
    code = segno.make(address, error="m").svg_inline(scale=1, border=2, omitsize=True, light="#fff")
    return (
        shown
        | {
            "version": ".".join(map(str, parts)),
            "address": address,
            "qr": Markup(code),  # noqa: S704  # drawn here, from an address of ours
            "board": scene.board(at)[:SHOWN],
            "change": scene.change() if shown["phase"] == "over" else None,
            "job": scene.job,
            "doing": lectern.DOING.get((scene.job.step if scene.job else "") or "", lectern.TRAINING),
            "can_train": lectern.can_train(scene, at),
            "made": len(scene.picks),
            "least": lectern.LEAST_PICKS,
        }
    )


def _common(scene: Scene, at: datetime) -> dict[str, Any]:
    rates = {}
    for leg in (1, 2):
        fooled, made = scene.fool_rate(leg)
        rates[leg] = (fooled / made, *scoring.interval(fooled, made), made) if made else None
    return {
        "room": scene.room,
        "phase": scene.phase(at),
        "asked": scene.asked,
        "is_taken_back": scene.is_taken_back,
        "of": ROUNDS,
        "left_ms": max(0, round(scene.room.where.left(at).total_seconds() * 1000)),
        "members": scene.members,
        "answered": len(scene.here()),
        "histogram": scene.histogram(),
        "rates": rates,
        "trained": scene.room.generator_id is not None,
    }
