"""Training a scorer aside: what its process learns from is what it was given."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from random import Random

import pytest
from believers import belief, listening_writer

from app.jobs.scoring import train_aside
from model.checkpoint import checkpoint_digest, write_checkpoint
from model.scorer import Pick, card_features, train_scorer

pytestmark = pytest.mark.process


def picks_of(texts: list[str], count: int) -> list[Pick]:
    random = Random(1)
    picks = []
    for number in range(count):
        left, right = random.sample(range(len(texts)), 2)
        pick = int(belief(texts[right]) - belief(texts[left]) + random.gauss(0, 0.02) > 0)
        picks.append(Pick(left, right, pick, number % 20, tweet=random.randrange(2)))
    return picks


def test_picks_reach_the_training_whole_with_the_tweet_and_the_weight_of_each(tmp_path: Path) -> None:
    random, body = Random(2), tmp_path / "body"
    texts = ["".join(random.choices("aaeiou bcdst", k=60)).strip() for _ in range(120)]
    picks = [replace(pick, weight=0.2 if pick.player < 10 else 1.8) for pick in picks_of(texts, 400)]
    write_checkpoint(body, listening_writer())
    digest = checkpoint_digest(body)

    trained = train_aside(body, digest, texts, picks, tmp_path / "scorers")

    here = train_scorer(digest, card_features(listening_writer(), texts), picks)
    told, known = dict(trained.held), asdict(here.held)
    for name in ("picks", "auc", "fooled_auc", "bits", "level"):
        assert told[name] == pytest.approx(known[name], abs=1e-3)
    assert told["auc"] != pytest.approx(told["fooled_auc"], abs=1e-3)
