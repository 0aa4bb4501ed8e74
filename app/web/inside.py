"""Inside the network: a text is read, or one is written along, and everything that the network thinks is shown."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Engine
from starlette.datastructures import FormData
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.db import generators, past
from app.db.generators import Generator
from app.db.past import Played
from app.db.session import reading
from app.web import equations, tape
from app.web.bodies import refuses
from app.web.desk import Desk
from app.web.discretion import Discretion
from app.web.entries import Entry
from app.web.identity import Visitor, as_dealt_to
from app.web.limits import Limits
from app.web.problems import Problem
from app.web.rendering import NO_STORE, html
from app.web.services import apart, services
from app.web.ways import way_of
from model.text import normalise

router = APIRouter()

PER_PLAYER, PER_NETWORK = "30/minute", "300/minute"  # readings
LONGEST = 280  # characters that are read, or written with their prompt
LONGEST_PROMPT = 140
TEMPERATURES = (0.2, 0.5, 0.8, 1.0, 1.2, 1.5)
SHARES = (0.5, 0.8, 0.9, 0.95, 0.98, 1.0)  # top-p
EXAMPLE = "We will build a beautiful new harbour, and the seagulls will pay for it. Believe me!"
TOO_NEAR = "That is part of a card that you may still be asked about. Guess first, then look inside."


@dataclass(frozen=True)
class Inside:
    """What the routes here work with.

    Attributes:
        checkpoints: folder below which checkpoints are stored by relative key.
        limits: readings cost more than rounds, and have a pace of their own.
    """

    desk: Desk
    discretion: Discretion
    checkpoints: Path
    limits: Limits


# A form whose field was cleared sends it empty: the choice is left to us.
Number = Annotated[int | None, BeforeValidator(lambda given: given or None)]


@dataclass(frozen=True)
class Wish:
    """What somebody wants to look at: a layer and a unit, both counted from 1; None leaves it to us."""

    layer: int | None = None
    unit: int | None = None


def mount(app: FastAPI, room: Inside) -> None:
    """Open the routes in an application."""
    app.state.inside = room
    app.include_router(router)


def inside(request: Request) -> Inside:
    """What the application that got this request looks inside with."""
    return request.app.state.inside  # type: ignore[no-any-return]


class CharacterBody(BaseModel):
    """A character, and what the network thought before it came."""

    c: str = Field(description="the character; empty for the end")
    bits: float = Field(description="surprise")
    best: list[tuple[str, float]] = Field(description="the five likeliest characters with their odds")
    gates: dict[str, float] = Field(description="gates and state of the unit at that moment, by name")


class ReadingBody(BaseModel):
    """How the network reads both cards of an answered round."""

    model_config = ConfigDict(extra="forbid")
    cell: str = Field(description="lstm, gru or rnn")
    layers: int
    units: int = Field(description="units of a layer")
    layer: int = Field(description="of the unit that is shown, counted from 1")
    unit: int = Field(description="counted from 1")
    lively: list[int] = Field(description="units of the layer whose state changes the most")
    texts: list[list[CharacterBody]] = Field(min_length=2, max_length=2, description="the cards in the order shown")


@router.get("/inside", include_in_schema=False)
async def open_page(request: Request) -> Response:
    """The page, with nothing read yet."""
    return _page(request, text=EXAMPLE)


@router.post("/inside", include_in_schema=False)
async def read_text(request: Request) -> Response:
    """Read a text."""
    visitor, entry, form = await _asked(request)
    raw = str(form.get("text", ""))
    text, wish = normalise(raw[: 20 * LONGEST]), _wish(form)
    trouble = _fault(text, LONGEST)
    if not trouble and await apart(lambda: inside(request).discretion.forbids(text, visitor.key)):
        trouble = TOO_NEAR
    if trouble:
        return _page(request, entry, text=raw[:LONGEST], trouble=trouble, status=422)
    generator = await apart(lambda: _champion(request, entry))
    read = await _read(request, generator, [text], wish)
    lines = equations.CELLS[read["cell"]]
    return _page(request, entry, text=text, read=read, tape=tape.of(read["texts"][0], lines), generator=generator)


@router.get("/inside/write", include_in_schema=False)
async def open_writing(request: Request) -> Response:
    """The page where the network writes along, with nothing written yet."""
    return _writing_page(request)


@router.post("/inside/write", include_in_schema=False)
async def write_along(request: Request) -> Response:
    """Write a text along."""
    visitor, entry, form = await _asked(request)
    raw = str(form.get("prompt", ""))
    prompt = normalise(raw[: 20 * LONGEST_PROMPT])
    chosen: dict[str, Any] = {
        "prompt": prompt,
        "temperature": _among(form.get("temperature"), TEMPERATURES, 1.0),
        "top_p": _among(form.get("top_p"), SHARES, 0.98),
    }
    room = inside(request)
    trouble = _fault(prompt, LONGEST_PROMPT) if prompt else ""
    if not trouble and await apart(lambda: room.discretion.forbids(prompt, visitor.key)):
        trouble = TOO_NEAR
    if trouble:
        return _writing_page(request, entry, **(chosen | {"prompt": raw[:LONGEST_PROMPT]}), trouble=trouble, status=422)
    generator = await apart(lambda: _champion(request, entry))

    def forbids(text: str) -> bool:
        return room.discretion.forbids_in(entry, text[-4 * 30 :], visitor.key)

    ask = chosen | {"folder": _folder(room, generator), "seed": secrets.randbits(62), "limit": LONGEST}
    written = await room.desk.write(ask, forbids)
    return _writing_page(request, entry, **chosen, tape=tape.of(written), generator=generator)


@router.get("/v/{guess}/reading", include_in_schema=False)
async def round_page(guess: str, request: Request, layer: Number = None, unit: Number = None) -> Response:
    """How the network reads both cards of a round that the visitor has answered."""
    return await _round_page(request, guess, Wish(layer, unit))


@router.post("/v/{guess}/reading", include_in_schema=False)
async def round_form(guess: str, request: Request) -> Response:
    """The same for a browser that takes no cookie: the round itself, in the form, says whose it was."""
    form = await request.form()
    token = str(form.get("round", ""))
    if services(request).identity.visitor(request).has_cookie:
        # A page of its own, so that reload and back ask nobody to send a form again.
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/v/{guess}/reading{query}", 303, NO_STORE)
    return await _round_page(request, guess, _wish(form), token)


async def _round_page(request: Request, guess: str, wish: Wish, token: str = "") -> Response:
    played, generator, read = await _read_round(request, guess, wish, token)
    entry = services(request).catalogue.by_id(played.archive_id)
    if entry is None:
        raise Problem(404, "not-found", "this archive is gone")
    lines = equations.CELLS[read["cell"]]
    is_mixed = "mixed" in request.query_params
    return html(
        "reading.html",
        unit=entry.archive.unit,
        way=way_of(played, entry.archive.slug, is_mixed=is_mixed),
        token=token,
        guess=guess,
        tweet=played.tweet_index,
        pick=played.pick,
        read=read,
        tapes=[tape.of(text, lines) for text in read["texts"]],
        generator=generator,
        **_equations(read["cell"]),
    )


@router.get(
    "/api/guesses/{guess}/reading",
    response_model=ReadingBody,
    responses=refuses(
        _404="no such guess of this player", _422="a field is not as expected", _429="too many", _503="try again later"
    ),
)
async def read_round(guess: str, request: Request, layer: int | None = None, unit: int | None = None) -> Response:
    """How the network that wrote the sample reads both cards of a round that the player has answered."""
    _, _, read = await _read_round(request, guess, Wish(layer, unit))
    return JSONResponse(read, headers=NO_STORE)


async def _read_round(
    request: Request, guess: str, wish: Wish, token: str = ""
) -> tuple[Played, Generator, dict[str, Any]]:
    house = services(request)
    visitor = house.identity.visitor(request)
    _pace(request, visitor)
    player = as_dealt_to(house.seal, visitor, token)

    def find() -> tuple[Played, Generator] | None:
        with reading(house.engine) as connection:
            played = past.find(connection, _round_id(guess), player.key)
            if played is None:
                return None
            number = int(json.loads(played.answer)["generator"].removeprefix("v"))
            wrote = generators.by_number(connection, played.archive_id, number)
            return None if wrote is None else (played, wrote)

    found = await apart(find)
    if found is None:
        raise Problem(404, "not-found", "there is no such round of yours")
    played, generator = found
    return played, generator, await _read(request, generator, list(played.cards), wish)


async def _read(request: Request, generator: Generator, texts: list[str], wish: Wish) -> dict[str, Any]:
    room = inside(request)
    return await room.desk.read(
        {"folder": _folder(room, generator), "texts": texts, "layer": wish.layer, "unit": wish.unit}
    )


async def _asked(request: Request) -> tuple[Visitor, Entry, FormData]:
    house = services(request)
    visitor = house.identity.visitor(request)
    _pace(request, visitor)
    form = await request.form()
    slug = str(form.get("archive", "")) or None
    entry = house.catalogue.find(slug, visitor.invites)
    if entry is None:
        raise Problem(404, "no-archive", "there is no such archive")
    return visitor, entry, form


def _pace(request: Request, visitor: Visitor) -> None:
    if visitor.simulated is None:
        player = visitor.key.hex() if visitor.has_cookie else None
        inside(request).limits.check("inside", player, visitor.network)


def _champion(request: Request, entry: Entry) -> Generator:
    engine: Engine = services(request).engine
    with reading(engine) as connection:
        found = generators.in_arm(connection, entry.archive.id, generators.CHAMPION)
    if found is None:
        raise Problem(503, "no-network", "there is no network for this archive yet")
    return found


def _folder(room: Inside, generator: Generator) -> str:
    return str(room.checkpoints / generator.checkpoint_key)


def _round_id(guess: str) -> bytes:
    try:
        return bytes.fromhex(guess)
    except ValueError:
        return b""


def _wish(form: FormData) -> Wish:
    def number(name: str) -> int | None:
        # The first of several: a button that names a unit stands before the field for another one.
        digits = str(next(iter(form.getlist(name)), ""))
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None

    return Wish(number("layer"), number("unit"))


def _among(given: object, allowed: tuple[float, ...], usual: float) -> float:
    return next((value for value in allowed if str(value) == str(given)), usual)


def _fault(text: str, longest: int) -> str:
    if not text:
        return "There is nothing to read yet: type a few words."
    if len(text) > longest:
        return f"That is {len(text)} characters: at most {longest} are read."
    return ""


def _equations(cell: str | None) -> dict[str, Any]:
    return {"cell_name": equations.NAMES.get(cell or "", ""), "after": (equations.ODDS, equations.SURPRISE)}


def _page(request: Request, entry: Entry | None = None, *, status: int = 200, **more: Any) -> Response:
    read = more.get("read")
    values = _context(request, entry) | _equations(read["cell"] if read else None) | more
    return html("inside.html", status=status, **values)


def _writing_page(request: Request, entry: Entry | None = None, *, status: int = 200, **more: Any) -> Response:
    usual = {"prompt": "", "temperature": 1.0, "top_p": 0.98}
    choices = {"temperatures": TEMPERATURES, "shares": SHARES, "longest_prompt": LONGEST_PROMPT}
    values = _context(request, entry) | usual | choices | {"equations": equations.DRAWING} | more
    return html("write.html", status=status, **values)


def _context(request: Request, entry: Entry | None) -> dict[str, Any]:
    house = services(request)
    invites = house.identity.visitor(request).invites
    entry = entry or house.catalogue.find(None, invites)
    return {
        "here": "/inside",
        "unit": entry.archive.unit if entry else "tweet",
        "archive": entry.archive if entry else None,
        "archives": [other.archive for other in house.catalogue.ranked(invites)],
        "longest": LONGEST,
    }
