"""Disks that are full or read-only, a database that is away, a clock that jumps, a server that is asked to stop."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from clusters import Cluster, cluster
from factories import a_guess, add_game
from site_of_processes import Crowd, Site, nothing_is_lost, wait_for
from sqlalchemy import Engine, select

from app.db import guesses as guess_room
from app.db import jobs, seats
from app.db.batch import Guess, House
from app.db.guesses import Recorded
from app.db.session import reading, writing
from app.db.tables import labels, samples, tweets
from app.jobs.due import ask_for_what_is_due
from app.jobs.workshop import Workshop

AWAY_SECONDS = 2.0  # of the database, in the short form


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path, f"sqlite:///{tmp_path / 'whichtweet.db'}")
    site.open_small_talk()
    yield site
    site.close()


def a_round(client: httpx.Client) -> str:
    response = client.post("/api/rounds")
    assert response.status_code == 201, response.text
    return str(response.json()["round"])


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="limits a process from outside, as only Linux can")
def test_a_full_disk_loses_nothing_and_play_goes_on_when_there_is_room(site: Site) -> None:
    web = site.web()
    with httpx.Client(base_url=web.url, timeout=30) as client:
        first = a_round(client)
        kept = client.post("/api/guesses", json={"round": first, "pick": 0})
        token = a_round(client)
        size = max(file.stat().st_size for file in site.folder.glob("whichtweet.db*"))
        resource.prlimit(web.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

        refused = client.post("/api/guesses", json={"round": token, "pick": 0})

        assert size > 4096
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/database-away")
        assert int(refused.headers["retry-after"]) > 0
        again = client.post("/api/guesses", json={"round": first, "pick": 0})
        assert (again.status_code, again.content) == (200, kept.content)
        assert client.get("/").status_code == 200, "dealing writes nothing"

        resource.prlimit(web.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201
        assert client.get("/api/players/me").json()["guesses"] == 2


@pytest.mark.process
def test_a_read_only_disk_is_said_in_one_line(tmp_path: Path) -> None:
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "none", tmp_path], capture_output=True)
    if mount.returncode:
        pytest.skip("nobody may mount a file system here")
    try:
        served = Site(tmp_path.parent, "", {"data_dir": tmp_path})._start("serve", database_url="")
        assert served.wait(60) == 2
        words = (tmp_path.parent / "processes.log").read_text()
        assert (words.count("\n"), "cannot write in the data folder" in words) == (1, True)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.process
def test_a_polite_stop_under_load_acknowledges_what_it_took(site: Site) -> None:
    """A rolling restart of two web servers: one is always there, and no guess is refused or lost."""
    webs = [site.web(), site.web()]
    with Crowd([web.url for web in webs], 4) as crowd:
        for web in webs[:1]:
            crowd.have_played(10)
            web.drain()
            crowd.have_played(10)
            web.process = site.web(web.port).process
        crowd.have_played(10)
    assert set(crowd.statuses) <= {200, 201}
    nothing_is_lost(site, webs[0], crowd)
    assert "Traceback" not in site.words()


@pytest.mark.process
@pytest.mark.postgres
@pytest.mark.parametrize("seconds", [AWAY_SECONDS, pytest.param(30.0, marks=pytest.mark.long)])
def test_a_database_that_is_away_is_said_and_found_again(tmp_path: Path, seconds: float) -> None:
    with cluster() as server:
        site = Site(tmp_path, server.address("postgres"))
        site.open_demo()
        try:
            _away_and_back(site, server, seconds)
        finally:
            site.close()


def _away_and_back(site: Site, server: Cluster, seconds: float) -> None:
    web = site.web()
    with httpx.Client(base_url=web.url, timeout=30) as client:
        token = a_round(client)
        server.stop()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            guess = client.post("/api/guesses", json={"round": token, "pick": 0})
            page = client.get("/")
            for response in (guess, page):
                assert response.status_code == 503
                assert int(response.headers["retry-after"]) > 0
            assert "One moment" in page.text
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").json()["missing"] == ["database"]
            time.sleep(0.3)
        server.start()
        wait_for(lambda: client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201)
        assert client.get("/").status_code == 200
        assert client.get("/api/players/me").json()["guesses"] == 1


def test_a_clock_that_jumps_back_loses_no_guess(either_engine: Engine) -> None:
    """The second guess was made an hour before the first, as the clock has it."""
    with writing(either_engine) as connection:
        add_game(connection)
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    first, second = _guess(0, noon), _guess(1, noon - timedelta(hours=1))
    for guess in (first, second):
        with writing(either_engine) as connection:
            (outcome,) = guess_room.record(connection, [guess], House(20, ("real",)))
        assert isinstance(outcome, Recorded)
        assert outcome.is_new
    with reading(either_engine) as connection:
        judged = connection.scalars(select(labels.c.status)).all()
        (seat,) = seats.of_player(connection, 1)
        assert connection.scalar(select(samples.c.guesses).where(samples.c.id == 2)) == 1
        assert connection.scalar(select(tweets.c.text).where(tweets.c.id == 1))
    assert (seat.guesses, seat.position) == (2, 2)
    assert len(judged) == 2


def _guess(place: int, at: datetime) -> Guess:
    card = (place + 1, place + 1, 1)
    return a_guess(1, place, card, at, stamp=2, characters=200, dealt_at=at - timedelta(seconds=9))


def test_a_clock_that_jumps_back_asks_for_no_scheduled_job_again(engine: Engine, tmp_path: Path) -> None:
    workshop = Workshop(engine, tmp_path, backup_cron="30 2 * * *")
    due = datetime(2026, 5, 2, 2, 31, tzinfo=UTC)
    for moment in (due, due - timedelta(minutes=5), due, due - timedelta(days=1), due):
        ask_for_what_is_due(workshop, moment)
    with reading(engine) as connection:
        asked = jobs.listing(connection)
    assert len(asked) == 2, "one for each of the two nights that the clock has shown"
