"""The desk tells what a network thinks, of a text that it reads and of one that it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import a_checkpoint

from app.web.desk_process import Desk, Writing, liveliest, read_aloud
from model.checkpoint import write_checkpoint
from model.reader import Reader, read
from model.sampling import Decoding
from model.vocab import END_ID

HOUSE = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("cell", "gates"),
    [
        ("lstm", {"forget", "input", "candidate", "c", "output", "h"}),
        ("gru", {"update", "reset", "candidate", "h"}),
        ("rnn", {"h"}),
    ],
)
def test_a_reading_tells_surprise_odds_and_the_gates_of_one_unit(cell: str, gates: set[str]) -> None:
    checkpoint = a_checkpoint(cell)
    told = read_aloud(Reader(checkpoint), ["a pier", "a gull"], layer=1, unit=3)
    assert (told["cell"], told["layer"], told["unit"]) == (cell, 1, 3)
    for text, characters in zip(["a pier", "a gull"], told["texts"], strict=True):
        assert "".join(one["c"] for one in characters) == text
        assert characters[-1]["c"] == ""
        for one, thought in zip(characters, read(Reader(checkpoint), text), strict=True):
            assert one["bits"] == pytest.approx(thought.surprise, abs=0.01)
            assert [name for name, _ in one["best"]] == [name for name, _ in thought.likeliest]
            assert set(one["gates"]) == gates
            assert one["gates"]["h"] == pytest.approx(float(thought.gates[0]["h"][2]), abs=0.001)


@pytest.mark.parametrize(("layer", "unit"), [(None, None), (0, 0), (99, 99), (-1, -5)])
def test_a_unit_that_is_not_there_is_chosen_by_us(layer: int | None, unit: int | None) -> None:
    told = read_aloud(Reader(a_checkpoint()), ["a pier"], layer, unit)
    assert told["layer"] == 2
    assert told["unit"] == told["lively"][0]


def test_the_liveliest_unit_is_the_one_that_changes_most() -> None:
    still, lively = np.zeros(3, np.float32), np.array([0, 1, 0.5], np.float32)
    assert liveliest([{"h": still}, {"h": lively}])[:2] == [2, 3]


def written(seed: int = 1, refused: str = "", **decoding: Any) -> list[dict[str, Any]]:
    told = []
    writing = Writing(Reader(a_checkpoint(scale=1.0)), "a pier ", Decoding(**decoding), seed, limit=60)
    for choice in writing.steps():
        while choice.character and choice.character in refused:
            choice.refuse()
        told.append(choice.told())
    assert writing.text == "a pier " + "".join(one["c"] for one in told)
    assert told
    return told


def test_the_odds_of_what_is_written_are_those_it_was_drawn_with() -> None:
    for one in written(temperature=0.7, top_p=0.9):
        assert 0 < one["odds"] <= 1
        assert one["bits"] == pytest.approx(-np.log2(one["odds"]), abs=0.02)
        assert sum(odds for _, odds in one["best"]) <= 1.0001


def test_a_seed_writes_the_same_again_and_another_seed_something_else() -> None:
    assert written(1) == written(1)
    assert written(1) != written(2)


def test_what_is_refused_is_not_written() -> None:
    usual = "".join(one["c"] for one in written(3))
    common = max(set(usual), key=usual.count)
    assert common not in "".join(one["c"] for one in written(3, refused=common))


def test_where_nothing_is_left_the_text_ends() -> None:
    assert [one["c"] for one in written(1, refused="abcdefghijklmnopqrstuvwxyz ,.")] == [""]


def test_a_text_longer_than_the_guard_may_end() -> None:
    checkpoint = a_checkpoint()
    checkpoint.weights["output.bias"][END_ID] = 100.0
    writing = Writing(Reader(checkpoint), "a text of thirty characters, or", Decoding(), 1, limit=60)
    assert [choice.character for choice in writing.steps()] == [""]


def test_cautious_settings_leave_the_likeliest_alone() -> None:
    assert all(one["odds"] == 1.0 for one in written(1, temperature=0.01, top_p=0.01, no_repeat=0))


def test_two_networks_are_kept_at_hand(tmp_path: Path) -> None:
    folders = [str(tmp_path / name) for name in "abc"]
    for seed, folder in enumerate(folders):
        write_checkpoint(Path(folder), a_checkpoint(seed=seed, units=8))
    desk = Desk()
    first = desk.reader(folders[0])
    assert desk.reader(folders[0]) is first
    desk.reader(folders[1])
    desk.reader(folders[2])
    assert desk.reader(folders[0]) is not first


@pytest.mark.process
def test_the_process_answers_line_by_line(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "net", a_checkpoint(units=8))
    ask = {"folder": str(tmp_path / "net")}
    lines = [
        {"do": "read", "texts": ["a pier"], "layer": None, "unit": None, **ask},
        {"do": "read", "texts": ["a pier"], "layer": None, "unit": None, "folder": str(tmp_path / "gone")},
        {"do": "write", "prompt": "a ", "temperature": 1.0, "top_p": 0.9, "seed": 1, "limit": 4, **ask},
    ]
    asked = "\n".join(map(json.dumps, lines)) + "\nno\nyes\nyes\n"
    done = subprocess.run(
        [sys.executable, "-m", "app.web.desk_process"],
        input=asked,
        capture_output=True,
        text=True,
        cwd=HOUSE,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0]["units"] == 8
    assert "no such checkpoint folder" in answers[1]["error"]
    assert answers[2]["c"] != answers[3]["c"]
    assert answers[-1] == {"done": True}
