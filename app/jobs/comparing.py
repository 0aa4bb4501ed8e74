"""Comparing two generators: figures with intervals, what a canary found between them, drafts of the same seeds."""

from __future__ import annotations

from typing import Any

from app.db import canaries, restocks, samples, tallies
from app.db.archives import Archive
from app.db.generators import Generator
from app.db.session import reading
from app.game.measures import distinct, self_bleu
from app.game.scoring import interval
from app.game.vetting import LONGEST
from app.jobs.workshop import JobError, Workshop
from model.checkpoint import CheckpointError, read_checkpoint
from model.generate import Decoding, generate
from model.text import normalise

MEASURED = 200  # samples of each shelf that are measured: the size of the gates' sets


def compare(workshop: Workshop, archive: Archive, left: Generator, right: Generator, count: int, seed: int) -> Any:
    """Both sides, the canaries between them, and `count` drafts of each, the same seeds side by side; plain values.

    Raises:
        JobError: a checkpoint is damaged or gone.
    """
    return {
        "archive": archive.slug,
        "sides": [_side(workshop, archive, each) for each in (left, right)],
        "canaries": _between(workshop, archive, left, right),
        "drafts": [
            {"seed": seed + place, left.name: ours, right.name: theirs}
            for place, (ours, theirs) in enumerate(
                zip(*(_drafts(workshop, archive, each, count, seed) for each in (left, right)), strict=True)
            )
        ],
    }


def _side(workshop: Workshop, archive: Archive, generator: Generator) -> dict[str, Any]:
    with reading(workshop.engine) as connection:
        real = tallies.by_generator(connection, archive.id).get(generator.id, {}).get("real")
        texts = samples.texts_on_shelf(connection, generator.id, MEASURED)
        last = restocks.newest_done(connection, generator.id)
    guesses, fooled = (real.guesses, real.fooled) if real else (0, 0)
    low, high = interval(fooled, guesses)
    drafts = (last.written, last.turned_away) if last is not None and last.written else (0, 0)
    return {
        "generator": generator.name,
        "fool_rate": [fooled / guesses, low, high] if guesses else None,
        "guesses": guesses,
        "bits_per_character": generator.bits_per_character,
        "rejected": [drafts[1] / drafts[0], *interval(drafts[1], drafts[0])] if drafts[0] else None,
        "self_bleu": self_bleu(texts) if len(texts) == MEASURED else None,
        "distinct_3": distinct(texts, 3) if len(texts) == MEASURED else None,
        "decoding": dict(generator.decoding),
    }


def _between(workshop: Workshop, archive: Archive, left: Generator, right: Generator) -> list[dict[str, Any]]:
    """What canaries between the two found: the effect counts for the one that was the candidate."""
    names = {left.id: left.name, right.id: right.name}
    with reading(workshop.engine) as connection:
        tried = canaries.listing(connection, archive.id)
    return [
        {
            **{"candidate": names[each.generator_id], "champion": names[each.champion_id], "state": each.state},
            **{"opened_at": each.opened_at.isoformat(), "look": dict(each.looks[-1]) if each.looks else None},
        }
        for each in tried
        if {each.generator_id, each.champion_id} == set(names)
    ]


def _drafts(workshop: Workshop, archive: Archive, generator: Generator, count: int, seed: int) -> list[str]:
    try:
        checkpoint = read_checkpoint(workshop.folder(generator.checkpoint_key))
    except CheckpointError as error:
        raise JobError(str(error)) from None
    written = generate(
        checkpoint,
        count,
        decoding=Decoding.from_json(generator.decoding),
        seed=seed,
        limit=LONGEST[archive.unit],
    )
    return [normalise(draft.text) for draft in written]
