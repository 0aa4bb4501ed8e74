"""Archives in the dashboard: uploads, what is looked at before anything is kept, pausing, deleting and undoing."""

from __future__ import annotations

import json
import re
import resource
from datetime import timedelta

import pytest
from factories import words
from loops import awaited
from sqlalchemy import func, select
from starlette.requests import Request

from app.db import archives, jobs, removals, uploads
from app.db.session import now, reading, writing
from app.db.tables import metadata
from app.jobs import tasks
from app.jobs.hold import Hold
from app.jobs.removing import ask_for_removals
from app.jobs.workshop import JobError, Workshop, plainly
from app.web.admin.office import Refused
from app.web.admin.receiving import receive

TWEETS = [
    *({"id_str": str(10**15 + n), "text": words(n), "created_at": "2020-11-05 12:00:00"} for n in range(60)),
    {"id_str": "7", "text": "RT @someone: not mine at all, and long enough"},
]
NAMING = {"id_str": "8", "text": "we had soup with Clive Bose at the pier, and it was hot"}


def send(desk, content=None, name="trump.json"):
    body = json.dumps(TWEETS).encode() if content is None else content
    return desk.client.post("/admin/uploads", files={"file": (name, body)}, headers={"Origin": "http://testserver"})


def work(desk):
    """Do the oldest job that waits, as a worker would."""
    workshop = Workshop(desk.engine, desk.settings.checkpoints, data_dir=desk.settings.data_dir)
    with writing(desk.engine) as connection:
        job = jobs.claim(connection, "work-test", tasks.LIGHT, now())
    hold = Hold(desk.engine, job.claim)
    try:
        outcome, state = tasks.do(workshop, job, hold, plainly), "done"
    except JobError as error:
        outcome, state = str(error), "failed"
    with writing(desk.engine) as connection:
        jobs.finish(connection, job.claim, state, outcome, now())
    return outcome


def test_a_file_is_looked_into_before_anything_is_kept(desk):
    where = send(desk).headers["location"]
    work(desk)
    page = desk.said(where)
    assert "61 rows" in page
    assert "retweet" in page
    assert "RT @someone" in page
    assert page.count('class="card-text"') == 20
    with reading(desk.engine) as connection:
        assert [each.slug for each in archives.listing(connection)] == ["mayor"]


def test_a_look_in_another_way_is_noted(desk):
    where = send(desk).headers["location"]
    work(desk)
    desk.post(f"{where}/look", format="text", split="line")
    entry = desk.said("/admin/audit").partition("file looked into anew")[2]
    assert "trump.json" in entry
    assert "split: line" in entry


def test_a_look_for_one_account_counts_rows_of_authors_with_other_handles(desk):
    rows = [row | {"author": "other_mayor" if n % 3 else "mayor_1"} for n, row in enumerate(TWEETS[:60])]
    where = send(desk, json.dumps(rows).encode()).headers["location"]
    work(desk)
    desk.post(f"{where}/look", handle=" @mayor_1")
    work(desk)
    with reading(desk.engine) as connection:
        found = uploads.find(connection, int(where.rpartition("/")[2])).preview
    assert (found["passed"], found["left_out"], found["handle"]) == (20, {"another account": 40}, "mayor_1")


def test_a_look_tells_how_many_name_somebody_else(desk):
    where = send(desk, json.dumps([NAMING, *TWEETS]).encode()).headers["location"]
    work(desk)
    page = desk.said(where)
    assert "1 of the tweets name somebody else" in page
    assert page.count("<td>yes</td>") == 1


def test_halves_of_characters_are_shown_as_none(desk):
    """As old tools leave them where they cut a text: JSON can say them, a page cannot."""
    cut = {"id_str": "9", "text": "RT @someone: cut in a face \ud83d", "created_at": ""}
    dated = {"id_str": "10", "text": "we had soup at the pier, and it was hot", "created_at": "today \ude00"}
    where = send(desk, json.dumps([dated, cut, *TWEETS]).encode()).headers["location"]
    work(desk)
    page = desk.said(where)
    assert "cut in a face ?" in page
    assert "today ?" in page


def test_a_file_of_which_nothing_is_left_says_for_what_reasons(desk):
    where = send(desk, json.dumps(TWEETS[-1:]).encode()).headers["location"]
    work(desk)
    page = desk.said(where)
    assert "0 tweets in them" in page
    assert "RT @someone" in page


def test_an_upload_becomes_an_archive_with_its_right(desk):
    where = send(desk).headers["location"]
    work(desk)
    done = desk.post(f"{where}/import", slug="boats", basis="public", handle="boats")
    assert done.headers["location"].startswith("/admin/jobs/")
    assert work(desk) == "60 tweets added to boats from 61 rows"
    assert list((desk.settings.data_dir / "uploads").iterdir()) == []
    with reading(desk.engine) as connection:
        boats = archives.find(connection, "boats")
    assert (boats.basis, boats.handle) == ("public", "boats")
    assert "fewer than 200 cards" in desk.said("/admin/archives/boats")


def test_the_jobs_tell_which_archive_an_import_is_about(desk):
    where = send(desk).headers["location"]
    work(desk)
    job = desk.post(f"{where}/import", slug="boats", basis="public").headers["location"].rpartition("/")[2]
    row = rf"import {job}</a></td>\s*<td>boats</td>"
    assert re.search(row, desk.said("/admin/training"))
    work(desk)
    for page in ("/admin/training", "/admin", "/admin/archives/boats"):
        assert re.search(row, desk.said(page)), page


def test_of_two_admins_who_import_a_file_one_is_told_that_the_other_has(desk):
    where = send(desk).headers["location"]
    assert "looks into the file" in desk.post(f"{where}/look", format="text", split="line").text
    work(desk)
    other = desk.another().signed_in("Ada")
    assert desk.post(f"{where}/import", slug="boats", basis="public").status_code == 303
    for path, form in ((f"{where}/import", {"slug": "ships", "basis": "own"}), (f"{where}/look", {})):
        late = other.post(path, **form)
        assert (late.status_code, "asked for its import already" in late.text) == (409, True)
    assert work(desk) == "60 tweets added to boats from 61 rows"
    with reading(desk.engine) as connection:
        assert archives.find(connection, "ships") is None


def test_a_file_whose_import_came_to_nothing_is_imported_under_another_name(desk):
    where = send(desk).headers["location"]
    work(desk)
    desk.post(f"{where}/import", slug="???", basis="public")
    assert "cannot name an archive" in work(desk)
    assert where in desk.said("/admin/archives")
    assert "cannot name an archive" in desk.said(where)
    desk.post(f"{where}/import", slug="boats", basis="public")
    assert work(desk) == "60 tweets added to boats from 61 rows"
    assert desk.post(f"{where}/import", slug="more", basis="public").status_code == 409


def test_an_import_without_a_right_is_refused(desk):
    where = send(desk).headers["location"]
    work(desk)
    assert desk.post(f"{where}/import", slug="boats").status_code == 422


def test_a_file_that_cannot_be_read_says_why(desk):
    where = send(desk, b'{"a": 1}\n{"a": 2}\n', "wrong.jsonl").headers["location"]
    work(desk)
    assert "no tweets in wrong.jsonl" in desk.said(where)


def test_a_table_of_excel_is_read_when_its_bytes_are_said_to_be_of_windows(desk):
    rows = "".join(f"{number};Caf\u00e9 number {number} is open\r\n" for number in range(60))
    where = send(desk, f"id;text\r\n{rows}".encode("cp1252"), "table.csv").headers["location"]
    work(desk)
    assert "windows-1252" in desk.said(where)
    desk.post(f"{where}/look", encoding_errors="windows-1252")
    work(desk)
    assert "Caf\u00e9 number 3 is open" in desk.said(where)
    assert '<option value="windows-1252" selected>' in desk.get(where).text  # looked at again, it stays so
    assert desk.post(f"{where}/look", encoding_errors="ignore").status_code == 422


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\boot.ini", "/abs/olute.json"])
def test_a_name_leads_nowhere_out_of_the_folder(desk, name):
    send(desk, name=name)
    stored = [path for path in desk.settings.data_dir.rglob("*") if path.is_file() and "uploads" in str(path)]
    assert len(stored) == 1
    assert stored[0].parent.parent == desk.settings.data_dir / "uploads"


def test_files_larger_than_other_requests_are_taken_whole(desk):
    content = b"a line of text that is not short\n" * 40_000
    send(desk, content, "long.txt")
    with reading(desk.engine) as connection:
        assert uploads.open_ones(connection)[0].bytes == len(content)


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        ("x", b"no form at all"),
        ("x", b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\ntext\r\nIts end did no'),
        ("x", b"--x\r\nno header\r\n\r\na\r\n--x--\r\n"),
        ("x" * 300, b""),
    ],
)
def test_what_is_no_form_is_refused_and_leaves_nothing(desk, boundary, body):
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Origin": "http://testserver"}
    assert desk.client.post("/admin/uploads", content=body, headers=headers).status_code == 400
    assert list((desk.settings.data_dir / "uploads").iterdir()) == []


def test_a_file_for_which_there_is_no_room_is_refused_and_leaves_nothing(tmp_path):
    """A full disk says so at each write: that of what was held back as well, when the file is closed."""
    begin = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n'
    pieces = iter([begin, *[b"a line of text\n" * 4000] * 100])

    async def arriving():
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, arriving)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, limits[1]))
    try:
        with pytest.raises(Refused, match="could not be written: File too large"):
            awaited(receive(request, tmp_path / "uploads"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_file_that_is_arriving_lies_where_it_is_swept_up_until_it_is_whole(tmp_path):
    begin = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n'
    pieces = iter([begin, b"a line of text", b"\r\n--x--\r\n"])
    seen = []

    async def arriving():
        seen.extend(path.name for path in tmp_path.iterdir())
        piece = next(pieces)
        return {"type": "http.request", "body": piece, "more_body": not piece.endswith(b"--x--\r\n")}

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, arriving)
    key, name, _ = awaited(receive(request, tmp_path))
    assert seen
    assert all(each.startswith(".arriving-") for each in seen)
    assert [path.name for path in tmp_path.iterdir()] == [key]
    assert (tmp_path / key / name).read_bytes() == b"a line of text"


def test_strangers_send_nothing(outside):
    assert send(outside).status_code == 401
    assert not (outside.settings.data_dir / "uploads").exists()


def test_an_archive_is_paused_and_played_again(desk):
    desk.post("/admin/archives/mayor/pause", paused="true")
    assert "paused" in desk.said("/admin/archives/mayor")
    desk.post("/admin/archives/mayor/pause", paused="false")
    with reading(desk.engine) as connection:
        assert not archives.find(connection, "mayor").paused
    assert "paused: False" in desk.said("/admin/audit")


def test_a_deleted_archive_is_gone_at_once_and_can_be_taken_back(desk):
    desk.post("/admin/archives/mayor/delete", reason="asked to")
    with reading(desk.engine) as connection:
        assert archives.find(connection, "mayor") is None
    assert "60" in desk.said("/admin/audit")
    desk.post("/admin/archives/1/take-back")
    with reading(desk.engine) as connection:
        assert archives.find(connection, "mayor") is not None


def test_a_day_later_it_is_removed_with_all_that_belongs_to_it(desk):
    desk.post("/admin/archives/mayor/delete")
    workshop = Workshop(desk.engine, desk.settings.checkpoints)
    ask_for_removals(workshop, now() + timedelta(hours=23))
    with reading(desk.engine) as connection:
        assert jobs.listing(connection) == []
    ask_for_removals(workshop, now() + timedelta(hours=25))
    assert work(desk).startswith("mayor is removed")
    with reading(desk.engine) as connection:
        for name in ("archives", "tweets", "samples", "generators", "arms", "imports", "restocks"):
            assert connection.scalar(select(func.count()).select_from(metadata.tables[name])) == 0, name


def test_what_is_half_removed_cannot_be_taken_back_and_is_removed_another_day(desk):
    desk.post("/admin/archives/mayor/delete")
    workshop = Workshop(desk.engine, desk.settings.checkpoints)
    with writing(desk.engine) as connection:
        day_old = now() - timedelta(hours=25)
        connection.execute(metadata.tables["archives"].update().values(deleted_at=day_old))
    ask_for_removals(workshop, now())
    with writing(desk.engine) as connection:
        job = jobs.claim(connection, "test", ("remove",), now())
        assert removals.remove_batch(connection, 1)
        jobs.finish(connection, job.claim, "failed", "given up: its worker died in 6 attempts in a row", now())

    assert desk.post("/admin/archives/1/take-back").status_code == 404
    with reading(desk.engine) as connection:
        assert archives.find(connection, "mayor") is None
    ask_for_removals(workshop, now() + timedelta(hours=1))
    with reading(desk.engine) as connection:
        assert len(jobs.listing(connection)) == 1
    ask_for_removals(workshop, now() + timedelta(days=1))
    assert work(desk).startswith("mayor is removed")


def test_files_of_an_archive_go_although_its_removal_was_killed_at_the_last_moment(desk):
    desk.post("/admin/archives/mayor/delete")
    workshop = Workshop(desk.engine, desk.settings.checkpoints)
    labels = workshop.folder("mayor/labels/7-abc.jsonl")
    labels.parent.mkdir(parents=True)
    labels.write_text("{}\n")
    ask_for_removals(workshop, now() + timedelta(hours=25))
    with writing(desk.engine) as connection:
        while removals.remove_batch(connection, 1):
            pass

    assert work(desk).startswith("mayor is removed")
    assert not workshop.folder("mayor").exists()


CHANGES = (
    ("/admin/archives/mayor/pause", {"paused": "true"}),
    ("/admin/archives/mayor/delete", {}),
    ("/admin/archives/mayor/describe", {"name": "Other"}),
    ("/admin/archives/mayor/restock", {}),
    ("/admin/training", {"archive": "mayor"}),
)


@pytest.mark.parametrize(("path", "form"), CHANGES)
def test_a_viewer_changes_nothing(viewer, path, form):
    refused = viewer.post(path, **form)
    assert refused.status_code == 403
    assert "viewer" in refused.text
    assert "<b>Nothing" not in viewer.said("/admin/audit?who=Vera").replace("signed in", "")


@pytest.mark.parametrize(("path", "form"), CHANGES)
def test_another_site_changes_nothing(desk, path, form):
    assert desk.post(path, origin="https://evil.example", **form).status_code == 403


def test_a_training_is_asked_for_once_watched_and_cancelled(desk):
    asked = desk.post("/admin/training", archive="mayor", minutes="1", units="16", layers="1")
    where = asked.headers["location"]
    assert desk.post("/admin/training", archive="mayor").status_code == 409
    assert "units: 16" in desk.said(where)
    desk.post(f"{where}/cancel")
    assert desk.get(f"{where}.json").json()["state"] == "cancelled"
    assert "Resume" in desk.said(where)


def test_the_schedules_next_five_times_are_shown(desk):
    assert desk.said("/admin/training").count("03:00 UTC") == 5


def test_a_file_from_the_internet_is_asked_for_and_a_private_address_refused(desk):
    where = desk.post("/admin/uploads/fetch", url="http://169.254.169.254/latest/tweets.csv").headers["location"]
    assert "The worker fetches the file" in desk.said(where)
    assert "169.254.169.254, which is no public address" in work(desk)
    page = desk.said(where)
    assert "no public address" in page
    assert "tweets.csv" in page


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://[half/tweets.csv",
        "https://me:hunter2@example.org/x",
        "https://a\0b/",
        "http://a\nb/",
    ],
)
def test_only_addresses_of_the_web_are_taken(desk, url):
    assert desk.post("/admin/uploads/fetch", url=url).status_code == 422
    assert "hunter2" not in desk.said("/admin/audit"), "viewers read it"
