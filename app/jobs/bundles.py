"""Bundles: a generator in one portable, checked file, from one machine's game into another's."""

from __future__ import annotations

import math
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.archives.zipped import directory_of
from app.bundle import pack, unpack
from app.db import generators, tweets
from app.db.archives import Archive
from app.db.bundles import KIND, card_of
from app.db.generators import CHAMPION, Generator, Recipe
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.game.vetting import VETTING_VERSION
from app.jobs import drafts, training
from app.jobs.curve import points_of
from app.jobs.hold import Hold
from app.jobs.workshop import JobError, Progress, ShouldStop, Steps, Workshop
from model.checkpoint import Checkpoint, CheckpointError, checkpoint_digest, read_checkpoint
from model.sampling import Decoding
from model.vocab import Vocab

MOST_DIRECTORY = 1 << 16  # bytes of the list of the five files in a bundle
FOREIGN = 0.5  # share of an archive's characters; a network that lacks more was made for another script


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


def import_generator(
    workshop: Workshop,
    archive: Archive,
    file: Path,
    *,
    on_progress: Progress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> tuple[Generator, bool]:
    """Register the generator in `file` for an archive, and whether it is new there; measured on the archive's tweets.

    Raises:
        JobError: the file is no bundle of a generator, is damaged, its alphabet is another script's, or the archive has
            nothing to measure on. Nothing of it is kept.
        Interrupted: it was asked to stop.
    """

    def on_read(read: int, tweet_count: int) -> None:
        on_progress({"step": read, "steps": tweet_count})

    _refuse_long_list(file)
    workshop.checkpoints.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workshop.checkpoints, prefix=drafts.BUNDLE) as place:
        made = Path(place) / "checkpoint"
        card, decoding, checkpoint, digest = _unpacked(file, made)
        _refuse_foreign(workshop, archive, file, checkpoint.vocab)
        key = f"{archive.slug}/{digest[:16]}"
        target = workshop.folder(key)
        # Measured where it lies: one that cannot be measured leaves nothing behind.
        lies_at = key if target.exists() else f"{Path(place).name}/{made.name}"
        bits = training.evaluate(workshop, archive, lies_at, should_stop, on_read)
        if not math.isfinite(bits):
            raise JobError(f"{file}: its weights are too large to measure: {bits} bits per character")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made, target)
    recipe = Recipe(
        checkpoint_key=key,
        checkpoint_sha256=digest,
        decoding=decoding.to_json(),
        vetting_version=VETTING_VERSION,
        alphabet=checkpoint.vocab.characters,
        bits_per_character=bits,
        card={
            **{"made_by": "import", "file": os.fsencode(file.name).decode(errors="replace"), **_told(card)},
            **{"network": checkpoint.config.to_json(), "training": dict(checkpoint.meta)},
        },
    )
    with writing(workshop.engine) as connection:
        return generators.register(connection, archive.id, recipe, now())


def _unpacked(file: Path, folder: Path) -> tuple[dict[str, Any], Decoding, Checkpoint, str]:
    """What a bundle holds, checked, its checkpoint laid into `folder`: card, decoding, network (no weights), hash."""
    try:
        card = unpack(file, folder)
        checkpoint = replace(read_checkpoint(folder), weights={})  # another one is read where it is measured
        return card, _decoding(file, card), checkpoint, checkpoint_digest(folder)
    except CheckpointError as error:
        raise JobError(str(error)) from None
    except OSError as error:
        raise JobError(f"{file}: {error.strerror or error}") from None


def _refuse_foreign(workshop: Workshop, archive: Archive, file: Path, vocab: Vocab) -> None:
    with reading(workshop.engine) as connection:
        lacking = _lacking(vocab, list(tweets.texts(connection, archive.id, "validation")))
    if lacking > FOREIGN:
        raise JobError(
            f"{file}: its alphabet is foreign to {archive.slug}: it lacks {lacking:.0%} of the characters there"
        )


def take_in_bundle(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Register the generator in a file that came by the dashboard, as the command does; then the file goes."""
    path = Path(job.arguments["path"])
    archive = workshop.archive_of(job)

    def take_in() -> str:
        try:
            made, is_new = import_generator(
                workshop, archive, path, on_progress=hold.on_progress, should_stop=hold.should_stop
            )
        except JobError as error:  # whoever sent the file knows its name, not where it lies
            raise JobError(str(error).replace(f"{path.parent}/", "")) from None
        hold.step("registered")  # how far the measuring is need not be told any more
        with reading(workshop.engine) as connection:
            champion = generators.in_arm(connection, archive.id, CHAMPION)
        plays = champion is not None and champion.id == made.id
        next_comes = "it plays as soon as its samples are on the shelf" if plays else "promote it to let it play"
        return (
            f"{made.name} {'registered' if is_new else 'was registered before'}: {made.bits_per_character:.3f} bits per"
            f" character on the validation split of {archive.slug}; {next_comes}"
        )

    words = step("check and measure", take_in)
    drop_bundle(job)
    return words


def drop_bundle(job: Job) -> None:
    """Remove the file that a job came with: it is registered, or will not be."""
    shutil.rmtree(Path(job.arguments["path"]).parent, ignore_errors=True)


def _refuse_long_list(file: Path) -> None:
    """Refuse a zip whose list of files alone would fill the memory when it is opened; other faults are told later."""
    try:
        with file.open("rb") as packed:
            size = directory_of(packed)
    except (zipfile.BadZipFile, struct.error, ValueError, OSError):
        return
    if size > MOST_DIRECTORY:
        raise JobError(f"{file}: damaged, or no bundle: it lists more files than a bundle holds")


def _lacking(vocab: Vocab, texts: Sequence[str]) -> float:
    """The share of the characters of `texts` that a vocabulary does not know; 0 where there are none."""
    known, characters = set(vocab.characters), "".join(texts)
    return sum(character not in known for character in characters) / (len(characters) or 1)


def _told(card: Mapping[str, Any]) -> dict[str, Any]:
    """What a bundle tells of itself, and apart the curve of its training, as far as it is one."""
    own = card.get("card")
    if not isinstance(own, dict) or "curve" not in own:
        return {"bundle": dict(card)}
    rest = {name: value for name, value in own.items() if name != "curve"}
    return {"bundle": {**card, "card": rest}, "curve": points_of(own["curve"])}


def _decoding(file: Path, card: Mapping[str, Any]) -> Decoding:
    if card.get("kind") != KIND or not isinstance(card.get("decoding"), dict):
        raise JobError(f"{file}: a bundle, but not of a generator: whichtweet generators export writes those")
    try:
        return Decoding.from_json(card["decoding"])
    except (ValueError, TypeError) as error:
        raise JobError(f"{file}: its decoding cannot be used: {error}") from None
