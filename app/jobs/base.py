"""The base: a shipped network that has read several accounts. Trainings begin from it, and it stands in for archives
that have no generator of their own yet, so that they can be played while theirs is trained."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from app.db import generators, tweets
from app.db.archives import Archive
from app.db.generators import STANDS_IN, Generator, Recipe
from app.db.session import now, reading, writing
from app.game.steering import word_parts
from app.game.strangers import Recited
from app.game.vetting import VETTING_VERSION
from app.jobs.errors import JobError
from app.jobs.supervising import Shape
from app.jobs.workshop import Workshop
from model.checkpoint import FILES, Checkpoint, CheckpointError, checkpoint_digest, read_checkpoint, read_figures
from model.evaluate import bits_per_character
from model.sampling import Decoding

SHIPPED = Path(__file__).resolve().parents[2] / "model" / "base"
READ = "read.npy"  # beside the checkpoint: what it has read, as hashes
WORDS = "words.txt"  # beside it too: the words that it has read, a line each
LINEAGE = "base"  # the figure in a checkpoint that names the base it descends from
MEASURED = 100  # validation tweets on which a stand-in is measured: it is to be ready in seconds
FEWEST_WORDS = 1000  # that a draft can be led to: an archive of less is no account's vocabulary
MOST_NEW = 0.1  # share of an account's words that may be new
# Bits per character above which the base is no stand-in: another language, or nothing like posts. An account in
# English that it has never read takes it about 2.2.
STRANGE = 3.2


def shipped_base() -> Path | None:
    """The folder of the base that lies in the repository; None where there is none."""
    return SHIPPED if (SHIPPED / "meta.json").exists() else None


def start_for(workshop: Workshop, shape: Shape) -> Path | None:
    """The base, where a network of that shape can begin from it."""
    if workshop.base is None:
        return None
    config = _base(workshop.base).config
    return workshop.base if (config.layers, config.units, config.cell) == tuple(vars(shape).values()) else None


def known_names_only(generator: Generator, has_read_others: bool) -> bool:
    """Whether its samples may name only what the archive names: by its recipe, or because it has read others."""
    return has_read_others or generator.decoding.get("names") == "archive"


def recited_for(workshop: Workshop, generator: Generator) -> tuple[bool, Recited | None]:
    """Whether a generator's network has read other accounts as well, and what they said where the base is at hand.

    Raises:
        JobError: its checkpoint, or the base, is damaged or gone.
    """
    try:
        if LINEAGE not in read_figures(workshop.folder(generator.checkpoint_key)):
            return False, None
        return True, Recited.read(workshop.base / READ) if workshop.base else None
    except (CheckpointError, OSError, ValueError) as error:
        raise JobError(str(error)) from None


def words_read(workshop: Workshop, archive: Archive, generator: Generator) -> frozenset[str] | None:
    """The words, in small letters, that a generator's network has read: the archive's, and the base's where it began
    from it and that is at hand.

    None where a draft could hardly keep to them: they are few, or one in ten that the account writes is new (it writes
    too little yet, or without spaces). That is told by the words that stand there once (Good 1953).

    Raises:
        JobError: its checkpoint, or the base, is damaged or gone.
    """
    try:
        has_read_base = LINEAGE in read_figures(workshop.folder(generator.checkpoint_key))
        known = _words_of(workshop.base) if has_read_base and workshop.base is not None else set()
    except (CheckpointError, OSError, ValueError) as error:
        raise JobError(str(error)) from None
    with reading(workshop.engine) as connection:
        counts = Counter(part.lower() for part in word_parts(tweets.texts(connection, archive.id, "train")))
    new = sum(times == 1 for word, times in counts.items() if word not in known)
    if len(known | counts.keys()) < FEWEST_WORDS or new > MOST_NEW * counts.total():
        return None
    return frozenset(known | counts.keys())


def _words_of(base: Path) -> set[str]:
    return set((base / WORDS).read_text(encoding="utf-8").split())


def stand_in(
    workshop: Workshop, archive: Archive, on_decline: Callable[[str], None] = lambda why: None
) -> Generator | None:
    """Let the base stand in for an archive that has no generator; None where it has one, or the base does not fit.

    `on_decline` is told why it does not fit.

    Raises:
        JobError: the base is damaged.
    """
    if workshop.base is None:
        return None
    with reading(workshop.engine) as connection:
        if generators.listing(connection, archive.id):
            return None
        some = [text for text in tweets.texts(connection, archive.id, "validation") if text]
    checkpoint = _base(workshop.base)
    some = some[:: -(-len(some) // MEASURED) or 1]
    bits = bits_per_character(checkpoint, some).bits_per_character if some else None
    if bits is None:
        on_decline("the archive has no validation split yet to measure it on")
        return None
    if bits > STRANGE:
        on_decline(
            f"these texts are strange to it ({bits:.2f} bits per character, at most {STRANGE} expected): "
            "another language, or nothing like posts"
        )
        return None
    recipe = _recipe(workshop, archive, workshop.base, checkpoint, bits)
    with writing(workshop.engine) as connection:
        return generators.register(connection, archive.id, recipe, now())[0]


class Stand(NamedTuple):
    """Who plays for an archive that was just imported: the base, or nobody, and in words why not."""

    generator: Generator | None
    declined: str | None


def stand_in_after_import(workshop: Workshop, archive: Archive) -> Stand:
    """Let the base stand in, where it fits. A damaged base is no fault of the import, and fails none."""
    why: list[str] = []
    try:
        return Stand(stand_in(workshop, archive, why.append), next(iter(why), None))
    except JobError as error:
        return Stand(None, str(error))


def _recipe(workshop: Workshop, archive: Archive, base: Path, checkpoint: Checkpoint, bits: float) -> Recipe:
    digest = checkpoint_digest(base)
    key = f"{archive.slug}/base-{digest[:12]}"
    place = workshop.folder(key)
    if not place.exists():
        beside = place.with_name(f".{place.name}")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name in FILES:
            shutil.copyfile(base / name, beside / name)
        beside.rename(place)
    return Recipe(
        checkpoint_key=key,
        checkpoint_sha256=digest,
        decoding=Decoding().to_json(),
        vetting_version=VETTING_VERSION,
        alphabet=checkpoint.vocab.characters,
        bits_per_character=bits,
        card={"made_by": STANDS_IN, "network": checkpoint.config.to_json(), "training": dict(checkpoint.meta)},
    )


def _base(folder: Path) -> Checkpoint:
    try:
        return read_checkpoint(folder)
    except CheckpointError as error:
        raise JobError(f"the base is damaged: {error}") from None
