"""Processes are killed (-9) under load: no acknowledged guess is lost or doubled, and jobs go on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest
from clusters import Cluster, cluster
from site_of_processes import Crowd, Site, Web, jobs_have_ended, no_checkpoint_is_half_written, nothing_is_lost

from app.db import jobs
from app.db.session import now, open_engine, writing

pytestmark = pytest.mark.process


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path, f"sqlite:///{tmp_path / 'whichtweet.db'}")
    site.open_small_talk()
    yield site
    site.close()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A database server that this test alone may kill."""
    with cluster() as server:
        yield server


@pytest.fixture
def shared_site(own_cluster: Cluster, tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path, own_cluster.address("postgres"))
    site.open_small_talk()
    yield site
    site.close()


def test_a_web_server_and_a_worker_that_are_killed_under_load_lose_no_guess(site: Site) -> None:
    _killed(site, ["web", "worker"])


@pytest.mark.postgres
def test_a_database_that_is_killed_under_load_loses_no_guess(shared_site: Site, own_cluster: Cluster) -> None:
    _killed(shared_site, ["database", "web"], own_cluster, works=False)


@pytest.mark.long
def test_fifty_kills_lose_no_guess(site: Site) -> None:
    _killed(site, list(islice(cycle(["web", "worker", "web"]), 50)))


@pytest.mark.long
@pytest.mark.postgres
def test_fifty_kills_of_a_database_server_too_lose_no_guess(shared_site: Site, own_cluster: Cluster) -> None:
    _killed(shared_site, list(islice(cycle(["web", "database", "worker"]), 50)), own_cluster)


def _killed(site: Site, victims: list[str], server: Cluster | None = None, works: bool = True) -> None:
    web = site.web()
    worker = [site.work()] if works else []
    if works:
        _ask_for_samples(site)
    with Crowd([web.url], 4) as crowd:
        kill: dict[str, Callable[[], None]] = {
            "web": lambda: _kill_web(site, web),
            "worker": lambda: _kill_worker(site, worker),
            "database": lambda: _kill_database(server),
        }
        for victim in victims:
            crowd.have_played(20)
            kill[victim]()
        crowd.have_played(20)
    nothing_is_lost(site, web, crowd)
    no_checkpoint_is_half_written(site)
    if works:
        assert set(jobs_have_ended(site)) == {"done"}


def _kill_web(site: Site, web: Web) -> None:
    web.kill()
    web.process = site.web(web.port).process


def _kill_worker(site: Site, worker: list[subprocess.Popen[bytes]]) -> None:
    worker[0].kill()
    worker[0].wait()
    worker[0] = site.work()


def _kill_database(server: Cluster | None) -> None:
    assert server is not None
    server.kill()
    server.start()


def _ask_for_samples(site: Site) -> None:
    engine = open_engine(site.url)
    with writing(engine) as connection:
        jobs.ask(connection, "restock", 1, {"count": 6}, asked_by="test", at=now())
    engine.dispose()
