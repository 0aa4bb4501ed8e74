"""Problems: every error as application/problem+json (RFC 9457); domain errors are mapped here and nowhere else."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from app.db.archives import Archive

MEDIA_TYPE = "application/problem+json"


class ProblemBody(BaseModel):
    """What went wrong, in the form of RFC 9457."""

    type: str = Field(description="what kind of problem; a relative reference that never changes")
    title: str = Field(description="the kind in words")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what happened this time, and what to do")


class Problem(Exception):  # noqa: N818  # RFC 9457's own word
    """An answer that is no success.

    `kind` is the stable name of the problem; `extra` are further members of the body.
    """

    def __init__(self, status: int, kind: str, detail: str, *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        self.extra = extra

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.status == HTTPStatus.UNAUTHORIZED:  # RFC 9110 asks for how to show who one is, RFC 6750 for the error
            headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return headers

    def response(self) -> Response:
        """The answer itself."""
        body = {
            "type": f"/problems/{self.kind}",
            "title": TITLES.get(self.kind, HTTPStatus(self.status).phrase),
            "status": self.status,
            "detail": self.detail,
        }
        return Response(json.dumps(body | self.extra), self.status, self.headers, MEDIA_TYPE)


TITLES = {
    "not-our-round": "This is no round of yours",
    "round-expired": "This round has expired",
    "round-superseded": "This round is no longer open",
    "already-answered": "This round was answered before",
    "out-of-turn": "Another round is still open",
    "round-open": "A round of your class is open",
    "shelf-empty": "The network is still writing",
    "untaught": "No network has learned from it yet",
    "no-card": "Nothing of this archive can be a card",
    "all-met": "You have met all that is written so far",
    "archive-paused": "This archive is paused",
    "set-through": "You have played all of it",
    "practice-through": "You have met all that this network wrote",
    "too-few-rounds": "You have not played ten rounds yet",
    "no-daily": "This archive is too small for a daily",
    "no-class": "This archive is too small for a class",
    "no-archive": "There is no such archive",
    "too-many-requests": "Too many requests",
    "database-away": "The database does not answer",
    "bad-request": "The request is not as expected",
    "not-from-here": "Another site sent this",
    "too-large": "The request is too large",
    "not-found": "There is nothing here",
    "method-not-allowed": "This address does not take that method",
    "not-operator": "This operator's key is not ours",
    "desk-busy": "Many are looking inside",
    "no-network": "The network is not here",
    "internal": "Something broke",
}


def not_our_round() -> Problem:
    """A token that is damaged, foreign, or another player's: which one is nobody's business."""
    return Problem(422, "not-our-round", "the round is not one that was dealt to you: ask for a new one")


def shelf_empty(words: str = "nothing new is on its desk right now: try again in a moment") -> Problem:
    """Nothing to deal, or too little."""
    return Problem(503, "shelf-empty", words, retry_after=15)


def untaught() -> Problem:
    """No generator is at play."""
    words = "it is played once one has, and has written cards of its own: come back later"
    return Problem(503, "untaught", words, retry_after=60)


def no_card(archive: Archive, cards: int) -> Problem:
    """None of an archive's deck may be dealt, and that will stay so until more is imported or its settings change."""
    words = (
        f"none of the {cards} {archive.unit}s that it keeps for play makes a card: they are too short or too long, "
        "lean on others, or hold characters that its network cannot write"
    )
    return Problem(404, "no-card", words, instead="/ways")


def all_met() -> Problem:
    """A player has met every sample that may be dealt."""
    words = (
        "there is no card left here that you have not met. The network writes more as other players use them up: "
        "come back another day, or play another way"
    )
    return Problem(409, "all-met", words, instead="/ways")


def archive_paused() -> Problem:
    """An admin has paused the archive."""
    words = "whoever runs this game has paused this archive; what you played in it is kept"
    return Problem(503, "archive-paused", words, retry_after=60)


def practice_through(number: int) -> Problem:
    """Of a generator that is practised against nothing is left that the player has not met."""
    words = f"You have met every card that v{number} wrote. Practise against another network, or play on."
    return Problem(409, "practice-through", words, instead="/ways")


def no_daily(archive: Archive, found: int, needed: int) -> Problem:
    """An archive that never holds a daily: its endless rounds can be played."""
    words = f"{_too_few(archive, found, needed, 'daily')}. Its endless rounds can be played."
    return Problem(404, "no-daily", words, instead=f"/a/{archive.slug}")


def no_class(archive: Archive, found: int, needed: int) -> Problem:
    """An archive of which no ten rounds for a class can be made."""
    words = f"{_too_few(archive, found, needed, 'class')}: open one with another archive"
    return Problem(503, "no-class", words)


def _too_few(archive: Archive, found: int, needed: int, what: str) -> str:
    if found < needed:
        return f"{found} of its {archive.unit}s can be dealt, a {what} needs {needed}"
    # As many as are needed, but too far apart in the deck, or in length.
    return f"its cards make no {needed} pairs, as a {what} needs them"


def database_away() -> Problem:
    """The database does not answer."""
    return Problem(503, "database-away", "the database does not answer: try again in a moment", retry_after=3)
