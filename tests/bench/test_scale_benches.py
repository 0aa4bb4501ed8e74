"""The benches of load, growth, memory and pages: they look at everything, and docs/scale.md shows what they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.requests import Request

from app.keys import secret_keys
from app.settings import Settings
from app.web.admin import ROOMS
from app.web.identity import Identity
from bench import growth, meanwhile, memory, pages
from tools import scale_page

pytestmark = pytest.mark.slow  # to load the benches is

LOAD = {
    **{"cores": 2, "players": 200, "connections": 32, "start_seconds": 0.9, "megabytes": 140},
    "requests_per_second": {"bare": 5000, "round": 2500, "page": 1000, "guess": 1500},
    **{name: dict.fromkeys(("bare", "round", "page", "guess"), 0.5) for name in ("ratio_by_clock", "p99_ms")},
    "ratio_by_processor_time": dict.fromkeys(("bare", "round", "page", "guess"), 0.4),
}


def size(tweets: int, guesses: int, ratio: float, database: str = "sqlite") -> dict[str, Any]:
    rates = {"bare": 1.0, "round": ratio, "page": ratio, "guess": ratio / 2}
    row = {"database": database, "tweets": tweets, "guesses": guesses, "players": guesses // 10}
    figures = {"start_seconds": 1.2, "megabytes": 130.0, "requests_per_second": {"round": 900, "guess": 400}}
    return row | figures | {"ratio_by_clock": rates}


def test_every_page_of_the_dashboard_is_timed_or_a_download() -> None:
    routes = [route for room in ROOMS for route in room.router.routes if isinstance(route, APIRoute)]
    shown = {route.path for route in routes if "GET" in route.methods}
    assert shown == {*pages.PAGES, *pages.DOWNLOADS}


def test_a_crowd_is_of_players_who_are_there() -> None:
    identity = Identity(secret_keys(Settings(secret_key=growth.SECRET)), "", False)
    crowd = growth.crowd_of(10**6)
    seen = []
    for player in crowd:
        scope = {"type": "http", "headers": [(b"cookie", player.cookie.encode())], "client": None}
        visitor = identity.visitor(Request(scope))
        assert visitor.has_cookie
        seen.append(int.from_bytes(visitor.key, "big"))
    assert seen == [place * 5000 for place in range(200)]


def test_each_size_is_compared_with_the_smallest_on_its_database() -> None:
    found = [size(10**4, 10**5, 0.45), size(10**3, 10**5, 0.5), size(10**3, 10**5, 0.25, "postgresql")]
    beside = [(row["database"], row["tweets"], rates["round"]) for row, rates in growth.compared(found)]
    assert beside == [("postgresql", 1000, 1.0), ("sqlite", 1000, 1.0), ("sqlite", 10_000, 0.9)]


def test_memory_tells_the_second_half_from_the_first() -> None:
    told = memory.told([(0, 100.0), (10, 130.0), (20, 131.5)])
    assert (told["second_half_added"], told["megabytes_at_most"]) == (1.5, 131.5)


def test_every_part_has_its_place_on_the_page() -> None:
    page = scale_page.PAGE.read_text("utf-8")
    for name in scale_page.PARTS:
        assert page.count(f"<!-- {name} -->") == page.count(f"<!-- /{name} -->") == 1


@pytest.mark.parametrize(
    ("part", "figures", "said"),
    [
        ("load", LOAD, "| round | 2,500 | 0.50 | 0.40 | 0 ms |"),
        ("load", LOAD, "| 1,000,000 | 555.56 | 3 |"),
        ("growth", [size(10**3, 10**5, 0.5), size(10**4, 10**6, 0.4)], "| 0.80 | 0.80 | 1.2 s | 130 MB |"),
        (
            "memory",
            {"requests": 9, "start_seconds": 0.8, "starts": [0.8]} | memory.told([(0, 100.0), (4, 120.0), (9, 121.0)]),
            "grew from 100 MB to 121 MB (121 MB at most), of which the second half added 1.0 MB",
        ),
        (
            "pages",
            {
                **{"held": {"guesses": 10**7}, "requests": 30, "limit_ms": 200.0, "command": "x", "load_average": 9.5},
                "cores": 2,
                "pages": {
                    "/admin": {"processor_ms": 7.0, "median_ms": 9.0, "p95_ms": 210.0},
                    "/admin/audit": {"processor_ms": 3.0, "median_ms": 4, "p95_ms": 8},
                },
                "play": {when: {"median_ms": 9.0, "p95_ms": 20.0} for when in ("alone", "meanwhile")},
            },
            "1 of 2 take longer than 200 ms",
        ),
        (
            "meanwhile",
            {
                **{"seconds": 30.0, "cores": 2},
                "meanwhile": {
                    "a training": meanwhile.told({kind: [0.004] * 99 + [0.08] for kind in ("round", "guess")})
                },
            },
            "| a training | 4 ms | 4 ms | 79 ms | 79 ms |",
        ),
    ],
)
def test_a_part_shows_what_a_bench_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, part: str, figures: Any, said: str
) -> None:
    if part == "growth":
        pytest.importorskip("matplotlib", reason="plots need matplotlib: make setup-train")
        monkeypatch.setattr("tools.model_card.PICTURES", tmp_path)
    (tmp_path / "it.json").write_text(json.dumps(figures))
    monkeypatch.setattr(scale_page, "PARTS", {part: (tmp_path / "it.json", scale_page.PARTS[part][1], "make it")})
    (tmp_path / "page.md").write_text(f"<!-- {part} --><!-- /{part} -->")
    scale_page.main(tmp_path / "page.md")
    assert said in (tmp_path / "page.md").read_text("utf-8")
