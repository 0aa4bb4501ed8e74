"""The demo: an archive with a trained checkpoint and vetted samples, opened without training anything."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from sqlalchemy import Engine

from app.db import archives, generators, restocks, samples
from app.db.archives import Archive
from app.db.generators import Generator, Recipe
from app.db.locks import alone
from app.db.samples import BATCH, NewSample
from app.db.session import now, reading, writing
from app.game import sensitive
from app.game.vetting import VETTING_VERSION, text_hash
from app.jobs.importing import import_archive
from model.checkpoint import checkpoint_digest, read_checkpoint
from model.text import TEXT_VERSION

DEMO = Path(__file__).resolve().parents[2] / "demo"
SLUG, NAME, HANDLE = "mayor-of-gannet", "Mayor of Port Gannet", "MayorOfGannet"
DESCRIPTION = "Ferries, football, potholes and gulls: a seaside town and its mayor, both made up."
POSTS, CHECKPOINT, RECIPE, SHELF = "mayor_of_gannet.jsonl", "checkpoint", "recipe.json", "shelf.jsonl"
PATIENCE = 60.0  # seconds that another process may take to open it


def open_demo(engine: Engine, checkpoints: Path, folder: Path = DEMO) -> bool:
    """Put the demo in a database that holds no other archive; whether anything had to be done.

    Interrupted, it goes on where it stood at the next call; another process that is at it is waited for. Once the demo
    has a generator it is left alone: what happens to it from then on is the players' and the worker's business.
    """
    given_up = time.monotonic() + PATIENCE
    while True:
        with alone(engine, "demo") as held:
            if held or time.monotonic() > given_up:
                return _open(engine, checkpoints, folder)
        time.sleep(0.1)


def _open(engine: Engine, checkpoints: Path, folder: Path) -> bool:
    with reading(engine) as connection:
        there = archives.listing(connection)
        demo = archives.find(connection, SLUG)
        if demo is None and there:
            return False
        if demo is not None and generators.in_arm(connection, demo.id, generators.CHAMPION) is not None:
            return False
    _shelve(engine, demo or import_posts(engine, folder), folder, _hand_over(checkpoints, folder))
    return True


def import_posts(engine: Engine, folder: Path = DEMO) -> Archive:
    """Import the demo's posts."""
    import_archive(engine, folder / POSTS, slug=SLUG, name=NAME, handle=HANDLE, is_demo=True)
    with writing(engine) as connection:
        archive = archives.find(connection, SLUG)
        if archive is None:
            raise RuntimeError("the demo archive is not there after its import")
        archives.describe(connection, archive.id, description=DESCRIPTION)
    return archive


def register_generator(engine: Engine, archive: Archive, checkpoints: Path, folder: Path = DEMO) -> Generator:
    """Register the demo's generator, with nothing on its shelf yet."""
    recipe = _hand_over(checkpoints, folder)
    with writing(engine) as connection:
        return generators.register(connection, archive.id, recipe, now())[0]


def _hand_over(checkpoints: Path, folder: Path) -> Recipe:
    """Copy the demo's checkpoint to where checkpoints lie, and tell its recipe."""
    digest = checkpoint_digest(folder / CHECKPOINT)
    key = f"{SLUG}/demo-{digest[:12]}"
    place = checkpoints / key
    if not place.exists():
        beside = place.with_name(f".{place.name}")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(folder / CHECKPOINT, beside)
        beside.rename(place)
    checkpoint = read_checkpoint(place)
    bits = checkpoint.meta.get("bits_per_character")
    return Recipe(
        checkpoint_key=key,
        checkpoint_sha256=digest,
        decoding=json.loads((folder / RECIPE).read_text(encoding="utf-8"))["decoding"],
        vetting_version=VETTING_VERSION,
        alphabet=checkpoint.vocab.characters,
        bits_per_character=None if bits is None else float(bits),
        card=dict(checkpoint.meta),
    )


def _shelve(engine: Engine, archive: Archive, folder: Path, recipe: Recipe) -> None:
    """Register the generator and put the shipped samples on its shelf, in one transaction: the demo is small."""
    lines = [json.loads(line) for line in (folder / SHELF).read_text(encoding="utf-8").splitlines()]
    held = sensitive.shipped().subject
    shipped = [
        NewSample(line["seed"], line["text"], text_hash(line["text"]), held=held(line["text"])) for line in lines
    ]
    with writing(engine) as connection:
        generator, _ = generators.register(connection, archive.id, recipe, now())
        row = restocks.begin(
            connection,
            archive_id=archive.id,
            generator_id=generator.id,
            seed=min(line["seed"] for line in lines),
            goal=len(lines),
            job_id=None,
            at=now(),
        )
        for start in range(0, len(shipped), BATCH):
            samples.add(
                connection,
                shipped[start : start + BATCH],
                archive_id=archive.id,
                generator_id=generator.id,
                restock_id=row.id,
                text_version=TEXT_VERSION,
            )
        restocks.close(connection, row.id, "done", 0.0, now())
        samples.shelve(connection, row.id, samples.next_stamp(connection, archive.id))
