"""The walks of docs/house.md are ways through the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

HOUSE = Path(__file__).resolve().parents[1]
BY_ITSELF = "⇢"


class Stop(NamedTuple):
    """A step of a walk: a file, what of it is called, and whether it begins by itself."""

    file: str
    names: tuple[str, ...]
    begins: bool


def walks() -> dict[str, list[Stop]]:
    page = (HOUSE / "docs" / "house.md").read_text(encoding="utf-8")
    told = re.findall(r"^\*\*(.+?)\*\*\n\n(\|.+?)\n(?:\n|$)", page, re.MULTILINE | re.DOTALL)
    return {title: [_stop(line) for line in table.splitlines()[2:]] for title, table in told}


def _stop(line: str) -> Stop:
    where = line.split("|")[1]
    file, *names = re.findall(r"`([^`]+)`", where)
    return Stop(file, tuple(names), where.strip().startswith(BY_ITSELF))


def test_there_are_three_walks() -> None:
    assert len(walks()) == 3
    assert all(len(stops) > 9 for stops in walks().values())


@pytest.mark.parametrize("title", walks())
def test_each_step_names_what_is_there(title: str) -> None:
    missing = []
    for stop in walks()[title]:
        if not (HOUSE / stop.file).exists():
            missing.append(stop.file)
        elif stop.names:
            there = {getattr(node, "name", "") for node in ast.parse(_read(stop.file)).body}
            missing += [f"{stop.file} {name}" for name in stop.names if name not in there]
    assert not missing


@pytest.mark.parametrize("title", walks())
def test_each_step_is_called_by_one_above_it_or_begins_by_itself(title: str) -> None:
    stops = walks()[title]
    lost = [
        stop.file
        for place, stop in enumerate(stops)
        if place and not stop.begins and not any(_leads(before.file, stop.file) for before in stops[:place])
    ]
    assert not lost


def _leads(above: str, below: str) -> bool:
    """Whether a file imports another, or names the template that it shows, or the form that it takes."""
    if below.endswith(".html"):
        return Path(below).name in _read(above)
    if above.endswith(".html"):
        return bool(set(re.findall(r"/(\w+)\"", _read(above))) & set(re.findall(r"/([\w-]+)\"", _read(below))))
    module, _, name = below.removesuffix(".py").replace("/", ".").rpartition(".")
    return bool(re.search(rf"from {module} import [^\n]*\b{name}\b|from {module}\.{name} import", _read(above)))


def _read(file: str) -> str:
    return (HOUSE / file).read_text(encoding="utf-8")
