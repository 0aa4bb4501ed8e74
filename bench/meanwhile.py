"""How long do players wait while the game works?  python -m bench.meanwhile [SECONDS [MEGABYTES]]

One web process on one core deals the demo to players who take a quarter of a second over each card. First nothing else
is to do; then, one after the other and each by its own command, a network is trained, a shelf is restocked, and an
archive of 500 MB is imported, on all cores. What rounds and guesses waited meanwhile goes to
bench/results/meanwhile.json; the aim is 100 ms at the 99th percentile.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from bench.importing import MEGABYTES, write_archive
from bench.load import HOUSE, Pipe, Player, Server, connected, open_demo_game, send_one, serve_game

RESULTS = Path(__file__).with_name("results") / "meanwhile.json"
SECONDS, PLAYERS = 30, 200
THINKING = 0.25  # seconds between a round and its guess, and before the next
WARM_UP = 20  # seconds until a command is at what takes long
LIMIT_MS = 100
ARCHIVE = "mayor-of-gannet"


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else MEGABYTES
    with tempfile.TemporaryDirectory(prefix="meanwhile-") as place:
        folder, big = Path(place), Path(place) / "big.json"
        open_demo_game(folder)
        write_archive(big, megabytes * 1_000_000)
        work = {
            "nothing": None,
            "a training": ["train", "--archive", ARCHIVE, "--minutes", "60"],
            "a restock": ["restock", "--archive", ARCHIVE, "--count", "20000"],
            f"an import of {megabytes} MB": ["import", str(big), "--archive", "big"],
        }
        server = serve_game(folder)
        try:
            crowd = [Player() for _ in range(PLAYERS)]
            found = {}
            for name, words in work.items():
                with at_work(folder, words):
                    found[name] = told(asyncio.run(play(server, crowd, seconds)))
                print(f"{name:24s} {found[name]}", file=sys.stderr, flush=True)
        finally:
            server.stop()
    figures = {"meanwhile": found, "limit_ms": LIMIT_MS, "seconds": seconds, "cores": os.cpu_count()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


@contextmanager
def at_work(folder: Path, words: list[str] | None) -> Iterator[None]:
    """A command that is at work all the while; None: nothing is."""
    if words is None:
        yield
        return
    environment = os.environ | {"WHICHTWEET_DATA_DIR": str(folder)}
    with (folder / "command.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *words], cwd=HOUSE, env=environment, stdout=log, stderr=log
        )
        time.sleep(WARM_UP)
        yield
        early = process.poll() is not None
        if not early:
            process.send_signal(signal.SIGINT)
        process.wait()
    if early:
        raise SystemExit(f"{words[0]} ended too early: {(folder / 'command.log').read_text()[-500:]}")


async def play(server: Server, crowd: list[Player], seconds: float) -> dict[str, list[float]]:
    """Let the crowd play for so long; the seconds that each round and each guess waited."""
    waits: dict[str, list[float]] = {"round": [], "guess": []}
    until, turns = time.monotonic() + seconds, cycle(crowd)

    async def one_after_another(pipe: Pipe) -> None:
        while time.monotonic() < until:
            player = next(turns)
            for kind, waited in waits.items():
                began = time.perf_counter()
                await send_one(pipe, player, kind)
                waited.append(time.perf_counter() - began)
                await asyncio.sleep(THINKING)

    async with connected(server) as pipes:
        await asyncio.gather(*(one_after_another(pipe) for pipe in pipes))
    return waits


def told(waits: dict[str, list[float]]) -> dict[str, Any]:
    """Medians and 99th percentiles in milliseconds, and how many requests they are of."""
    percentiles = {kind: statistics.quantiles(waited, n=100) for kind, waited in waits.items()}
    return {
        "requests": sum(map(len, waits.values())),
        "median_ms": {kind: round(found[49] * 1000, 1) for kind, found in percentiles.items()},
        "p99_ms": {kind: round(found[98] * 1000, 1) for kind, found in percentiles.items()},
    }


if __name__ == "__main__":
    main()
