"""A generator with a scorer: what it shelves is what the scorer believes in, within the rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stock import shelf

from app.db import generators, restocks
from app.db.archives import Archive
from app.db.generators import Generator, Recipe
from app.db.session import now, reading, writing
from app.jobs import filling
from app.jobs.restocking import restock
from app.jobs.scorers import write_scorer
from app.jobs.vetting import scorer_folder
from app.jobs.workshop import JobError, Workshop
from model.checkpoint import read_checkpoint
from model.scorer import Held, Scorer, card_features


def with_scorer(workshop: Workshop, archive: Archive, generator: Generator, body: str | None = None) -> Generator:
    """The same generator with a scorer that dislikes surprise."""
    checkpoint = read_checkpoint(workshop.folder(generator.checkpoint_key))
    features = card_features(checkpoint, ["the ferry waits", "the gull sings at nine", "zzz"])
    weights = np.zeros(features.shape[1], np.float32)
    weights[checkpoint.config.units] = -1.0
    spread = np.ones_like(weights)
    held = Held(0, 0.5, 0.5, 1.0, 1.0, (), 0.0, 1.0, 1.0)
    scorer = Scorer(body or generator.checkpoint_sha256, features.mean(0), spread, weights, held)
    recipe = Recipe(
        checkpoint_key=generator.checkpoint_key,
        checkpoint_sha256=generator.checkpoint_sha256,
        decoding=dict(generator.decoding) | {"best_of": 8},
        vetting_version=generator.vetting_version,
        alphabet=generator.alphabet,
        bits_per_character=generator.bits_per_character,
        scorer_sha256=write_scorer(scorer_folder(workshop, archive), scorer),
    )
    with writing(workshop.engine) as connection:
        return generators.register(connection, archive.id, recipe, now())[0]


@pytest.mark.process
def test_samples_carry_the_score_that_chose_them(workshop: Workshop, archive: Archive, generator: Generator) -> None:
    restock(workshop, archive, with_scorer(workshop, archive, generator), 60)

    scores = [row.score for row in shelf(workshop.engine)]
    by_chance = scores.count(None)
    assert len(scores) == 60
    assert 2 <= by_chance <= 20


@pytest.mark.process
def test_what_is_chosen_otherwise_is_steered_as_the_same_network_was_before(
    workshop: Workshop, archive: Archive, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "LEAST_BALANCED", 100)
    first = restock(workshop, archive, generator, 100)
    scored = restock(workshop, archive, with_scorer(workshop, archive, generator), 20)

    with reading(workshop.engine) as connection:
        balances = [restocks.find(connection, done.restock_id) for done in (first, scored)]
        colder = replace(generator, decoding=dict(generator.decoding) | {"temperature": 0.5})
        assert restocks.newest_balance(connection, colder) is None
    assert balances[0] is not None
    assert balances[1] is not None
    assert balances[0].balance == balances[1].balance is not None


def test_a_scorer_that_is_gone_stops_the_restock(workshop: Workshop, archive: Archive, generator: Generator) -> None:
    scored = with_scorer(workshop, archive, generator)
    for file in scorer_folder(workshop, archive).iterdir():
        file.unlink()

    with pytest.raises(JobError, match="No such file"):
        restock(workshop, archive, scored, 10)
    assert shelf(workshop.engine) == []


def test_a_scorer_of_another_archives_checkpoint_is_refused(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    with pytest.raises(JobError, match="its scorer reads with a checkpoint that gannet does not have"):
        restock(workshop, archive, with_scorer(workshop, archive, generator, body="ef" * 32), 10)
