"""The audit's page and file."""

from __future__ import annotations

import csv
import io

from app.db import audit
from app.db.audit import Change
from app.db.session import now, writing


def change(desk, what="sample hidden", who="Ada", **more):
    with writing(desk.engine) as connection:
        audit.note(connection, who, Change(what, "mayor sample 12", **more), now())


def test_a_change_shows_who_what_before_after_and_why(desk):
    change(desk, before={"hidden": False}, after={"hidden": True}, reason="names a neighbour")
    page = desk.said("/admin/audit")
    for words in ("Ada", "sample hidden", "mayor sample 12", "hidden: False", "hidden: True", "names a neighbour"):
        assert words in page


def test_what_somebody_typed_is_shown_harmlessly(desk):
    change(desk, reason="<script>alert(1)</script>")
    assert "<script>alert" not in desk.said("/admin/audit")


def test_older_changes_are_on_the_next_page(desk):
    for number in range(60):
        change(desk, what=f"change {number:02d}")
    first = desk.said("/admin/audit")
    assert "change 59" in first
    assert "change 05" not in first
    older = first.split('href="?before=')[1].split('"')[0]
    assert "change 05" in desk.said(f"/admin/audit?before={older}")


def test_one_persons_changes_can_be_picked_out(desk):
    change(desk, what="made by Bob", who="Bob")
    page = desk.said("/admin/audit?who=Bob")
    assert "made by Bob" in page
    assert "signed in" not in page


def test_the_export_holds_everything_and_no_formulas(desk):
    change(desk, reason="=HYPERLINK(1)")
    change(desk, reason="  +1+1")
    rows = list(csv.DictReader(io.StringIO(desk.get("/admin/audit.csv").text)))
    assert [row["what"] for row in rows] == ["signed in", "sample hidden", "sample hidden"]
    assert [row["reason"] for row in rows[1:]] == ["'=HYPERLINK(1)", "'  +1+1"]
