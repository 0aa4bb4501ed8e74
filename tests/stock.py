"""What jobs need, small: an archive, and a network that writes what passes vetting without having learned anything."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
from factories import add_archive, add_tweets
from sqlalchemy import Engine, insert, select

from app.db import generators
from app.db.archives import Archive
from app.db.generators import Generator, Recipe
from app.db.session import now, reading, writing
from app.db.tables import imports, samples
from app.db.tables import tweets as tweet_table
from app.game.vetting import VETTING_VERSION
from app.jobs.workshop import Workshop
from model.checkpoint import Checkpoint, checkpoint_digest, write_checkpoint
from model.config import Config
from model.sampling import Decoding
from model.vocab import Vocab

NOUNS = ["harbour", "ferry", "pier", "council", "bridge", "gull", "baker", "mayor", "school", "clock", "market"]
VERBS = ["opens", "closes", "sings", "sleeps", "waits", "rings", "leaks", "shines", "floods", "wins"]
TAILS = ["and we are glad", "as ever", "so bring a chair", "believe me", "once more", "for the tourists", "at last"]
LETTERS = " abcdefghijklmnoprstuvwy"


def small_talk(count: int, seed: int = 1) -> list[str]:
    """Tweets of an invented mayor."""
    random = Random(seed)

    def sentence() -> str:
        return f"the {random.choice(NOUNS)} {random.choice(VERBS)} at {random.randint(1, 12)} {random.choice(TAILS)}"

    return [" ".join(f"{sentence().capitalize()}." for _ in range(4)) for _ in range(count)]


def stock_archive(engine: Engine, slug: str = "gannet", tweets: int = 400, texts: Sequence[str] | None = None) -> None:
    """An archive with tweets in all three splits: the last 60 in the deck, a tenth of the others to validate on."""
    texts = small_talk(tweets) if texts is None else texts
    with writing(engine) as connection:
        archive_id = add_archive(connection, slug)
        add_tweets(connection, archive_id, texts[-60:])
        import_id = connection.execute(select(imports.c.id).where(imports.c.archive_id == archive_id)).scalar_one()
        connection.execute(
            insert(tweet_table),
            [
                {
                    "archive_id": archive_id,
                    "import_id": import_id,
                    "source_key": f"text:{place}",
                    "text": text,
                    "text_version": 1,
                    "length": len(text),
                    "split": "validation" if place % 10 == 0 else "train",
                }
                for place, text in enumerate(texts[:-60])
            ],
        )


def letter_writer(seed: int = 0, end: float = 0.015) -> Checkpoint:
    """A network whose odds do not depend on what it has read: letters at random, an end now and then."""
    vocab, config = Vocab(LETTERS), Config("lstm", layers=1, units=4, embedding=4)
    weights = {
        name: np.zeros([len(vocab) if size is None else size for size in shape], np.float32)
        for name, shape in config.shapes.items()
    }
    odds = np.full(len(vocab), (1 - end - 0.16) / (len(LETTERS) - 1))
    odds[0] = odds[2] = 1e-9
    odds[1], odds[3] = end, 0.16
    weights["output.bias"] = np.log(odds + seed * 1e-6).astype(np.float32)
    return Checkpoint(config, vocab, weights, {"bits_per_character": 4.5})


def stock_generator(
    workshop: Workshop, archive: Archive, seed: int = 0, bits: float = 4.5, end: float = 0.015
) -> Generator:
    """A registered generator that can write; the archive's first is its champion."""
    key = f"{archive.slug}/letters-{seed}"
    write_checkpoint(workshop.folder(key), letter_writer(seed, end))
    recipe = Recipe(
        checkpoint_key=key,
        checkpoint_sha256=checkpoint_digest(workshop.folder(key)),
        decoding=Decoding(temperature=1.0, top_p=1.0).to_json(),
        vetting_version=VETTING_VERSION,
        alphabet=LETTERS,
        bits_per_character=bits,
    )
    with writing(workshop.engine) as connection:
        return generators.register(connection, archive.id, recipe, now())[0]


def shelf(engine: Engine) -> list[Any]:
    """All samples, in the order of their ids."""
    with reading(engine) as connection:
        return list(connection.execute(select(samples).order_by(samples.c.id)))
