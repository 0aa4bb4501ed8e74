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
    "archive-paused": "This archive is paused",
    "set-through": "You have played all of it",
    "practice-through": "You have met all that this network wrote",
    "too-few-rounds": "You have not played ten rounds yet",
    "no-daily": "This archive is too small for a daily",
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


def shelf_empty() -> Problem:
    """Nothing to deal."""
    return Problem(503, "shelf-empty", "the network is still writing: try again in a moment", retry_after=15)


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
    words = f"{found} of its {archive.unit}s can be dealt, a daily needs {needed}. Its endless rounds can be played."
    return Problem(404, "no-daily", words, instead=f"/a/{archive.slug}")


def database_away() -> Problem:
    """The database does not answer."""
    return Problem(503, "database-away", "the database does not answer: try again in a moment", retry_after=3)
