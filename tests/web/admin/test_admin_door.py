"""The door of the dashboard: who gets in, for how long, and what strangers cannot do."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.db import admins
from app.db.session import now, reading, writing
from app.db.tables import admin_sessions, audit
from app.web.admin.office import COOKIE, SPAN

PAGES = ("/admin", "/admin/audit", "/admin/audit.csv", "/admin/bokeh.js", "/admin/charts/fool-rates.json")


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_signing_in(outside, path):
    response = outside.get(path)
    assert response.status_code in (303, 401)
    assert "Overview" not in response.text


def test_the_right_password_opens_the_page_that_was_wanted(outside):
    asked = outside.get("/admin/audit?who=Ada").headers["location"]
    assert asked == "/admin/sign-in?next=/admin/audit%3Fwho%3DAda"
    done = outside.post("/admin/sign-in", name="Ada", password="correct horse battery", next="/admin/audit?who=Ada")
    assert (done.status_code, done.headers["location"]) == (303, "/admin/audit?who=Ada")
    assert outside.get("/admin/audit?who=Ada").status_code == 200


@pytest.mark.parametrize("name", ["Ada", "nobody"])
def test_a_wrong_password_and_an_unknown_name_look_the_same(outside, name):
    response = outside.post("/admin/sign-in", name=name, password="wrong wrong wrong")
    assert response.status_code == 401
    assert "do not belong together" in response.text
    assert COOKIE not in response.cookies


def test_a_failed_sign_in_is_logged_without_what_was_typed(outside):
    with capture_logs() as logs:
        for name in ("Ada", "nobody", "Ada"):
            outside.post("/admin/sign-in", name=name, password="wrong wrong wrong")
        outside.sign_in()
    failed = [line for line in logs if line["event"] == "sign-in failed"]
    assert [line["log_level"] for line in failed] == ["warning"] * 3
    assert {frozenset(line) for line in failed} == {frozenset(("event", "log_level", "network"))}
    (network,) = {line["network"] for line in failed}
    assert len(bytes.fromhex(network)) == 16, "the day's mark of the network, not its address"


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "/a/mayor"])
def test_signing_in_leads_nowhere_else(outside, elsewhere):
    done = outside.post("/admin/sign-in", name="Ada", password="correct horse battery", next=elsewhere)
    assert done.headers["location"] == "/admin"


def test_the_cookie_is_strict_and_out_of_reach_of_scripts(outside):
    header = outside.sign_in().headers["set-cookie"]
    assert "HttpOnly" in header
    assert "SameSite=strict" in header
    assert "Path=/admin" in header


def test_a_session_that_was_planted_is_not_taken_over(outside):
    outside.client.cookies.set(COOKIE, "planted", path="/admin")
    outside.sign_in()
    stranger = outside.another()
    stranger.client.cookies.set(COOKIE, "planted", path="/admin")
    assert stranger.get("/admin").status_code == 303


@pytest.mark.parametrize("site", ["same-origin", "same-site", "cross-site", "none"])
def test_behind_a_proxy_that_names_another_host_the_browsers_word_counts(outside, site):
    """As nginx and Apache name their own, where nobody tells them otherwise."""
    headers = {"Origin": "https://game.example.org", "Host": "127.0.0.1:8000", "Sec-Fetch-Site": site}
    form = {"name": "Ada", "password": "correct horse battery"}
    expected = 303 if site == "same-origin" else 403
    assert outside.client.post("/admin/sign-in", data=form, headers=headers).status_code == expected


@pytest.mark.parametrize("origin", ["https://evil.example", "http://[", "null", None])
def test_what_another_site_sends_is_refused(desk, origin):
    response = desk.post("/admin/sign-out", origin=origin)
    assert response.status_code == 403
    assert desk.get("/admin").status_code == 200


def test_signing_out_ends_the_session_on_the_server(desk):
    token = desk.client.cookies.get(COOKIE)
    desk.post("/admin/sign-out")
    thief = desk.another()
    thief.client.cookies.set(COOKIE, token, path="/admin")
    assert thief.get("/admin").status_code == 303


def test_signing_out_everywhere_ends_all_of_ones_own_sessions_only(desk, viewer):
    other = desk.another().signed_in("Ada")
    desk.post("/admin/sign-out-everywhere")
    assert other.get("/admin").status_code == 303
    assert viewer.get("/admin").status_code == 200


@pytest.mark.parametrize(
    ("column", "length"), [("seen_at", SPAN.idle), ("began_at", SPAN.absolute)], ids=["idle", "absolute"]
)
def test_a_session_ends_by_itself(desk, column, length):
    with writing(desk.engine) as connection:
        connection.execute(update(admin_sessions).values({column: now() - length + timedelta(minutes=1)}))
    assert desk.get("/admin").status_code == 200
    with writing(desk.engine) as connection:
        connection.execute(update(admin_sessions).values({column: now() - length}))
    assert desk.get("/admin").status_code == 303


def test_a_session_in_use_does_not_fall_idle(desk):
    with writing(desk.engine) as connection:
        connection.execute(update(admin_sessions).values(seen_at=now() - timedelta(minutes=90)))
    desk.get("/admin")
    with reading(desk.engine) as connection:
        seen_at = connection.scalar(select(admin_sessions.c.seen_at))
    assert now() - seen_at < timedelta(minutes=1)


def test_pages_are_read_also_while_nothing_can_be_written(desk):
    """Just then somebody looks at them: the disk is full, say."""
    with writing(desk.engine) as connection:
        connection.execute(update(admin_sessions).values(seen_at=now() - timedelta(minutes=90)))
        full = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER full BEFORE UPDATE ON admin_sessions {full}")
    assert desk.get("/admin").status_code == 200


def test_a_new_password_ends_every_session(desk):
    with writing(desk.engine) as connection:
        admins.set_password(connection, admins.find(connection, "Ada").id, "$other")
    assert desk.get("/admin").status_code == 303


def test_guessing_passwords_is_slowed_down(outside):
    tries = [outside.post("/admin/sign-in", name="Ada", password="wrong wrong wrong") for _ in range(11)]
    assert [each.status_code for each in tries] == [401] * 10 + [429]
    assert int(tries[-1].headers["retry-after"]) > 0
    assert outside.sign_in().status_code == 429


def test_a_stranger_cannot_lock_the_admin_out(desk):
    """Even in the same network: the browser in which the admin has signed in before is counted apart."""
    desk.post("/admin/sign-out")
    stranger = desk.another()
    for _ in range(11):
        last = stranger.post("/admin/sign-in", name="Ada", password="wrong wrong wrong")
    assert last.status_code == 429
    assert desk.sign_in().status_code == 303


def test_the_tokens_themselves_are_not_stored(desk):
    with reading(desk.engine) as connection:
        stored = connection.scalars(select(admin_sessions.c.token_hash)).all()
    assert desk.client.cookies.get(COOKIE).encode() not in stored


def test_signing_in_is_kept_in_the_audit(desk):
    with reading(desk.engine) as connection:
        row = connection.execute(select(audit.c.who, audit.c.what)).one()
    assert tuple(row) == ("Ada", "signed in")


def test_an_unknown_name_takes_as_long_as_a_known_one(outside):
    outside.post("/admin/sign-in", name="nobody", password="warm up the hash")
    took = {"Ada": [], "nobody": []}
    for _ in range(4):
        for name, times in took.items():  # in turn: a busy machine slows both
            began = time.perf_counter()
            outside.post("/admin/sign-in", name=name, password="wrong wrong wrong")
            times.append(time.perf_counter() - began)
    # Not to look at the password at all would be twenty times as fast.
    assert 1 / 4 < min(took["Ada"]) / min(took["nobody"]) < 4
