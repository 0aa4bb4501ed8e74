"""Fills the demo's shelf from the demo's checkpoint (`make demo`): demo/shelf.jsonl, demo/recipe.json.

The checkpoint itself is trained on the demo's train split like any other (`whichtweet train`), and copied to
demo/checkpoint by hand: it is committed seldom.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from app.db.migrate import migrate
from app.db.session import open_engine, reading
from app.db.tables import samples
from app.jobs import demo
from app.jobs.restocking import restock
from app.jobs.workshop import Workshop

SAMPLES = 2000


def main() -> None:
    """Write the shelf anew with the decoding of demo/recipe.json."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/demo.db")
        migrate(engine)
        archive = demo.import_posts(engine)
        workshop = Workshop(engine, Path(folder) / "checkpoints")
        generator = demo.register_generator(engine, archive, workshop.checkpoints)
        told = restock(workshop, archive, generator, SAMPLES)
        with reading(engine) as connection:
            rows = connection.execute(samples.select().order_by(samples.c.seed)).all()
        lines = [json.dumps({"seed": row.seed, "text": row.text}, ensure_ascii=False) for row in rows]
        (demo.DEMO / demo.SHELF).write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(json.dumps({"written": told.written, "shelved": told.shelved, "rejected": dict(told.rejected)}))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
