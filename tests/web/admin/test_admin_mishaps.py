"""Mishaps of admins: what was cancelled, what is done already, addresses with odd values, a worker that fell silent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from test_admin_archives import send, work
from test_admin_cards import guess

from app.db import audit, jobs, uploads, workers
from app.db.session import now, reading, writing
from app.game.own_settings import OwnSettings
from app.jobs import previewing
from app.jobs.hold import Hold
from app.jobs.workshop import Interrupted, Workshop
from app.web.admin.schedule import next_times


def newest_job(desk):
    with reading(desk.engine) as connection:
        return jobs.listing(connection, limit=1)[0]


def kept(desk):
    with reading(desk.engine) as connection:
        return audit.following(connection)


def test_a_look_that_was_cancelled_is_told_and_asked_for_again(desk):
    where = send(desk).headers["location"]
    assert "No worker is alive" in desk.said(where)
    gone = desk.post(f"/admin/jobs/{newest_job(desk).id}/cancel")
    assert "It is cancelled." in desk.said(gone.headers["location"])
    page = desk.said(where)
    assert "The look into it came to nothing: cancelled before it began" in page
    assert 'data-live="shown"' in page
    assert "Look again" in page
    desk.post(f"/admin/jobs/{newest_job(desk).id}/again")
    assert 'data-live="running"' in desk.said(where)
    work(desk)
    assert "61 rows" in desk.said(where)


def test_a_file_that_is_imported_says_so_and_is_not_thrown_away_meanwhile(desk):
    where = send(desk).headers["location"]
    work(desk)
    desk.post(f"{where}/import", slug="boats", basis="public")
    assert "It is being imported" in desk.said(where)
    assert "Throw the file away" not in desk.said(where)
    assert desk.post(f"{where}/drop").status_code == 409
    assert "60 tweets added" in work(desk)
    page = desk.said(where)
    assert "It was imported" in page
    assert "60 tweets added" in page


def test_an_import_that_is_asked_for_again_holds_its_file(desk):
    where = send(desk).headers["location"]
    work(desk)
    desk.post(f"{where}/import", slug="boats", basis="public")
    asked = newest_job(desk).id
    desk.post(f"/admin/jobs/{asked}/cancel")
    assert "The import came to nothing" in desk.said(where)
    desk.post(f"/admin/jobs/{asked}/again")
    assert "It is being imported" in desk.said(where)


def test_a_file_that_was_thrown_away_while_it_was_looked_into_stays_away(desk):
    where = send(desk).headers["location"]
    number = int(where.rpartition("/")[2])
    desk.post(f"{where}/drop")
    with writing(desk.engine) as connection:
        uploads.note_preview(connection, number, "failed", {"trouble": "no such file"})
    assert desk.get(where).status_code == 404
    assert where not in desk.said("/admin/archives")


def test_a_file_that_is_thrown_away_before_it_came_is_not_fetched(desk):
    where = desk.post("/admin/uploads/fetch", url="https://example.org/tweets.csv").headers["location"]
    desk.post(f"{where}/drop")
    assert newest_job(desk).state == "cancelled"


def test_a_file_that_arrives_after_it_was_thrown_away_leaves_nothing(desk, monkeypatch, tmp_path):
    where = desk.post("/admin/uploads/fetch", url="https://example.org/tweets.csv").headers["location"]

    def fetched(url, target, **_):
        target.parent.mkdir(parents=True)
        target.write_text("text\nThe harbour is open.\n")
        size = target.stat().st_size
        desk.post(f"{where}/drop")
        target.parent.mkdir(exist_ok=True)
        target.touch()  # what the worker writes in that very moment
        return size

    monkeypatch.setattr(previewing, "fetch", fetched)
    job, workshop = newest_job(desk), Workshop(desk.engine, tmp_path)
    with pytest.raises(Interrupted):
        previewing.fetch_upload(workshop, job, Hold(desk.engine, job.claim), lambda name, work: work())
    assert not Path(job.arguments["path"]).parent.exists()
    assert desk.get(where).status_code == 404


def test_a_file_that_no_row_tells_of_does_not_stay(desk, monkeypatch):
    def away(*_, **__):
        raise OperationalError("INSERT", {}, Exception("the database is away"))

    monkeypatch.setattr(uploads, "add", away)
    assert send(desk).status_code == 503
    assert list((desk.settings.data_dir / "uploads").glob("*")) == []


def test_a_job_whose_worker_fell_silent_says_so(desk):
    with writing(desk.engine) as connection:
        asked = jobs.ask(connection, "restock", 1, {}, asked_by="Ada", at=now())
        jobs.begin(connection, asked, "work-1", now())
        workers.beat(connection, "work-1", trains=True, at=now() - timedelta(minutes=9))
    assert "has not been heard of lately" in desk.said(f"/admin/jobs/{asked}")
    with writing(desk.engine) as connection:
        workers.beat(connection, "work-1", trains=True, at=now())
    assert "has not been heard of lately" not in desk.said(f"/admin/jobs/{asked}")


@pytest.mark.parametrize(
    "address",
    [
        *("/admin/samples?before=x", "/admin/labels?before=", "/admin/samples?before=99999999999999999999999"),
        *("/admin/generators/compare?left=1", "/admin/jobs/x", "/admin/nowhere", "/admin/labels.pdf?archive=mayor"),
    ],
)
def test_an_odd_address_is_answered_on_a_page_of_the_dashboard(desk, address):
    answer = desk.get(address)
    assert answer.status_code in (404, 422)
    assert '<nav aria-label="Dashboard">' in answer.text
    assert 'href="/daily"' not in answer.text


def test_a_form_with_an_odd_value_is_answered_on_a_page_of_the_dashboard(desk):
    answer = desk.post("/admin/generators/1/canary", share="900", reason="why not")
    assert answer.status_code == 422
    assert '<nav aria-label="Dashboard">' in answer.text
    assert "Share: Input should be less than or equal to 80." in answer.text


def test_a_broken_database_is_told_on_a_page_of_the_dashboard(desk):
    with writing(desk.engine) as connection:
        connection.execute(text("DROP TABLE admin_sessions"))
    answer = desk.get("/admin/audit")
    assert answer.status_code == 503
    assert "To the overview" in answer.text


def test_a_label_read_anew_leads_back_and_is_kept_with_what_was_before(desk):
    number = guess(desk, 1)
    asked = "/admin/labels?verdict=fooled"
    assert f'name="back" value="{asked}"' in desk.said(asked)
    gone = desk.post(f"/admin/labels/{number}", status="excluded", back=asked)
    assert gone.headers["location"] == asked
    last = kept(desk)[-1]
    assert (last.what, last.before["status"], last.after["status"]) == ("label read anew", "accepted", "excluded")
    assert desk.post("/admin/labels/999", status="excluded").status_code == 404
    assert kept(desk)[-1].id == last.id


def test_times_that_quiet_hours_put_off_are_shown_once():
    own = OwnSettings(retrain_cron="0 * * * *", quiet=(22, 7), zone="Europe/Berlin")
    times = next_times("", own, datetime(2026, 3, 28, 20, 30, tzinfo=UTC))  # the night in which summer time begins
    assert [f"{at:%d %H:%M}" for at in times] == ["29 07:00", "29 08:00", "29 09:00", "29 10:00", "29 11:00"]
    assert {at.utcoffset() for at in times} == {timedelta(hours=2)}


def test_times_of_the_nights_in_which_the_clock_is_changed_are_all_shown():
    own = OwnSettings(retrain_cron="30 2 * * *", zone="Europe/Berlin")
    for moment in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        times = next_times("", own, moment)
        assert len({at.astimezone(UTC) for at in times}) == 5
        assert all(at.tzinfo == ZoneInfo("Europe/Berlin") for at in times)


def test_a_chart_without_figures_is_none(desk):
    with writing(desk.engine) as connection:
        asked = jobs.ask(connection, "train", 1, {}, asked_by="Ada", at=now())
    for address in ("/admin/charts/fool-rates.json", f"/admin/charts/jobs/{asked}.json"):
        assert desk.get(address).json() is None


def test_an_empty_game_says_what_comes_first(desk):
    with writing(desk.engine) as connection:
        connection.execute(text("UPDATE archives SET deleted_at = 1"))
    assert "There is nothing to train on yet" in desk.said("/admin/training")
    page = desk.said("/admin")
    assert "No archive yet." in page
    assert not re.search("data-chart", page)
