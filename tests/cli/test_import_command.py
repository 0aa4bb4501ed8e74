"""The commands `import` and `archives`, as somebody at a terminal sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from app.cli import main
from app.jobs.base import shipped_base

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "demo" / "mayor_of_gannet.jsonl"


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def whichtweet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command, with a data folder of its own."""
    monkeypatch.setenv("WHICHTWEET_DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["whichtweet", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capfd.readouterr())

    return run


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """The first hundred posts of the demo archive."""
    file = tmp_path / "few.jsonl"
    file.write_text("".join(DEMO.read_text(encoding="utf-8").splitlines(keepends=True)[:100]), encoding="utf-8")
    return file


def test_an_import_shows_a_table(whichtweet: Run, few: Path) -> None:
    done = whichtweet("import", few, "--archive", "The Mayor", "--handle", "@MayorOfGannet")
    assert done.returncode == 0
    assert "rows read" in done.stdout
    assert "100" in done.stdout
    assert "the-mayor is too small to learn from" in done.stderr


def test_an_import_says_when_an_archive_is_too_small_to_learn_from(whichtweet: Run, tmp_path: Path, few: Path) -> None:
    lines = few.read_text(encoding="utf-8").splitlines(keepends=True)
    few.write_text("".join(lines[:30]), encoding="utf-8")
    done = whichtweet("import", few, "--archive", "mayor")
    assert "mayor is too small to learn from: found " in done.stderr
    assert "Next: " not in done.stderr
    rest = tmp_path / "rest.jsonl"
    rest.write_text("".join(DEMO.read_text(encoding="utf-8").splitlines(keepends=True)[30:300]), encoding="utf-8")
    assert "Next: whichtweet train --archive mayor" in whichtweet("import", rest, "--archive", "mayor").stderr


def test_an_import_says_why_the_base_does_not_stand_in(whichtweet: Run, tmp_path: Path) -> None:
    file = tmp_path / "greek.jsonl"
    rows = [{"id": str(n), "text": "".join(Random(n).choices("αβγδεζηθικλμνξοπρστυφχψω  ", k=80))} for n in range(60)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    words = whichtweet("import", file, "--archive", "greek").stderr
    assert (
        "greek is played once it is trained; the shipped base does not stand in for it: these texts are strange"
        in words
    )


def test_an_import_prints_one_object(whichtweet: Run, few: Path) -> None:
    whichtweet("import", few, "--archive", "mayor", "--json")
    done = whichtweet("import", few, "--archive", "mayor", "--json")
    figures = json.loads(done.stdout)
    assert (figures["archive"], figures["read"], figures["added"]) == ("mayor", 100, 0)
    assert figures["left_out"] == {"already there": 100}


def test_archives_are_listed(whichtweet: Run, few: Path) -> None:
    assert json.loads(whichtweet("archives", "--json").stdout) == {"archives": []}
    whichtweet("import", few, "--archive", "mayor", "--handle", "Mayor")
    (listed,) = json.loads(whichtweet("archives", "--json").stdout)["archives"]
    assert sum(listed.pop("tweets").values()) == 100
    assert listed == {
        "slug": "mayor",
        "name": "mayor",
        "handle": "Mayor",
        "unit": "tweet",
        "demo": False,
        "left_out": {},
        "shelf": 0,
        "champion": "v1" if shipped_base() else None,  # the base stands in
    }
    table = whichtweet("archives")
    assert "mayor" in table.stdout
    assert "@Mayor" in table.stdout


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        (b'[{"text": "One"}, {"te', (), "broken JSON in archive at byte 22"),
        (b"id,message\n1,hello\n", (), "expected a column text"),
        (b"text\nCaf\xe9\n", (), "--encoding-errors replace"),
        (b"", (), "is empty"),
        (b"PK\x03\x04....", (), "is a damaged zip"),
        (b"text\nOne\n", ("--handle", "two words"), "is no handle"),
        (b"text\nOne\n", ("--archive", "???"), "cannot name an archive"),
        (b"text\nOne\n", ("--format", "yaml"), "no format 'yaml'"),
        (b"text\nOne\n", ("--encoding-errors", "ignore"), "expected strict, replace, windows-1252"),
        (b"text\nOne\n", ("--basis", "mine"), "expected own, public, permission"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    whichtweet: Run, tmp_path: Path, content: bytes, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "archive").write_bytes(content)
    done = whichtweet("import", tmp_path / "archive", "--archive", "mayor", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert json.loads(whichtweet("archives", "--json").stdout) == {"archives": []}


def test_an_archive_is_found_under_the_name_that_it_was_imported_by(whichtweet: Run, few: Path) -> None:
    whichtweet("import", few, "--archive", "The Mayor")
    listed = whichtweet("generators", "list", "--archive", "The Mayor", "--json")
    assert json.loads(listed.stdout)["archive"] == "the-mayor"
    strange = whichtweet("generators", "list", "--archive", "市長", "--json")
    assert (strange.returncode, strange.stderr) == (2, "no archive is called 市長; there are the-mayor\n")


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_where_nothing_was_imported_yet_the_archive_is_missing_and_not_the_database(
    whichtweet: Run, command: str
) -> None:
    missing = whichtweet(command, "--archive", "Mayor")
    assert (missing.returncode, missing.stderr) == (2, "no archive 'mayor'; known are: none yet\n")


def test_a_damaged_database_gets_one_line(whichtweet: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "whichtweet.db").write_bytes(b"this is no database" * 1000)
    done = whichtweet("archives")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "whichtweet.db is damaged (file is not a database): " in done.stderr
    assert "whichtweet restore" in done.stderr


@pytest.mark.parametrize(
    "words",
    [("--archive", "caf\udce9"), ("--archive", "a", "--name", "caf\udce9"), ("--archive", "a", "--name", "n" * 201)],
)
def test_a_name_that_cannot_be_shown_gets_one_line(whichtweet: Run, few: Path, words: tuple[str, ...]) -> None:
    refused = whichtweet("import", few, *words)
    assert refused.returncode == 2
    assert refused.stderr.startswith("cannot call an archive ")
    assert refused.stderr.count("\n") == 1
    assert json.loads(whichtweet("archives", "--json").stdout) == {"archives": []}


def test_a_name_of_spaces_alone_is_none(whichtweet: Run, few: Path) -> None:
    whichtweet("import", few, "--archive", "mayor", "--name", "  ")
    assert json.loads(whichtweet("archives", "--json").stdout)["archives"][0]["name"] == "mayor"


def test_a_missing_file_gets_one_line(whichtweet: Run, tmp_path: Path) -> None:
    done = whichtweet("import", tmp_path / "nowhere.csv", "--archive", "mayor")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "there is no file" in done.stderr


def test_a_file_whose_name_is_no_text_is_imported(whichtweet: Run, few: Path, tmp_path: Path) -> None:
    named = tmp_path / os.fsdecode(b"caf\xe9.jsonl")  # as Windows-1252 wrote it
    named.write_bytes(few.read_bytes())
    done = whichtweet("import", named, "--archive", "mayor", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["added"] > 0


@pytest.mark.process
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = subprocess.run(  # in a process of its own, which can be ended if it waits
        [sys.executable, "-m", "app.cli", "import", str(tmp_path / "pipe"), "--archive", "mayor"],
        env={**os.environ, "WHICHTWEET_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "neither a file nor a folder" in done.stderr
