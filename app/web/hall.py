"""The hall: what fooled the most and what was seen through, which tweets were doubted, and the family of generators."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.db import generators, hall, tallies
from app.db.hall import Doubted, Rated
from app.db.session import now, reading, writing
from app.game import hanging
from app.game.hanging import Group, Member
from app.game.scoring import SHOWN_FROM
from app.game.shelf import ARMS
from app.web import pictures
from app.web.discretion import may_hear_of
from app.web.entries import Entry
from app.web.pictures import Caption
from app.web.problems import Problem
from app.web.rendering import NO_STORE, html
from app.web.services import Services, apart, services

router = APIRouter(include_in_schema=False)

FRESH = 60.0  # seconds that an archive's figures are kept
DOUBTED = 8  # tweets that are shown
FAMILY = 60  # generators that are shown, the newest
PICTURES = 100  # kept in memory, 40 kB each
NOINDEX = {"X-Robots-Tag": "noindex"}


@dataclass(frozen=True)
class Figures:
    """What the hall knows of an archive, the same for every visitor."""

    at: float
    rated: list[Rated]
    doubted: list[Doubted]
    family: list[tuple[int, Member]]


@dataclass(frozen=True)
class View:
    """What one visitor sees."""

    groups: list[Group[Rated]]
    doubted: list[Doubted]
    waiting: int  # tweets that this visitor has yet to meet
    family: list[tuple[int, Member]]


@dataclass(frozen=True)
class Hall:
    """Figures and pictures that were made lately."""

    figures: dict[int, Figures] = field(default_factory=dict)
    pictures: OrderedDict[tuple[int, int, int], bytes] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def mount(app: FastAPI) -> None:
    """Open the hall in an application."""
    app.state.hall = Hall()
    app.include_router(router)


@router.get("/hall")
async def main_hall(request: Request) -> Response:
    """The hall of the main archive."""
    return await _show(request, None)


@router.get("/hall/{number}.png")
async def sample_picture(number: str, request: Request) -> Response:
    """The picture of a sample."""
    sample, entry = await _hanging(request, number)
    if not await to_thread.run_sync(pictures.is_told, sample.text):
        raise Problem(404, "not-found", "this text is in a script that is not drawn here")
    kept: Hall = request.app.state.hall
    name = (sample.id, sample.guesses, sample.fooled)
    content = kept.pictures.get(name)
    if content is None:
        content = await to_thread.run_sync(pictures.picture, sample.text, _caption(sample, entry))
        kept.pictures[name] = content
        while len(kept.pictures) > PICTURES:
            kept.pictures.popitem(last=False)
    # A cache between would hand a picture to those who have no invitation.
    whose = "private" if entry.archive.invite else "public"
    headers = NOINDEX | {"Cache-Control": f"{whose}, max-age=3600"}
    return Response(content, headers=headers, media_type="image/png")


@router.get("/hall/{number}")
async def sample_page(number: str, request: Request) -> Response:
    """A sample by itself, to be shared: it says of itself what it is."""
    sample, entry = await _hanging(request, number)
    caption = _caption(sample, entry)
    base = str(request.base_url).rstrip("/")
    has_picture = await to_thread.run_sync(pictures.is_told, sample.text)
    shown: dict[str, Any] = {"sample": sample, "caption": caption, "base": base, "has_picture": has_picture}
    return html("sample.html", here="/hall", **shown, **_of(entry))


@router.get("/hall/of/{slug}")
async def archive_hall(slug: str, request: Request) -> Response:
    """The hall of an archive."""
    return await _show(request, slug)


async def _show(request: Request, slug: str | None) -> Response:
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    entry = house.catalogue.find(slug, visitor.invites)
    if entry is None:
        raise Problem(404, "no-archive", "there is no such archive")
    kept: Hall = request.app.state.hall
    view = await apart(lambda: _view(house, _figures(house, kept, entry), visitor.key, entry))
    archives = [other.archive for other in house.catalogue.ranked(visitor.invites)]
    shown: dict[str, Any] = {"view": view, "archives": archives, "shown_from": SHOWN_FROM}
    return html("hall.html", headers=NO_STORE | NOINDEX, here="/hall", **shown, **_of(entry))


def _of(entry: Entry) -> dict[str, Any]:
    return {"archive": entry.archive, "unit": entry.archive.unit}


async def _hanging(request: Request, number: str) -> tuple[Rated, Entry]:
    """A sample that is out of the game for everybody, and long enough for every open round to have run out."""
    house = services(request)
    visitor = house.identity.visitor(request)
    house.limit("pages", visitor)
    before = now() - house.round_life
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Problem(404, "not-found", "nothing hangs here")

    def find() -> Rated | None:
        with reading(house.engine) as connection:
            return hall.find(connection, int(number))

    sample = await apart(find)
    entry = house.catalogue.by_id(sample.archive_id) if sample else None
    if sample is None or entry is None or not entry.admits(visitor.invites) or not _hangs(sample, before):
        raise Problem(404, "not-found", "nothing hangs here")
    if not entry.shows(sample.text):
        raise Problem(404, "not-found", "nothing hangs here")
    return sample, entry


def _hangs(sample: Rated, before: datetime) -> bool:
    """Whether a sample was hung before that moment.

    Rounds that were dealt before it was hung can still be open; a round's life later they have run out.
    """
    return sample.hung_at is not None and sample.hung_at < before


def _caption(sample: Rated, entry: Entry) -> Caption:
    archive = entry.archive
    name = f"@{archive.handle}" if archive.handle else archive.name
    return Caption(f"v{sample.generator}", name, sample.fooled, sample.guesses, archive.unit)


def _figures(house: Services, kept: Hall, entry: Entry) -> Figures:
    archive_id = entry.archive.id
    with kept.lock:
        known = kept.figures.get(archive_id)
        if known is not None and time.monotonic() - known.at < FRESH:
            return known
        with writing(house.engine) as connection:
            hall.hang(connection, archive_id, now())
        with reading(house.engine) as connection:
            found = Figures(
                time.monotonic(),
                hall.rated(connection, archive_id),
                hall.doubted(connection, archive_id),
                _family(connection, archive_id),
            )
        kept.figures[archive_id] = found
        return found


def _view(house: Services, figures: Figures, key: bytes, entry: Entry) -> View:
    before = now() - house.round_life
    tweet_ids, sample_ids = {tweet.id for tweet in figures.doubted}, {sample.id for sample in figures.rated}
    with reading(house.engine) as connection:
        met_tweets, met_samples = may_hear_of(connection, key, tweet_ids, sample_ids)
        # The figures may be a minute old: what was hidden meanwhile is not shown.
        gone_tweets, gone_samples = hall.hidden(connection, tweet_ids, sample_ids)
    rated = [sample for sample in figures.rated if sample.id not in gone_samples and entry.shows(sample.text)]
    all_doubted = [tweet for tweet in figures.doubted if tweet.id not in gone_tweets and entry.shows(tweet.text)]
    shown = [sample for sample in rated if sample.id in met_samples or _hangs(sample, before)]
    doubted = [tweet for tweet in all_doubted if tweet.id in met_tweets]
    top = all_doubted[:DOUBTED]
    waiting = sum(tweet.id not in met_tweets for tweet in top)
    return View(hanging.groups(shown), doubted[:DOUBTED], waiting, figures.family)


def _family(connection: Connection, archive_id: int) -> list[tuple[int, Member]]:
    arms = generators.arms_of(connection, archive_id)
    counts = tallies.by_generator(connection, archive_id)
    members = []
    for each in generators.listing(connection, archive_id)[-FAMILY:]:
        real = counts.get(each.id, {}).get("real", tallies.Count())
        parts = tuple(name for name in ARMS if name in arms and arms[name].generator_id == each.id)
        members.append(Member(each.id, each.parent_id, each.name, parts, real.guesses, real.fooled))
    return hanging.family(members)
