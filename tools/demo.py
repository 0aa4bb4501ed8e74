"""Fills the demo's shelf from its checkpoint (`make demo`): demo/shelf.jsonl, with the decoding of demo/recipe.json.

    python -m tools.demo --tune 8      first tunes the base for so many minutes on the demo: demo/checkpoint
    python -m bench.decoding           shows which decoding to write into demo/recipe.json

At the end the samples are tried against what they must not hold: capitalised words that the archive lacks, and runs of
40 characters of the archives in ../shared, where those lie beside the repository.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from sqlalchemy import Engine

from app.db.archives import Archive
from app.db.migrate import migrate
from app.db.session import open_engine, reading
from app.db.tables import samples
from app.game.form import FormMatch
from app.game.strangers import Names
from app.game.vetting import BlockedWords, CardRules
from app.jobs import demo
from app.jobs.base import shipped_base
from app.jobs.restocking import restock
from app.jobs.supervising import Budget, Shape, train
from app.jobs.training import freeze_texts
from app.jobs.workshop import Workshop
from model.checkpoint import read_checkpoint, write_checkpoint
from tools.recital import SHARED, longest_recital

SAMPLES = 3000  # that a restock is asked for
KEPT = 0.5  # of them: chosen by form once more, for everybody's first shelf is dealt more often than any other


def main() -> int:
    """Tune where asked to, then write the shelf anew; 1 where a sample holds what it must not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tune", type=float, metavar="MINUTES", help="tune the base on the demo first")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/demo.db")
        migrate(engine)
        archive = demo.import_posts(engine)
        workshop = Workshop(engine, Path(folder) / "checkpoints", base=shipped_base())
        if arguments.tune:
            tune(workshop, archive, arguments.tune)
        fill(workshop, engine, archive)
    return tried([json.loads(line)["text"] for line in (demo.DEMO / demo.SHELF).read_text("utf-8").splitlines()])


def tune(workshop: Workshop, archive: Archive, minutes: float) -> None:
    """Train demo/checkpoint from the base on the demo's train split; kept in float16."""
    if workshop.base is None:
        sys.exit("there is no base to begin from: make base")
    run = workshop.checkpoints / "run"
    freeze_texts(workshop, archive, run)
    trained = train(run, Shape(), Budget(minutes), start=workshop.base, on_event=lambda event: say(json.dumps(event)))
    write_checkpoint(demo.DEMO / demo.CHECKPOINT, read_checkpoint(run / "checkpoint"), half=True)
    say(f"{trained.bits_per_character:.4f} bits per character after {trained.epochs} epochs, {trained.seconds:.0f} s")


def fill(workshop: Workshop, engine: Engine, archive: Archive) -> None:
    """Write and vet the samples, and keep them in demo/shelf.jsonl."""
    generator = demo.register_generator(engine, archive, workshop.checkpoints)
    told = restock(workshop, archive, generator, SAMPLES, on_progress=lambda so_far: say(json.dumps(so_far)))
    with reading(engine) as connection:
        rows = connection.execute(samples.select().order_by(samples.c.seed)).all()
    match = FormMatch.fit([row.text for row in rows], cards(), KEPT)
    # A draw of its own, for the restock drew from the same seeds.
    keeps = match.keeps([row.text for row in rows], [row.seed ^ 1 << 61 for row in rows])
    kept = [row for row, is_kept in zip(rows, keeps, strict=True) if is_kept]
    lines = [json.dumps({"seed": row.seed, "text": row.text}, ensure_ascii=False) for row in kept]
    (demo.DEMO / demo.SHELF).write_text("\n".join(lines) + "\n", encoding="utf-8")
    say(json.dumps({"written": told.written, "shelved": told.shelved, "rejected": dict(told.rejected)}))


def cards() -> list[str]:
    """The posts that may be cards."""
    rules = CardRules(BlockedWords.read())
    return [text for text in posts() if rules.card_fault(text) is None]


def posts() -> list[str]:
    """The demo's archive."""
    return [json.loads(line)["text"] for line in (demo.DEMO / demo.POSTS).read_text("utf-8").splitlines()]


def tried(texts: list[str]) -> int:
    """Whether any sample holds what it must not: 0 or 1, told in words."""
    names = Names(posts())
    strangers = [text for text in texts if names.lacking(text)]
    say(f"{len(strangers)} of {len(texts):,} samples hold a capitalised word that the archive lacks")
    if not SHARED.is_dir():
        say(f"not tried for recital: {SHARED} is not there")
        return int(bool(strangers))
    run, _ = longest_recital(texts)
    say(f"the longest run that a sample shares with {SHARED} has {run} characters")
    return int(bool(strangers) or run >= 40)


def say(words: str) -> None:
    """One line on standard output."""
    print(words, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
