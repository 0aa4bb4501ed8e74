"""A game whose players believe in a letter: what a retraining can find out, and nobody sees without reading."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from factories import LONG_AGO
from sqlalchemy import insert, select
from stock import LETTERS, letter_writer

from app.db import generators
from app.db.archives import Archive
from app.db.generators import Generator, Recipe
from app.db.session import now, reading, writing
from app.db.tables import guesses, labels, players, samples, tweets
from app.game.vetting import VETTING_VERSION
from app.jobs.workshop import Workshop
from model.checkpoint import Checkpoint, checkpoint_digest, write_checkpoint
from model.config import Config
from model.sampling import Decoding

LETTER = "a"


def listening_writer(units: int = 24) -> Checkpoint:
    """A network that writes letters at random, but whose states tell which ones it read."""
    deaf, config = letter_writer(), Config("lstm", layers=1, units=units, embedding=16)
    random = np.random.default_rng(0)
    weights = {
        name: random.standard_normal([len(deaf.vocab) if size is None else size for size in shape]).astype("f4")
        for name, shape in config.shapes.items()
    }
    weights["layers.0.recurrent"] *= 0
    weights["output.kernel"] *= 0
    weights["output.bias"] = deaf.weights["output.bias"]
    return Checkpoint(config, deaf.vocab, weights, {"bits_per_character": 4.5})


def listening_generator(workshop: Workshop, archive: Archive) -> Generator:
    """The archive's first generator: champion and anchor."""
    key = f"{archive.slug}/listening"
    write_checkpoint(workshop.folder(key), listening_writer())
    recipe = Recipe(
        checkpoint_key=key,
        checkpoint_sha256=checkpoint_digest(workshop.folder(key)),
        decoding=Decoding(temperature=1.0, top_p=1.0).to_json(),
        vetting_version=VETTING_VERSION,
        alphabet=LETTERS,
        bits_per_character=4.5,
    )
    with writing(workshop.engine) as connection:
        return generators.register(connection, archive.id, recipe, now())[0]


def belief(text: str) -> float:
    return text.count(LETTER) / len(text)


def add_believers(
    workshop: Workshop, archive: Archive, count: int, *, crowd: int = 25, honest: bool = True, seed: int = 0
) -> list[int]:
    """Guesses of players who believe the card with more of the letter in it, or either one; the guesses' ids."""
    random = Random(seed)
    with writing(workshop.engine) as connection:
        shelf = connection.execute(select(samples.c.id, samples.c.text, samples.c.generator_id)).all()
        deck = connection.execute(select(tweets.c.id, tweets.c.text).where(tweets.c.split == "deck")).all()
        rows = [{"key": random.randbytes(16), "created_at": LONG_AGO} for _ in range(crowd)]
        who = list(connection.scalars(insert(players).returning(players.c.id), rows))
        made = [
            _guess(random, archive, who[n % crowd], *random.choice(shelf), *random.choice(deck), honest)
            for n in range(count)
        ]
        ids = list(connection.scalars(insert(guesses).returning(guesses.c.id), made))
        connection.execute(
            insert(labels),
            [{"guess_id": i, "status": "accepted", "rules_version": 1, "decided_at": LONG_AGO} for i in ids],
        )
    return ids


def _guess(
    random: Random,
    archive: Archive,
    player: int,
    sample: int,
    sample_text: str,
    generator: int,
    tweet: int,
    tweet_text: str,
    honest: bool,
) -> dict[str, Any]:
    lead = belief(sample_text) - belief(tweet_text) + random.gauss(0, 0.01) if honest else random.gauss(0, 1)
    index = random.randrange(2)
    pick = 1 - index if lead > 0 else index
    return {
        **{"round_id": random.randbytes(16), "player_id": player, "archive_id": archive.id, "tweet_id": tweet},
        **{"sample_id": sample, "generator_id": generator, "arm": "champion", "mode": "endless", "position": 0},
        **{"repeat": False, "tweet_index": index, "pick": pick, "verdict": "fooled" if lead > 0 else "spotted"},
        **{"recognised": False, "has_cookie": True, "policy_version": 1, "arm_probability": 1.0},
        **{"card_probability": 0.1, "dealt_at": LONG_AGO, "guessed_at": LONG_AGO, "answer": "{}"},
    }


def believed(workshop: Workshop, generator_id: int) -> float:
    """How much of the letter the samples of a generator hold, on average."""
    with reading(workshop.engine) as connection:
        texts = connection.scalars(select(samples.c.text).where(samples.c.generator_id == generator_id)).all()
    return sum(map(belief, texts)) / len(texts)
