"""whichtweet backup, restore and db copy, as somebody types them."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import main
from app.db.migrate import migrate
from app.db.session import open_engine
from app.jobs.demo import open_demo

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs a command on a data folder: its exit code, standard output and standard error."""

    def run(data: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.setenv("WHICHTWEET_DATA_DIR", str(tmp_path / data))
        monkeypatch.setattr(sys, "argv", ["whichtweet", *words])
        with pytest.raises(SystemExit) as exit:
            main()
        told = capsys.readouterr()
        return int(exit.value.code or 0), told.out, told.err

    return run


@pytest.mark.slow
def test_the_commands_say_what_they_did(command: Command, tmp_path: Path) -> None:
    demo = open_engine(f"sqlite:///{tmp_path / 'one' / 'whichtweet.db'}")
    migrate(demo)
    open_demo(demo, tmp_path / "one" / "checkpoints")
    demo.dispose()
    code, out, _ = command("one", "backup", str(tmp_path / "game.zip"), "--json")
    assert (code, json.loads(out)["files"]) == (0, 4)
    assert command("two", "restore", str(tmp_path / "game.zip"))[0] == 0
    code, _, words = command("two", "restore", str(tmp_path / "game.zip"))
    assert (code, words.count("\n"), "holds a game already" in words) == (2, 1, True)
    ours, other = (f"sqlite:///{tmp_path / name / 'whichtweet.db'}" for name in ("two", "three"))
    code, out, _ = command("x", "db", "copy", ours, other, "--json")
    assert (code, json.loads(out)["tweets"]["rows"] > 100) == (0, True)
    code, _, words = command("x", "db", "copy", ours, "mysql://somewhere")
    assert (code, words.count("\n")) == (2, 1)
    shutil.rmtree(tmp_path / "two")
    assert command("x", "db", "copy", ours, other)[2].strip().endswith("is not there")


@pytest.mark.process
def test_where_there_is_no_room_left_it_is_said_in_one_line(tmp_path: Path) -> None:
    environment = os.environ | {"WHICHTWEET_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "app.cli", "archives", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.endswith("make room, then run the command again\n")


def test_a_backup_for_which_there_is_no_room_is_said_in_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SQLite's driver says so itself; and a copy names the file that was read, which is not where room is lacking."""
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA max_page_count=1")
    with pytest.raises(sqlite3.OperationalError) as full:
        database.execute("CREATE TABLE larger (than INTEGER)")
    for error in (full.value, OSError(errno.ENOSPC, "No space left on device", "model/base/weights.safetensors")):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("app.cli.keeping.back_up", fail)
        exit_code, _, err = command("data", "backup", str(tmp_path / "game.zip"))
        assert (exit_code, err.count("\n"), "model/base" in err) == (2, 1, False)
        assert err.endswith("make room, then run the command again\n")
