"""Charts: Bokeh draws each kind once, and every look fills its own figures in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.db.rollups import Played
from app.web.admin import charts

pytestmark = pytest.mark.slow  # to load what draws is


def sources(chart: str) -> list[dict[str, list[Any]]]:
    """The figures of each line."""
    found: list[dict[str, list[Any]]] = []

    def look(part: Any) -> None:
        if isinstance(part, dict):
            if part.get("name") == "ColumnDataSource":
                found.append(dict(part["attributes"]["data"]["entries"]))
            for each in part.values():
                look(each)
        elif isinstance(part, list):
            for each in part:
                look(each)

    look(json.loads(chart))
    return found


def played(generator: int, *days: int, fooled: int = 30) -> list[Played]:
    return [Played(day, 1, generator, 100 + day, fooled, 90) for day in days]


def test_each_look_has_its_own_figures() -> None:
    names = {1: "v1", 2: "v2"}
    first, second = played(1, 20_000, 20_001), played(1, 20_100, 20_101, 20_102)
    for rows in (first + played(2, 20_001, 20_002), second + played(2, 20_100, 20_101), first):
        shown = sources(charts.fool_rates(rows, names, dark=False))
        for place, generator in enumerate(sorted({row.generator_id for row in rows})):
            own = [row for row in rows if row.generator_id == generator]
            assert shown[place]["day"] == [row.day * 86_400_000 for row in own]
            assert shown[place]["guesses"] == [row.guesses for row in own]
            assert shown[place]["rate"] == pytest.approx([row.fooled / row.guesses for row in own])
            triples = zip(*(shown[place][name] for name in ("low", "rate", "high")), strict=True)
            assert all(low < rate < high for low, rate, high in triples)
            assert shown[place]["name"] == [names[generator]] * len(own)


def test_the_axis_is_of_whole_days_and_a_week_at_least() -> None:
    for days, first in (((20_000,), 19_994), ((20_000, 20_030), 20_000)):
        plot = json.loads(charts.fool_rates(played(1, *days), {1: "v1"}, dark=True))["doc"]["roots"][0]["attributes"]
        begin, end = (plot["x_range"]["attributes"][name] / 86_400_000 for name in ("start", "end"))
        assert (begin, end) == (first - 0.5, days[-1] + 0.5)


def test_a_second_look_has_bokeh_draw_nothing() -> None:
    charts.fool_rates(played(1, 20_000, 20_001), {1: "lonely"}, dark=False)
    before = charts._rates_drawn.cache_info().misses
    charts.fool_rates(played(1, 20_003, 20_004, 20_005), {1: "lonely"}, dark=False)
    assert charts._rates_drawn.cache_info().misses == before


def test_a_curve_leaves_out_what_was_not_measured() -> None:
    points = [
        {"step": 5, "train_bits": 3.0, "bits_per_character": None},
        {"step": 10, "train_bits": 2.5, "bits_per_character": 2.75},
        {"step": None, "train_bits": 1.0},
    ]
    train, validation = sources(charts.curve(points, dark=False))
    assert (train["step"], train["bits"]) == ([5, 10], [3.0, 2.5])
    assert (validation["step"], validation["bits"], validation["name"]) == ([10], [2.75], ["validation"])
    assert all(not any(each.values()) for each in sources(charts.curve([], dark=False)))
