"""A retraining small enough for a test: an archive that its own network has written, and a training that takes no time.

The tweets are drawn from the very network that plays, so that its samples are mixed as the tweets are, and pass gates
that are not made easier. Only the training is a stand-in: it hands over another network that writes alike.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
from playing import add_players, play
from sqlalchemy import Engine
from stock import LETTERS, letter_writer, stock_archive, stock_generator

from app.db.session import now, open_engine
from app.game.vetting import BlockedWords, CardRules
from app.jobs import restocking
from app.jobs.restocking import restock
from app.jobs.supervising import Budget, Shape, Trained
from app.jobs.workshop import Workshop
from model.checkpoint import write_checkpoint
from model.sampling import Decoding
from model.text import normalise
from model.vocab import END_ID, UNKNOWN_ID

ENDS = 0.04  # so often that the end is not among the unlikely symbols that decoding leaves out


def letters(count: int) -> list[str]:
    """Tweets such as the letter writer writes: its next symbol does not hang on what it has read."""
    writer, random, rules = letter_writer(end=ENDS), Random(1), CardRules(BlockedWords.read(), None)
    odds = np.exp(writer.weights["output.bias"].astype(np.float64))
    likely = np.argsort(-odds)
    likely = likely[: 1 + int(np.searchsorted(np.cumsum(odds[likely]), Decoding().top_p))]
    symbols = random.choices(likely.tolist(), odds[likely].tolist(), k=count * 200)
    texts = "".join("\n" if symbol == END_ID else LETTERS[symbol - UNKNOWN_ID - 1] for symbol in symbols).split("\n")
    return [text for text in map(normalise, texts) if rules.card_fault(text) is None][:count]


def furnish(url: str, folder: Path, count: int = 650) -> None:
    """A game that was played: an archive of such tweets, a champion with a shelf, and labels enough to learn from."""
    engine = open_engine(url)
    stock_archive(engine, texts=letters(count))
    workshop = workshop_of(engine, folder)
    archive = workshop.archive("gannet")
    with seeded(1 << 50):
        restock(workshop, archive, stock_generator(workshop, archive, end=ENDS), workshop.shelf_full)
    let_play(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def seeded(seed: int) -> Any:
    """Restocks write the same drafts each time: a gate lets one of twenty honest sets fail, and a test must not."""
    return patch.object(restocking.secrets, "randbits", lambda bits: seed)


def workshop_of(engine: Engine, folder: Path) -> Workshop:
    return Workshop(engine, folder / "checkpoints", shelf_low=50, shelf_full=220, processes=1)


def let_play(engine: Engine, guesses: int = 120) -> None:
    """Enough labels to learn from; the archive's shelf must hold something."""
    who = add_players(engine, 1, 6, now())
    play(engine, 1, who, now(), each=guesses // 6, rates={"champion": 0.4})


def stand_in(seed: int = 1, bits: float = 4.4) -> Callable[..., Trained]:
    """Stands in for a training: writes a checkpoint where it is expected, and tells of two epochs."""

    def train(folder: Path, shape: Shape, budget: Budget, **how: Any) -> Trained:
        assert how["start"] is not None
        for epoch in (1, 2):
            progress = {"event": "progress", "epoch": epoch, "step": epoch, "epochs": 2, "validation_bits": bits}
            how["on_event"](progress | {"seconds": 1.0})
        if not (folder / "checkpoint").exists():
            write_checkpoint(folder / "checkpoint", letter_writer(seed, end=ENDS))
        return Trained(bits, 2.0, 1.0, False)

    return train
