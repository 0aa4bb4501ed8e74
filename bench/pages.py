"""Does every page of the dashboard answer in 200 ms on a large game?  python -m bench.pages [--scale 1] [--postgresql]

The game of `make seed-large` in data-large/ is made up first where it is not there. One web process on one core serves
it; an admin asks for every page, one request at a time, first alone (which tells the processor time that a page takes,
whatever else the machine does), then while players play at a quarter of what they could, as they did before. The table
shows processor time and, while they play, medians and 95th percentiles; all of it goes to bench/results/pages.json
(--results: another file), together with the command. With --postgresql the game is made up anew on one of its own,
which works besides (its processor time is not counted), and the figures go to pages-postgresql.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, func, select

from app.db import admins, jobs, uploads
from app.db.migrate import migrate
from app.db.session import now, open_engine, writing
from app.db.tables import guesses, players, samples, tweets
from app.web.admin.office import COOKIE, hash_of
from bench import seed_large
from bench.growth import SECRET, opened
from bench.load import Player, Server, connected, send_all, serve_game

FOLDER = Path(__file__).parents[1] / "data-large"
RESULTS = Path(__file__).with_name("results") / "pages.json"
TOKEN = "a-session-of-the-bench"
LIMIT = 200.0  # milliseconds, at the 95th percentile
PLAYERS, PACE = 20, 4.0  # players who play at a time, and so many times as long they rest as they wait

# Every address below /admin that shows something -> what is asked there. Downloads are apart: they take their time.
PAGES: dict[str, tuple[str, ...]] = {
    "/sign-in": ("/sign-in",),
    "": ("",),
    "/charts/fool-rates.json": ("/charts/fool-rates.json?days=30", "/charts/fool-rates.json?days=90&archive=large"),
    "/charts/jobs/{job_id}.json": ("/charts/jobs/{job}.json",),
    "/charts/generators/{generator_id}.json": ("/charts/generators/5.json",),
    "/bokeh.js": ("/bokeh.js",),
    "/audit": ("/audit",),
    "/archives": ("/archives",),
    "/archives/{slug}": ("/archives/large",),
    "/uploads/{upload_id}": ("/uploads/{upload}",),
    "/training": ("/training",),
    "/jobs/{job_id}": ("/jobs/{job}",),
    "/jobs/{job_id}.json": ("/jobs/{job}.json",),
    "/samples": (
        *("/samples", "/samples?status=on+the+shelf", "/samples?generator=v5", "/samples?order=fools+most"),
        *("/samples?order=fools+least", "/samples?order=most+guesses", "/samples?status=on+the+shelf&order=fools+most"),
        *("/samples?least=60", "/samples?least=10&most=11&order=most+guesses", "/samples?status=reported"),
        *("/samples?words=harbour", "/samples?words=no+such+words&generator=v2"),
    ),
    "/tweets": ("/tweets", "/tweets?words=harbour", "/tweets?words=no+such+words"),
    "/words": (
        *("/words", "/words?archive=large&words=harbour", "/words?archive=large&words=no+such+words"),
        "/words?archive=large&words=harbour&samples=0&tweets=20000",  # a further part
    ),
    "/reports": ("/reports",),
    "/held": ("/held",),
    "/generators": ("/generators?archive=large",),
    "/generators/{generator_id}": ("/generators/5",),
    "/generators/compare": ("/generators/compare?left=5&right=6",),
    "/labels": (
        *("/labels", "/labels?archive=large&status=excluded", "/labels?status=excluded&reason=too+quick"),
        *("/labels?archive=large&generator=v2", "/labels?verdict=fooled", "/labels?status=quarantined"),
    ),
    "/players/{player_id}": ("/players/7",),
}
DOWNLOADS = ("/audit.csv", "/labels.{kind}", "/labels/data-sheet.md", "/generators/{generator_id}/bundle.zip")


def main() -> None:
    """Measure, print the table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1: ten million guesses; where nothing is there yet")
    parser.add_argument("--requests", type=int, default=30, help="of each page")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the game lies")
    parser.add_argument("--results", type=Path, help="the file of the figures")
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of its own")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with opened("postgresql" if options.postgresql else "sqlite", options.folder) as url:
        is_there = not options.postgresql and (options.folder / "whichtweet.db").exists()
        if not is_there:
            seed_large.seed(url, **seed_large.counts_of(options.scale))
        figures = measured(url, options.folder, options.requests)
    more = " --postgresql" if options.postgresql else ""
    figures["command"] = f"python -m bench.pages --scale {options.scale:g} --requests {options.requests}{more}"
    results = options.results or RESULTS.with_stem(f"pages{more.strip().replace('--', '-')}")
    results.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(table(figures))


def measured(url: str, folder: Path, requests: int) -> dict[str, Any]:
    """The figures of all pages of the game in that database."""
    engine = open_engine(url)
    migrate(engine)
    wanted = addresses(engine)
    held = _held(engine)
    engine.dispose()
    server = serve_game(folder, {"WHICHTWEET_DATABASE_URL": url, "WHICHTWEET_SECRET_KEY": SECRET})
    try:
        figures = asyncio.run(_measured(server, wanted, requests))
    finally:
        server.stop()
    figures = {"held": held, "limit_ms": LIMIT, "requests": requests} | figures
    return figures | {"load_average": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}


def addresses(engine: Engine) -> list[str]:
    """Every page as it can be asked for; what they lead to is made where it is not there, and the admin signed in."""
    at = now()
    with writing(engine) as connection:
        admins.create(connection, "bench", "nobody knows it", "viewer", at)
        admin = admins.find(connection, "bench")
        assert admin is not None
        admins.end(connection, hash_of(TOKEN))
        admins.begin(connection, admin.id, hash_of(TOKEN), at)
        job = jobs.ask(connection, "train", 1, {"minutes": 1}, asked_by="bench", at=at, once="bench")
        if job is not None:
            claim = jobs.begin(connection, job, "bench", at).claim
            curve = [
                {"step": step, "train_bits": 4 - step / 500, "bits_per_character": 4 - step / 600}
                for step in range(0, 1000, 5)
            ]
            jobs.report(connection, claim, progress={"curve": curve, "step": 1000, "steps": 1000})
            jobs.finish(connection, claim, "done", "v7 registered", at)
            shown = [{"text": "a tweet", "date": "", "leaning": None, "naming": False}] * 20
            found = {"read": 20, "passed": 20, "format": "json", "unit": "tweet", "whole": True, "deck": 4}
            upload = uploads.add(connection, key="bench", source="bench.json", size=1, asked_by="bench", at=at)
            found |= {"shown": shown, "left_out": {}, "examples": {}}
            uploads.note_preview(connection, upload, "ready", found)
        ended = jobs.listing(connection, limit=1)[0].id
        uploaded = uploads.open_ones(connection)[0].id
    asked = [address for some in PAGES.values() for address in some]
    return ["/admin" + each.replace("{job}", str(ended)).replace("{upload}", str(uploaded)) for each in asked]


def table(figures: dict[str, Any]) -> str:
    """The pages, the slowest first, and what players waited."""
    held = ", ".join(f"{count:,} {name}" for name, count in figures["held"].items())
    lines = [held, f"{'processor':>9} {'median':>9} {'p95':>9}  page"]
    for address, row in sorted(figures["pages"].items(), key=lambda item: -item[1]["p95_ms"]):
        mark = " !" if row["p95_ms"] > figures["limit_ms"] else ""
        told = (f"{row[name]:>6.0f} ms" for name in ("processor_ms", "median_ms", "p95_ms"))
        lines.append(f"{' '.join(told)}  {address}{mark}")
    for when, row in figures["play"].items():
        lines.append(f"players {when}: {row['median_ms']:.0f} ms, p95 {row['p95_ms']:.0f} ms")
    return "\n".join(lines)


async def _measured(server: Server, wanted: list[str], requests: int) -> dict[str, Any]:
    crowd = [Player() for _ in range(PLAYERS)]
    await _play(server, crowd, asyncio.Event(), most=2)  # everybody gets a cookie
    alone = await _play(server, crowd, asyncio.Event(), most=20)
    cookies = {COOKIE: TOKEN}
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", cookies=cookies, timeout=120)
    _, used = await _asked(client, server, wanted, max(3, requests // 3))
    over = asyncio.Event()
    playing = asyncio.create_task(_play(server, crowd, over))
    waits, _ = await _asked(client, server, wanted, requests)
    over.set()
    await client.aclose()
    pages = {
        address: {"processor_ms": round(statistics.median(used[address]) * 1000, 1)} | _told(waits[address])
        for address in wanted
    }
    return {"pages": pages, "play": {"alone": _told(alone), "meanwhile": _told(await playing)}}


Seconds = dict[str, list[float]]  # by address


async def _asked(
    client: httpx.AsyncClient, server: Server, wanted: list[str], requests: int
) -> tuple[Seconds, Seconds]:
    """Ask for each page so many times: the seconds that each answer took, and the server's processor time meanwhile."""
    waits: Seconds = {address: [] for address in wanted}
    used: Seconds = {address: [] for address in wanted}
    for _ in range(requests):
        for address in wanted:
            before, began = server.seconds(), time.perf_counter()
            answer = await client.get(address)
            waits[address].append(time.perf_counter() - began)
            used[address].append(server.seconds() - before)
            expected = 303 if address.endswith("/sign-in") else 200
            if answer.status_code != expected:
                raise SystemExit(f"{address}: {answer.status_code} {answer.text[:200]}")
    return waits, used


async def _play(server: Server, crowd: list[Player], over: asyncio.Event, most: int = 10**9) -> list[float]:
    """Let the crowd play until it is over, or so many rounds; the seconds that rounds and guesses took."""
    took: list[float] = []
    for _ in range(most):
        if over.is_set():
            break
        began = time.perf_counter()
        async with connected(server) as pipes:  # the server would close connections that rest for long
            took += await send_all(pipes, crowd, "round") + await send_all(pipes, crowd, "guess")
        await asyncio.sleep((PACE - 1) * (time.perf_counter() - began))
    return took


def _told(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return {"median_ms": round(statistics.median(ordered) * 1000, 1), "p95_ms": round(p95 * 1000, 1)}


def _held(engine: Engine) -> dict[str, int]:
    """How large the game is."""
    with engine.connect() as connection:
        return {
            each.name: connection.scalar(select(func.count()).select_from(each)) or 0
            for each in (guesses, samples, tweets, players)
        }


if __name__ == "__main__":
    main()
