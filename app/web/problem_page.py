"""A problem as people see it: a page that says what happened and what comes next."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response
from starlette.routing import Match

from app.web.identity import OperatorUnknown
from app.web.problems import Problem
from app.web.rendering import html
from app.web.services import services


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as a page that says what happened and what comes next."""
    entry = services(request).catalogue.find(None, _invites(request))
    heading, words = _PROBLEMS.get(problem.kind, ("Something went wrong.", ""))
    command = None
    is_bare = problem.kind in ("shelf-empty", "no-archive") and entry is None
    if is_bare:
        heading = "There is nothing to play yet."
        words = "There is no account's archive yet. Whoever runs this game imports one, and trains a network on it:"
        command = "whichtweet import tweets.js --archive me --handle @me"
    is_shown = request.method == "GET" and problem.kind not in _ELSEWHERE
    # What was asked for by a form is gone back to: a page that reloads itself would lose what was sent.
    is_here = is_shown or (problem.status in (429, 503) and _is_page(request))
    href = problem.extra.get("instead") or (_here(request) if is_here else "/")
    return html(
        "message.html",
        status=problem.status,
        headers=problem.headers,
        unit=entry.archive.unit if entry else "tweet",
        heading=heading,
        words=words or sentence(problem.detail),
        command=command,
        is_writing=problem.kind == "shelf-empty" and not is_bare,
        again_in=problem.retry_after if is_shown else None,
        href=href,
        link="Try again" if is_here else "Play",
    )


def _invites(request: Request) -> frozenset[str]:
    try:
        return services(request).identity.visitor(request).invites
    except OperatorUnknown:
        return frozenset()  # it is what the page is about


def sentence(words: str) -> str:
    """A problem's detail, which begins and ends in the middle of a line, as people read it."""
    return words[:1].upper() + words[1:].rstrip(".") + "."


def _is_page(request: Request) -> bool:
    """Whether a browser that goes to the address of this request finds a page there."""
    asked = {**request.scope, "method": "GET"}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def _here(request: Request) -> str:
    # One slash alone: two would lead to another site.
    path = "/" + request.url.path.lstrip("/")
    return f"{path}?{request.url.query}" if request.url.query else path


# Asked for once more, the same address would say the same.
_ELSEWHERE = ("not-found", "no-archive", "no-card", "all-met", "no-daily", "practice-through", "method-not-allowed")

_PROBLEMS = {
    "shelf-empty": ("The network is still writing", ""),
    "untaught": ("No network has learned from it yet.", ""),
    "no-card": ("Nothing of this archive can be played.", ""),
    "all-met": ("You have met all of it.", ""),
    "no-class": ("This archive is too small for a class.", ""),
    "archive-paused": (
        "This archive is paused.",
        "Whoever runs this game has paused it. What you played is kept: come back later, or play another one.",
    ),
    "too-many-requests": ("Not so fast.", "That was a lot of rounds in a short time. Take a breath, then go on."),
    "database-away": ("One moment.", "The game cannot write down guesses just now. It will be back shortly."),
    "not-found": ("There is nothing here.", "The link may be incomplete, or what it led to is gone."),
    "set-through": ("You have played all of it.", "Every round of this set is answered."),
    "practice-through": ("You have met all of it.", ""),
    "too-few-rounds": ("Play ten rounds first.", "A challenge is made of the last ten that you played."),
    "method-not-allowed": ("There is nothing here.", "This page opens by a button on another one: go there, press it."),
    "no-daily": ("This archive is too small for a daily.", ""),
    "no-archive": ("There is no such archive.", "Nobody has imported one under that name."),
    "not-our-round": ("That round is not yours.", "It was dealt in another browser. Have a new one."),
    "round-expired": ("That round has run out.", "It lay open for too long. Have a new one."),
    "round-superseded": ("That round has passed.", "You went on to another one since. Go on from there."),
    "desk-busy": ("One moment.", "Many are looking inside the network just now. It takes one reader at a time."),
    "no-network": ("The network is not here.", "The game goes on, but on this machine nobody can look inside it."),
    "round-open": ("A round of your class is open.", "What is yours is shown again when it is revealed."),
    "out-of-turn": ("There is another round open.", "Answer that one first."),
}  # fmt: skip
