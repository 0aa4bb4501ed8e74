"""What is a base worth to a small account?  python -m bench.base --contestant base-200 [--minutes 5] [--base FOLDER]

Bits per character on the validation split of ../shared/data's Obama tweets after a few minutes of training on 200,
1,000 or 5,000 of the train split's: base-N begins from the base, scratch-N from chance, one contestant a command; a
run that was interrupted goes on, one that was done is done anew. Each adds its figure to bench/results/base.json, and
says whether that base has read the account. It has, as shipped; a fair base is made by

    python -m tools.base ../shared --without obama --minutes 12 --work data/base-fair --out data/base-fair/base
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.quality import WORK, split
from model.checkpoint import read_checkpoint
from model.evaluate import bits_per_character

RESULTS = Path(__file__).with_name("results") / "base.json"
SHIPPED = Path(__file__).parents[1] / "model" / "base"
ACCOUNT, FILES = "obama", ("obama_tweets.csv",)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contestant", default="base-200", help="base or scratch, a hyphen, and how many tweets")
    parser.add_argument("--minutes", type=float, default=5.0, help="of training")
    parser.add_argument("--base", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    kind, _, count = arguments.contestant.partition("-")
    if kind not in ("base", "scratch") or not count.isdigit():
        raise SystemExit(f"contestant: found {arguments.contestant!r}, expected like base-1000 or scratch-200")
    if kind == "base" and not arguments.base.is_dir():
        raise SystemExit(f"{arguments.base}: no base lies there: make base")
    folder, few = split(ACCOUNT, FILES), WORK / f"few-{count}"
    few.mkdir(parents=True, exist_ok=True)
    lines = (folder / "train.jsonl").read_text("utf-8").splitlines()
    lines = lines[:: max(1, len(lines) // int(count))][: int(count)]
    (few / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = few / f"{kind}-{arguments.minutes:g}"
    words = ["--train", str(few / "train.jsonl"), "--validation", str(folder / "validation.jsonl"), "--resume"]
    words += ["--out", str(out), "--minutes", str(arguments.minutes)]
    words += ["--start", str(arguments.base)] if kind == "base" else []
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", "app.jobs.training_process", *words], check=True, stdout=sys.stderr)
    made = read_checkpoint(out)
    texts = [json.loads(line)["text"] for line in (folder / "validation.jsonl").read_text("utf-8").splitlines()]
    row = {
        "tweets": len(lines),
        "minutes": arguments.minutes,
        "bits_per_character": bits_per_character(made, texts).bits_per_character,
        "epochs": made.meta.get("epochs"),
        "seconds": round(time.monotonic() - begun),
        "cores": os.cpu_count(),
        "base_has_read_the_account": kind == "base" and _has_read(arguments.base),
    }
    shutil.rmtree(out.with_name(f"{out.name}.training"))  # it is done: the next one is to begin, not to find it so
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    known[arguments.contestant] = row
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n", encoding="utf-8")
    for name, it in sorted(known.items(), key=lambda item: (item[1]["tweets"], item[0])):
        print(f"{name:14s} {it['bits_per_character']:.4f} bits per character after {it['minutes']:g} minutes")


def _has_read(base: Path) -> bool:
    told = read_checkpoint(base).meta.get("base", {})
    return any(entry["slug"] == ACCOUNT for entry in told.get("archives", ()))


if __name__ == "__main__":
    main()
