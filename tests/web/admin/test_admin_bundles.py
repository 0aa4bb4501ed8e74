"""A generator's bundle in the dashboard: taken in by an admin, checked by the worker, and never left half-done."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta

import pytest
from loops import awaited
from starlette.requests import Request
from stock import letter_writer, stock_archive, stock_generator

from app.bundle import LARGEST, pack
from app.db import audit, generators, jobs
from app.db.generators import CHAMPION
from app.db.session import now, reading, writing
from app.jobs import tasks
from app.jobs.bundles import export_generator
from app.jobs.hold import Hold
from app.jobs.worker import free
from app.jobs.workshop import Interrupted, JobError, Workshop, plainly
from app.web.admin.bundles import MOST_BYTES
from app.web.admin.office import Refused
from app.web.admin.receiving import receive
from model.checkpoint import Checkpoint, write_checkpoint
from model.vocab import Vocab

ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture
def workshop(desk):
    """What the worker works with: gannet with a champion v1, and elsewhere without a generator."""
    made = Workshop(desk.engine, desk.settings.checkpoints, data_dir=desk.settings.data_dir)
    for slug in ("gannet", "elsewhere"):
        stock_archive(desk.engine, slug)
    stock_generator(made, made.archive("gannet"))
    return made


@pytest.fixture
def bundle(workshop, tmp_path):
    """The file that another game's v1 comes in."""
    other = stock_generator(workshop, workshop.archive("elsewhere"), seed=5)
    export_generator(workshop, workshop.archive("elsewhere"), other, tmp_path / "v1.zip")
    return (tmp_path / "v1.zip").read_bytes()


def send(desk, content, archive="gannet", name="v1.zip", headers=ORIGIN):
    files = {"file": (name, content)}
    return desk.client.post(f"/admin/generators/bundle?archive={archive}", files=files, headers=headers)


def claim(desk, at=None):
    with writing(desk.engine) as connection:
        return jobs.claim(connection, "work-test", tasks.LIGHT, at or now())


def work(desk, workshop):
    """Do the job that waits, and close it, as a worker does."""
    job = claim(desk)
    hold = Hold(desk.engine, job.claim)
    try:
        outcome, state = tasks.do(workshop, job, hold, plainly), "done"
    except (JobError, Interrupted) as error:
        outcome, state = str(error), "failed"
        tasks.clear_up(workshop, job)
    with writing(desk.engine) as connection:
        jobs.finish(connection, job.claim, state, outcome, now())
    return outcome


def uploaded(desk):
    """The files of uploads that lie about."""
    folder = desk.settings.data_dir / "uploads"
    return sorted(folder.rglob("*")) if folder.exists() else []


def names(desk, workshop, slug="gannet"):
    with reading(desk.engine) as connection:
        return [each.name for each in generators.listing(connection, workshop.archive(slug).id)]


def kept(workshop, slug="gannet"):
    """What lies among the checkpoints of an archive, and what was left beside them."""
    folders = (workshop.checkpoints / slug, workshop.checkpoints)
    return [sorted(each.name for each in folder.iterdir()) for folder in folders]


def test_a_bundle_becomes_a_generator_that_waits_to_be_promoted(desk, workshop, bundle):
    asked = send(desk, bundle)
    where = asked.headers["location"]
    assert (asked.status_code, where.startswith("/admin/jobs/")) == (303, True)
    assert "v1.zip" in desk.said(where)

    assert "v2 registered: " in work(desk, workshop)

    assert names(desk, workshop) == ["v1", "v2"]
    with reading(desk.engine) as connection:
        arms = generators.arms_of(connection, workshop.archive("gannet").id)
        noted = [entry for entry in audit.following(connection) if entry.what == "bundle uploaded"]
    assert {arm.generator_id for arm in arms.values()} == {arms[CHAMPION].generator_id}
    assert [(entry.who, entry.subject, entry.after["file"]) for entry in noted] == [("Ada", "gannet", "v1.zip")]
    page = desk.said(where)
    assert "promote it to let it play" in page
    assert "<progress" not in page
    assert 'href="/admin/generators?archive=gannet"' in page
    assert "<b>v2</b>" in desk.said("/admin/generators?archive=gannet")
    assert uploaded(desk) == []


def test_what_one_dashboard_lets_download_another_takes_in(desk, workshop):
    packed = desk.get("/admin/generators/2/bundle.zip")
    assert packed.status_code == 200
    send(desk, packed.content, "elsewhere")
    assert "it plays as soon as its samples are on the shelf" in work(desk, workshop)
    assert names(desk, workshop, "elsewhere") == ["v1"]


def test_the_same_bundle_twice_is_one_generator(desk, workshop, bundle):
    for _ in range(2):
        send(desk, bundle)
        words = work(desk, workshop)
    assert "v2 was registered before" in words
    assert names(desk, workshop) == ["v1", "v2"]
    assert uploaded(desk) == []


def damaged(content):
    whole = bytearray(content)
    whole[len(whole) // 2] ^= 255
    return bytes(whole)


def with_another_vocabulary(content, place):
    """Its vocabulary exchanged for that of another network: each file is whole, and they do not belong together."""
    (place / "v1.zip").write_bytes(content)
    with zipfile.ZipFile(place / "v1.zip") as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    files["vocab.json"] = json.dumps(Vocab("абвгд").to_json()).encode()
    with zipfile.ZipFile(place / "v1.zip", "w") as whole:
        for name, data in files.items():
            whole.writestr(name, data)
    return (place / "v1.zip").read_bytes()


def for_another_script(content, place):
    """A whole bundle whose network writes an alphabet that the archive's tweets do not hold."""
    latin = letter_writer()
    letters = "абвгдежзийклмнопрстуфхцч"
    write_checkpoint(place / "cyrillic", Checkpoint(latin.config, Vocab(letters), latin.weights, latin.meta))
    (place / "v1.zip").write_bytes(content)
    with zipfile.ZipFile(place / "v1.zip") as whole:
        pack(place / "cyrillic", place / "v1.zip", json.loads(whole.read("card.json")))
    return (place / "v1.zip").read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content, _: damaged(content), "v1.zip: damaged"),
        (lambda content, _: content[: len(content) // 2], "v1.zip: damaged, or no bundle"),
        (lambda *_: b"id,text\n1,no bundle at all\n", "v1.zip: damaged, or no bundle"),
        (
            lambda *_: b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07builtins\x94.",
            "v1.zip: damaged, or no bundle",
        ),
        (with_another_vocabulary, "v1.zip/vocab.json: damaged"),
        (for_another_script, "v1.zip: its alphabet is foreign to gannet"),
    ],
    ids=["damaged", "cut short", "a table", "a pickle", "another vocabulary", "another script"],
)
def test_what_is_no_whole_bundle_is_told_in_one_line_and_leaves_nothing(desk, workshop, bundle, tmp_path, change, said):
    before = kept(workshop)
    where = send(desk, change(bundle, tmp_path)).headers["location"]
    outcome = work(desk, workshop)

    assert outcome.startswith(said)
    assert "\n" not in outcome
    page = desk.said(where)
    assert said in page
    assert str(desk.settings.data_dir) not in page  # where files lie is nobody's business
    assert names(desk, workshop) == ["v1"]
    assert uploaded(desk) == []
    assert kept(workshop) == before


def test_where_there_is_nothing_to_measure_on_nothing_is_kept(desk, workshop, bundle):
    """The mayor's cards are all in the deck."""
    before = kept(workshop)
    send(desk, bundle, "mayor")
    assert work(desk, workshop) == "mayor has no validation tweets to measure on; import more"
    assert names(desk, workshop, "mayor") == ["v1"]
    assert uploaded(desk) == []
    assert kept(workshop) == before


def test_an_archive_that_is_not_there_is_told_before_the_file_is_kept(desk, workshop, bundle):
    refused = send(desk, bundle, "nowhere")
    assert refused.status_code == 404
    assert "There is no archive nowhere" in refused.text
    assert uploaded(desk) == []
    with reading(desk.engine) as connection:
        assert jobs.listing(connection) == []


def test_an_archive_that_goes_meanwhile_takes_the_file_with_it(desk, workshop, bundle):
    send(desk, bundle)
    desk.post("/admin/archives/gannet/delete")
    assert work(desk, workshop) == "the archive is not there any more"
    assert uploaded(desk) == []


def test_a_form_without_a_file_is_refused(desk, workshop):
    refused = send(desk, b"")
    assert refused.status_code == 422
    assert "Pick a file first" in refused.text
    assert uploaded(desk) == []


def test_a_bundle_larger_than_other_requests_is_taken_whole(desk, workshop):
    send(desk, bytes(200_000))
    assert [path.stat().st_size for path in uploaded(desk) if path.is_file()] == [200_000]


def test_one_that_is_too_large_is_refused_as_it_comes_and_removed(tmp_path):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="v1.zip"\r\n\r\n'
        + bytes(2000)
        + b"\r\n--x--\r\n"
    )

    async def arriving():
        return {"type": "http.request", "body": body, "more_body": False}

    kind = [(b"content-type", b"multipart/form-data; boundary=x")]
    request = Request({"type": "http", "method": "POST", "headers": kind}, arriving)
    with pytest.raises(Refused, match=r"up to 1e-06 GB are taken") as refused:
        awaited(receive(request, tmp_path, 1000))
    assert refused.value.status == 413
    assert list(tmp_path.iterdir()) == []


def test_the_limit_is_above_what_a_bundle_may_hold():
    assert sum(LARGEST.values()) < MOST_BYTES < 1.1 * sum(LARGEST.values())


def test_a_viewer_sends_none_and_is_told_so(desk, viewer, workshop, bundle):
    refused = send(viewer, bundle)
    assert refused.status_code == 403
    assert "viewer" in refused.text
    page = viewer.said("/admin/generators?archive=gannet")
    assert 'type="file"' not in page
    assert "Viewers cannot take in generators" in page
    assert 'type="file"' in desk.said("/admin/generators?archive=gannet")
    assert uploaded(desk) == []


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {}], ids=["another site", "nobody knows"])
def test_another_site_sends_none(desk, workshop, bundle, headers):
    assert send(desk, bundle, headers=headers).status_code == 403
    assert uploaded(desk) == []


def test_strangers_send_none(outside, bundle):
    assert send(outside.another(), bundle).status_code == 401
    assert uploaded(outside) == []


def test_cancelled_while_it_waits_its_file_goes_at_once(desk, workshop, bundle):
    where = send(desk, bundle).headers["location"]
    assert len(uploaded(desk)) == 2  # a folder and the file in it
    desk.post(f"{where}/cancel")
    assert desk.get(f"{where}.json").json()["state"] == "cancelled"
    assert uploaded(desk) == []


def test_cancelled_while_it_runs_nothing_is_registered(desk, workshop, bundle):
    before = kept(workshop)
    where = send(desk, bundle).headers["location"]
    job = claim(desk)
    desk.post(f"{where}/cancel")
    assert len(uploaded(desk)) == 2  # its worker still reads it
    hold = Hold(desk.engine, job.claim)
    with pytest.raises(Interrupted):
        tasks.do(workshop, job, hold, plainly)
    assert hold.why == "cancelled"
    tasks.clear_up(workshop, job)
    assert names(desk, workshop) == ["v1"]
    assert uploaded(desk) == []
    assert kept(workshop) == before


def test_given_up_because_workers_died_its_file_goes(desk, workshop, bundle):
    where = send(desk, bundle).headers["location"]
    moment = now()
    for rest in (0.0, *jobs.RESTS):
        assert len(uploaded(desk)) == 2
        moment += timedelta(seconds=rest)
        free(workshop, claim(desk, moment), moment)
    assert "given up" in desk.said(where)
    assert uploaded(desk) == []
