"""How is decoding best chosen?  python -m bench.decoding [--checkpoint demo/checkpoint] [--samples 150]

For each temperature and top-p, drafts are written for the demo's archive, those kept that could be cards, and at most
half as many as there are tweets in its *validation* split compared with those: how varied they are (Self-BLEU,
distinct), how well spelt (non-words), and how many of all figures lie outside of the range of real tweets. The decoding
with the fewest outside is proposed; among equals the one whose figures lie nearest. The choice by form
(`app/game/form.py`) comes after this, and mends what is left of case and marks. Results go to
bench/results/decoding.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

from app.db import tweets
from app.db.migrate import migrate
from app.db.session import open_engine, reading
from app.game.measures import Beside, compare
from app.game.strangers import Names
from app.game.vetting import BlockedWords, CardRules
from app.jobs import demo
from app.jobs.writers import Writers
from app.wording import mentions
from model.text import normalise

RESULTS = Path(__file__).with_name("results") / "decoding.json"
TEMPERATURES = (0.7, 0.8, 0.9, 1.0)
NUCLEI = (0.9, 0.95, 0.98, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=demo.DEMO / demo.CHECKPOINT)
    parser.add_argument("--samples", type=int, default=105, help="drafts of each decoding that could be cards")
    parser.add_argument("--temperatures", type=float, nargs="+", default=TEMPERATURES)
    parser.add_argument("--nuclei", type=float, nargs="+", default=NUCLEI, help="values of top-p")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    splits = {split: texts_of(split) for split in ("train", "validation", "deck")}
    everything = [text for texts in splits.values() for text in texts]
    handles = {handle for text in everything for handle in mentions(text)}
    rules = CardRules(BlockedWords.read(), handles, Names(everything), longest=max(map(len, everything)))
    cards = [text for text in splits["validation"] if rules.card_fault(text) is None]
    rows = []
    for temperature in arguments.temperatures:
        for top_p in arguments.nuclei:
            decoding = {"temperature": temperature, "top_p": top_p}
            samples, written = vetted(arguments.checkpoint, decoding, rules, arguments.samples)
            compared = compare(samples, cards, splits["train"], seed=1)
            rows.append({**decoding, "passed": len(samples) / written, **judged(compared)})
            print(line(rows[-1]), file=sys.stderr)
    best = min(rows, key=lambda row: (row["outside"], row["distance"]))
    found = {"samples": arguments.samples, "cards": len(cards), "cores": os.cpu_count(), "rows": rows, "best": best}
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(*map(line, rows), sep="\n")
    print(f"best: temperature {best['temperature']}, top-p {best['top_p']}")


def texts_of(split: str) -> list[str]:
    """The demo's tweets of a split."""
    engine = open_engine("sqlite://")
    migrate(engine)
    archive = demo.import_posts(engine)
    with reading(engine) as connection:
        return list(tweets.texts(connection, archive.id, split))


def vetted(checkpoint: Path, decoding: dict[str, float], rules: CardRules, wanted: int) -> tuple[list[str], int]:
    """So many drafts that break no rule of cards, and how many were written for them."""
    found: list[str] = []
    written = 0
    with Writers(checkpoint, decoding, rules.longest) as writers:
        for drafts in writers.drafts(1 << 20):
            for draft in drafts:
                written += 1
                text = normalise(draft.text)
                if draft.ended and rules.card_fault(text) is None:
                    found.append(text)
                if len(found) == wanted:
                    return found, written
            if written > 30 * wanted:
                raise SystemExit(f"{decoding}: {len(found)} of {written} drafts passed: the network is not ready")
    raise RuntimeError("the writers stopped")


def judged(compared: dict[str, Beside]) -> dict[str, Any]:
    """How many figures lie outside of the range of real tweets, how far all are from its middle, and a few of them."""
    spreads = {name: max(1e-9, (it.high - it.low) / 2) for name, it in compared.items()}
    far = {name: abs(it.samples - it.tweets) / spreads[name] for name, it in compared.items()}
    shown = ("Self-BLEU", "distinct 2-grams", "non-words", "length", "longest copied run")
    return {
        "outside": sum(not it.within for it in compared.values()),
        "distance": fmean(min(5.0, value) for value in far.values()),
        "figures": {name: vars(compared[name]) for name in shown},
    }


def line(row: dict[str, Any]) -> str:
    figures = "  ".join(
        f"{name} {it['samples']:.3f} ({it['low']:.3f}–{it['high']:.3f})" for name, it in row["figures"].items()
    )
    start = f"T {row['temperature']:.2f}  top-p {row['top_p']:.2f}  outside {row['outside']:2}  {row['distance']:.2f}"
    return f"{start}  {figures}"


if __name__ == "__main__":
    main()
