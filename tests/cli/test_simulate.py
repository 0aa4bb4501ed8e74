"""Players made of code play over the API, are marked, and are counted by generator."""

from __future__ import annotations

import json
from random import Random

import pytest
import typer

from app.cli.simulate import Verdict, load_player, report


def left(one: str, other: str, rng: Random) -> int:
    return 0


def test_a_player_is_found_by_its_path() -> None:
    assert load_player("tests.cli.test_simulate:left")("a", "b", Random(0)) == 0


@pytest.mark.parametrize("path", ["nowhere:left", "tests.cli.test_simulate:right", "tests.cli.test_simulate", ":left"])
def test_a_player_that_is_not_there_is_refused_by_name(path: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"expected package\.module:function"):
        load_player(path)


def test_the_report_counts_by_generator(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = [Verdict("v2", True), Verdict("v2", False), Verdict("v10", False)]
    report(verdicts, "left", "mayor", as_json=True)
    body = json.loads(capsys.readouterr().out)
    assert body["guesses"] == 3
    assert list(body["generators"]) == ["v2", "v10"]
    assert body["generators"]["v2"]["fool_rate"] == 0.5
    assert 0 < body["generators"]["v2"]["low"] < 0.5 < body["generators"]["v2"]["high"] < 1
