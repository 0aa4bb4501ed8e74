"""An import is all or nothing, whatever ends it, and nothing else waits long for it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from bringing import bring_in, everything, stored, tweet, write
from factories import LONG_AGO, add_archive, add_tweets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event, func, select

from app.archives import ArchiveError, ImportStoppedError
from app.db import archives, imports
from app.db.locks import alone
from app.db.session import open_engine, reading, writing
from app.db.tables import archives as archives_table
from app.db.tables import tweets as tweets_table
from app.jobs.importing import Progress

BROKEN = {
    "broken JSON": b'[{"text": "One"}, {"text": "Two"',
    "a bad byte": b'{"text": "One"}\n{"text": "Caf\xe9"}\n',
    "no text": b'[{"id": 1, "message": "One"}]',
    "nothing usable": b'[{"id": 1, "text": "RT @bob: hello"}]',
    "empty": b"",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_first_import_that_fails_leaves_no_trace(either_engine: Engine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ArchiveError):
        bring_in(either_engine, tmp_path / "bad")
    assert everything(either_engine) == [[], [], []]


@pytest.mark.slow
def test_a_later_import_that_fails_leaves_the_archive_as_it_was(either_engine: Engine, tmp_path: Path) -> None:
    bring_in(either_engine, write(tmp_path, [tweet(n) for n in range(10)]))
    before = everything(either_engine)
    (tmp_path / "bad").write_text(json.dumps([tweet(n) for n in range(2000)])[:-5])
    with pytest.raises(ArchiveError, match="broken JSON in bad at byte"):
        bring_in(either_engine, tmp_path / "bad", name="Another name", handle="other")
    after = everything(either_engine)
    assert (after[0], after[2]) == (before[0], before[2])
    assert [row.state for row in after[1]] == ["done", "failed"]


@pytest.mark.slow
def test_a_stopped_import_leaves_no_trace(either_engine: Engine, tmp_path: Path) -> None:
    asked: list[int] = []
    with pytest.raises(ImportStoppedError):
        bring_in(
            either_engine,
            write(tmp_path, [tweet(n) for n in range(2000)]),
            on_progress=lambda progress: asked.append(progress.added),
            should_stop=lambda: len(asked) == 2,
        )
    assert asked == [500, 1000]
    assert everything(either_engine) == [[], [], []]


def test_any_error_leaves_no_trace(engine: Engine, tmp_path: Path) -> None:
    def fail(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in(engine, write(tmp_path, [tweet(n) for n in range(600)]), on_progress=fail)
    assert everything(engine) == [[], [], []]


KILLED = """
import os, signal, sys
from pathlib import Path
from app.db.session import open_engine
from app.jobs.importing import import_archive

def die(progress):
    if progress.read >= 1000:
        os.kill(os.getpid(), signal.SIGKILL)

import_archive(open_engine(sys.argv[1]), Path(sys.argv[2]), slug="mayor", on_progress=die)
"""


def wait_for_the_lock(engine: Engine) -> None:
    """PostgreSQL lets go of a killed client's lock once it has noticed."""
    while True:
        with alone(engine, "import-mayor") as is_free:
            if is_free:
                return
        time.sleep(0.01)


@pytest.mark.process
@pytest.mark.parametrize("tweets_before", [0, 40])
def test_a_killed_import_is_invisible_and_swept_up_by_the_next(
    either_url: str, tmp_path: Path, tweets_before: int
) -> None:
    engine = open_engine(either_url)
    if tweets_before:
        bring_in(engine, write(tmp_path, [tweet(n) for n in range(tweets_before)]))
    file = write(tmp_path, [tweet(n) for n in range(2000)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, either_url, str(file)], check=False, cwd=Path(__file__).parents[2]
    )
    assert killed.returncode == -signal.SIGKILL
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(tweets_table)).scalar_one() == 1000
        found = archives.listing(connection)
        assert [sum(archives.holdings(connection, archive).splits.values()) for archive in found] == (
            [tweets_before] if tweets_before else []
        )
    wait_for_the_lock(engine)
    done = bring_in(engine, file)
    assert done.added == 2000 - tweets_before
    rows = stored(engine)
    assert len(rows) == 2000
    assert sorted(row.deck_seq for row in rows if row.split == "deck") == list(
        range(sum(row.split == "deck" for row in rows))
    )
    engine.dispose()


@pytest.mark.process
def test_the_first_import_after_a_killed_one_says_what_the_archive_is(either_url: str, tmp_path: Path) -> None:
    engine = open_engine(either_url)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, either_url, str(write(tmp_path, [tweet(n) for n in range(2000)]))],
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert killed.returncode == -signal.SIGKILL
    wait_for_the_lock(engine)
    lines = tmp_path / "poems.txt"
    lines.write_text("".join(tweet(n)["text"] + "\n" for n in range(30)))
    bring_in(engine, lines, name="The Poet", handle="@poet", split="line")
    with reading(engine) as connection:
        (found,) = archives.listing(connection)
    assert (found.name, found.handle, found.unit) == ("The Poet", "poet", "passage")
    engine.dispose()


def test_of_two_imports_at_once_the_second_is_refused(either_engine: Engine, tmp_path: Path) -> None:
    file = write(tmp_path, [tweet(1)])
    with (
        alone(either_engine, "import-mayor"),
        pytest.raises(ArchiveError, match="another import of the archive mayor is at work"),
    ):
        bring_in(either_engine, file)
    assert bring_in(either_engine, file).added == 1


def test_the_lock_leaves_no_file_behind(engine: Engine, tmp_path: Path) -> None:
    bring_in(engine, write(tmp_path, [tweet(1)]))
    assert not list(tmp_path.glob("*.lock"))


def test_a_private_persons_archive_is_never_there_without_its_invitation(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is behind the invitation in the same transaction in which it comes to be there."""
    finish, seen = imports.finish, []

    def flip(connection: Connection, *rest: Any) -> None:
        seen.append(connection.execute(select(archives_table.c.basis, archives_table.c.invite)).one())
        finish(connection, *rest)

    monkeypatch.setattr(imports, "finish", flip)
    bring_in(engine, write(tmp_path, [tweet(n) for n in range(50)]), basis="permission")
    [(basis, invite)] = seen
    assert basis == "permission"
    assert invite


def test_a_deleted_archive_takes_no_import(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        add_tweets(connection, add_archive(connection, deleted_at=LONG_AGO), ["old"])
    before = everything(engine)
    with pytest.raises(ArchiveError, match="the archive mayor was deleted"):
        bring_in(engine, write(tmp_path, [tweet(1)]))
    assert everything(engine) == before


@pytest.mark.slow
def test_no_write_transaction_takes_more_than_a_batch(engine: Engine, tmp_path: Path) -> None:
    written: list[int] = []

    @event.listens_for(engine, "after_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        if statement.startswith(("INSERT INTO tweets", "DELETE FROM tweets")):
            written.append(cursor.rowcount)

    with pytest.raises(ImportStoppedError):
        bring_in(
            engine,
            write(tmp_path, [tweet(n) for n in range(2100)]),
            should_stop=lambda: sum(written) >= 1500,
        )
    assert written
    assert max(written) <= 500


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    errors=st.sampled_from(["strict", "replace"]),
)
def test_any_bytes_are_imported_or_refused(engine: Engine, tmp_path: Path, content: bytes, errors: str) -> None:
    (tmp_path / "any").write_bytes(content)
    before = everything(engine)
    try:
        done = bring_in(engine, tmp_path / "any", encoding_errors=errors, split=None)
    except ArchiveError:
        assert everything(engine)[2] == before[2]
    else:
        assert len(stored(engine)) == len(before[2]) + done.added
