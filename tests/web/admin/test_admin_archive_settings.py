"""An archive's own settings in the dashboard."""

from __future__ import annotations

from sqlalchemy import select

from app.db import archives
from app.db.session import reading
from app.db.tables import audit

FORM = {
    "schedule": "own",
    "retrain_cron": "30 4 * * 1",
    "zone": "Europe/Berlin",
    "quiet_from": "8",
    "quiet_to": "18",
    "retrain_min_labels": "25",
    "deck": "own",
    "deck_include": "thread",
    "admission": "invited",
}


def stored(desk):
    with reading(desk.engine) as connection:
        return archives.find(connection, "mayor")


def test_what_is_filled_in_is_kept_shown_and_noted(desk):
    assert desk.post("/admin/archives/mayor/settings", **FORM).status_code == 303
    archive = stored(desk)
    assert archive.own.to_json() == {
        "retrain_cron": "30 4 * * 1",
        "retrain_min_labels": 25,
        "deck_include": ("thread",),
        "zone": "Europe/Berlin",
        "quiet": (8, 18),
    }
    page = desk.said("/admin/archives/mayor")
    assert f"/i/{archive.invite}" in page
    assert page.count(" 04:30</time>") == 5
    with reading(desk.engine) as connection:
        assert "archive set" in set(connection.scalars(select(audit.c.what)))


def test_an_invitation_stays_until_a_new_one_is_asked_for(desk):
    desk.post("/admin/archives/mayor/settings", **FORM)
    first = stored(desk).invite
    desk.post("/admin/archives/mayor/settings", **FORM)
    assert stored(desk).invite == first
    desk.post("/admin/archives/mayor/settings", **FORM | {"admission": "new link"})
    assert stored(desk).invite not in (None, first)
    desk.post("/admin/archives/mayor/settings", **FORM | {"admission": "everybody"})
    assert stored(desk).invite is None


def test_what_cannot_be_is_refused_and_changes_nothing(desk):
    for wrong, words in (
        ({"retrain_cron": "at night"}, "no cron expression"),
        ({"retrain_cron": ""}, "Fill in a cron expression"),
        ({"zone": "Nowhere"}, "zone: found"),
        ({"retrain_min_labels": "many"}, "Expected numbers"),
        ({"deck_include": "quotes"}, "deck_include: found"),
    ):
        refused = desk.post("/admin/archives/mayor/settings", **FORM | wrong)
        assert refused.status_code == 422
        assert words in refused.text
    assert stored(desk).own.to_json() == {}


def test_a_viewer_sets_nothing(viewer):
    assert viewer.post("/admin/archives/mayor/settings", **FORM).status_code == 403
