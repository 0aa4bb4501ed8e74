"""How good are the first pages, as Lighthouse sees them on a phone, and what do they weigh?  python -m bench.page

Serves the demo, lets Lighthouse (from npm, with the Node.js that it asks for, and Debian's Chromium; a mid-range phone
on slow 4G, simulated) look at each page, and prints its four scores beside the bytes of all that the page loads, with
headers and the round that is fetched ahead, as the game sends them: a proxy before it compresses pages as well. The
median of the repeats counts. The figures go to bench/results/page.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

RESULTS = Path(__file__).with_name("results") / "page.json"
HOUSE = Path(__file__).parents[1]
LIGHTHOUSE, NODE = "lighthouse@13.5.0", "node@22.23.3"
PAGES = ("/", "/daily", "/about")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LEAST = 95  # of a score, in each category
TRIES = 4  # on a busy machine Chromium now and then begins before Lighthouse listens (NO_NAVSTART)
MOST = 30_000  # bytes of a page in all
CHROMIUM = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)

Report = dict[str, Any]


def main() -> None:
    """Measure each page and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="looks at each page, of which the median counts")
    repeats = parser.parse_args().repeats
    chromium = _chromium()
    if shutil.which("npx") is None:
        raise SystemExit("Lighthouse comes from npm, and there is no npx: apt-get install nodejs npm")
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        server, address = _serve(Path(folder))
        try:
            found = {page: _measure(address, page, Path(folder), chromium, repeats) for page in PAGES}
        finally:
            server.terminate()
            server.wait(30)
    figures = {"lighthouse": LIGHTHOUSE, "repeats": repeats, "cores": os.cpu_count(), "pages": found}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(_table(found))
    if short := _short(found):
        raise SystemExit(short)


def _chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        raise SystemExit("no Chromium: apt-get install chromium")
    return found


def _serve(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A web server with the demo, once it answers; its address."""
    from app.db.migrate import migrate
    from app.db.session import open_engine
    from app.jobs.demo import open_demo

    engine = open_engine(f"sqlite:///{folder / 'whichtweet.db'}")
    migrate(engine)
    open_demo(engine, folder / "checkpoints")
    engine.dispose()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WHICHTWEET_")} | {
        "WHICHTWEET_DATA_DIR": str(folder),
        "WHICHTWEET_PORT": str(port),
    }
    server = subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], cwd=HOUSE, env=environment)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, f"http://127.0.0.1:{port}"
        time.sleep(0.1)
    server.terminate()
    raise SystemExit("the web server did not start")


def _measure(address: str, page: str, folder: Path, chromium: str, repeats: int) -> dict[str, Any]:
    url = str(httpx.get(address + page, follow_redirects=True).url)  # a redirect is no part of the page
    reports = [_look(url, folder / "report.json", chromium) for _ in range(repeats)]
    scores = {
        name: round(100 * statistics.median(report["categories"][name]["score"] or 0 for report in reports))
        for name in CATEGORIES
    }
    loaded = _requests(reports[0])
    return {
        **scores,
        "bytes": sum(item["transferSize"] for item in loaded),
        "requests": len(loaded),
        "elsewhere": [item["url"] for item in loaded if urlsplit(item["url"]).netloc != urlsplit(url).netloc],
        "lacks": _lacks(reports[-1]),
        # How fast Lighthouse found the machine: about 1,500 on an idle desktop. It bends performance, nothing else.
        "machine": round(statistics.median(report["environment"]["benchmarkIndex"] for report in reports)),
    }


def _look(url: str, out: Path, chromium: str) -> Report:
    command = [
        *("npx", "--yes", "--package", NODE, "--package", LIGHTHOUSE, "lighthouse", url, "--quiet"),
        *(
            "--no-enable-error-reporting",
            "--output=json",
            f"--output-path={out}",
            f"--chrome-flags={CHROMIUM}",
            f"--only-categories={','.join(CATEGORIES)}",
        ),
    ]
    for _ in range(TRIES):
        run = subprocess.run(
            command, env=os.environ | {"CHROME_PATH": chromium}, capture_output=True, text=True, check=False
        )
        if run.returncode == 0 and out.exists():
            report: Report = json.loads(out.read_bytes())
            out.unlink()
            return report
        if "NO_NAVSTART" not in run.stderr:
            break
    said = [line for line in run.stderr.splitlines() if "rror" in line] or ["it said nothing"]
    raise SystemExit(f"{LIGHTHOUSE} did not run: {said[0]}")


def _requests(report: Report) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = report["audits"]["network-requests"]["details"]["items"]
    return items


def _lacks(report: Report) -> dict[str, list[str]]:
    """For each category the audits that cost points."""
    return {
        name: [
            each["id"]
            for each in report["categories"][name]["auditRefs"]
            if each["weight"] and (score := report["audits"][each["id"]]["score"]) is not None and score < 0.9
        ]
        for name in CATEGORIES
    }


def _table(found: dict[str, dict[str, Any]]) -> str:
    head = f"{'page':10}" + "".join(f"{name:>16}" for name in (*CATEGORIES, "kB in all", "requests"))
    lines = [
        f"{page:10}"
        + "".join(f"{each[name]:16}" for name in CATEGORIES)
        + f"{each['bytes'] / 1000:16.1f}{each['requests']:16}"
        for page, each in found.items()
    ]
    return "\n".join([head, *lines])


def _short(found: dict[str, dict[str, Any]]) -> str:
    """What falls short, a line each; "" where nothing does."""
    lines = [
        f"{page}: {name} {each[name]} (at least {LEAST}): {', '.join(each['lacks'][name])}"
        for page, each in found.items()
        for name in CATEGORIES
        if each[name] < LEAST
    ]
    lines += [f"{page}: {each['bytes']} bytes (at most {MOST})" for page, each in found.items() if each["bytes"] > MOST]
    lines += [f"{page}: asks {url}" for page, each in found.items() for url in each["elsewhere"]]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
