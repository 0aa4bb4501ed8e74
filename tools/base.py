"""Makes the base, a network that knows tweets (`make base`): model/base/.

    python -m tools.base ../shared --minutes 70 [--start model/base]

imports the archives that tools/base.json names (files below the folder given), each split as any import is; leaves
out of what is learned each text that has a twin among another archive's held-out ones; lets seven texts of ten begin
with their account's mark and the rest with the plain one, so that the base writes like one of them or like nobody in
particular; trains; and writes weights in float16, where all of it came from, the words that were read twice or more,
and hashes of what was read (no text can be got back from those; a sample that repeats a run of 40 is told by them).
Interrupted, it goes on where it stood.

`--start FOLDER` begins from a network such as the base that is there, instead of from chance; `--checkpoint FOLDER`
ships one that was trained before, instead of training one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from app.archives.formats import open_records
from app.archives.source import open_source
from app.archives.splits import TRAIN, VALIDATION
from app.archives.twins import Twins
from app.db import archives, tweets
from app.db.migrate import migrate
from app.db.session import open_engine, reading
from app.game.steering import word_parts
from app.game.strangers import Recited
from app.jobs.base import LINEAGE, READ, SHIPPED, WORDS
from app.jobs.importing import import_archive
from model.checkpoint import read_checkpoint, write_checkpoint
from model.text import normalise

MANIFEST = Path(__file__).with_name("base.json")
MARKED = 7  # texts of ten that begin with their account's mark
MOST_BYTES = 10_000_000  # of the whole folder: it lies in git
BATCH = 500

Rows = list[tuple[str, str, str]]  # account, split, text


def main() -> None:
    """Make the base."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder below which the archives' files lie")
    parser.add_argument("--archives", type=Path, default=MANIFEST, help="JSON file that names them")
    parser.add_argument("--without", nargs="*", default=[], metavar="SLUG", help="archives of them to leave out")
    parser.add_argument("--minutes", type=float, default=70, help="how long to train")
    parser.add_argument("--start", type=Path, help="begin from this network instead of from chance")
    parser.add_argument("--work", type=Path, default=Path("data/base"), help="folder for what is made on the way")
    parser.add_argument("--checkpoint", type=Path, help="ship this network instead of training one")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the base")
    arguments = parser.parse_args()
    manifest = json.loads(arguments.archives.read_text(encoding="utf-8"))
    manifest["archives"] = [entry for entry in manifest["archives"] if entry["slug"] not in arguments.without]
    for entry in manifest["archives"]:
        for name in entry["files"]:
            if not (arguments.folder / name).is_file():
                sys.exit(f"{arguments.folder / name}: no such file; {arguments.archives} names it")
    rows = collect(arguments.folder, manifest, arguments.work)
    counts = write_texts(rows, arguments.work)
    checkpoint = arguments.checkpoint or learn(arguments.work, arguments.minutes, arguments.start)
    told = {"name": manifest["name"], "archives": described(manifest, counts), "marked": MARKED / 10}
    ship(checkpoint, arguments.out, told, Recited.of(raw_texts(arguments.folder, manifest)), words_of(rows))


def collect(folder: Path, manifest: Mapping[str, Any], work: Path) -> Rows:
    """Import the archives into a database of their own; every text with its split."""
    work.mkdir(parents=True, exist_ok=True)
    engine = open_engine(f"sqlite:///{work / 'archives.db'}")
    migrate(engine)
    rows: Rows = []
    for entry in manifest["archives"]:
        for name in entry["files"]:
            import_archive(engine, folder / name, slug=entry["slug"], handle=entry["handle"])
        with reading(engine) as connection:
            archive = archives.find(connection, entry["slug"])
            if archive is None:
                raise RuntimeError(f"{entry['slug']} is not there after its import")
            for split in ("train", "validation", "deck"):
                rows += [(entry["slug"], split, text) for text in tweets.texts(connection, archive.id, split)]
    return rows


def learned(rows: Rows) -> Iterator[tuple[str, str, str]]:
    """The texts to learn from and to measure on: none learned that has a twin held out in any archive."""
    with closing(Twins()) as twins:
        held = [(text, split) for _, split, text in rows if split != TRAIN]
        for start in range(0, len(held), BATCH):
            twins.remember(held[start : start + BATCH])
        train = [row for row in rows if row[1] == TRAIN]
        for start in range(0, len(train), BATCH):
            some = train[start : start + BATCH]
            verdicts = twins.place([(text, TRAIN) for _, _, text in some])
            yield from (row for row, verdict in zip(some, verdicts, strict=True) if verdict == TRAIN)
    yield from (row for row in rows if row[1] == VALIDATION)


def write_texts(rows: Rows, work: Path) -> Counter[tuple[str, str]]:
    """Write what is learned and measured on as JSON lines; texts by (account, split)."""
    counts: Counter[tuple[str, str]] = Counter()
    lines: dict[str, list[str]] = {TRAIN: [], VALIDATION: []}
    for account, split, text in learned(rows):
        # By the text's own hash, so that the same texts are marked each time.
        marked = blake2b(text.encode("utf-8", "replace"), digest_size=2).digest()[0] % 10 < MARKED
        row = {"text": text, **({"account": account} if marked else {})}
        lines[split].append(json.dumps(row, ensure_ascii=False) + "\n")
        counts[account, split] += 1
    for split, some in lines.items():
        (work / f"{split}.jsonl").write_text("".join(some), encoding="utf-8", errors="replace")
    return counts


def learn(work: Path, minutes: float, start: Path | None) -> Path:
    """Train, or go on training; the folder of the checkpoint."""
    words = ["--train", str(work / "train.jsonl"), "--validation", str(work / "validation.jsonl"), "--resume"]
    words += ["--out", str(work / "checkpoint"), "--minutes", str(minutes)]
    words += ["--start", str(start)] if start else []
    subprocess.run([sys.executable, "-m", "app.jobs.training_process", *words], check=True, env=os.environ)
    return work / "checkpoint"


def described(manifest: Mapping[str, Any], counts: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    """Where each archive came from, and how many of its tweets were learned from."""
    keys = ("slug", "handle", "source", "licence")
    return [{key: it[key] for key in keys} | {"tweets": counts[it["slug"], TRAIN]} for it in manifest["archives"]]


def words_of(rows: Rows) -> list[str]:
    """The words of what is learned, each that stands there in small letters twice or more: no names."""
    counts = Counter(part for _, split, text in rows if split == TRAIN for part in word_parts([text]) if part.islower())
    return sorted(word for word, times in counts.items() if times > 1)


def raw_texts(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Every text of the files, with what imports leave out: the base is to recite none of it."""
    for entry in manifest["archives"]:
        for name in entry["files"]:
            with open_source(folder / name, "strict") as source:
                for record in open_records(source, "auto", None).records:
                    if isinstance(record.text, str):
                        yield normalise(record.text)


def ship(checkpoint: Path, out: Path, told: Mapping[str, Any], read: Recited, words: list[str]) -> None:
    """Write the base: float16 weights, its story, its words, and the hashes of what was read."""
    made = read_checkpoint(checkpoint)
    write_checkpoint(out, replace(made, meta={**made.meta, LINEAGE: dict(told)}), half=True)
    read.write(out / READ)
    (out / WORDS).write_text("\n".join(words) + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in out.iterdir())
    print(f"{out}: {size / 1e6:.1f} MB, {made.meta.get('bits_per_character'):.3f} bits per character")  # noqa: T201
    if size > MOST_BYTES:
        sys.exit(f"{out}: found {size:,} bytes, expected at most {MOST_BYTES:,}")


if __name__ == "__main__":
    main()
