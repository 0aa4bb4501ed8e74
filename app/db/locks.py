"""Locks: what only one process at a time may do, let go of by the operating system whatever ends that process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import Engine, text


@contextmanager
def alone(engine: Engine, task: str) -> Iterator[bool]:
    """Whether nobody else does `task` on this database while the block runs: False where somebody does.

    On PostgreSQL an advisory lock; with SQLite a locked file beside the database.
    """
    if engine.dialect.name == "postgresql":
        with _alone_on_postgres(engine, task) as held:
            yield held
    elif engine.url.database in (None, "", ":memory:"):
        yield True  # nobody else can see it
    else:
        with _alone_beside(Path(f"{engine.url.database}.{task}.lock")) as held:
            yield held


@contextmanager
def _alone_on_postgres(engine: Engine, task: str) -> Iterator[bool]:
    number = int.from_bytes(blake2b(task.encode(), digest_size=8).digest(), "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}))
        try:
            yield held
        finally:
            if held:
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})


@contextmanager
def _alone_beside(path: Path) -> Iterator[bool]:
    handle = _locked(path)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            path.unlink(missing_ok=True)  # while it is still ours
            os.close(handle)


def _locked(path: Path) -> int | None:
    """The file at `path`, open and locked; None where another holds it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        # The one who held it may have removed the file between our opening and our locking it.
        if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
            return handle
        os.close(handle)
