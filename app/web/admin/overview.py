"""The overview: whether the game is healthy, whether the generator gets better, and what needs a person."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.db import archives, generators, held, jobs, reports, rollups, stock, workers
from app.db.archives import Archive
from app.db.rollups import Played, day_of
from app.db.session import now, reading
from app.game.schedules import next_time
from app.web.admin import attention, views
from app.web.admin.attention import Standing
from app.web.admin.office import Here, Office, Viewing

router = APIRouter(include_in_schema=False)
DAYS = 30
WEEK = 7
JOBS = 12  # that are listed
ALIVE = timedelta(seconds=30)


@dataclass(frozen=True)
class Span:
    """Sums over some days, of real players."""

    players: int | None  # None: players of several days cannot be added up
    newcomers: int
    guesses: int
    fooled: int
    accepted: int


@router.get("")
def show_overview(request: Request, here: Here, admin: Viewing) -> Response:
    """Today and the last thirty days."""
    at = now()
    with reading(here.engine) as connection:
        values = _figures(connection, here, at)
    return views.page(request, "overview.html", admin, **values)


def _figures(connection: Connection, here: Office, at: datetime) -> dict[str, Any]:
    today = day_of(at)
    since = today - DAYS + 1
    listed = archives.listing(connection)
    played = rollups.played(connection, since)
    attended = rollups.attended(connection, since)
    labels = rollups.labels_by_status(connection, today - 2 * DAYS + 1)
    standings = [_standing(connection, here, archive, played, at) for archive in listed]
    open_jobs = stock.open_jobs(connection, JOBS)
    alive = workers.listing(connection, at - ALIVE)
    last = workers.last_heard_of(connection)
    week_ago = at - timedelta(days=WEEK)
    label_alarm = rollups.label_alarm(labels, today)
    waiting = reports.count_open(connection)
    ended = [job for job in jobs.listing(connection, limit=JOBS) if job.state not in jobs.OPEN]
    return {
        "needs": attention.needs(
            standings,
            workers=len(alive),
            silence=views.ago(last.heartbeat_at) if last is not None else None,
            failed=stock.count_failed(connection, week_ago),
            broken=here.troubles.within(timedelta(days=1), at),
            reports=waiting,
            held=held.count(connection),
            queued=stock.count_queued(connection),
            label_alarm=label_alarm,
        ),
        "today": _span([row for row in played if row.day == today], attended, [today]),
        "month": _span(played, attended, range(since, today + 1)),
        "best_day": max((day.players for day in attended.values()), default=0),
        "standings": list(zip(listed, standings, strict=True)),
        "by_generator": by_generator(connection, listed, played),
        "by_day": by_day(connection, listed, played),
        "labels": _by_status(labels, since),
        "label_alarm": label_alarm,
        "jobs": [*open_jobs, *ended[: JOBS - len(open_jobs)]],
        "failed": stock.failed_jobs(connection, week_ago),
        "troubles": here.troubles,
        "workers": alive,
        "last_worker": last,
        "next_retrain": next_time(here.retrain_cron, at),
        "days": DAYS,
    }


def by_generator(connection: Connection, listed: list[Archive], played: list[Played]) -> list[dict[str, Any]]:
    """Fool rates of the last thirty days, a row a generator, those at play first."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in played:
        sums[row.generator_id][0] += row.guesses
        sums[row.generator_id][1] += row.fooled
    rows = []
    for archive in listed:
        parts = {arm.generator_id: name for name, arm in sorted(generators.arms_of(connection, archive.id).items())}
        for generator in generators.listing(connection, archive.id):
            guesses, fooled = sums.get(generator.id, [0, 0])
            if guesses or generator.id in parts:
                part = parts.get(generator.id, "")
                rows.append(
                    {"archive": archive, "generator": generator, "part": part, "guesses": guesses, "fooled": fooled}
                )
    return sorted(rows, key=lambda row: (row["part"] == "", -row["guesses"]))


def by_day(connection: Connection, listed: list[Archive], played: list[Played]) -> list[tuple[Played, str]]:
    """What the chart shows, the newest first, each with the name of its generator."""
    names = {
        made.id: f"{archive.slug} {made.name}"
        for archive in listed
        for made in generators.listing(connection, archive.id)
    }
    return [(row, names[row.generator_id]) for row in reversed(played) if row.generator_id in names]


def _standing(connection: Connection, here: Office, archive: Archive, played: list[Played], at: datetime) -> Standing:
    shelf = stock.shelf(connection, archive.id, here.sample_retires_after)
    today = day_of(at)
    so_far = sum(row.guesses for row in played if row.day == today and row.archive_id == archive.id)
    # The first hour of a day says little about its pace.
    hours = max(1.0, at.hour + at.minute / 60)
    per_day = so_far / hours * 24
    return Standing(
        slug=archive.slug,
        paused=archive.paused,
        has_champion=bool(generators.arms_of(connection, archive.id)),
        shelf=shelf.samples,
        shelf_days=shelf.guesses_left / per_day if per_day else None,
        deck=stock.deck_size(connection, archive.id),
    )


def _span(played: list[Played], attended: dict[int, rollups.Attending], days: Any) -> Span:
    here = [attended[day] for day in days if day in attended]
    return Span(
        players=here[0].players if len(here) == 1 and len(list(days)) == 1 else (0 if not here else None),
        newcomers=sum(day.newcomers for day in here),
        guesses=sum(row.guesses for row in played),
        fooled=sum(row.fooled for row in played),
        accepted=sum(row.accepted for row in played),
    )


def _by_status(labels: dict[tuple[int, str, str], int], since: int) -> list[tuple[str, str, int]]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for (day, status, reason), count in labels.items():
        if day >= since:
            sums[status, reason] += count
    return [(status, reason, count) for (status, reason), count in sorted(sums.items())]
