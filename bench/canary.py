"""How often does a canary promote falsely, and how often does it find what is there?

    python -m bench.canary            # 2,000 canaries a line, about ten minutes on one core
    python -m bench.canary --runs 200 # a first look

Players, tweets and guesses are made up, the rules are the game's own (app/game/canary.py): players of very different
skill and diligence, tweets of different conspicuousness, some players who come once and some who come daily. Beside
the rules a naive look: every 25 guesses the two fool rates are compared as if it were the only look (one-sided 5 %).
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.game.canary import LEAST_LABELS, Plan, Standing, is_due, judge, plan_for
from app.game.effect import Evidence, effect_of
from app.game.scoring import interval
from app.game.weights import weigh

RESULTS = Path(__file__).parent / "results" / "canary.json"
NAIVE_EVERY = 25  # guesses
NAIVE_Z = 1.645
SKILL = 0.7  # standard deviation of players' logits
CONSPICUOUSNESS = 0.5  # of tweets'
FOOL_RATE = 0.35  # at the middle
DECK = 2000  # tweets


@dataclass(frozen=True)
class Site:
    """Who plays: newcomers a day who come once, and regulars with so many guesses a day."""

    newcomers: int
    regulars: int
    guesses: int


SITES = {"busy": Site(newcomers=40, regulars=60, guesses=12), "small": Site(newcomers=0, regulars=8, guesses=20)}


def simulate(site: Site, points: float, seed: int) -> tuple[str, str, int, float, bool]:
    """One canary: its verdict, what that rests on, the guesses and days it took, and whether a naive look promotes."""
    random = np.random.default_rng(seed)
    active = site.regulars + 7 * site.newcomers
    plan = plan_for(active)
    looked_at: list[int] = []
    so_far: list[NDArray[np.float64]] = []
    naive = Naive()
    for day, rows in enumerate(days(site, plan, points, random), start=1):
        so_far.append(rows)
        counted = np.concatenate(so_far)
        naive.see(rows)
        labels = np.bincount(counted[:, 0].astype(int))
        counted = counted[(labels[counted[:, 0].astype(int)] >= LEAST_LABELS) & (counted[:, 2] != 2)]
        if not is_due(plan, looked_at, len(counted), day):
            continue
        look = judge(plan, looked_at, effect_of(evidence(counted)), day, Standing(gates_passed=True))
        if look.verdict != "go on":
            return look.verdict, look.basis, len(counted), day, naive.promoted
        looked_at.append(len(counted))
    raise AssertionError("a canary ends on its last day")


def days(site: Site, plan: Plan, points: float, random: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """The guesses of each day: player, tweet, arm (0 champion, 1 candidate, 2 anchor), whether it fooled."""
    skill = list(random.normal(0, SKILL, site.regulars))
    tweets = random.normal(0, CONSPICUOUSNESS, DECK)
    # Diligence differs more than skill: a few make most of the guesses.
    diligence = random.gamma(1.0, 1.0, site.regulars)
    diligence *= site.regulars / diligence.sum()
    shift = logit_shift(points)
    while True:
        plays = random.poisson(site.guesses * diligence)
        players = [np.repeat(np.arange(site.regulars), plays)]
        for _ in range(random.poisson(site.newcomers)):
            skill.append(random.normal(0, SKILL))
            players.append(np.full(random.geometric(1 / 8), len(skill) - 1))
        player = random.permutation(np.concatenate(players))
        tweet = random.integers(0, DECK, len(player))
        drawn = random.random(len(player))
        arm = np.where(drawn < plan.share, 1, np.where(drawn < plan.share + plan.anchor_share, 2, 0))
        logit = math.log(FOOL_RATE / (1 - FOOL_RATE)) + np.array(skill)[player] + tweets[tweet] + shift * (arm == 1)
        fooled = random.random(len(player)) < 1 / (1 + np.exp(-logit))
        yield np.stack([player, tweet, arm, fooled], axis=1).astype(np.float64)


@cache
def logit_shift(points: float) -> float:
    """The shift of the logit that raises the mean fool rate over players and tweets by so many points."""
    spread = np.random.default_rng(0).normal(0, math.hypot(SKILL, CONSPICUOUSNESS), 20_000)
    middle = math.log(FOOL_RATE / (1 - FOOL_RATE)) + spread
    low, high = -3.0, 3.0
    for _ in range(50):
        shift = (low + high) / 2
        gained = float(np.mean(1 / (1 + np.exp(-middle - shift)) - 1 / (1 + np.exp(-middle))))
        low, high = (shift, high) if gained < points / 100 else (low, shift)
    return low


def evidence(rows: NDArray[np.float64]) -> Evidence:
    player = rows[:, 0].astype(np.int64)
    weight = weigh(player.tolist(), [None] * len(player)).values
    return Evidence(rows[:, 2] == 1, rows[:, 3] == 1, player, rows[:, 1].astype(np.int64), weight)


class Naive:
    """A look every 25 guesses, each as if it were the only one."""

    def __init__(self) -> None:
        self.promoted = False
        self._seen = np.zeros((2, 2))  # arm, whether it fooled

    def see(self, rows: NDArray[np.float64]) -> None:
        """Count a day's guesses one by one, and look now and then."""
        for arm, fooled in rows[rows[:, 2] != 2][:, 2:].astype(int).tolist():
            self._seen[arm, fooled] += 1
            if not self.promoted and self._seen.sum() % NAIVE_EVERY == 0:
                self.promoted = self._looks_better()

    def _looks_better(self) -> bool:
        (theirs, ours), fooled = self._seen.sum(axis=1), self._seen[:, 1]
        if min(theirs, ours) < 5:
            return False
        rate = fooled.sum() / (ours + theirs)
        error = math.sqrt(rate * (1 - rate) * (1 / ours + 1 / theirs))
        return bool(error > 0 and (fooled[1] / ours - fooled[0] / theirs) / error > NAIVE_Z)


def line(site: str, points: float, runs: int, pool: ProcessPoolExecutor) -> dict[str, object]:
    seeds = range(int(1e6 * abs(points)) + len(site), int(1e6 * abs(points)) + len(site) + runs)
    done = list(pool.map(simulate, repeat(SITES[site]), repeat(points), seeds, chunksize=10))

    def share(times: int) -> list[float]:
        return [round(value, 4) for value in (times / runs, *interval(times, runs))]

    by_play = [verdict == "promote" and basis == "play" for verdict, basis, *_ in done]
    return {
        **{"site": site, "points": points, "runs": runs},
        "promoted_on_play": share(sum(by_play)),
        "promoted_on_gates": share(sum(verdict == "promote" for verdict, *_ in done) - sum(by_play)),
        "rolled_back": share(sum(verdict == "roll back" for verdict, *_ in done)),
        "no_difference": share(sum(verdict == "no difference" for verdict, *_ in done)),
        "naive_promoted": share(sum(naive for *_, naive in done)),
        "median_guesses": float(np.median([guesses for _, _, guesses, *_ in done])),
        "median_days": float(np.median([day for _, _, _, day, _ in done])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000, help="canaries a line")
    parser.add_argument("--out", type=Path, default=RESULTS)
    wanted = parser.parse_args()
    lines = []
    with ProcessPoolExecutor() as pool:
        for site in SITES:
            for points in (0, 2.5, 5, 7.5, 10, -5):
                lines.append(line(site, points, wanted.runs, pool))
                print(json.dumps(lines[-1]), flush=True)
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    plans = {name: plan_for(site.regulars + 7 * site.newcomers).to_json() for name, site in SITES.items()}
    wanted.out.write_text(json.dumps({"plans": plans, "naive_every": NAIVE_EVERY, "lines": lines}, indent=1) + "\n")


if __name__ == "__main__":
    main()
