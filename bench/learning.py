"""Do labels make samples harder to spot?  python -m bench.learning [--short]

First, once, outside the hour:  python -m bench.learning --anchor  imports ../shared/data/trump_archive.json, trains the
anchor on it from the base, as any training does, and chooses its decoding for the same mix of players; kept in
bench/.anchor-trump/.

Then three games start from copies of it, all by the game's own code (rounds over HTTP, rows, jobs):
- labels: three rounds of 3,000 guesses and a retraining each (scorer and weights);
- poisoned: the same, but 20 % of the players believe whatever holds one word, and are honest otherwise;
- control: the network is trained on as long, without labels.
After each retraining 2,000 fresh pairs are dealt and judged by crowds of four kinds; one of them never teaches.
The result goes to bench/results/learning.json. --short plays the demo for a minute, without poison, and
keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.game import TUNED_ON, UNSEEN, Form, Game, beside

HERE = Path(__file__).parent
RESULTS, ANCHOR = HERE / "results" / "learning.json", HERE / ".anchor-trump"
TRUMP = HERE.parents[1] / "shared" / "data" / "trump_archive.json"
# Among which the anchor's is chosen, of those whose shelf is as varied as tweets are.
DRAWS = ((0.8, 0.98), (0.9, 0.98), (0.95, 0.98), (1.0, 0.98), (1.0, 1.0))


LONG = Form("trump", 3, 3000, 60, 600, 2000, ("scorer", "weights"), 1.0)
# As few labels as these teach a decoding alone.
SHORT = Form("mayor-of-gannet", 1, 240, 20, 180, 120, ("decoding",), 0.0, ("labels", "control"))


def main() -> None:
    os.environ.pop("WHICHTWEET_DATA_DIR", None)  # the games here are our own
    # Before NumPy is imported: on a machine with other work its threads wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--anchor", action="store_true", help="make the anchor of the long form, and end")
    parser.add_argument("--minutes", type=float, default=20.0, help="of training the anchor")
    parser.add_argument("--short", action="store_true", help="the demo, for a minute; keeps nothing")
    parser.add_argument("--out", type=Path, help="where the result is kept; default: bench/results of the long form")
    asked = parser.parse_args()
    if asked.anchor:
        make_anchor(asked.minutes)
        return
    if not asked.short and not (ANCHOR / "ready").exists():
        raise SystemExit("there is no anchor yet: python -m bench.learning --anchor  (twenty minutes)")
    result = run(SHORT if asked.short else LONG)
    show(result)
    out = asked.out or (None if asked.short else RESULTS)
    if out is not None:
        out.parent.mkdir(exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def run(form: Form, anchor: Path | None = None) -> dict[str, Any]:
    """Play all games of a form; the result as it is kept."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="whichtweet-learning-") as place:
        start = Path(place) / "start"
        if form.slug == "trump":
            shutil.copytree(anchor or ANCHOR, start)
        else:
            _open_demo(start, form)
        measured = {"anchor": Game(start, form).measure()}
        _tell("anchor", measured["anchor"], began)
        for arm in form.arms:
            game = Game(shutil.copytree(start, Path(place) / arm), form)
            for number in range(1, 1 if arm == "control" else form.rounds + 1):
                game.play(arm == "poisoned", number)
                told = game.retrain(number)
                name = f"round{number}" if arm == "labels" else arm
                measured[name] = {**game.measure(), "told": told}
                _tell(f"{arm} {number}", measured[name], began)
            if arm == "control":
                game.train_without_labels()
                measured[arm] = game.measure()
                _tell(arm, measured[arm], began)
        real = Game(start, form).real_tweets()
    return {
        "kinds": {"tuned_on": list(TUNED_ON), "unseen": list(UNSEEN)},
        "fool_rate": {arm: found["fool_rate"] for arm, found in measured.items()},
        "mean": {arm: found["mean"] for arm, found in measured.items()},
        "gain": {arm: beside(found["mean"], measured["anchor"]["mean"]) for arm, found in measured.items()},
        **{
            name: {arm: found[name] for arm, found in measured.items()}
            for name in ("self_bleu", "distinct_3", "copied")
        },
        "real_tweets": real,
        "form_auc": {arm: found["form_auc"] for arm, found in measured.items()},
        "told": {arm: found["told"] for arm, found in measured.items() if "told" in found},
        "seconds": round(time.monotonic() - began),
    }


def _tell(name: str, found: dict[str, Any], began: float) -> None:
    """One line as a game goes on, for who waits."""
    rates = ", ".join(f"{kind} {rate:.1%}" for kind, (rate, _, _) in found["fool_rate"].items())
    words = f"{time.monotonic() - began:.0f} s  {name}: {rates}; {found.get('told', '')}"
    print(words, file=sys.stderr, flush=True)


def _open_demo(folder: Path, form: Form) -> None:
    """The demo, whose generator has written some samples here: beside how many of its drafts are turned away a
    candidate's are counted, and to find that out by a trial would take longer than all the rest.
    """
    from app.db import generators
    from app.db.session import reading
    from app.jobs.demo import open_demo
    from app.jobs.restocking import restock

    game = Game(folder, form)
    open_demo(game.workshop.engine, game.workshop.checkpoints)
    with reading(game.workshop.engine) as connection:
        champion = generators.in_arm(connection, game.archive.id, generators.CHAMPION)
    assert champion is not None
    restock(game.workshop, game.archive, champion, form.shelf)


def make_anchor(minutes: float) -> None:
    """Import the archive, train the anchor, and choose its decoding for the crowd that will teach."""
    from app.db import generators
    from app.db.session import now, writing
    from app.game.gates import Bounds, set_gates
    from app.jobs import training
    from app.jobs.base import start_for
    from app.jobs.gating import bounds_of
    from app.jobs.importing import import_archive
    from app.jobs.supervising import Budget, Shape

    form = replace(LONG, shelf=400, pairs=800)
    game = Game(ANCHOR, form)
    first = game.first()
    if first is None:
        import_archive(game.workshop.engine, TRUMP, slug=form.slug)
        start = start_for(game.workshop, Shape())
        made = training.make_generator(game.workshop, game.archive, Shape(), Budget(minutes=minutes), start=start)
        print(f"anchor: {made.bits_per_character:.3f} bits per character after {made.trained.seconds:.0f} s")
        first = game.generator(made.generator_id)
    bounds = Bounds.from_json(bounds_of(game.workshop, game.archive))
    tried = []
    for temperature, top_p in DRAWS:
        decoding = {**first.decoding, "temperature": temperature, "top_p": top_p}
        given: dict[str, Any] = {"bits": first.bits_per_character, "card": dict(first.card), "decoding": decoding}
        key, digest = first.checkpoint_key, first.checkpoint_sha256
        generator = training.register(game.workshop, game.archive, key, digest, **given)[0]
        game.crown(generator)
        rates = game.measure()["fool_rate"]
        rate = sum(rates[kind][0] for kind in TUNED_ON) / len(TUNED_ON)
        failed = [gate.name for gate in set_gates(bounds, game.shelf(generator)) if gate.outcome == "failed"]
        tried.append((len(failed), -rate, generator.id))
        told = f"outside what tweets are: {', '.join(failed)}" if failed else "as varied as tweets"
        print(f"temperature {temperature}, top-p {top_p}: {rate:.1%} of the crowd's rounds fooled; {told}", flush=True)
    best = game.generator(min(tried)[2])
    Game(ANCHOR, LONG).crown(best)
    with writing(game.workshop.engine) as connection:
        generators.place(connection, game.archive.id, generators.ANCHOR, best.id, 0.0, now())
    (ANCHOR / "ready").touch()


def show(result: dict[str, Any]) -> None:
    """The table."""
    kinds = [*result["kinds"]["tuned_on"], *result["kinds"]["unseen"]]
    head = "".join(f"{kind:>24}" for kind in (*kinds, "mean beside the anchor's"))
    print(f"{'':10}{head}{'form AUC':>10}{'Self-BLEU':>11}{'distinct-3':>12}")
    for arm, rates in result["fool_rate"].items():
        cells = "".join(f"{rate:>9.1%} [{low:.1%}, {high:.1%}]".rjust(24) for rate, low, high in map(rates.get, kinds))
        gain, least, most = result["gain"][arm]
        cells += f"{100 * gain:>+9.1f} [{100 * least:+.1f}, {100 * most:+.1f}]".rjust(24)
        more = f"{result['form_auc'][arm]:>10.2f}{result['self_bleu'][arm]:>11.3f}{result['distinct_3'][arm]:>12.3f}"
        print(f"{arm:10}{cells}{more}")
    print(f"unseen: {', '.join(result['kinds']['unseen'])}; {result['seconds']} s")


if __name__ == "__main__":
    main()
