"""How well the joint model tells who is not honest, and what everybody and every sample is worth; on made-up crowds.

python -m bench.screening --seeds 4        writes bench/results/screening.json; half a minute a seed
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from app.jobs.screens import screen
from bench.crowds import KINDS, Crowd

MIXED = {"careless": 0.1, "one side": 0.05, "bot": 0.05, "saboteur": 0.1}
RESULTS = Path(__file__).parent / "results" / "screening.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--players", type=int, default=150)
    parser.add_argument("--guesses", type=int, default=120, help="of each player")
    options = parser.parse_args()
    held = {kind: [0, 0] for kind in KINDS}
    strengths, skills, seconds = [], [], []
    for seed in range(options.seeds):
        crowd = Crowd(options.players, options.guesses, samples=150, shares=MIXED, seed=11 + seed)
        begin = time.perf_counter()
        found = screen(crowd.rounds, crowd.features)
        seconds.append(time.perf_counter() - begin)
        for kind in KINDS:
            for player in crowd.of(kind):
                held[kind][0] += found.players[player].finding == "suspect"
                held[kind][1] += 1
        names, honest = sorted(found.strengths), crowd.of("skilled")
        strengths.append(_together([(crowd.strengths[each], found.strengths[each][0]) for each in names]))
        skills.append(_together([(crowd.skills[each], found.players[each].skill) for each in honest]))
        print(f"seed {seed}: strengths {strengths[-1]:.3f}, skills {skills[-1]:.3f}, {seconds[-1]:.0f} s", flush=True)
    body = {
        "players": options.players,
        "guesses_each": options.guesses,
        "seeds": options.seeds,
        "held": {kind: {"held": count, "of": total} for kind, (count, total) in held.items()},
        "correlation": {"strengths": strengths, "skills": skills},
        "seconds": seconds,
    }
    RESULTS.write_text(json.dumps(body, indent=2) + "\n")
    print(json.dumps(body["held"]))


def _together(pairs: list[tuple[float, float]]) -> float:
    """The correlation of what is true with what was found."""
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


if __name__ == "__main__":
    main()
