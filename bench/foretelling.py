"""How often a scorer is used that foretells nothing, and how often one that does; on made-up crowds.

python -m bench.foretelling --runs 150        writes bench/results/foretelling.json; a quarter of a second a run

Samples and tweets differ in how often they are believed for reasons that no figure of theirs tells, players in skill,
side and in how much they play. Where there is no effect, whatever a scorer finds is chance.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.game.scoring import interval
from app.game.weights import weigh
from app.jobs.learning import SURE, sureness
from model.scorer import FIGURES, Pick, train_scorer

STATES = 4  # few, so that a run takes no time; what is measured are the errors of the figures
RESULTS = Path(__file__).parent / "results" / "foretelling.json"


@dataclass(frozen=True)
class Site:
    """Who plays, and with what; `effect` are the logits by which one standard deviation of a figure is believed."""

    players: int
    guesses: int
    samples: int
    tweets: int
    effect: float = 0.0


SITES = {
    "busy, no effect": Site(40, 3000, 700, 700),
    "few players, no effect": Site(15, 2500, 150, 300),
    "few samples, no effect": Site(30, 2500, 60, 300),
    "busy, 0.4 logits": Site(40, 3000, 700, 700, 0.4),
    "few samples, 0.4 logits": Site(30, 2500, 60, 300, 0.4),
    "few samples, 1 logit": Site(30, 2500, 60, 300, 1.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=150)
    runs = parser.parse_args().runs
    body = {}
    for name, site in SITES.items():
        sure = np.array([_one(site, np.random.default_rng([77, run])) for run in range(runs)])
        used = int((sure >= SURE).sum())
        low, high = interval(used, runs)
        body[name] = asdict(site) | {"runs": runs, "used": used, "low": low, "high": high, "spread": float(sure.std())}
        print(f"{name}: used in {used} of {runs} ({low:.1%} to {high:.1%}), spread {sure.std():.2f}", flush=True)
    RESULTS.write_text(json.dumps(body, indent=2) + "\n")


def _one(site: Site, random: np.random.Generator) -> float:
    features, picks = _played(site, random)
    return sureness(asdict(train_scorer("made up", features, picks).held))


def _played(site: Site, random: np.random.Generator) -> tuple[NDArray[np.float32], list[Pick]]:
    cards = site.samples + site.tweets
    features = random.normal(size=(cards, STATES + FIGURES)).astype(np.float32)
    features[: site.samples, :6] += 0.5  # samples as such are not quite like tweets
    skill, side = random.normal(0.6, 0.7, site.players), random.normal(0, 0.3, site.players)
    strength = random.normal(0, 0.55, site.samples) + site.effect * features[: site.samples, -3]
    ease = random.normal(0, 0.55, site.tweets)
    share = random.pareto(1.2, site.players) + 0.3  # some play far more than others
    met: set[tuple[int, int]] = set()
    picks: list[Pick] = []
    for player in random.choice(site.players, 3 * site.guesses, p=share / share.sum()).tolist():
        sample, tweet = int(random.integers(site.samples)), int(random.integers(site.tweets))
        if (player, sample) in met or len(picks) == site.guesses:
            continue
        met.add((player, sample))
        place = int(random.integers(2))
        finds = skill[player] - strength[sample] + ease[tweet]
        left = random.random() < 1 / (1 + math.exp(-((1 - 2 * place) * finds + side[player])))
        both = (site.samples + tweet, sample) if place == 0 else (sample, site.samples + tweet)
        picks.append(Pick(*both, int(not left), player, place))
    weights = weigh([pick.player for pick in picks], [None] * len(picks)).values
    return features, [replace(pick, weight=float(weight)) for pick, weight in zip(picks, weights, strict=True)]


if __name__ == "__main__":
    main()
