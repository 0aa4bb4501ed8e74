"""`whichtweet --version`, which a report of a fault begins with."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from app.cli import main

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_version_told_is_the_projects(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["whichtweet", "--version"])
    with pytest.raises(SystemExit) as left:
        main()
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    assert (left.value.code, capsys.readouterr().out) == (0, f"whichtweet {version}\n")
