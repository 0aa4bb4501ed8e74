"""What a generator's drafts are vetted by, and scored by where it has a scorer: from the database and its files."""

from __future__ import annotations

from pathlib import Path

from app.db import generators, samples, tweets
from app.db.archives import Archive
from app.db.generators import Generator
from app.db.session import reading
from app.game.novelty import CopyIndex
from app.game.strangers import Names
from app.game.vetting import LONGEST, BlockedWords, CardRules, Vetting
from app.jobs.base import known_names_only, recited_for
from app.jobs.scorers import read_scorer
from app.jobs.workshop import SCORERS, JobError, Workshop
from app.jobs.writers import Scoring
from app.wording import mentions
from model.scorer import ScorerError


def vetting_for(workshop: Workshop, archive: Archive, generator: Generator) -> tuple[Vetting, list[str], list[str]]:
    """The rules for a generator's samples, the archive's tweets outside the deck, and the held-out ones: its deck.

    Raises:
        JobError: the checkpoint is damaged or gone.
    """
    has_read_others, recited = recited_for(workshop, generator)
    rules, known, deck = rules_for(workshop, archive, known_names=known_names_only(generator, has_read_others))
    with reading(workshop.engine) as connection:
        hashes = samples.hashes(connection, archive.id)
    return Vetting(rules, CopyIndex(known, deck), hashes, recited), known, deck


def rules_for(
    workshop: Workshop, archive: Archive, *, known_names: bool = False
) -> tuple[CardRules, list[str], list[str]]:
    """The rules for an archive's cards, the tweets outside the deck, and the deck.

    With `known_names` cards may only hold names that the archive's tweets hold: what every tweet does.
    """
    with reading(workshop.engine) as connection:
        known = [*tweets.texts(connection, archive.id, "train"), *tweets.texts(connection, archive.id, "validation")]
        deck = list(tweets.texts(connection, archive.id, "deck"))
    handles = {handle for text in (*known, *deck) for handle in mentions(text)}
    if archive.handle:
        handles.add(archive.handle.lower())
    longest = max((len(text) for text in (*known, *deck)), default=0)
    rules = CardRules(
        BlockedWords.read(workshop.blocked_words),
        handles,
        Names((*known, *deck)) if known_names else None,
        others=None if (others := archive.others()) is None else others.named_in,
        # Longer than any tweet of the archive would be a tell.
        longest=min(longest, LONGEST[archive.unit]),
        include=workshop.deck_include,
    )
    return rules, known, deck


def scoring_of(workshop: Workshop, archive: Archive, generator: Generator) -> Scoring | None:
    """Where the scorer of a generator lies, and the checkpoint whose states it reads; None where it has none.

    Raises:
        JobError: it is damaged or gone, or belongs to a checkpoint that is not there.
    """
    if generator.scorer_sha256 is None:
        return None
    folder = scorer_folder(workshop, archive)
    try:
        body = read_scorer(folder, generator.scorer_sha256).body
    except ScorerError as error:
        raise JobError(str(error)) from None
    with reading(workshop.engine) as connection:
        known = {other.checkpoint_sha256: other.checkpoint_key for other in generators.listing(connection, archive.id)}
    if body not in known:
        raise JobError(f"{generator.name}: its scorer reads with a checkpoint that {archive.slug} does not have")
    return Scoring(folder, generator.scorer_sha256, workshop.folder(known[body]))


def scorer_folder(workshop: Workshop, archive: Archive) -> Path:
    """Where an archive's scorers lie."""
    return workshop.folder(f"{archive.slug}/{SCORERS}")
