"""How fast, and in how much memory, is a big archive imported?  python -m bench.importing [MEGABYTES]

Writes a file of made-up tweets in the form of the Trump Twitter Archive into a temporary folder, imports it in a
process of its own and keeps seconds, rows per second and the most memory that process held in
bench/results/importing.json. Meanwhile another process writes to the same database, as play does, and times its waits.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import insert

from app.db.migrate import migrate
from app.db.session import now, open_engine, writing
from app.db.tables import players
from app.jobs.importing import import_archive

RESULTS = Path(__file__).with_name("results") / "importing.json"
MEGABYTES = 500
DEMO = Path(__file__).parents[1] / "demo" / "mayor_of_gannet.jsonl"


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    with tempfile.TemporaryDirectory(prefix="importing-") as folder:
        file, url = Path(folder) / "tweets.json", f"sqlite:///{folder}/whichtweet.db"
        written = write_archive(file, megabytes * 1_000_000)
        migrate(open_engine(url))
        figures = measure(url, file) | {"megabytes": megabytes, "rows_written": written}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def measure(url: str, file: Path) -> dict[str, Any]:
    """The figures of one import, by processes that start with nothing in memory."""
    context = multiprocessing.get_context("spawn")
    imported, waits = context.SimpleQueue(), context.SimpleQueue()
    over = context.Event()
    importer = context.Process(target=bring_in, args=(url, file, imported))
    player = context.Process(target=play, args=(url, over, waits))
    for process in (importer, player):
        process.start()
    importer.join()
    over.set()
    player.join()
    if importer.exitcode:
        raise SystemExit("the import failed: its messages stand above")
    return {**imported.get(), **waits.get()}


def bring_in(url: str, file: Path, figures: Any) -> None:
    done = import_archive(open_engine(url), file, slug="big")
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures.put(
        {
            "seconds": round(done.seconds, 1),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
            "rows": done.read,
            "rows_per_second": round(done.read / done.seconds),
            "tweets_added": done.added,
            "left_out": done.left_out,
            "peak_memory_mb": round(used.ru_maxrss / 1024),
        }
    )


def play(url: str, over: Event, figures: Any) -> None:
    """Write a row twenty times a second, as guesses do, and tell how long each write took."""
    engine = open_engine(url)
    milliseconds = []
    while not over.wait(0.05):
        begun = time.perf_counter()
        with writing(engine) as connection:
            connection.execute(insert(players).values(key=Random().randbytes(16), created_at=now()))
        milliseconds.append((time.perf_counter() - begun) * 1000)
    figures.put(
        {
            "writes_meanwhile": len(milliseconds),
            "write_ms_median": round(statistics.median(milliseconds), 1),
            "write_ms_p99": round(sorted(milliseconds)[int(len(milliseconds) * 0.99)], 1),
            "write_ms_longest": round(max(milliseconds), 1),
        }
    )


def write_archive(file: Path, size: int) -> int:
    """A JSON array of at least `size` bytes; how many tweets it holds."""
    rows = 0
    with file.open("w", encoding="ascii") as output:
        separator = "["
        for row in made_up(Random(1)):
            output.write(separator + json.dumps(row))
            separator = ", "
            rows += 1
            if output.tell() >= size:
                break
        output.write("]")
    return rows


def made_up(rng: Random) -> Iterator[dict[str, Any]]:
    """Words of the demo archive, shuffled; one tweet in twenty is nearly an earlier one, one in ten a retweet."""
    words = [
        word for line in DEMO.read_text(encoding="utf-8").splitlines() for word in json.loads(line)["text"].split()
    ]
    text, number = "", 1_000_000_000_000_000_000
    while True:
        number += rng.randrange(1, 1 << 34)
        if text and rng.random() < 0.05:
            text = text.replace(" ", ", ", 1)
        else:
            text = " ".join(rng.choices(words, k=rng.randint(4, 36)))
        yield {
            "source": "Twitter for iPhone",
            "id_str": str(number),
            "text": ("RT @somebody: " if rng.random() < 0.1 else "") + text + " https://t.co/abcdefghij",
            "created_at": "Wed Dec 23 17:38:18 +0000 2009",
            "retweet_count": rng.randrange(10_000),
            "in_reply_to_user_id_str": None,
            "favorite_count": rng.randrange(100_000),
            "is_retweet": False,
        }


if __name__ == "__main__":
    main()
