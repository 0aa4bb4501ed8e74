"""Do rounds and guesses slow down as a game grows?  python -m bench.growth [--sizes 1,2] [--databases sqlite] [--again]

Each size is a made-up game (bench/seed_large.py) in a database of its own, on SQLite or on a PostgreSQL that is started
for it; one web process on one core serves it beside the bare endpoint of bench/load.py, to players who have long been
there. Sizes that were measured are passed over: a run that was cut off goes on with the next one. The figures go to
bench/results/growth.json after each size; `make scale-page` draws them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.responses import Response

from app.keys import secret_keys
from app.settings import Settings
from app.web.identity import COOKIE, Identity, Visitor
from bench import seed_large
from bench.load import Player, measure, serve_bare, serve_game

HOUSE = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results") / "growth.json"
FOLDER = HOUSE / "data-large" / "growth"
SECRET = "the key of a bench that nobody else can reach"
CROWD, REPEATS, SAMPLES = 200, 15, 4000


@dataclass(frozen=True)
class Size:
    """How large a game is."""

    tweets: int
    guesses: int
    players: int


# First the deck grows, then what was played on it.
SIZES = (
    Size(10**3, 10**5, 10**4),
    Size(10**4, 10**5, 10**4),
    Size(10**5, 10**5, 10**4),
    Size(10**6, 10**5, 10**4),
    Size(10**4, 10**6, 10**5),
    Size(10**4, 10**7, 10**6),
)
DATABASES = ("sqlite", "postgresql")


def main() -> None:
    """Measure what is asked for and not yet there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="", help="which, counted from 1, with commas; default: all")
    parser.add_argument("--databases", default=",".join(DATABASES), help="sqlite, postgresql, or both")
    parser.add_argument("--again", action="store_true", help="measure anew what was measured before")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    chosen = [SIZES[int(number) - 1] for number in options.sizes.split(",")] if options.sizes else SIZES
    found = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    for size in chosen:
        for database in options.databases.split(","):
            known = [row for row in found if _name(row) == _name({"database": database} | asdict(size))]
            if known and not options.again:
                print(f"{database}, {size}: measured before")
                continue
            row = {"database": database} | asdict(size) | _measured(database, size, options.repeats)
            found = [other for other in found if other not in known] + [row]
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            print(json.dumps(row))
    print(table(found))


def table(found: list[dict[str, Any]]) -> str:
    """The rows with rates beside those of the smallest game on the same database."""
    lines = ["database     tweets     guesses    players  rounds/s  guesses/s  rounds  guesses  start  memory"]
    for row, beside in compared(found):
        lines.append(
            f"{row['database']:<10} {row['tweets']:>9,} {row['guesses']:>11,} {row['players']:>10,}"
            f" {row['requests_per_second']['round']:>9,} {row['requests_per_second']['guess']:>10,}"
            f" {beside['round']:>7.2f} {beside['guess']:>8.2f}"
            f" {row['start_seconds']:>5.1f}s {row['megabytes']:>4.0f} MB"
        )
    return "\n".join(lines)


def compared(found: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, float]]]:
    """Each row, with its rates (to the bare endpoint's, by the clock) over those of its database's smallest game."""
    order = {_name(asdict(size)): place for place, size in enumerate(SIZES)}
    ordered = sorted(found, key=lambda row: (row["database"], order.get(_name(asdict(_size(row))), 99)))
    first: dict[str, dict[str, float]] = {}
    for row in ordered:
        ratios = row["ratio_by_clock"]
        smallest = first.setdefault(row["database"], ratios)
        yield row, {kind: ratios[kind] / smallest[kind] for kind in ("round", "guess")}


def _size(row: dict[str, Any]) -> Size:
    return Size(row["tweets"], row["guesses"], row["players"])


def _name(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("database", "tweets", "guesses", "players"))


def _measured(database: str, size: Size, repeats: int) -> dict[str, Any]:
    folder = FOLDER / f"{database}-{size.tweets}-{size.guesses}"
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was cut off
    folder.mkdir(parents=True)
    try:
        with opened(database, folder) as url:
            seeded = time.monotonic()
            counts = {"guess_count": size.guesses, "player_count": size.players, "tweet_count": size.tweets}
            seed_large.seed(url, sample_count=SAMPLES, **counts)
            return {"seed_seconds": round(time.monotonic() - seeded)} | _played(url, folder, size, repeats)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _played(url: str, folder: Path, size: Size, repeats: int) -> dict[str, Any]:
    more = {"WHICHTWEET_DATABASE_URL": url, "WHICHTWEET_SECRET_KEY": SECRET}
    game, idle = serve_game(folder, more), serve_bare()
    try:
        before = game.megabytes()
        figures = asyncio.run(measure(game, idle, crowd_of(size.players), repeats))
        return figures | {
            **{"start_seconds": round(game.start_seconds, 2), "megabytes": game.megabytes()},
            **{"megabytes_at_start": before, "load_average": round(os.getloadavg()[0], 1), "cores": os.cpu_count()},
        }
    finally:
        game.stop()
        idle.stop()


def crowd_of(players: int) -> list[Player]:
    """Players who are in the database already, from all over it, each with the cookie that they would have."""
    identity = Identity(secret_keys(Settings(secret_key=SecretStr(SECRET))), "", False)
    crowd = []
    for place in range(CROWD):
        response = Response()
        number = place * players // CROWD
        identity.greet(response, Visitor(key=number.to_bytes(16)))
        sealed = response.headers["set-cookie"].split(";")[0]
        assert sealed.startswith(f"{COOKIE}=")
        crowd.append(Player(cookie=sealed))
    return crowd


@contextmanager
def opened(database: str, folder: Path) -> Iterator[str]:
    """The address of a database: a file in the folder, or one of a PostgreSQL that lasts as long as the block."""
    if database == "sqlite":
        yield f"sqlite:///{folder / 'whichtweet.db'}"
        return
    sys.path.append(str(HOUSE / "tests"))
    from clusters import cluster

    with cluster(durable=True) as server:
        server.query("CREATE DATABASE growth")
        yield server.address("growth")


if __name__ == "__main__":
    main()
