"""The overview says what went wrong: jobs that failed, requests that were not answered, a worker that fell silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.db import jobs, workers
from app.db.session import now, writing
from app.web.admin.attention import needs
from app.web.troubles import KEPT, Troubles

HOUR = timedelta(hours=1)


def fail(desk, words, at):
    with writing(desk.engine) as connection:
        asked = jobs.ask(connection, "restock", 1, {}, asked_by="shelf", at=at)
        jobs.finish(connection, jobs.begin(connection, asked, "work-1", at).claim, "failed", words, at)


def test_failed_jobs_are_told_with_their_words_however_much_ran_since(desk):
    fail(desk, "the disk is full", now() - timedelta(days=6))
    fail(desk, "long ago", now() - timedelta(days=8))
    with writing(desk.engine) as connection:
        for _ in range(30):
            jobs.ask(connection, "judge", 1, {}, asked_by="schedule", at=now())
    page = desk.said("/admin")
    assert "the disk is full" in page
    assert "long ago" not in page
    assert 'href="/admin#errors">1 job failed' in page


def test_failed_and_waiting_jobs_are_all_counted_and_those_that_are_open_listed_first(desk):
    with writing(desk.engine) as connection:
        for _ in range(15):
            jobs.ask(connection, "judge", 1, {}, asked_by="schedule", at=now())
        running = jobs.ask(connection, "screen", 1, {}, asked_by="schedule", at=now())
        jobs.begin(connection, running, "work-1", now())
    for number in range(23):
        fail(desk, f"no. {number}", now())
    page = desk.said("/admin")
    assert "23 jobs failed in the last seven days." in page
    assert "15 jobs wait for it." in page
    assert page.count(">judge ") + page.count(">screen ") == 12


def test_counts_that_end_at_two_hundred_say_so():
    told = [words for words, _ in needs([], workers=1, failed=200, reports=200, held=1, queued=0, label_alarm=None)]
    assert "200 jobs or more failed in the last seven days." in told
    assert "200 reports or more of players wait to be read." in told
    assert "1 sample held back for a look." in told


def test_requests_that_were_not_answered_are_counted_without_what_was_asked(desk):
    with writing(desk.engine) as connection:
        connection.execute(text("DROP TABLE counts"))
        connection.execute(text("DROP TABLE classes"))
    stranger = TestClient(desk.client.app, raise_server_exceptions=False)
    assert stranger.get("/class/SECRET").status_code in (500, 503)
    page = desk.said("/admin")
    assert "1 request could not be answered in the last 24 hours" in page
    assert "<code>/class/{code}</code></td><td>database-away</td>" in page
    assert "SECRET" not in page


def test_the_newest_troubles_are_kept_and_all_are_counted():
    at = now()
    troubles = Troubles(at)
    for number in range(KEPT + 5):
        troubles.note(at + number * HOUR, "/a/{slug}", f"Error{number}")
    assert troubles.count == KEPT + 5
    assert [each.error for each in troubles.latest()][:2] == [f"Error{KEPT + 4}", f"Error{KEPT + 3}"]
    assert troubles.within(3 * HOUR, at + (KEPT + 4) * HOUR) == 4


def test_a_worker_away_for_an_hour_is_told_while_play_goes_on(desk):
    with writing(desk.engine) as connection:
        workers.beat(connection, "work-here-1", trains=True, at=now() - HOUR)
        jobs.ask(connection, "restock", 1, {}, asked_by="shelf", at=now() - HOUR)
    with TestClient(desk.client.app) as player:
        for _ in range(20):
            dealt = player.post("/api/rounds").json()
            told = player.post("/api/guesses", json={"round": dealt["round"], "pick": 0})
            assert told.status_code == 201
    page = desk.said("/admin")
    assert "No worker is alive (the last one was heard of 60 min ago)" in page
    assert "Play goes on from the shelf. 1 job waits for it." in page
    assert "work-here-1</code> was heard of 60 min ago" in page


def test_what_waits_is_counted():
    told = needs([], workers=0, failed=0, broken=2, reports=0, queued=2, label_alarm=None)
    assert told[1][0].endswith("2 jobs wait for it.")
    assert told[2] == ("2 requests could not be answered in the last 24 hours.", "/admin#errors")


@pytest.mark.parametrize(
    "path",
    [
        "/admin/players/99999999999999999999",
        "/admin/generators/compare?left=1&right=99999999999999999999",
        "/admin/labels?before=99999999999999999999",
    ],
)
def test_a_number_beyond_measure_is_refused_and_is_no_error_of_ours(desk, path):
    assert desk.get(path).status_code == 422
    assert "OverflowError" not in desk.said("/admin")
