"""The census: what the database says of jobs, workers, labels and fool rates, asked when Prometheus asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.db.damage import reason
from app.db.session import now, reading
from app.db.tables import archives, jobs, label_tallies, tallies, workers

HEARD_OF = timedelta(seconds=30)  # a worker that is at work
LATELY = timedelta(days=1)  # of jobs that have ended
REAL = "real"

log = structlog.get_logger(__name__)


class Census(Collector):
    """Gauges that are read from the database; without it, only the one that says that it is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing beforehand: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as they stand now."""
        try:
            with reading(self._engine) as connection:
                found = [_jobs(connection), _workers(connection), _labels(connection), _fool_rate(connection)]
        except SQLAlchemyError as error:
            log.warning("census not taken", reason=reason(error))
            found = []
        up = GaugeMetricFamily("whichtweet_database_up", "Whether the database answers")
        up.add_metric([], bool(found))
        yield up
        yield from found


def _jobs(connection: Connection) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "whichtweet_jobs", "Jobs by state: open ones, and those that ended within a day", labels=["kind", "state"]
    )
    ended = jobs.c.finished_at >= now() - LATELY
    query = select(jobs.c.kind, jobs.c.state, func.count()).where(jobs.c.state.in_(("queued", "running")) | ended)
    for kind, state, number in connection.execute(query.group_by(jobs.c.kind, jobs.c.state)):
        family.add_metric([kind, state], number)
    return family


def _workers(connection: Connection) -> GaugeMetricFamily:
    family = GaugeMetricFamily("whichtweet_workers", "Workers at work, by whether they can train", labels=["trains"])
    heard = select(workers.c.trains).where(workers.c.heartbeat_at >= now() - HEARD_OF, workers.c.name.like("work-%"))
    trains = list(connection.scalars(heard))
    family.add_metric(["yes"], sum(trains))
    family.add_metric(["no"], len(trains) - sum(trains))
    return family


def _labels(connection: Connection) -> GaugeMetricFamily:
    family = GaugeMetricFamily("whichtweet_labels", "Labels as they stand, by status", labels=["archive", "status"])
    query = (
        select(archives.c.slug, label_tallies.c.status, func.sum(label_tallies.c.labels))
        .join(archives, archives.c.id == label_tallies.c.archive_id)
        .group_by(archives.c.slug, label_tallies.c.status)
    )
    for slug, status, number in connection.execute(query):
        family.add_metric([slug, status], float(number))
    return family


def _fool_rate(connection: Connection) -> GaugeMetricFamily:
    words = "Share of real players' guesses that took the sample for the tweet, today and yesterday (UTC)"
    family = GaugeMetricFamily("whichtweet_fool_rate", words, labels=["archive"])
    today = int(now().timestamp() // 86_400)
    query = (
        select(archives.c.slug, func.sum(tallies.c.fooled), func.sum(tallies.c.guesses))
        .join(archives, archives.c.id == tallies.c.archive_id)
        .where(tallies.c.crowd == REAL, tallies.c.day >= today - 1)
        .group_by(archives.c.slug)
    )
    for slug, fooled, guesses in connection.execute(query):
        family.add_metric([slug], float(fooled) / float(guesses))
    return family
