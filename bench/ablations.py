"""What does each part of the recipe bring?  python -m bench.ablations [--minutes 5] [--from base] [--only NAME …]

Trainings of a few minutes on the train split of ../shared/data's Trump tweets, each with one thing changed, measured in
bits per character on the validation split, end marks counted; one after the other, each in a process of its own. What
bench/results/ablations.json has already is not done again: remove a row there to repeat it. A training that was
interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.jobs.texts import read_texts
from bench.quality import WORK, split
from model.arithmetic import has_bfloat16
from model.config import Config, Recipe

RESULTS = Path(__file__).with_name("results") / "ablations.json"
BASE = Path(__file__).parents[1] / "model" / "base"
# What is changed: fields of the network's shape, and of the recipe.
Change = tuple[Mapping[str, Any], Mapping[str, Any]]
FROM_CHANCE: dict[str, Change] = {
    "as it is": ({}, {}),
    "16 rows": ({}, {"batch": 16}),
    "64 rows": ({}, {"batch": 64}),
    "128 rows": ({}, {"batch": 128}),
    "windows of 128": ({}, {"window": 128}),
    "rate 0.006": ({}, {"rate": 6e-3}),
    "no dropout": ({}, {"dropout": 0.0}),
    "all the dropout": ({}, {"full_noise": 0.0}),
    "weight dropout 0.2": ({}, {"weight_dropout": 0.2}),
    "no averaging": ({}, {"averaging": 0.0}),
    "embedding 256": ({"embedding": 256}, {}),
    "GRU": ({"cell": "gru"}, {}),
    "one layer of 768": ({"layers": 1, "units": 768}, {}),
    "three layers of 384": ({"layers": 3, "units": 384}, {}),
}
# The shape is the base's.
FROM_BASE: dict[str, Change] = {
    "as it is": ({}, {}),
    "64 rows": ({}, {"batch": 64}),
    "64 rows, rate 0.003": ({}, {"batch": 64, "rate": 3e-3}),
    "rate 0.003": ({}, {"rate": 3e-3}),
    "rate 0.0008": ({}, {"rate": 8e-4}),
    "no dropout": ({}, {"dropout": 0.0}),
}
CHANGES = {"chance": FROM_CHANCE, "base": FROM_BASE}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="of each training")
    parser.add_argument("--from", dest="start", choices=list(CHANGES), default="chance")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these changes and no others")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(json.dumps(trained(asked.start, asked.one, asked.minutes)))
        return
    if unknown := [name for name in asked.only or () if name not in CHANGES[asked.start]]:
        raise SystemExit(f"--only: found {unknown[0]!r}, expected some of {', '.join(CHANGES[asked.start])}")
    split()
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for change in asked.only or CHANGES[asked.start]:
        name = f"{asked.start}, {asked.minutes:g} minutes: {change}"
        if name in known:
            continue
        words = ["--from", asked.start, "--minutes", str(asked.minutes), "--one", change]
        done = subprocess.run(
            [sys.executable, "-m", "bench.ablations", *words], stdout=subprocess.PIPE, text=True, check=True
        )
        known[name] = json.loads(done.stdout.splitlines()[-1])
        RESULTS.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        print(f"{name:50s} {known[name]['bits_per_character']:.4f} bits per character", file=sys.stderr)
    for name, row in known.items():
        print(f"{name:50s} {row['bits_per_character']:.4f} bits per character, {row['epochs']:g} epochs")


def trained(start: str, change: str, minutes: float) -> dict[str, Any]:
    """Train with one thing changed, and measure."""
    from model.checkpoint import read_checkpoint
    from model.evaluate import bits_per_character
    from model.train import Job, train

    base = read_checkpoint(BASE) if start == "base" else None
    shape, changed = CHANGES[start][change]
    recipe = Recipe(minutes=minutes, **changed)
    folder, out = split(), WORK / "ablations" / f"{start}-{minutes:g}-{change.replace(' ', '-')}"
    out.parent.mkdir(exist_ok=True)
    texts, validation = (read_texts(folder / f"{name}.jsonl") for name in ("train", "validation"))
    train(Job(texts, validation, out, base.config if base else replace(Config(), **shape), recipe, base, resume=True))
    made = read_checkpoint(out)
    shutil.rmtree(out.with_name(f"{out.name}.training"))
    return {
        "bits_per_character": bits_per_character(made, [text.text for text in validation]).bits_per_character,
        "train_bits": made.meta["train_bits"],
        "epochs": made.meta["epochs"],
        "cores": os.cpu_count(),
        "bfloat16": has_bfloat16(),
    }


if __name__ == "__main__":
    main()
