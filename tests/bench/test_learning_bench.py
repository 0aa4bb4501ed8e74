"""The proof of learning in its short form: the same games and the same code as the hour's, on the demo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HOUSE = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, list[float]]]]:
    out = tmp_path_factory.mktemp("learning") / "learning.json"
    command = [sys.executable, "-m", "bench.learning", "--short", "--out", str(out)]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(out.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_every_game_is_measured_for_every_kind(result: dict[str, dict[str, dict[str, list[float]]]]) -> None:
    kinds = {*result["kinds"]["tuned_on"], *result["kinds"]["unseen"]}

    assert kinds == {"speller", "reader", "stylist", "listener"}
    assert not {*result["kinds"]["tuned_on"]} & {*result["kinds"]["unseen"]}
    for name in ("fool_rate", "self_bleu", "distinct_3", "copied"):
        assert set(result[name]) == {"anchor", "round1", "control"}
    for rates in result["fool_rate"].values():
        assert set(rates) == kinds
        assert all(0 <= low <= value <= high <= 1 for value, low, high in rates.values())


def test_labels_led_to_another_generator(result: dict[str, Any]) -> None:
    assert "one step from it is tried; v2 " in result["told"]["round1"]


def test_the_players_are_neither_blind_nor_all_seeing(
    result: dict[str, dict[str, dict[str, list[float]]]],
) -> None:
    rates = [rate for rate, _, _ in result["fool_rate"]["anchor"].values()]

    assert 0.05 < min(rates) < 0.5
    assert max(rates) < 0.8


def test_without_labels_nothing_is_learned(result: dict[str, dict[str, dict[str, list[float]]]]) -> None:
    for kind, (_, low, high) in result["fool_rate"]["control"].items():
        _, anchor_low, anchor_high = result["fool_rate"]["anchor"][kind]
        # Intervals of 120 pairs, ten points apart at most: chance alone brings more once in thousands of runs.
        assert low <= anchor_high + 0.1
        assert high >= anchor_low - 0.1


def test_the_shelf_stays_varied(result: dict[str, dict[str, dict[str, list[float]]]]) -> None:
    for arm in result["distinct_3"]:
        assert result["distinct_3"][arm] > 0.5 * result["real_tweets"]["distinct_3"]  # type: ignore[operator]
