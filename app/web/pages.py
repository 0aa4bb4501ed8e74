"""The pages: the game as plain forms, which the script on the page makes quicker."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.db import past, remarks
from app.db.past import Played
from app.db.session import now, reading, writing
from app.web import play
from app.web.bodies import GuessAsk, RemarkAsk
from app.web.catalogue import Entry
from app.web.dealer import Dealt
from app.web.problems import Problem
from app.web.rendering import NO_STORE, html
from app.web.services import Services, apart, services

router = APIRouter(include_in_schema=False)

LONG = 180  # characters of the longer card from which both are set a little smaller
REASONS = (
    ("spelling", "spelling"),
    ("sense", "makes no sense"),
    ("repeats", "repeats itself"),
    ("style", "not their style"),
    ("other", "something else"),
)


@router.get("/")
async def start(request: Request) -> Response:
    """The visitor's open round in the main archive."""
    return await _open_round(request, None)


@router.get("/a/{slug}")
async def archive_page(slug: str, request: Request) -> Response:
    """The visitor's open round in an archive."""
    return await _open_round(request, slug)


@router.post("/a/{slug}")
async def answer_form(slug: str, request: Request) -> Response:
    """A guess, or the wish for the next round, from a page without its script."""
    house = services(request)
    visitor = house.identity.visitor(request)
    form = await request.form()
    token = str(form.get("round", ""))
    if "pick" not in form:
        return await _open_round(request, slug, token or None)
    house.limit("guesses", visitor)
    ask = _guess_ask(form)
    try:
        recorded = await play.guess(house, visitor, ask)
        answer, pick, trouble = json.loads(recorded.answer), ask.pick, ""
    except Problem as problem:
        if "recorded" not in problem.extra:
            raise
        answer, pick = problem.extra["recorded"], 1 - ask.pick
        trouble = "You had answered this one before. This is what came of it."
    if visitor.has_cookie and not trouble:
        # A page of its own, so that reload and back ask nobody to send a form again.
        return RedirectResponse(f"/v/{answer['guess']}", 303, NO_STORE)
    player = play.open_round(house, visitor, token).player
    played = await apart(lambda: _played(house, answer["guess"], player))
    if played is None:
        raise Problem(404, "not-found", "this round is gone")
    return _verdict(house, played, answer, pick=pick, token=token, trouble=trouble)


@router.get("/v/{guess}")
async def verdict_page(guess: str, request: Request) -> Response:
    """What came of a guess of the visitor's."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    played = await apart(lambda: _played(house, guess, visitor.key))
    if played is None:
        raise Problem(404, "not-found", "there is no such round of yours")
    thanks = "said" in request.query_params
    return _verdict(house, played, json.loads(played.answer), pick=played.pick, thanks=thanks)


@router.post("/v/{guess}")
async def remark_form(guess: str, request: Request) -> Response:
    """What the visitor says of a round, from a page without its script."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("remarks", visitor)
    form = await request.form()
    words = {name: str(form[name]) for name in ("reason", "report") if form.get(name)}
    if "reason" in words:
        words.pop("report", None)
    try:
        ask = RemarkAsk.model_validate(words)
    except ValidationError:
        raise Problem(422, "bad-request", "a report has at most 500 characters") from None

    def note() -> bool:
        with writing(house.engine) as connection:
            return remarks.note(connection, _round_id(guess), visitor.key, now(), reason=ask.reason, report=ask.report)

    if not await apart(note):
        raise Problem(404, "not-found", "there is no such round of yours")
    return RedirectResponse(f"/v/{guess}?said=1", 303, NO_STORE)


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as a page that says what happened and what comes next."""
    house = services(request)
    entry = house.catalogue.find(None)
    heading, words = _PROBLEMS.get(problem.kind, ("Something went wrong.", problem.detail))
    command = None
    if problem.kind == "shelf-empty" and entry is None:
        words = "There is no archive to play yet. Import one, and train a network on it:"
        command = "whichtweet import tweets.js --archive me --handle @me"
    is_here = request.method == "GET" and problem.kind not in ("not-found", "no-archive")
    return html(
        "message.html",
        status=problem.status,
        headers=problem.headers,
        unit=entry.archive.unit if entry else "tweet",
        heading=heading,
        words=words,
        command=command,
        is_writing=problem.kind == "shelf-empty",
        again_in=problem.retry_after if is_here else None,
        href=request.url.path if is_here else "/",
        link="Try again" if is_here else "Play",
    )


_PROBLEMS = {
    "shelf-empty": (
        "The network is still writing",
        "There is nothing new on its desk for you right now. It writes more all the time: come back in a moment.",
    ),
    "too-many-requests": ("Not so fast.", "That was a lot of rounds in a short time. Take a breath, then go on."),
    "database-away": ("One moment.", "The game cannot write down guesses just now. It will be back shortly."),
    "not-found": ("There is nothing here.", "The page may have moved, or the round was not yours."),
    "no-archive": ("There is no such archive.", "Nobody has imported one under that name."),
    "not-our-round": ("That round is not yours.", "It was dealt in another browser. Have a new one."),
    "round-expired": ("That round has run out.", "It lay open for too long. Have a new one."),
    "round-superseded": ("That round has passed.", "You went on to another one since. Go on from there."),
    "desk-busy": ("One moment.", "Many are looking inside the network just now. It takes one reader at a time."),
    "no-network": ("The network is not here.", "The game goes on, but on this machine nobody can look inside it."),
    "out-of-turn": ("There is another round open.", "Answer that one first."),
}  # fmt: skip


async def _open_round(request: Request, slug: str | None, after: str | None = None) -> Response:
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("rounds", visitor)
    dealt = await house.dealer.deal(visitor, slug, after)
    response = _question(house, dealt)
    if dealt.visitor != visitor or visitor.needs_cookie:
        house.identity.greet(response, dealt.visitor)
    return response


def _question(house: Services, dealt: Dealt) -> Response:
    return _page(house, dealt.entry, dealt.round.cards, token=dealt.token, repeat=dealt.round.repeat)


def _verdict(house: Services, played: Played, answer: dict[str, Any], *, pick: int, **more: Any) -> Response:
    entry = house.catalogue.by_id(played.archive_id)
    if entry is None:
        raise Problem(404, "not-found", "this archive is gone")
    posted = answer["posted_at"] and _day(datetime.fromisoformat(answer["posted_at"]))
    return _page(
        house,
        entry,
        played.cards,
        answer=answer,
        pick=pick,
        posted=posted,
        said=played.said,
        repeat=played.repeat,
        **more,
    )


def _page(house: Services, entry: Entry, cards: tuple[str, str], **more: Any) -> Response:
    return html(
        "play.html",
        here="/",
        archive=entry.archive,
        archives=[other.archive for other in house.catalogue.ranked([entry.archive.invite or ""])],
        unit=entry.archive.unit,
        cards=cards,
        is_long=max(map(len, cards)) > LONG,
        reasons=REASONS,
        **more,
    )


def _guess_ask(form: FormData) -> GuessAsk:
    pick = str(form.get("pick", ""))
    try:
        return GuessAsk(
            round=str(form.get("round", "")),
            pick=int(pick) if pick in ("0", "1") else -1,
            recognised=form.get("recognised") == "1",
        )
    except ValidationError:
        raise Problem(422, "bad-request", "the form is not one of ours") from None


def _played(house: Services, guess: str, key: bytes) -> Played | None:
    with reading(house.engine) as connection:
        return past.find(connection, _round_id(guess), key)


def _round_id(guess: str) -> bytes:
    try:
        return bytes.fromhex(guess)
    except ValueError:
        return b""


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
