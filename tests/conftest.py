"""Databases for tests: real SQLite files, and a real PostgreSQL that is started once. What a test takes marks it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from unittest.mock import patch

import pytest
from clusters import Cluster, cluster
from hypothesis import settings
from sqlalchemy import Engine

# Before NumPy is imported: the threads of several test processes, each as many as there are cores, wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from app.db.migrate import migrate
from app.db.session import open_engine

settings.register_profile("unhurried", deadline=None)
if "CI" not in os.environ:  # there Hypothesis has a profile of its own
    settings.load_profile("unhurried")

_numbers = count(1)
# What a fixture starts or reads, its tests take: they are marked by it, wherever they stand.
TAKEN = {
    **{"chromium": "browser", "postgres": "postgres", "shared": "slow"},
    **dict.fromkeys(("serving", "either_serving", "served", "outside"), "server"),
}
DEAR = ("browser", "process", "train", "slow")  # marks, the dearest first


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files all of whose tests a run leaves out are not even imported: with TensorFlow that would take seconds."""
    left_out = _left_out(config)
    return True if left_out and _is_left_out(collection_path, left_out) else None


def _left_out(config: pytest.Config) -> set[str]:
    return set(re.findall(r"\bnot (\w+)", config.option.markexpr))


def _is_left_out(path: Path, marks: set[str]) -> bool:
    if path.is_dir():
        files = [*path.rglob("test_*.py")]
        return bool(files) and all(_is_left_out(file, marks) for file in files)
    if not path.name.startswith("test_"):
        return False
    line = re.search(r"^pytestmark = (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return line is not None and not marks.isdisjoint(re.findall(r"\bmark\.(\w+)", line[1]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they take, and begin with the dearest files: the last ones then end together."""
    missing = pytest.mark.skip(reason="TensorFlow is not installed: make setup-train")
    trains = find_spec("tensorflow") is not None
    for item in items:
        if not trains and item.get_closest_marker("train"):
            item.add_marker(missing)
        for fixture, mark in TAKEN.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
    places: dict[Path, int] = {}
    for item in items:
        own = [place for place, mark in enumerate(DEAR) if item.get_closest_marker(mark)]
        places[item.path] = min([places.get(item.path, len(DEAR)), *own])
    items.sort(key=lambda item: places[item.path])


@pytest.fixture(autouse=True, scope="session")
def _quick_tests_start_no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """A run that leaves out what starts processes tells which test should have been left out with it."""
    if not {"browser", "postgres", "process"} <= _left_out(request.config):
        yield
        return

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this test starts a process: mark it so (pytest.mark.process)")

    with patch.object(subprocess.Popen, "__init__", refuse), patch.object(subprocess.Popen, "__del__", lambda _: None):
        yield


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
