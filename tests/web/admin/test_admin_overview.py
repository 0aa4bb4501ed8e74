"""The overview: figures of today and of thirty days, and what needs a person."""

from __future__ import annotations

import json
from datetime import timedelta

from factories import add_archive, add_tweets

from app.db import jobs, rollups, tallies, workers
from app.db.rollups import Attending, LabelKey, day_of
from app.db.session import now, writing
from app.db.tallies import Count, TallyKey
from app.game.alarms import alarm
from app.web.admin.attention import Standing, needs
from app.web.admin.views import plain, told


def play(desk, guesses, fooled, days_ago=0, crowd="real"):
    day = day_of(now()) - days_ago
    with writing(desk.engine) as connection:
        tallies.add(connection, {TallyKey(1, 1, day, "endless", crowd): Count(guesses, fooled, guesses)})
        rollups.attend(connection, {(day, crowd): Attending(7, 2)})


def test_today_and_the_last_thirty_days_are_told_apart(desk):
    play(desk, 1200, 300)
    play(desk, 5000, 2000, days_ago=29)
    play(desk, 90_000, 9, days_ago=30)
    page = desk.said("/admin")
    assert "1,200" in page
    assert "6,200" in page
    assert "25.0 %" in page
    assert "37.1 %" in page
    assert "96,200" not in page


def test_simulated_players_do_not_count(desk):
    play(desk, 1234, 300, crowd="simulated speller")
    assert "1,234" not in desk.said("/admin")


def test_the_chart_holds_each_generators_rate_by_day(desk):
    play(desk, 100, 40)
    play(desk, 100, 30, days_ago=1)
    item = desk.get("/admin/charts/fool-rates.json")
    assert item.headers["content-type"] == "application/json"
    assert "v1" in item.text
    assert "0.4" in json.dumps(item.json())


def test_a_first_day_stands_on_an_axis_of_a_week_with_its_interval(desk):
    play(desk, 100, 40)
    roots = desk.get("/admin/charts/fool-rates.json").json()["doc"]["roots"][0]["attributes"]
    span = roots["x_range"]["attributes"]
    assert span["end"] - span["start"] == 7 * 86_400_000
    assert "Segment" in {one["attributes"]["glyph"]["name"] for one in roots["renderers"]}


def test_a_model_card_is_told_in_words():
    base = {"archives": [{"slug": "a", "tweets": 3}, {"slug": "b", "tweets": 4}], "name": None}
    assert told(base) == "archives: (slug: a, tweets: 3); (slug: b, tweets: 4), name: none"
    assert list(map(plain, (1.6199105, 421.0, 348960, "lstm"))) == ["1.62", "421", "348,960", "lstm"]


def test_the_dashboard_alone_may_style_itself_where_it_stands(desk):
    policy = desk.get("/admin").headers["content-security-policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe" not in desk.get("/api/archives").headers["content-security-policy"]


def test_labels_are_shown_by_status_and_reason(desk):
    day = day_of(now())
    with writing(desk.engine) as connection:
        rollups.count_labels(connection, {LabelKey(1, day, "excluded", "too quick"): 4321})
    page = desk.said("/admin")
    assert "4,321" in page
    assert "too quick" in page


def test_a_missing_worker_is_the_first_thing_said(desk):
    assert "No worker is alive" in desk.said("/admin")
    with writing(desk.engine) as connection:
        workers.beat(connection, "work-1", trains=True, at=now())
    assert "Nothing needs you" in desk.said("/admin")


def test_a_failed_job_needs_somebody(desk):
    with writing(desk.engine) as connection:
        workers.beat(connection, "work-1", trains=True, at=now())
        asked = jobs.ask(connection, "train", 1, {}, asked_by="Ada", at=now())
        job = jobs.begin(connection, asked, "work-1", now())
        jobs.finish(connection, job.claim, "failed", "the disk is full", now())
    page = desk.said("/admin")
    assert "1 job failed in the last seven days" in page
    assert "the disk is full" in page


def test_an_archive_without_a_generator_needs_one(desk):
    with writing(desk.engine) as connection:
        workers.beat(connection, "work-1", trains=True, at=now())
        add_tweets(connection, add_archive(connection, "young"), ["a tweet that is long enough to be a card"])
    assert "young has no generator yet" in desk.said("/admin")


def test_a_shelf_that_runs_out_today_needs_somebody():
    low = Standing("mayor", paused=False, has_champion=True, shelf=10, shelf_days=0.25, deck=900)
    found = needs([low], workers=1, failed=0, reports=0, queued=0, label_alarm=None)
    assert found == [("The shelf of mayor lasts 6 hours at today's pace.", "/admin/archives/mayor")]


def test_the_alarm_goes_when_the_excluded_share_jumps():
    assert alarm(150, 500, 400, 4000) == "30% of this week's labels do not teach; before it were 10%"


def test_the_alarm_is_quiet_on_chance_and_on_few_labels():
    assert alarm(55, 500, 400, 4000) is None
    assert alarm(30, 60, 400, 4000) is None


def test_a_worker_that_fell_silent_is_not_alive(desk):
    with writing(desk.engine) as connection:
        workers.beat(connection, "work-1", trains=True, at=now() - timedelta(minutes=5))
    assert "No worker is alive" in desk.said("/admin")
