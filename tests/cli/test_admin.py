"""whichtweet admin: makes, lists and removes those who may open the dashboard."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from app.db import admins
from app.db.session import open_engine, reading
from app.web.admin.passwords import is_right

pytestmark = pytest.mark.slow

HOUSE = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"


@pytest.fixture
def house(tmp_path):
    def command(*words, typed=""):
        environment = os.environ | {"WHICHTWEET_DATA_DIR": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-m", "app.cli", "admin", *words],
            cwd=HOUSE,
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
        )

    command.folder = tmp_path
    return command


def found(folder, name):
    engine = open_engine(f"sqlite:///{folder / 'whichtweet.db'}")
    with reading(engine) as connection:
        return admins.find(connection, name)


def test_an_admin_is_made_listed_and_removed(house):
    assert house("create", "Ada", typed=PASSWORD + "\n").returncode == 0
    ada = found(house.folder, "Ada")
    assert ada.role == "admin"
    assert ada.password_hash.startswith("$argon2id$")
    assert is_right(PASSWORD, ada.password_hash)
    listed = json.loads(house("list", "--json").stdout)
    assert [(each["name"], each["role"]) for each in listed["admins"]] == [("Ada", "admin")]
    assert house("remove", "Ada").returncode == 0
    assert found(house.folder, "Ada") is None


def test_a_short_password_is_refused_in_one_line(house):
    refused = house("create", "Ada", typed="short\n")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "found a password of 5 characters, expected 12" in refused.stderr
    assert found(house.folder, "Ada") is None


def test_the_password_is_no_argument(house):
    assert "password" not in house("create", "--help").stdout.split("Options")[1].lower().replace("the password", "")
    assert house("create", "Ada", "--password", PASSWORD).returncode == 2


def test_at_a_terminal_the_password_is_asked_twice_and_not_shown(tmp_path):
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "admin", "create", "Ada"],
        cwd=HOUSE,
        env=os.environ | {"WHICHTWEET_DATA_DIR": str(tmp_path)},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    seen = b""
    for question, answer in ((b"Password: ", PASSWORD), (b"again: ", "another " + PASSWORD)):
        while question not in seen:
            seen += os.read(keyboard, 1000)
        os.write(keyboard, answer.encode() + b"\n")
    assert process.wait(30) == 2
    with suppress(OSError):  # so a terminal ends on Linux
        while more := os.read(keyboard, 1000):
            seen += more
    assert b"the two passwords differ" in seen
    assert b"horse" not in seen
