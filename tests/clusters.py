"""A PostgreSQL of our own, from the machine's binaries: started, stopped, killed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.db.session import open_engine


class Cluster:
    """A database server with its data in a folder, reached by a socket in that folder."""

    def __init__(self, programs: Path, folder: Path, *, durable: bool = False) -> None:
        """`durable`: what was committed survives a loss of power; tests need not wait for that."""
        self.folder = folder
        self._fsync = "on" if durable else "off"
        self._programs, self._data = programs, folder / "cluster"
        # The server refuses to run as root; Debian brings a user for it.
        self._owner: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._do("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N")

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c max_connections=80"
        options += f" -c fsync={self._fsync}"
        self._do("pg_ctl", "-D", self._data, "-o", options, "-l", self.folder / "log", "-w", "start")

    def stop(self) -> None:
        self._do("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def kill(self) -> None:
        """Kill the server and every process of it, as a crash would."""
        first = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        killed = [first, *_children(first)]
        for pid in killed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # All of them: the memory that they share keeps the next server from starting.
        while any(Path(f"/proc/{pid}").exists() for pid in killed):
            time.sleep(0.01)

    def address(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def query(self, words: str) -> None:
        engine = open_engine(self.address("postgres"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(words))
        engine.dispose()

    def _do(self, program: str, *words: str | Path) -> None:
        command = [str(part) for part in (self._programs / program, *words)]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **self._owner)


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A server that is started, and gone when the block ends; skips the test where PostgreSQL is not installed."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        pytest.skip("PostgreSQL's programs are not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="whichtweet-postgres-"))
    try:
        server = Cluster(binaries[-1], folder, durable=durable)
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # it may have been stopped already
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(folder.name))
    return found
