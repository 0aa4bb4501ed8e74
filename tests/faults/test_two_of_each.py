"""Two web servers and two workers on one PostgreSQL: one game, each job once, and limits that hold across them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from site_of_processes import Crowd, Site, jobs_have_ended, nothing_is_lost, wait_for
from sqlalchemy import func, select

from app.db import jobs, samples
from app.db.session import now, open_engine, reading, writing
from app.db.tables import counts
from app.db.tables import jobs as jobs_table

PER_HOUR = 20


@pytest.mark.process
@pytest.mark.postgres
def test_two_web_servers_and_two_workers_are_one_game(postgres_url: str, tmp_path: Path) -> None:
    site = Site(tmp_path, postgres_url, {"rate_limit": f"{PER_HOUR}/hour"})
    site.open_small_talk()
    engine = open_engine(postgres_url)
    with writing(engine) as connection:
        asked = [jobs.ask(connection, "restock", 1, {"count": 2}, asked_by="test", at=now()) for _ in range(4)]
    with reading(engine) as connection:
        before = samples.level(connection, 1)
    try:
        webs = [site.web(), site.web()]
        first = site.work()
        with Crowd([web.url for web in webs], 4, simulated="crowd") as crowd:
            crowd.have_played(40)
            first.kill()
            first.wait()  # until then the system holds its number for us, and the others take it for alive for a minute
        site.work()
        site.work()
        assert set(jobs_have_ended(site)) == {"done"}
        nothing_is_lost(site, webs[1], crowd)
        with reading(engine) as connection:
            assert connection.scalar(select(func.count()).select_from(jobs_table)) == len(asked)
            assert samples.level(connection, 1) == before + 2 * len(asked), "each job was done once"
        _limits_hold([web.url for web in webs], postgres_url)
    finally:
        site.close()
        engine.dispose()


def _limits_hold(urls: list[str], database: str) -> None:
    engine = open_engine(database)

    def counted() -> int:
        with reading(engine) as connection:
            return int(connection.scalar(select(func.max(counts.c.count))) or 0)

    with httpx.Client(timeout=30) as client:

        def rounds(url: str, times: int) -> list[int]:
            return [client.post(f"{url}/api/rounds").status_code for _ in range(times)]

        assert rounds(urls[0], PER_HOUR - 2) == [201] * (PER_HOUR - 2)
        wait_for(lambda: counted() >= PER_HOUR - 2)
        assert rounds(urls[1], 1) == [201]
        wait_for(lambda: counted() >= PER_HOUR - 1)
        wait_for(lambda: rounds(urls[1], 1) == [429], words="the other process counts for itself alone")
        wait_for(lambda: rounds(urls[0], 1) == [429], words="the first process does not learn of the other's")
    engine.dispose()
