"""How long a look inside takes: reading 140 characters, and writing 140, by the demo's network, over the desk's pipe.

    python -m bench.inside [--rounds 20] [--checkpoint demo/checkpoint]

Prints milliseconds at the median and at the 95th percentile; the first request, which loads the network, stands apart.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from app.web.desk import Desk

TEXT = ("We will build a beautiful new harbour, and the seagulls will pay for it. Believe me! " * 2)[:140]


async def measure(rounds: int, folder: str) -> dict[str, list[float]]:
    """Milliseconds of each request."""
    desk = Desk()
    read = {"folder": folder, "texts": [TEXT], "layer": None, "unit": None}
    write = {"folder": folder, "prompt": "", "temperature": 1.0, "top_p": 0.98, "limit": 140}
    found: dict[str, list[float]] = {"first": [], "read 140": [], "write": []}

    async def timed(name: str, ask: Callable[[], Awaitable[Any]], share: Callable[[Any], float]) -> None:
        began = time.perf_counter()
        answer = await ask()
        found[name].append((time.perf_counter() - began) * 1000 * share(answer))

    await timed("first", lambda: desk.read(read), lambda _: 1)
    for number in range(rounds):
        await timed("read 140", lambda: desk.read(read), lambda _: 1)
        # Texts end where they like: what 140 characters would have taken.
        ask = write | {"seed": number}
        await timed("write", lambda ask=ask: desk.write(ask, lambda _: False), lambda told: 140 / len(told))  # type: ignore[misc]
    await asyncio.to_thread(desk.close)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--checkpoint", type=Path, default=Path("demo/checkpoint"))
    options = parser.parse_args()
    for name, times in asyncio.run(measure(options.rounds, str(options.checkpoint.absolute()))).items():
        middle, late = np.percentile(times, [50, 95])
        print(f"{name:10} median {middle:7.1f} ms   95th {late:7.1f} ms   ({len(times)} requests)")


if __name__ == "__main__":
    main()
