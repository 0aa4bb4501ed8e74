"""What could a choice of samples gain, if it knew what players go by?  python -m bench.ceiling [--drafts 9000]

The anchor of `python -m bench.learning --anchor` writes drafts as a restock has them, and one of ten is chosen by
`app/game/choice.py`. Only, instead of a scorer that has learned from labels, it is told what players themselves go by
(`bench/players.py`), which no scorer may see: no labels can teach such a choice more. Each choice stands beside the
shelf that is chosen by form alone, with the gates of `app/game/gates.py`; all goes to bench/results/ceiling.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from app.game.choice import BEST_OF
from bench.game import TUNED_ON, UNSEEN, Game
from bench.learning import ANCHOR, LONG

RESULTS = Path(__file__).with_name("results") / "ceiling.json"
PILOT, FORM_TWEETS = 3000, 4000  # as restocks with a scorer have them
PAIRS = 8000  # that crowds of each kind judge: the interval of a rate is then one point wide on either side
NEAR = 12  # places in the order of lengths between a sample and the tweet that it is dealt with
KINDS = (*TUNED_ON, *UNSEEN)
CHOICES: dict[str, tuple[str, ...]] = {
    "form alone": (),
    "what the reader goes by": ("reader",),
    "what the listener goes by": ("listener",),
    "what both go by": ("reader", "listener"),
    "what all go by": KINDS,
}


def main() -> None:
    os.environ.pop("WHICHTWEET_DATA_DIR", None)
    # Before NumPy is imported: writing is done by processes of its own.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--drafts", type=int, default=9000, help="vetted drafts to choose among")
    asked = parser.parse_args()
    if not (ANCHOR / "ready").exists():
        raise SystemExit("there is no anchor yet: python -m bench.learning --anchor  (twenty minutes)")
    with tempfile.TemporaryDirectory(prefix="whichtweet-ceiling-") as place:
        game = Game(shutil.copytree(ANCHOR, Path(place) / "anchor"), LONG)
        figures = measure(game, asked.drafts)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    show(figures)


def measure(game: Game, count: int) -> dict[str, Any]:
    """Every choice among the same drafts: fool rates by kind, and what gates find."""
    from app.game.gates import Bounds, copied_gate, set_gates
    from app.jobs.gating import bounds_of
    from app.jobs.vetting import rules_for

    rules, known, deck = rules_for(game.workshop, game.archive)
    cards = [text for text in known if rules.card_fault(text) is None]
    deck = sorted((text for text in deck if rules.card_fault(text) is None), key=len)
    drafts = written(game, cards, count)
    bounds = Bounds.from_json(bounds_of(game.workshop, game.archive))
    choices: dict[str, Any] = {}
    plain: list[str] = []
    for name, kinds in CHOICES.items():
        texts = chosen(drafts, kinds, cards)
        plain = plain or texts
        gates = [*set_gates(bounds, texts), copied_gate(texts, plain, cards)]
        choices[name] = {
            "samples": len(texts),
            "fool_rate": {kind: fool_rate(kind, texts, deck) for kind in KINDS},
            "gates": [
                {"name": gate.name, "outcome": gate.outcome, "found": gate.found, "limit": gate.limit} for gate in gates
            ],
        }
        print(f"{name}: {len(texts)} samples", file=sys.stderr, flush=True)
    return {"drafts": len(drafts), "best_of": BEST_OF, "pairs": PAIRS, "choices": choices}


def written(game: Game, cards: Sequence[str], count: int) -> list[tuple[str, int]]:
    """Vetted drafts of the anchor, each with its seed, steered as its restock was."""
    from app.db import generators
    from app.db.session import reading
    from app.jobs.base import words_read
    from app.jobs.piloting import Pilot
    from app.jobs.restocking import steered_before
    from app.jobs.vetting import vetting_for
    from app.jobs.writers import Writers
    from model.text import normalise

    workshop, archive = game.workshop, game.archive
    with reading(workshop.engine) as connection:
        anchor = generators.in_arm(connection, archive.id, generators.ANCHOR)
    assert anchor is not None
    vetting = vetting_for(workshop, archive, anchor)[0]
    words = words_read(workshop, archive, anchor)
    pilot = Pilot(workshop, anchor, vetting, cards, words, 1 << 50, count, lambda: False)
    steered = steered_before(workshop, pilot) or pilot.steer()
    folder, longest = workshop.folder(anchor.checkpoint_key), vetting.rules.longest
    found: list[tuple[str, int]] = []
    with Writers(folder, anchor.decoding, longest, workshop.processes, None, steered) as writers:
        for drafts in writers.drafts(1 << 50):
            texts = [(normalise(draft.text), draft) for draft in drafts]
            found += [(text, draft.seed) for text, draft in texts if vetting.fault(text, draft.ended) is None]
            if len(found) >= count:
                return found[:count]
    raise AssertionError("unreachable")


def chosen(drafts: Sequence[tuple[str, int]], kinds: Sequence[str], cards: Sequence[str]) -> list[str]:
    """The samples that a restock would shelve, were its scorer to say what players of these kinds go by."""
    from app.game.choice import SPARES, Candidate, ShelfChoice

    scores = said([text for text, _ in drafts], kinds) if kinds else [None] * len(drafts)
    candidates = [Candidate(text, score, seed) for (text, seed), score in zip(drafts, scores, strict=True)]
    some = cards[:: max(1, len(cards) // FORM_TWEETS)]
    choice = ShelfChoice.fit(candidates[:PILOT], some, BEST_OF if kinds else None)
    # Who is left to chance is stored without a score, as in a restock.
    stored = [
        each if taker == "scorer" else replace(each, score=None)
        for each, taker in zip(candidates, choice.takes(candidates), strict=True)
        if taker
    ]
    goal = len(drafts) // BEST_OF if kinds else round(len(stored) / (1 + SPARES))
    return [text.text for text, keep in zip(stored, choice.best(stored, some, cards, goal), strict=True) if keep]


def said(texts: Sequence[str], kinds: Sequence[str]) -> list[float]:
    """What players of these kinds make of texts, together, each kind's word in its own standard deviations."""
    import numpy as np

    from bench.players import KINDS as SCORES

    columns = np.array([[SCORES[kind](text) for text in texts] for kind in kinds])
    columns = (columns - columns.mean(1, keepdims=True)) / columns.std(1, keepdims=True)
    return [float(value) for value in columns.sum(0)]


def fool_rate(kind: str, texts: Sequence[str], deck: Sequence[str]) -> list[float]:
    """The share of pairs of like length in which a crowd of that kind takes the sample for real, with its interval."""
    from app.game.scoring import interval
    from bench.crowd import gather

    people, rng = gather((kind,), 40, seed=99), Random(kind)
    lengths = [len(text) for text in deck]
    fooled = 0
    for number in range(PAIRS):
        text = texts[number % len(texts)]
        place = bisect_left(lengths, len(text)) + rng.randint(-NEAR, NEAR)
        tweet = deck[min(max(place, 0), len(deck) - 1)]
        tweet_index = rng.randrange(2)
        pair = (tweet, text) if tweet_index == 0 else (text, tweet)
        fooled += people[number % len(people)](*pair, rng) != tweet_index
    return [round(value, 4) for value in (fooled / PAIRS, *interval(fooled, PAIRS))]


def show(figures: Mapping[str, Any]) -> None:
    """The table: rates of the shelf by form alone, then points beside it."""
    choices = figures["choices"]
    base = {kind: rate[0] for kind, rate in choices["form alone"]["fool_rate"].items()}
    print(f"{'':28}" + "".join(f"{kind:>10}" for kind in KINDS) + f"{'mean':>8}  gates that fail")
    for name, row in choices.items():
        rates = [row["fool_rate"][kind][0] for kind in KINDS]
        points = [
            100 * rate if name == "form alone" else 100 * (rate - base[kind])
            for rate, kind in zip(rates, KINDS, strict=True)
        ]
        failed = [
            f"{gate['name']} {gate['found']:.3f}, at most {gate['limit']:.3f}"
            for gate in row["gates"]
            if gate["outcome"] == "failed"
        ]
        print(
            f"{name:28}"
            + "".join(f"{point:>+10.1f}" for point in points)
            + f"{fmean(points):>+8.1f}  {'; '.join(failed)}"
        )


if __name__ == "__main__":
    main()
