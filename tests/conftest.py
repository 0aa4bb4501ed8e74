"""Databases for tests: real SQLite files, and a real PostgreSQL that is started once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path

import pytest
from clusters import Cluster, cluster
from sqlalchemy import Engine

# Before NumPy is imported: the threads of several test processes, each as many as there are cores, wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from app.db.migrate import migrate
from app.db.session import open_engine

_numbers = count(1)
TRAINERS = {"test_network.py", "test_train.py", "test_training_process.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Runs that leave tests of TensorFlow out do not collect them: that is to import it, which takes seconds."""
    return True if collection_path.name in TRAINERS and "not train" in config.option.markexpr else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI runs, a test in the browser that is skipped has failed: nobody would notice what it did not try."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") and "tests/browser" in item.nodeid:
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing in it; tests get copies."""
    file = tmp_path_factory.mktemp("schema") / "whichtweet.db"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    engine.dispose()
    return file


@pytest.fixture
def sqlite_url(migrated: Path, tmp_path: Path) -> str:
    """A fresh database in a file of its own."""
    file = tmp_path / "whichtweet.db"
    shutil.copy(migrated, file)
    return f"sqlite:///{file}"


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """A fresh SQLite database."""
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL of our own, with a database `schema` that is migrated."""
    with cluster() as server:
        server.query("CREATE DATABASE schema")
        engine = open_engine(server.address("schema"))
        migrate(engine)
        engine.dispose()
        yield server


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """A fresh database in PostgreSQL."""
    name = f"test_{next(_numbers)}"
    postgres.query(f"CREATE DATABASE {name} TEMPLATE schema")
    yield postgres.address(name)
    postgres.query(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_url(request: pytest.FixtureRequest) -> str:
    """A fresh database, once in each of the two."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def either_engine(either_url: str) -> Iterator[Engine]:
    """A fresh database, once in each of the two."""
    opened = open_engine(either_url)
    yield opened
    opened.dispose()


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """Finds a file of the shared folder beside the repository, or skips the test that needs it."""

    def find(name: str) -> Path:
        file = Path(__file__).resolve().parents[1].parent / "shared" / name
        if not file.exists():
            pytest.skip(f"shared/{name} is not beside the repository")
        return file

    return find
