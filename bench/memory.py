"""Does a web process stay small over a million requests, and how soon does it start?  python -m bench.memory [REQUESTS]

One web process plays the demo on one core: players come, ask for rounds, look at pages, guess, and make room for others
who have never been there. Its memory is read after each hundredth of the requests; flat means that the second half adds
next to nothing to the first. It is started five times before. The figures go to bench/results/memory.json.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.load import Player, Server, connected, open_demo_game, send_all, serve_game

RESULTS = Path(__file__).with_name("results") / "memory.json"
REQUESTS, PLAYERS, ROUNDS, STARTS = 1_000_000, 200, 10, 5
KINDS = ("round", "page", "guess")


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        open_demo_game(Path(folder))
        starts = []
        for _ in range(STARTS):
            server = serve_game(Path(folder))
            starts.append(round(server.start_seconds, 2))
            server.stop()
        server = serve_game(Path(folder))
        try:
            read = asyncio.run(_endure(server, requests))
        finally:
            server.stop()
    figures = {"requests": read[-1][0], "start_seconds": statistics.median(starts), "starts": starts}
    figures |= told(read) | {"cores": os.cpu_count()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in figures.items() if name != "read"}, indent=2))


def told(read: list[tuple[int, float]]) -> dict[str, Any]:
    """What the memory came to: at the start, in the middle, in the end, and by how much the second half grew."""
    begun, ended = read[0][1], read[-1][1]
    middle = read[len(read) // 2][1]
    return {
        **{"megabytes_at_start": begun, "megabytes_in_the_middle": middle, "megabytes_in_the_end": ended},
        "megabytes_at_most": max(megabytes for _, megabytes in read),
        "second_half_added": round(ended - middle, 1),
        "read": read,
    }


async def _endure(server: Server, requests: int) -> list[tuple[int, float]]:
    sent, read = 0, [(0, server.megabytes())]
    while sent < requests:
        crowd = [Player() for _ in range(PLAYERS)]
        async with connected(server) as pipes:
            for _ in range(ROUNDS):
                for kind in KINDS:
                    sent += len(await send_all(pipes, crowd, kind))
        if sent - read[-1][0] >= requests / 100:
            read.append((sent, server.megabytes()))
    return read


if __name__ == "__main__":
    main()
