"""Databases for tests: real SQLite files, and a real PostgreSQL that is started once."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

# Before NumPy is imported: the threads of several test processes, each as many as there are cores, wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from app.db.migrate import migrate
from app.db.session import open_engine

_numbers = count(1)


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
def postgres_socket() -> Iterator[str]:
    """The socket folder of a PostgreSQL of our own, with a database `schema` that is migrated."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        pytest.skip("PostgreSQL's programs are not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="whichtweet-postgres-"))
    # The server refuses to run as root; Debian brings a user for it.
    owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    if owner:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    cluster, programs = folder / "cluster", binaries[-1]

    def do(*command: str | Path) -> None:
        subprocess.run([str(part) for part in command], check=True, capture_output=True, cwd="/", **owner)

    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=50"
    try:
        do(programs / "initdb", "-D", cluster, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
        do(programs / "pg_ctl", "-D", cluster, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            _query(folder, "CREATE DATABASE schema")
            engine = open_engine(_address(folder, "schema"))
            migrate(engine)
            engine.dispose()
            yield str(folder)
        finally:
            do(programs / "pg_ctl", "-D", cluster, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_socket: str) -> Iterator[str]:
    """A fresh database in PostgreSQL."""
    name = f"test_{next(_numbers)}"
    _query(postgres_socket, f"CREATE DATABASE {name} TEMPLATE schema")
    yield _address(postgres_socket, name)
    _query(postgres_socket, f"DROP DATABASE {name} WITH (FORCE)")


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


def _address(folder: Path | str, database: str) -> str:
    return f"postgresql+psycopg://postgres@/{database}?host={folder}"


def _query(folder: Path | str, words: str) -> None:
    engine = open_engine(_address(folder, "postgres"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(words))
    engine.dispose()
