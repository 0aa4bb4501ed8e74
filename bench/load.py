"""What does a round, a durable guess and a page cost beside bare JSON?  python -m bench.load [PLAYERS [REPEATS]]

One web process on one core plays against a bare FastAPI endpoint on the same uvicorn, in one run: each repeat sends as
many requests of every kind as there are players, one kind after the other, and the medians of the repeats are compared.
Two ratios to the bare endpoint: by the clock, and by the server's own processor time, which other programs on the
machine disturb less. Everything stays on the loopback; the figures go to bench/results/load.json, with the seconds that
the web process took to start and the memory that it held in the end.
"""

from __future__ import annotations

import asyncio
import compileall
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

RESULTS = Path(__file__).with_name("results") / "load.json"
HOUSE = Path(__file__).parents[1]
PLAYERS, REPEATS, CONNECTIONS = 200, 7, 32
KINDS = ("bare", "round", "page", "guess")

bare = FastAPI(openapi_url=None)


@bare.post("/json", status_code=201)
async def answer() -> dict[str, object]:
    """As little as an endpoint can do: an object of about the size of a round."""
    return {"round": "x" * 300, "cards": [{"text": "y" * 120}, {"text": "z" * 120}]}


@dataclass
class Player:
    """A player of code: the cookie and the open round."""

    cookie: str = ""
    token: str = ""


@dataclass
class Server:
    """A process on one core, and what it has used of it."""

    process: subprocess.Popen[bytes]
    port: int
    start_seconds: float  # from nothing to a port that listens

    def seconds(self) -> float:
        """Processor time so far, of all its threads; by its own clock, for /proc counts hundredths of a second."""
        return time.clock_gettime(~self.process.pid << 3 | 2)  # what clock_getcpuclockid(3) makes of a process

    def megabytes(self) -> float:
        """Memory that it holds now (resident)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024, 1)

    def stop(self) -> None:
        """Let it finish what it is at, and end."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def main() -> None:
    players = int(sys.argv[1]) if len(sys.argv) > 1 else PLAYERS
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else REPEATS
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        open_demo_game(Path(folder))
        game, idle = serve_game(Path(folder)), serve_bare()
        try:
            figures = asyncio.run(measure(game, idle, [Player() for _ in range(players)], repeats))
            figures |= {"start_seconds": round(game.start_seconds, 2), "megabytes": game.megabytes()}
        finally:
            game.stop()
            idle.stop()
    figures |= {"players": players, "repeats": repeats, "connections": CONNECTIONS, "cores": os.cpu_count()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


async def measure(game: Server, idle: Server, crowd: Sequence[Player], repeats: int) -> dict[str, Any]:
    """Let the crowd send one request of every kind, over and over; rates, costs and waits of each kind."""
    players = len(crowd)
    clock: dict[str, list[float]] = {kind: [] for kind in KINDS}
    used: dict[str, list[float]] = {kind: [] for kind in KINDS}
    waits: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for repeat in range(-1, repeats):  # the first one warms up: everybody gets a cookie
        for kind in KINDS:
            server = idle if kind == "bare" else game
            async with connected(server) as pipes:
                began, before = time.perf_counter(), server.seconds()
                took = await send_all(pipes, crowd, kind)
                seconds, busy = time.perf_counter() - began, server.seconds() - before
            if repeat >= 0:
                clock[kind].append(players / seconds)
                used[kind].append(busy / players)
                waits[kind] += took
    rates = {kind: statistics.median(found) for kind, found in clock.items()}
    costs = {kind: statistics.median(found) for kind, found in used.items()}
    return {
        "ratio_by_clock": {kind: round(rates[kind] / rates["bare"], 3) for kind in KINDS},
        "ratio_by_processor_time": {kind: round(costs["bare"] / costs[kind], 3) for kind in KINDS},
        "requests_per_second": {kind: round(rate) for kind, rate in rates.items()},
        "p99_ms": {kind: round(sorted(found)[int(len(found) * 0.99)] * 1000, 1) for kind, found in waits.items()},
    }


Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Sender = Callable[[Pipe, Player], Awaitable[None]]


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[list[Pipe]]:
    """Open connections to a server, until the block ends."""
    pipes = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(CONNECTIONS)]
    yield pipes
    for _, writer in pipes:
        writer.close()


async def send_all(pipes: Sequence[Pipe], crowd: Sequence[Player], kind: str) -> list[float]:
    """Let everybody send one request of a kind (see KINDS), over these connections; the seconds that each waited."""
    waiting = iter(crowd)
    took: list[float] = []

    async def work(pipe: Pipe) -> None:
        for player in waiting:
            began = time.perf_counter()
            await send_one(pipe, player, kind)
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(work(pipe) for pipe in pipes))
    return took


async def send_one(pipe: Pipe, player: Player, kind: str) -> None:
    """Send a player's request of a kind, and wait for the answer."""
    await _SENDERS[kind](pipe, player)


async def _bare(pipe: Pipe, player: Player) -> None:
    await _ask(pipe, "POST /json", b"{}")


async def _round(pipe: Pipe, player: Player) -> None:
    headers, body = await _ask(pipe, "POST /api/rounds", b"{}", player.cookie)
    player.token = json.loads(body)["round"]
    for line in headers.split("\r\n"):
        if line.lower().startswith("set-cookie: whichtweet="):
            player.cookie = line.split(": ", 1)[1].split(";")[0]


async def _page(pipe: Pipe, player: Player) -> None:
    await _ask(pipe, "GET /", b"", player.cookie)


async def _guess(pipe: Pipe, player: Player) -> None:
    await _ask(pipe, "POST /api/guesses", json.dumps({"round": player.token, "pick": 0}).encode(), player.cookie)


_SENDERS: dict[str, Sender] = {"bare": _bare, "round": _round, "page": _page, "guess": _guess}


async def _ask(pipe: Pipe, what: str, body: bytes, cookie: str = "") -> tuple[str, bytes]:
    reader, writer = pipe
    head = f"{what} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write((head + (f"Cookie: {cookie}\r\n" if cookie else "") + "\r\n").encode() + body)
    headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    if not headers.startswith(("HTTP/1.1 200", "HTTP/1.1 201")):
        raise SystemExit(f"{what}: {headers}")
    length = int(headers.lower().split("content-length: ")[1].split("\r\n")[0])
    return headers, await reader.readexactly(length)


def open_demo_game(folder: Path) -> None:
    """The demo in a new database in that folder."""
    from app.db.migrate import migrate
    from app.db.session import open_engine
    from app.jobs.demo import open_demo

    engine = open_engine(f"sqlite:///{folder / 'whichtweet.db'}")
    migrate(engine)
    open_demo(engine, folder / "checkpoints")
    engine.dispose()


def serve_game(folder: Path, more: Mapping[str, str] | None = None) -> Server:
    """A web process with its data in that folder; `more` are further settings, as environment variables."""
    for room in ("app", "model"):  # as an image holds it, and as any house that ran before
        compileall.compile_dir(HOUSE / room, quiet=1)
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WHICHTWEET_")} | {
        "WHICHTWEET_DATA_DIR": str(folder),
        "WHICHTWEET_PORT": str(port),
        "WHICHTWEET_METRICS_PORT": str(_free_port()),
        "WHICHTWEET_RATE_LIMIT": "1000000/minute",
        "WHICHTWEET_NETWORK_RATE_LIMIT": "1000000/minute",
        "WHICHTWEET_SAMPLE_RETIRES_AFTER": "100000",
        **(more or {}),
    }
    return _started([sys.executable, "-m", "app.cli", "serve"], port, environment)


def serve_bare() -> Server:
    """The bare endpoint."""
    port = _free_port()
    options = ["--port", str(port), "--log-level", "warning", "--no-access-log", "--no-server-header"]
    return _started([sys.executable, "-m", "uvicorn", "bench.load:bare", *options], port, dict(os.environ))


def _started(command: list[str], port: int, environment: dict[str, str]) -> Server:
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=HOUSE, env=environment)
    os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    while time.monotonic() < began + 300 and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Server(process, port, time.monotonic() - began)
        time.sleep(0.005)
    raise SystemExit(f"{command[2]} did not start")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    main()
