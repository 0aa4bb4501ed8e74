"""No page of the dashboard asks more of the database in a game four times as large: it counts as it goes, and pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from app.db.session import open_engine
from app.main import create_app
from app.settings import Settings
from app.web.admin.office import COOKIE
from bench import pages, seed_large

pytestmark = pytest.mark.slow

SMALL = {"guess_count": 25_000, "sample_count": 4_000, "player_count": 2_500, "tweet_count": 2_000}
TIMES = 4
EVERY = 50  # steps of SQLite's machine, which are counted in these
# What looks through so many cards because somebody asks it to: as many as there are here, but never more than 10,000.
LOOKS_THROUGH = (
    *("/admin/samples?words=no+such+words&generator=v2", "/admin/tweets?words=no+such+words"),
    "/admin/samples?least=10&most=11&order=most+guesses",
)
# What goes with an archive is counted, in indexes alone, for who may want to delete it.
COUNTS = ("/admin/archives/large",)


def steps(folder: Path, times: int) -> dict[str, int]:
    """What the database does for each page, in steps."""
    settings = Settings(data_dir=folder, secret_key="k" * 40)
    seed_large.seed(settings.database, **{name: count * times for name, count in SMALL.items()})
    engine = open_engine(settings.database)
    addresses = pages.addresses(engine)
    engine.dispose()
    app = create_app(settings)
    done = [0]

    def count() -> int:
        done[0] += 1
        return 0

    event.listen(app.state.office.engine, "connect", lambda raw, _: raw.set_progress_handler(count, EVERY))
    client = TestClient(app, follow_redirects=False, cookies={COOKIE: pages.TOKEN})
    found = {}
    for address in addresses:
        done[0] = 0
        assert client.get(address).status_code in (200, 303), address
        found[address] = done[0] * EVERY
    app.state.office.engine.dispose()
    return found


def test_pages_ask_no_more_of_the_database_in_a_larger_game(tmp_path: Path) -> None:
    small, large = (list(steps(tmp_path / str(times), times).items()) for times in (1, TIMES))
    grown = [
        (address, before, after)
        for (address, before), (_, after) in zip(small, large, strict=True)
        if address not in (*LOOKS_THROUGH, *COUNTS) and after > 1.5 * before + 2_000
    ]
    assert grown == [], "\n".join(map(str, grown))
