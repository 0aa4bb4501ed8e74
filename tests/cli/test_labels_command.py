"""whichtweet labels: counts, takes back, gives back and exports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from factories import add_game, add_generator, add_guess, add_player
from sqlalchemy import select

from app.cli.labels import _write_export
from app.db import archives, labels
from app.db.exporting import Export
from app.db.labels import NewSet
from app.db.migrate import migrate
from app.db.session import now, open_engine, reading, writing
from app.db.tables import audit as audit_table
from app.jobs.workshop import Workshop

pytestmark = pytest.mark.process

HOUSE = Path(__file__).resolve().parents[2]


@pytest.fixture
def house(tmp_path, sqlite_url):
    """A game with two players; v2 learned from three labels of the first one."""
    engine = open_engine(sqlite_url)
    migrate(engine)
    with writing(engine) as connection:
        archive_id = add_game(connection)
        ada, bob = add_player(connection), add_player(connection)
        for card in range(1, 4):
            add_guess(connection, ada, tweet_id=card, sample_id=card)
        add_guess(connection, bob, status="excluded", reason="too quick")
        frozen = NewSet(archive_id, 4, 2, {"accepted": 3}, "mayor/labels/4.jsonl", "0" * 64, {ada: 3})
        add_generator(connection, archive_id, label_set_id=labels.keep_set(connection, frozen, now()))

    def command(*words):
        return subprocess.run(
            [sys.executable, "-m", "app.cli", "labels", *words],
            cwd=HOUSE,
            env=os.environ | {"WHICHTWEET_DATA_DIR": str(tmp_path), "WHICHTWEET_DATABASE_URL": sqlite_url},
            capture_output=True,
            text=True,
        )

    command.engine = engine
    command.folder = tmp_path
    yield command
    engine.dispose()


def test_labels_are_taken_back_and_given_back(house):
    done = json.loads(house("retract", "--player", "1", "--reason", "a script", "--json").stdout)
    assert done["labels"] == 3
    assert [(each["archive"], each["name"], each["labels"]) for each in done["generators"]] == [("mayor", "v2", 3)]
    counts = json.loads(house("list", "--archive", "mayor", "--json").stdout)
    assert {(row["status"], row["reason"]): row["labels"] for row in counts["labels"]} == {
        ("excluded", "retracted"): 3,
        ("excluded", "too quick"): 1,
    }
    assert counts["alarm"] is None
    restored = json.loads(house("restore", "--player", "1", "--json").stdout)
    assert restored == {"player": 1, "labels": 3}
    assert "accepted" in house("list", "--archive", "mayor").stdout
    with reading(house.engine) as connection:
        rows = connection.execute(select(audit_table.c.who, audit_table.c.what, audit_table.c.reason)).all()
    assert [tuple(row) for row in rows] == [
        ("command line", "player's labels taken back", "a script"),
        ("command line", "labels moved", None),
        ("command line", "player's labels given back", None),
        ("command line", "labels moved", None),
    ]


def test_what_cannot_be_is_said_in_one_line(house):
    for words, said in (
        (("retract", "--player", "77"), "there is no player 77"),
        (("restore", "--player", "2"), "the labels of player 2 are not taken back"),
        (("list", "--archive", "nobody"), "no archive is called nobody"),
    ):
        refused = house(*words)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert said in refused.stderr
    beyond = house("retract", "--player", "99999999999999999999")
    assert beyond.returncode == 2
    assert "Traceback" not in beyond.stderr


def test_an_export_has_a_data_sheet_beside_it(house):
    file = house.folder / "labels.csv"
    done = json.loads(house("export", "--archive", "mayor", "--format", "csv", "--out", str(file), "--json").stdout)
    assert done["files"] == {str(file): 4}
    assert len(file.read_text().splitlines()) == 5
    assert "# Data sheet: labels of mayor" in (house.folder / "labels.data-sheet.md").read_text()
    with writing(house.engine) as connection:
        robot = add_player(connection, simulated="speller")
        add_guess(connection, robot, status="excluded", reason="simulated")
    done = json.loads(house("export", "--archive", "mayor", "--out", str(house.folder / "all.jsonl"), "--json").stdout)
    assert list(done["files"].values()) == [4, 1]
    (line,) = (house.folder / "all.simulated.jsonl").read_text().splitlines()
    assert json.loads(line)["simulated"] == "speller"


def test_an_export_is_of_one_moment_and_leaves_the_one_before_where_it_fails(either_engine, tmp_path):
    """Somebody plays on while it is written."""
    with writing(either_engine) as connection:
        add_game(connection)
        player = add_player(connection)
        add_guess(connection, player)
        archive = archives.find(connection, "mayor")
    file = tmp_path / "labels.jsonl"

    class Interrupted(Export):
        def lines(self, connection):
            yield from super().lines(connection)
            with writing(either_engine) as another:
                add_guess(another, player)

    workshop = Workshop(either_engine, tmp_path)
    assert _write_export(workshop, Interrupted(archive), file) == 1
    assert "for the\ntweet. 1 guesses." in (tmp_path / "labels.data-sheet.md").read_text()
    before = file.read_bytes()

    class Full(Export):
        def lines(self, connection):
            yield "half a line"
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        _write_export(workshop, Full(archive), file)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*labels*")) == ["labels.data-sheet.md", "labels.jsonl"]


def test_an_export_that_cannot_be_written_is_refused_in_one_line(house):
    for words, said in (
        (("--out", "/nowhere/labels.csv"), "/nowhere/labels.csv: No such file or directory"),
        (("--out", "labels.xlsx", "--format", "xlsx"), "found --format xlsx, expected jsonl or csv"),
    ):
        refused = house("export", "--archive", "mayor", *words)
        assert (refused.returncode, refused.stderr.strip()) == (2, said)
