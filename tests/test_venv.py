"""tools/venv.sh installs what is lacking, whole, one at a time, and refuses what cannot be installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.process
HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ".venv/lib/python3.12/site-packages"
# Says that it is the Python of the file `version`; what it is asked of pip it notes, with the packages that were there.
PYTHON = f"""#!/bin/sh
case "$1" in
    --version) echo "Python $(cat version)" ;;
    -m)
        echo "$*" >> asked
        ls {PACKAGES} > there
        while [ -e hold ]; do sleep 0.02; done
        ;;
    -c)
        shift
        exec {sys.executable} -c '
import sys
sys.version_info = tuple(map(int, open("version").read().split(".")))
exec(sys.argv.pop(1))
' "$@"
        ;;
esac
"""


class House:
    """A folder with an environment, into which nothing is really installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tools").mkdir()
        shutil.copy(HOUSE / "tools" / "venv.sh", folder / "tools")
        for name in ("requirements.lock", "requirements-train.lock", "requirements-test.lock", "pyproject.toml"):
            (folder / name).write_text(name)
        (folder / "python").write_text(PYTHON)
        (folder / "python").chmod(0o755)
        self.be("3.12.1")
        (folder / ".venv" / "bin").mkdir(parents=True)
        (folder / ".venv" / "bin" / "python").symlink_to(folder / "python")
        (folder / PACKAGES).mkdir(parents=True)

    def be(self, version: str) -> None:
        (self.folder / "version").write_text(version)

    def package(self, name: str, *files: str) -> None:
        info = self.folder / PACKAGES / f"{name}-1.0.dist-info"
        info.mkdir()
        for file in files:
            (info / file).touch()

    def begin(self, part: str) -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHON": str(self.folder / "python")}
        command = [str(self.folder / "tools" / "venv.sh"), part]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def install(self, part: str) -> tuple[int, str]:
        with self.begin(part) as process:
            _, words = process.communicate(timeout=60)
        return process.returncode, words

    def asked(self) -> int:
        """How often pip was asked for something: twice an installation."""
        file = self.folder / "asked"
        return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    (tmp_path / "hold").unlink(missing_ok=True)


def test_what_an_installer_left_half_done_is_not_taken_for_installed(house: House) -> None:
    """It comes to its own RECORD only when all is done; the wheel's lies there before, and is no sign."""
    house.package("whole", "METADATA", "RECORD", "INSTALLER")
    house.package("half", "METADATA", "RECORD")
    house.package("quarter", "METADATA")
    assert house.install("train")[0] == 0
    assert (house.folder / "there").read_text().split() == ["whole-1.0.dist-info"]


def test_a_second_call_costs_nothing_unless_something_was_left_half_done(house: House) -> None:
    for _ in range(2):
        assert house.install("train")[0] == 0
    assert house.asked() == 2
    assert house.install("play")[0] == 0
    house.package("half", "METADATA")
    assert house.install("play") == (0, ""), "play waits for nothing that training needs"
    assert house.install("train")[0] == 0
    assert house.asked() == 6


def test_two_that_install_at_once_do_so_one_after_the_other(house: House) -> None:
    (house.folder / "hold").touch()
    first = house.begin("train")
    while house.asked() < 1 and first.poll() is None:
        time.sleep(0.02)
    house.package("half", "METADATA")  # the first is at it
    second = house.begin("train")
    assert second.stderr is not None
    assert second.stderr.readline() == "Waiting for another installation into .venv …\n"
    assert (house.folder / PACKAGES / "half-1.0.dist-info").exists()
    (house.folder / PACKAGES / "half-1.0.dist-info" / "INSTALLER").touch()
    (house.folder / "hold").unlink()
    for process in (first, second):
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert house.asked() == 2, "the second found all there"


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_python_for_which_there_is_no_tensorflow_is_refused(house: House, part: str) -> None:
    house.be("3.14.0")
    code, words = house.install(part)
    assert (code, house.asked()) == (2, 0)
    assert words == (
        "Found Python 3.14.0, expected Python 3.11 to 3.13, for which there is TensorFlow:"
        f" make clean setup-{part} PYTHON=python3.13\n"
    )
    shutil.rmtree(house.folder / ".venv")
    assert f": make setup-{part} PYTHON=python3.13" in house.install(part)[1]
    assert not (house.folder / ".venv").exists()


def test_the_game_plays_on_a_newer_python(house: House) -> None:
    house.be("3.14.0")
    assert house.install("play")[0] == 0
    assert house.asked() == 2


def test_a_python_that_is_too_old_is_refused(house: House) -> None:
    house.be("3.10.2")
    code, words = house.install("play")
    assert (code, house.asked()) == (2, 0)
    assert words.startswith("Found Python 3.10.2, expected Python 3.11 or newer: name one with make setup PYTHON=")
