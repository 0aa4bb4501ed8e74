"""The pages of verdicts: what came of a guess, what the player says of it, and what they share with the question."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from app.db import past, remarks
from app.db.archives import Archive
from app.db.past import Played
from app.db.session import now, reading, writing
from app.game.sets import TEN
from app.web.bodies import RemarkAsk
from app.web.identity import as_dealt_to
from app.web.problems import Problem
from app.web.rendering import NO_STORE, html
from app.web.services import Services, apart, services
from app.web.ways import Way, way_of

router = APIRouter(include_in_schema=False)

LONG = 180  # characters of the longer card from which both are set a little smaller
REASONS = (
    ("spelling", "spelling"),
    ("sense", "makes no sense"),
    ("repeats", "repeats itself"),
    ("style", "not their style"),
    ("other", "something else"),
)


@router.get("/v/{guess}")
async def verdict_page(guess: str, request: Request) -> Response:
    """What came of a guess of the visitor's."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    played = await apart(lambda: played_by(house, guess, visitor.key))
    if played is None:
        raise Problem(404, "not-found", "there is no such round of yours")
    said, mixed = "said" in request.query_params, "mixed" in request.query_params
    return verdict_of(
        house, played, json.loads(played.answer), is_mixed=mixed, pick=played.pick, thanks=said, is_open=said
    )


@router.post("/v/{guess}")
async def remark_form(guess: str, request: Request) -> Response:
    """What the visitor says of a round, from a page without its script."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("remarks", visitor)
    form = await request.form()
    token = str(form.get("round", ""))
    player = as_dealt_to(house.seal, visitor, token)
    words = {name: str(form[name]) for name in ("reason", "report") if form.get(name)}
    if "reason" in words:
        words.pop("report", None)
    try:
        ask = RemarkAsk.model_validate(words)
    except ValidationError:
        raise Problem(422, "bad-request", "a report has at most 500 characters") from None

    def note() -> bool:
        with writing(house.engine) as connection:
            return remarks.note(connection, _round_id(guess), player.key, now(), reason=ask.reason, report=ask.report)

    if not await apart(note):
        raise Problem(404, "not-found", "there is no such round of yours")
    is_mixed = "mixed" in request.query_params
    if visitor.has_cookie:
        return RedirectResponse(f"/v/{guess}?said=1{'&mixed=1' if is_mixed else ''}#why", 303, NO_STORE)
    played = await apart(lambda: played_by(house, guess, player.key))
    if played is None:
        raise Problem(404, "not-found", "this round is gone")
    answer = json.loads(played.answer)
    said = {"thanks": True, "is_open": True}
    return verdict_of(house, played, answer, is_mixed=is_mixed, pick=played.pick, token=token, **said)


def verdict_of(
    house: Services, played: Played, answer: dict[str, Any], *, is_mixed: bool, pick: int, **more: Any
) -> Response:
    """The page of a verdict, from the round as it is kept and the answer as it was given.

    Raises:
        Problem: 404; the archive is gone.
    """
    entry = house.catalogue.by_id(played.archive_id)
    if entry is None:
        raise Problem(404, "not-found", "this archive is gone")
    posted = answer["posted_at"] and _day(datetime.fromisoformat(answer["posted_at"]))
    return page_of(
        house,
        way_of(played, entry.archive.slug, is_mixed=is_mixed),
        entry.archive,
        played.cards,
        answer=answer,
        pick=pick,
        posted=posted,
        said=played.said,
        repeat=played.repeat,
        played=answer.get("played", 0),
        spotted=answer.get("spotted", 0),
        of=TEN if played.set_name else 0,
        **more,
    )


def page_of(
    house: Services, way: Way, archive: Archive, cards: tuple[str, str], *, played: int, of: int, **more: Any
) -> Response:
    """The page of two cards, whether the player is still to choose or has an `answer`."""
    here = played if "answer" in more else played + 1
    is_first = way.mode == "endless" and not way.is_mixed and here <= TEN
    return html(
        "play.html",
        here={"endless": "/mixed" if way.is_mixed else "/", "daily": "/daily"}.get(way.mode, "/ways"),
        way=way,
        archive=archive,
        archives=[other.archive for other in house.catalogue.ranked([archive.invite or ""])],
        unit=archive.unit,
        cards=cards,
        is_long=max(map(len, cards)) > LONG,
        reasons=REASONS,
        played=played,
        of=of or (TEN if is_first else 0),
        **more,
    )


def played_by(house: Services, guess: str, key: bytes) -> Played | None:
    """The round of a guess by its id on pages; None where it is not that player's."""
    with reading(house.engine) as connection:
        return past.find(connection, _round_id(guess), key)


def _round_id(guess: str) -> bytes:
    try:
        return bytes.fromhex(guess)
    except ValueError:
        return b""


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
