"""`whichtweet evaluate --archive`: the champion's bits per character, and its shelf beside possible cards."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from app.cli import model
from app.db.archives import Archive
from app.db.generators import Generator
from app.jobs.restocking import restock
from app.jobs.training import evaluate
from app.jobs.workshop import Workshop


@pytest.mark.process
def test_a_shelf_is_compared_with_the_archives_validation_tweets(
    workshop: Workshop, archive: Archive, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    restock(workshop, archive, generator, 20)
    monkeypatch.setenv("WHICHTWEET_DATABASE_URL", str(workshop.engine.url))
    monkeypatch.setenv("WHICHTWEET_CHECKPOINT_DIR", str(workshop.checkpoints))
    monkeypatch.setenv("WHICHTWEET_DATA_DIR", str(workshop.checkpoints.parent))
    app = typer.Typer()
    model.register(app)

    measured = json.loads(CliRunner().invoke(app, ["evaluate", "--archive", "gannet", "--json"]).stdout)

    assert measured["tweets"] == 34
    assert measured["bits_per_character"] == pytest.approx(evaluate(workshop, archive, generator.checkpoint_key))
    non_words = measured["compared"]["non-words"]
    assert non_words["samples"] > 0.5 > non_words["high"]
