"""Gating: what is read and measured for the gates: bounds from real tweets, and a restock that nobody has seen yet."""

from __future__ import annotations

from functools import partial
from typing import Any

from app.db import restocks, samples, tweets
from app.db.archives import Archive
from app.db.generators import Generator
from app.db.restocks import Restock
from app.db.session import reading
from app.game import gates
from app.game.copied import some_of
from app.game.gates import Bounds
from app.game.promotion import Gate
from app.jobs.base import words_read
from app.jobs.piloting import Pilot
from app.jobs.restocking import steered_before
from app.jobs.vetting import rules_for, vetting_for
from app.jobs.workshop import Interrupted, ShouldStop, Workshop, heed
from app.jobs.writers import Writers
from model.text import normalise

MOST_TWEETS = 20_000  # from which bounds are taken: more would move them by less than they are wide
MOST_SAMPLES = 2000  # of the champion's shelf, in which copies are looked for
TRIAL = 1000  # drafts of a champion whose rejections nobody has counted
TRIAL_SEED = 1 << 43  # away from the seeds of samples and pilots


def bounds_of(workshop: Workshop, archive: Archive) -> dict[str, Any]:
    """The bounds that the archive's tweets set, as plain values: to be fixed before anything is trained."""
    rules, known, deck = rules_for(workshop, archive)
    # Samples are vetted, so they are compared with tweets that would pass the same rules.
    cards = [text for text in (*known, *deck) if rules.card_fault(text) is None]
    return gates.fix_bounds(cards[:: -(-len(cards) // MOST_TWEETS) or 1]).to_json()


def gates_of(
    workshop: Workshop, archive: Archive, row: Restock, champion: Generator, bounds: Bounds, should_stop: ShouldStop
) -> list[Gate]:
    """The gates for what a restock stored, beside the champion's samples and rejections.

    Raises:
        Interrupted: `should_stop` said so.
        JobError: the champion's checkpoint is damaged or gone.
    """
    with reading(workshop.engine) as connection:
        ours = samples.texts_of(connection, row.id)
        theirs = samples.texts_on_shelf(connection, champion.id, MOST_SAMPLES)
        learned = some_of(list(tweets.texts(connection, archive.id, "train")))
        last = restocks.newest_done(connection, champion.id)
    counted = (last.written, last.turned_away) if last is not None else (0, 0)
    if counted[0] < gates.LEAST_DRAFTS:
        counted = _tried(workshop, archive, champion, should_stop)
    return [
        *gates.set_gates(bounds, ours),
        gates.copied_gate(ours, theirs, learned, partial(heed, should_stop)),
        gates.rejections_gate((row.written, row.turned_away), counted),
    ]


def _tried(workshop: Workshop, archive: Archive, generator: Generator, should_stop: ShouldStop) -> tuple[int, int]:
    """Drafts of a generator written only to be vetted, and how many were turned away."""
    vetting, known, _ = vetting_for(workshop, archive, generator)
    cards = [text for text in known if vetting.rules.card_fault(text) is None]
    words = words_read(workshop, archive, generator)
    pilot = Pilot(workshop, generator, vetting, cards, words, TRIAL_SEED, TRIAL, should_stop)
    steered = steered_before(workshop, pilot) or pilot.steer()
    folder, longest = workshop.folder(generator.checkpoint_key), vetting.rules.longest
    written = turned_away = 0
    with Writers(folder, generator.decoding, longest, workshop.processes, steered=steered) as writers:
        for drafts in writers.drafts(TRIAL_SEED):
            if should_stop():
                raise Interrupted
            written += len(drafts)
            turned_away += sum(vetting.vet(normalise(draft.text), draft.ended) is not None for draft in drafts)
            if written >= TRIAL:
                return written, turned_away
    return written, turned_away
