"""Bundles: a generator in one portable, checked file, from one machine's game into another's."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.db import generators
from app.db.archives import Archive
from app.db.bundles import KIND, card_of
from app.db.generators import Generator, Recipe
from app.db.session import now, reading, writing
from app.game.vetting import VETTING_VERSION
from app.jobs import training
from app.jobs.workshop import JobError, Workshop
from model.checkpoint import CheckpointError, checkpoint_digest, pack, read_checkpoint, unpack
from model.sampling import Decoding


def export_generator(workshop: Workshop, archive: Archive, generator: Generator, file: Path) -> int:
    """Write a generator to `file`: weights, vocabulary, network, decoding and model card; its size in bytes.

    A scorer stays behind: it has learned from the archive's own players.

    Raises:
        JobError: its checkpoint is damaged or gone, or the file cannot be written.
    """
    with reading(workshop.engine) as connection:
        card = card_of(connection, archive, generator, now())
    try:
        pack(workshop.folder(generator.checkpoint_key), file, card)
        return file.stat().st_size
    except CheckpointError as error:
        raise JobError(str(error)) from None
    except OSError as error:
        raise JobError(f"{file}: {error.strerror or error}") from None


def import_generator(workshop: Workshop, archive: Archive, file: Path) -> tuple[Generator, bool]:
    """Register the generator in `file` for an archive, and whether it is new there; measured on the archive's tweets.

    Raises:
        JobError: the file is no bundle of a generator, is damaged, or the archive has nothing to measure on.
    """
    workshop.checkpoints.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workshop.checkpoints, prefix=".bundle-") as place:
        made = Path(place) / "checkpoint"
        try:
            card = unpack(file, made)
            decoding = _decoding(file, card)
            checkpoint, digest = read_checkpoint(made), checkpoint_digest(made)
        except CheckpointError as error:
            raise JobError(str(error)) from None
        except OSError as error:
            raise JobError(f"{file}: {error.strerror or error}") from None
        key = f"{archive.slug}/{digest[:16]}"
        target = workshop.folder(key)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made, target)
    bits = training.evaluate(workshop, archive, key)
    recipe = Recipe(
        checkpoint_key=key,
        checkpoint_sha256=digest,
        decoding=decoding.to_json(),
        vetting_version=VETTING_VERSION,
        alphabet=checkpoint.vocab.characters,
        bits_per_character=bits,
        card={
            **{"made_by": "import", "file": file.name, "bundle": card},
            **{"network": checkpoint.config.to_json(), "training": dict(checkpoint.meta)},
        },
    )
    with writing(workshop.engine) as connection:
        return generators.register(connection, archive.id, recipe, now())


def _decoding(file: Path, card: Mapping[str, Any]) -> Decoding:
    if card.get("kind") != KIND or not isinstance(card.get("decoding"), dict):
        raise JobError(f"{file}: a bundle, but not of a generator: whichtweet generators export writes those")
    try:
        return Decoding.from_json(card["decoding"])
    except (ValueError, TypeError) as error:
        raise JobError(f"{file}: its decoding cannot be used: {error}") from None
