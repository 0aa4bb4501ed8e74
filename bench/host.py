"""How much memory does a small site need?  python -m bench.host [MEGABYTES]

One web server and one worker, as compose.small.yaml starts them, with the demo. Nothing is done; then, one after the
other, a shelf is restocked, the game is backed up, a network is trained for two minutes, and an archive of 50 MB
(MEGABYTES) is imported, whose shelf the base then fills by itself; all as jobs of the worker, while players play. The
most that either held until all jobs had ended, with all processes it started (proportional set size, read four times a
second), goes to bench/results/host.json, beside what compose.small.yaml lets each have. Linux alone tells it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.db import jobs
from app.db.session import now, open_engine, reading, writing
from bench.importing import write_archive
from bench.load import HOUSE, Player, Server, open_demo_game, serve_game
from bench.meanwhile import play

RESULTS = Path(__file__).with_name("results") / "host.json"
MEGABYTES = 50
PLAYERS, SECONDS = 200, 10.0  # who play, and for how long each stretch of it lasts
LOOK_SECONDS = 0.25
LONGEST = 1800.0  # seconds that a job may take


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    with tempfile.TemporaryDirectory(prefix="host-") as place:
        folder, big = Path(place), Path(place) / "big.json"
        open_demo_game(folder)
        write_archive(big, megabytes * 1_000_000)
        work: dict[str, tuple[str, dict[str, Any]] | None] = {
            "nothing": None,
            "a restock of 2,000": ("restock", {"count": 2000}),
            "a backup": ("backup", {}),
            "a training of two minutes": ("train", {"minutes": 2.0}),
            f"an import of {megabytes} MB, and its first restock": ("import", {"path": str(big), "slug": "big"}),
        }
        server = serve_game(folder)
        try:
            with worker(folder) as process:
                crowd = [Player() for _ in range(PLAYERS)]
                found = {}
                for name, job in work.items():
                    found[name] = held(server, process, crowd, folder, job)
                    print(f"{name:28s} {found[name]}", file=sys.stderr, flush=True)
        finally:
            server.stop()
    figures = {"held": found, "allowed": allowed(), "cores": os.cpu_count(), "megabytes_of_archive": megabytes}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


@contextmanager
def worker(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker beside the game in that folder, which has nothing to do by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WHICHTWEET_")} | {
        "WHICHTWEET_DATA_DIR": str(folder),
        **{"WHICHTWEET_RETRAIN_CRON": "", "WHICHTWEET_RETRAIN_NEW_LABELS": "0", "WHICHTWEET_BACKUP_CRON": ""},
    }
    with (folder / "worker.log").open("wb") as log:
        command = [sys.executable, "-m", "app.cli", "work"]
        process = subprocess.Popen(command, cwd=HOUSE, env=environment, stdout=log, stderr=log)
        try:
            while b"is ready" not in (folder / "worker.log").read_bytes():
                if process.poll() is not None:
                    raise SystemExit(f"the worker did not start: {(folder / 'worker.log').read_text()[-500:]}")
                time.sleep(0.1)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def held(
    server: Server,
    process: subprocess.Popen[bytes],
    crowd: list[Player],
    folder: Path,
    job: tuple[str, dict[str, Any]] | None,
) -> dict[str, float]:
    """The most megabytes that web server and worker held while people play and a job is done."""
    over = threading.Event()
    most = {"web": 0.0, "worker": 0.0}
    pids = {"web": server.process.pid, "worker": process.pid}

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            for name, pid in pids.items():
                most[name] = max(most[name], megabytes_of(pid))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        began = time.monotonic()
        if job:
            ask(folder, job)
        rested = 0  # stretches after which all was done: what follows from a job is asked for a moment later
        while rested < 2:
            asyncio.run(play(server, crowd, SECONDS))
            rested = rested + 1 if all_done(folder) else 0
            if time.monotonic() - began > LONGEST:
                raise SystemExit(f"{job} takes longer than half an hour")
    finally:
        over.set()
        looking.join()
    return {f"{name}_megabytes": round(megabytes) for name, megabytes in most.items()}


def megabytes_of(pid: int) -> float:
    """What a process and all it started hold; 0 for one that is gone."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = int(re.search(r"^Pss:\s+(\d+)", told, re.MULTILINE)[1]) / 1024  # type: ignore[index]
        threads = [thread for thread in os.listdir(f"/proc/{pid}/task") if thread != str(pid)]
        for thread in threads:
            children += Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
    except (OSError, TypeError):
        return 0.0
    return own + sum(megabytes_of(int(child)) for child in children)


def ask(folder: Path, job: tuple[str, dict[str, Any]]) -> None:
    """Ask the worker for a job."""
    kind, arguments = job
    engine = open_engine(f"sqlite:///{folder / 'whichtweet.db'}")
    with writing(engine) as connection:
        archive = None if kind in ("import", "backup") else 1
        jobs.ask(connection, kind, archive, arguments, asked_by="bench", at=now())
    engine.dispose()


def all_done(folder: Path) -> bool:
    """Whether all jobs are done, those too that followed from others.

    Raises:
        SystemExit: one ended otherwise.
    """
    engine = open_engine(f"sqlite:///{folder / 'whichtweet.db'}")
    with reading(engine) as connection:
        found = jobs.listing(connection)
    engine.dispose()
    for job in found:
        if job.state in ("failed", "cancelled"):
            raise SystemExit(f"{job.kind} {job.id}: {job.state}: {job.outcome}")
    return not any(job.state in jobs.OPEN for job in found)


def allowed() -> Mapping[str, int]:
    """What compose.small.yaml lets web server and worker have, in megabytes."""
    said = (HOUSE / "compose.small.yaml").read_text(encoding="utf-8")
    limits = re.findall(r"^  (web|worker):\n(?:    .*\n)+?    mem_limit: (\d+)m", said, re.MULTILINE)
    return {name: int(limit) for name, limit in limits}


if __name__ == "__main__":
    main()
