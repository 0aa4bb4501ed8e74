"""An archive's own settings in the dashboard."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from app.db import archives, jobs
from app.db.session import reading, writing
from app.db.tables import archives as table
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


def seen(page, form):
    return re.search(rf'/{form}"[^>]*><input type="hidden" name="seen" value="(\w+)"', page)[1]


@pytest.mark.parametrize(
    ("form", "first", "second"),
    [
        ("settings", FORM, FORM | {"zone": "UTC"}),
        ("describe", {"name": "The Mayor"}, {"name": "Mayor", "basis": "own"}),
    ],
)
def test_what_another_admin_changed_meanwhile_is_not_taken_back_unnoticed(desk, form, first, second):
    path = f"/admin/archives/mayor/{form}"
    mark = seen(desk.said("/admin/archives/mayor"), form)
    assert desk.another().signed_in("Ada").post(path, **first, seen=mark).status_code == 303
    before = stored(desk)
    late = desk.post(path, **second, seen=mark)
    assert (late.status_code, "Somebody else has changed mayor" in late.text) == (409, True)
    assert stored(desk) == before
    assert desk.post(path, **second, seen=seen(desk.said("/admin/archives/mayor"), form)).status_code == 303


def test_a_description_is_kept_in_one_line_and_noted(desk):
    desk.post("/admin/archives/mayor/describe", name="Mayor", description=" A town,\n made up. ", basis="own")
    assert stored(desk).description == "A town, made up."
    with reading(desk.engine) as connection:
        noted = connection.execute(select(audit.c.before, audit.c.after).order_by(audit.c.id.desc()).limit(1)).one()
    assert [each["description"] for each in noted] == [None, "A town, made up."]
    assert 'value="A town, made up."' in desk.said("/admin/archives/mayor")


def test_a_private_persons_archive_stays_behind_its_invitation(desk):
    desk.post("/admin/archives/mayor/describe", name="Mayor", basis="permission")
    invite = stored(desk).invite
    assert invite is not None
    refused = desk.post("/admin/archives/mayor/settings", **FORM | {"admission": "everybody"})
    assert (refused.status_code, "stays behind its invitation" in refused.text) == (422, True)
    assert stored(desk).invite == invite
    desk.post("/admin/archives/mayor/describe", name="Mayor", basis="public")
    desk.post("/admin/archives/mayor/settings", **FORM | {"admission": "everybody"})
    assert stored(desk).invite is None


def test_what_cannot_be_is_refused_and_changes_nothing(desk):
    for wrong, words in (
        ({"retrain_cron": "at night"}, "no cron expression"),
        ({"retrain_cron": "0 0 31 2 *"}, "a time that comes"),
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


def renewals(desk):
    """The jobs that write the shelf anew: what names may then do, and how each stands."""
    with reading(desk.engine) as connection:
        found = [job for job in jobs.listing(connection) if "name_others" in job.arguments]
    return [(job.arguments["name_others"], job.state) for job in reversed(found)]


def test_names_of_others_leave_at_once_and_come_back_with_a_new_shelf(desk):
    assert stored(desk).may_name_others
    desk.post("/admin/archives/mayor/settings", **FORM | {"names": "out"})
    assert not stored(desk).may_name_others
    assert renewals(desk) == [(False, "queued")]
    desk.post("/admin/archives/mayor/settings", **FORM | {"names": "in"})
    assert not stored(desk).may_name_others  # a name would tell the tweet while no sample holds any
    assert renewals(desk) == [(False, "cancelled"), (True, "queued")]
    assert "the shelf is written anew" in desk.said("/admin/archives/mayor")
    desk.post("/admin/archives/mayor/settings", **FORM | {"names": "out"})
    assert renewals(desk) == [(False, "cancelled"), (True, "cancelled")]
    desk.post("/admin/archives/mayor/settings", **FORM)
    assert not stored(desk).may_name_others


def test_a_right_keeps_names_out_and_another_right_alone_lets_none_in(desk):
    desk.post("/admin/archives/mayor/describe", name="Mayor", basis="permission")
    archive = stored(desk)
    assert (archive.may_name_others, archive.own.name_others) == (False, None)
    assert archive.invite
    assert renewals(desk) == [(False, "queued")]
    assert "keep a card out of the game" in desk.said("/admin/archives/mayor")
    desk.post("/admin/archives/mayor/describe", name="Mayor", basis="public")
    assert not stored(desk).may_name_others


def test_an_archive_that_nobody_plays_yet_lets_names_in_at_once(desk):
    with writing(desk.engine) as connection:
        connection.execute(update(table).values(basis="own"))
        connection.exec_driver_sql("DELETE FROM arms")
    desk.post("/admin/archives/mayor/settings", **FORM | {"names": "in"})
    assert stored(desk).may_name_others
    assert renewals(desk) == []
