"""What is asked for when its time has come, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from factories import add_samples, words
from sqlalchemy import update
from stock import stock_generator

from app.db import archives, generators, jobs, rollups
from app.db.generators import Generator
from app.db.rollups import LabelKey, day_of
from app.db.session import now, reading, writing
from app.db.tables import samples as samples_table
from app.game.own_settings import OwnSettings
from app.jobs.due import ask_for_what_is_due, ask_for_what_is_learned, due_time
from app.jobs.workshop import Workshop


def test_a_shelf_as_full_as_it_gets_is_not_low(workshop: Workshop, generator: Generator) -> None:
    """An archive of its own that is filled up to less than the operator's mark would be restocked every few seconds."""
    workshop = replace(workshop, shelf_low=50, shelf_full=40)
    with writing(workshop.engine) as connection:
        add_samples(connection, 1, 1, [words(seed) for seed in range(40)])

    ask_for_what_is_due(workshop, now())
    with reading(workshop.engine) as connection:
        assert jobs.listing(connection) == []

    with writing(workshop.engine) as connection:
        connection.execute(update(samples_table).where(samples_table.c.id == 1).values(retired_stamp=9))
    ask_for_what_is_due(workshop, now())
    with reading(workshop.engine) as connection:
        assert [job.kind for job in jobs.listing(connection)] == ["restock"]


def test_a_generator_that_cannot_be_restocked_does_not_keep_another_from_it(
    workshop: Workshop, generator: Generator
) -> None:
    """The anchor of an open canary comes first, and its checkpoint is gone: the champion's shelf must not run dry."""
    champion = stock_generator(workshop, workshop.archive("gannet"), seed=1)
    with writing(workshop.engine) as connection:
        generators.place(connection, 1, "anchor", 1, 0.05, now())
        generators.place(connection, 1, "champion", champion.id, 0.95, now())
    asked = []
    for _ in range(3):
        ask_for_what_is_due(workshop, now())
        with writing(workshop.engine) as connection:
            job = jobs.claim(connection, "test", ("restock",), now())
            if job is not None:
                asked.append(job.arguments["generator"])
                jobs.finish(connection, job.claim, "failed", "the checkpoint is gone", now())

    assert asked == [1, champion.id]


def test_an_archive_is_retrained_by_its_own_schedule_and_not_in_quiet_hours() -> None:
    berlin = OwnSettings(zone="Europe/Berlin", quiet=(8, 18))
    nine = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)  # nine in the morning there
    assert due_time("0 9 * * *", nine, OwnSettings(zone="Europe/Berlin")) == nine
    assert due_time("0 9 * * *", nine + timedelta(minutes=5), berlin) is None
    assert due_time("0 9 * * *", nine + timedelta(hours=9, minutes=1), berlin) == nine
    assert due_time("0 9 * * *", nine + timedelta(hours=10), berlin) is None
    assert due_time("", nine, berlin) is None
    assert due_time("0 0 31 2 *", nine, berlin) is None


SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)  # clocks change at 01:00 UTC


def comes_at(cron: str, own: OwnSettings, day: datetime) -> list[str]:
    """When (UTC) a worker that looks every five minutes of the day finds that another time has come."""
    looks = [day + timedelta(minutes=minutes) for minutes in range(0, 24 * 60, 5)]
    first = {due: look for look in reversed(looks) if (due := due_time(cron, look, own)) is not None}
    return [f"{look:%H:%M}" for look in sorted(first.values())]


@pytest.mark.parametrize(
    ("cron", "zone", "quiet", "day", "times"),
    [
        ("45 1 * * *", "Europe/London", None, AUTUMN, ["00:45"]),  # 01:45 is there twice
        ("30 2 * * *", "Europe/Berlin", None, AUTUMN, ["00:30"]),
        ("0 3 * * *", "Europe/Berlin", None, AUTUMN, ["02:00"]),
        ("30 2 * * *", "Europe/Berlin", None, SPRING, ["01:00"]),  # 02:30 is not there
        ("0,30 2,3 * * *", "Europe/Berlin", None, SPRING, ["01:00", "01:30"]),
        ("30 1 * * *", "Europe/Berlin", (22, 2), SPRING, ["01:00"]),
        ("30 0 * * *", "Europe/London", (22, 1), AUTUMN, ["00:00"]),
        ("45 1 * * *", "Australia/Lord_Howe", None, datetime(2026, 4, 4, tzinfo=UTC), ["14:45"]),  # half an hour back
        ("15 2 * * *", "Australia/Lord_Howe", None, datetime(2026, 10, 3, tzinfo=UTC), ["15:30"]),
    ],
)
def test_a_daily_time_comes_once_on_days_on_which_clocks_change(
    cron: str, zone: str, quiet: tuple[int, int] | None, day: datetime, times: list[str]
) -> None:
    assert comes_at(cron, OwnSettings(zone=zone, quiet=quiet), day) == times


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Berlin", "America/New_York"])
def test_an_hourly_time_comes_every_hour_on_days_on_which_clocks_change(zone: str, day: datetime) -> None:
    assert comes_at("5 * * * *", OwnSettings(zone=zone), day) == [f"{hour:02}:05" for hour in range(24)]


def test_what_ended_in_a_future_that_the_clock_took_back_holds_up_nothing(
    workshop: Workshop, generator: Generator
) -> None:
    """The clock was a month ahead for a while, and jobs ended then."""
    moment = now()
    ahead = moment + timedelta(days=30)
    with writing(workshop.engine) as connection:
        for kind, state in (("restock", "failed"), ("retrain", "skipped")):
            asked = jobs.ask(connection, kind, 1, {"generator": generator.id}, asked_by="shelf", at=ahead)
            assert asked is not None
            jobs.finish(connection, jobs.begin(connection, asked, "test", ahead).claim, state, "odd", ahead)
        rollups.count_labels(connection, {LabelKey(1, day_of(moment), "accepted", ""): 9})

    ask_for_what_is_due(workshop, moment)
    ask_for_what_is_learned(replace(workshop, retrain_new_labels=5, retrain_min_labels=5), moment)

    with reading(workshop.engine) as connection:
        assert {job.kind for job in jobs.listing(connection) if job.state == "queued"} == {"restock", "retrain"}


def test_labels_bring_no_retraining_before_an_archive_has_as_many_as_it_needs(
    workshop: Workshop, generator: Generator
) -> None:
    """With a least of its own above the operator's number of new labels it was asked for, and skipped, every hour."""
    workshop, moment, asked = replace(workshop, retrain_new_labels=5), now(), []
    with writing(workshop.engine) as connection:
        archives.keep_settings(connection, generator.archive_id, OwnSettings(retrain_min_labels=8), None)
    for _ in range(2):
        with writing(workshop.engine) as connection:
            rollups.count_labels(connection, {LabelKey(1, day_of(moment), "accepted", ""): 6})
        ask_for_what_is_learned(workshop, moment)
        with reading(workshop.engine) as connection:
            asked.append([(job.kind, dict(job.arguments)) for job in jobs.listing(connection)])

    assert asked == [[], [("retrain", {"least_labels": 8})]]
