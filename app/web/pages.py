"""The pages of questions, and the guesses they send: plain forms, which the script on the page makes quicker."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.game.sets import TEN
from app.web import news, outcomes, play, problems
from app.web.bodies import GuessAsk
from app.web.given import Dealt
from app.web.identity import Visitor, as_dealt_to
from app.web.problems import Problem
from app.web.rendering import NO_STORE
from app.web.services import Services, apart, services
from app.web.verdicts import page_of, played_by, verdict_of
from app.web.ways import Way, generator_number

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(request: Request) -> Response:
    """The visitor's open round in the main archive, and what happened since they were here."""
    return await _open_round(request, Way(), with_news=True)


@router.get("/a/{slug}")
async def archive_page(slug: str, request: Request) -> Response:
    """The visitor's open round in an archive."""
    return await _open_round(request, Way(slug=slug))


@router.post("/a/{slug}")
async def archive_form(slug: str, request: Request) -> Response:
    """A guess, or the wish for the next round, from a page without its script; so in every way to play."""
    return await _answer_form(request, Way(slug=slug))


@router.get("/mixed")
async def mixed_page(request: Request) -> Response:
    """The visitor's open round in the archive whose turn it is."""
    return await _open_round(request, Way(is_mixed=True))


@router.post("/mixed")
async def mixed_form(request: Request) -> Response:
    """The form of the mixed game."""
    return await _answer_form(request, Way(is_mixed=True))


@router.get("/daily")
async def daily_start(request: Request) -> Response:
    """Today's ten of the main archive, at the address that is passed on."""
    return await daily_of_archive(None, request)


@router.get("/daily/{slug}")
async def daily_of_archive(slug: str | None, request: Request) -> Response:
    """Today's ten of an archive, at the address that is passed on."""
    house = services(request)
    entry = house.catalogue.find(slug, house.identity.visitor(request).invites)
    if entry is None:
        raise problems.shelf_empty() if slug is None else Problem(404, "no-archive", f"there is no archive {slug}")
    return RedirectResponse(f"/daily/{entry.archive.slug}/{house.fixed.today()}", 303, NO_STORE)


@router.get("/daily/{slug}/{day}")
async def daily_page(slug: str, day: str, request: Request) -> Response:
    """The visitor's open round of a day's ten; what came of it, once they are through."""
    return await _open_round(request, Way("daily", slug, day))


@router.post("/daily/{slug}/{day}")
async def daily_form(slug: str, day: str, request: Request) -> Response:
    """The form of a daily."""
    return await _answer_form(request, Way("daily", slug, day))


@router.get("/c/{name}")
async def challenge_page(name: str, request: Request) -> Response:
    """The visitor's open round of a challenge; both side by side, once they are through."""
    return await _open_round(request, Way("challenge", None, name))


@router.post("/c/{name}")
async def challenge_form(name: str, request: Request) -> Response:
    """The form of a challenge."""
    return await _answer_form(request, Way("challenge", None, name))


@router.get("/practice/{slug}/{generator}")
async def practice_page(slug: str, generator: str, request: Request) -> Response:
    """The visitor's open round against one generator."""
    return await _open_round(request, Way("practice", slug, generator=generator_number(generator)))


@router.post("/practice/{slug}/{generator}")
async def practice_form(slug: str, generator: str, request: Request) -> Response:
    """The form of practice."""
    return await _answer_form(request, Way("practice", slug, generator=generator_number(generator)))


async def _answer_form(request: Request, way: Way) -> Response:
    house = services(request)
    visitor = house.identity.visitor(request)
    form = await request.form()
    token = str(form.get("round", ""))
    if "through" in form and "pick" not in form:
        house.limit("pages", visitor)
        return await _result(request, way, token or None)
    if "on" in form and "pick" not in form:
        # From the page of a score: not back to it, but to whatever round of theirs is open in this way to play.
        return await _open_round(request, way, whose=token)
    if "pick" not in form:
        return await _open_round(request, way, token or None, is_next=True)
    house.limit("guesses", visitor)
    ask = _guess_ask(form)
    try:
        recorded = await play.guess(house, visitor, ask)
        answer, pick, trouble = json.loads(recorded.answer), ask.pick, ""
    except Problem as problem:
        if problem.kind in _FRESH:
            is_theirs = not visitor.has_cookie and problem.kind != "not-our-round"
            after = token if is_theirs else None
            return await _open_round(request, way, after, trouble=_FRESH[problem.kind])
        if "recorded" not in problem.extra:
            raise
        answer, pick = problem.extra["recorded"], 1 - ask.pick
        trouble = "You had answered this one before. This is what came of it."
    if visitor.has_cookie and not trouble:
        # A page of its own, so that reload and back ask nobody to send a form again.
        mixed = "?mixed=1" if way.is_mixed else ""
        return RedirectResponse(f"/v/{answer['guess']}{mixed}", 303, NO_STORE)
    player = as_dealt_to(house.seal, visitor, token)
    played = await apart(lambda: played_by(house, answer["guess"], player.key))
    if played is None:
        raise Problem(404, "not-found", "this round is gone")
    return verdict_of(house, played, answer, is_mixed=way.is_mixed, pick=pick, token=token, trouble=trouble)


# Guesses that are not taken, and lead to the round that is open: what the page says of it.
_FRESH = {
    "round-expired": "That round had run out. Here is a fresh one.",
    "round-superseded": "That round is not open any more. Here is the one that is.",
    "out-of-turn": "Another round was open before that one. Here it is.",
    # Two first tabs are two newcomers until the later one's cookie holds for both.
    "not-our-round": "That round was dealt elsewhere, and your pick was not counted. Here is yours.",
}


async def _open_round(
    request: Request,
    way: Way,
    after: str | None = None,
    *,
    is_next: bool = False,
    with_news: bool = False,
    trouble: str = "",
    whose: str = "",
) -> Response:
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("rounds", visitor)
    visitor = _on_behalf(house, visitor, whose)
    if way.mode == "challenge":
        await house.fixed.challenge(way.name)  # none of that name: a page that says so
    try:
        dealt = await house.dealer.deal(visitor, way, after)
    except Problem as problem:
        if problem.kind == "set-through":
            return await _result(request, way, after)
        raise
    archive = dealt.archive
    if way.slug is None and way.mode == "endless" and not way.is_mixed:
        way = Way(slug=archive.slug)
    if is_next and way.mode == "endless" and not way.is_mixed and dealt.played == TEN:
        return await _result(request, way, after)
    since = None
    if with_news and visitor.has_cookie and after is None:
        since = await apart(lambda: news.since_last_visit(house.engine, visitor.key, archive))
    response = _question(house, way, dealt, news=since, trouble=trouble)
    house.identity.welcome(response, dealt.visitor)
    return response


def _on_behalf(house: Services, visitor: Visitor, token: str) -> Visitor:
    """The visitor; one without a cookie goes on as the player of the round in `token`, of whatever way it is."""
    player = as_dealt_to(house.seal, visitor, token)
    return visitor if player.key == visitor.key else replace(player, is_lent=True)


async def _result(request: Request, way: Way, after: str | None) -> Response:
    """What came of a set that is through; a browser without a cookie has no page of its own and is shown it here."""
    house = services(request)
    visitor = house.identity.visitor(request)
    if visitor.has_cookie or after is None:
        return RedirectResponse(way.result, 303, NO_STORE)
    visitor = as_dealt_to(house.seal, visitor, after)
    return await outcomes.result_page(request, house, visitor, way, after)


def _question(house: Services, way: Way, dealt: Dealt, **more: Any) -> Response:
    return page_of(
        house,
        way,
        dealt.archive,
        dealt.round.cards,
        token=dealt.token,
        repeat=dealt.round.repeat,
        played=dealt.played,
        spotted=dealt.spotted,
        of=dealt.of,
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
