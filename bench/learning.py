"""Do labels make samples harder to spot?  python -m bench.learning [--short]

First, once, outside the hour:  python -m bench.learning --anchor  imports ../shared/data/trump_archive.json, trains the
anchor on it from the base, as any training does, and chooses its decoding for the same mix of players; kept in
bench/.anchor-trump/.

Then three games start from copies of it, all by the game's own code (rounds over HTTP, rows, jobs):
- labels: three rounds of 3,000 guesses and a retraining each (scorer and weights);
- poisoned: the same, but 20 % of the players believe whatever holds one word, and are honest otherwise;
- control: the network is trained on as long, without labels.
After each retraining 2,000 fresh pairs are dealt and judged by crowds of four kinds; one of them never teaches.
The result goes to bench/results/learning.json. --short plays the demo for a minute or so and keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
RESULTS, ANCHOR = HERE / "results" / "learning.json", HERE / ".anchor-trump"
TRUMP = HERE.parents[1] / "shared" / "data" / "trump_archive.json"
TUNED_ON, UNSEEN = ("speller", "stylist", "listener"), ("reader",)
# Among which the anchor's is chosen, of those whose shelf is as varied as tweets are.
DRAWS = ((0.8, 0.98), (0.9, 0.98), (0.95, 0.98), (1.0, 0.98), (1.0, 1.0))


@dataclass(frozen=True)
class Form:
    """How much is played."""

    slug: str
    rounds: int
    guesses: int  # in each round
    players: int
    shelf: int
    pairs: int  # dealt to judge a generator
    ways: tuple[str, ...]
    minutes: float  # of training a network's weights, in each round


LONG = Form("trump", 3, 3000, 60, 600, 2000, ("scorer", "weights"), 1.0)
SHORT = Form("mayor-of-gannet", 1, 240, 20, 120, 120, ("scorer",), 0.0)


def main() -> None:
    os.environ.pop("WHICHTWEET_DATA_DIR", None)  # the games here are our own
    # Before NumPy is imported: on a machine with other work its threads wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--anchor", action="store_true", help="make the anchor of the long form, and end")
    parser.add_argument("--minutes", type=float, default=20.0, help="of training the anchor")
    parser.add_argument("--short", action="store_true", help="the demo, for a minute or so; keeps nothing")
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
        measured = {"anchor": House(start, form).measure()}
        _tell("anchor", measured["anchor"], began)
        for arm in ("labels", "poisoned", "control"):
            house = House(shutil.copytree(start, Path(place) / arm), form)
            for number in range(1, 1 if arm == "control" else form.rounds + 1):
                house.play(arm == "poisoned", number)
                told = house.retrain(number)
                name = f"round{number}" if arm == "labels" else arm
                measured[name] = {**house.measure(), "told": told}
                _tell(f"{arm} {number}", measured[name], began)
            if arm == "control":
                house.train_without_labels()
                measured[arm] = house.measure()
                _tell(arm, measured[arm], began)
        real = House(start, form).real_tweets()
    return {
        "kinds": {"tuned_on": list(TUNED_ON), "unseen": list(UNSEEN)},
        "fool_rate": {arm: found["fool_rate"] for arm, found in measured.items()},
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


class House:
    """A game of its own in a folder: its database, its checkpoints, its players."""

    def __init__(self, folder: Path, form: Form) -> None:
        from app.cli.workbench import open_workshop
        from app.settings import Settings

        self.form = form
        limits: dict[str, Any] = {"rate_limit": "1000000/minute", "network_rate_limit": "1000000/minute"}
        self.settings = Settings(data_dir=folder, learn_from=("real", "simulated"), **limits)  # type: ignore[call-arg]
        shelf = {"shelf_full": form.shelf, "shelf_low": form.shelf, "retrain_min_labels": 1}
        self.workshop = replace(open_workshop(self.settings), **shelf)  # type: ignore[arg-type]
        # What the players know of the account is read from the database that the environment names: the first one's, of
        # which the others are copies.
        os.environ.setdefault("WHICHTWEET_DATA_DIR", str(folder))

    @property
    def archive(self) -> Any:
        """The archive that is played."""
        return self.workshop.archive(self.form.slug)

    def generator(self, generator_id: int) -> Any:
        """The generator with that id."""
        from app.db import generators
        from app.db.session import reading

        with reading(self.workshop.engine) as connection:
            return generators.find(connection, generator_id)

    def first(self) -> Any:
        """The generator that was made first; None where nothing was trained yet."""
        from app.db import archives, generators
        from app.db.session import reading

        with reading(self.workshop.engine) as connection:
            archive = archives.find(connection, self.form.slug)
            return generators.by_number(connection, archive.id, 1) if archive is not None else None

    def shelf(self, generator: Any) -> list[str]:
        """The generator's samples that lie on the shelf."""
        from app.db import samples
        from app.db.session import reading

        with reading(self.workshop.engine) as connection:
            return list(samples.texts_on_shelf(connection, generator.id, self.form.shelf))

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The web server, until the block ends; its address."""
        import uvicorn

        from app.main import create_app

        app = create_app(self.settings)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            while not (server.started and app.state.services.catalogue.is_loaded):
                if not thread.is_alive():
                    raise RuntimeError("the server did not start")
                time.sleep(0.01)
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join()

    def play(self, poisoned: bool, number: int) -> None:
        """One round of guesses by a crowd of those who teach; in every round it is another crowd."""
        import httpx

        from app.cli.simulate import play
        from app.keys import operator_key
        from bench.crowd import gather

        people = gather(TUNED_ON, self.form.players, seed=number, poisoned=poisoned)
        share = self.form.guesses // len(people)
        with self.serve() as url, ThreadPoolExecutor(4) as pool:

            def sit(place: int) -> None:
                person = people[place]
                headers = {"Authorization": f"Bearer {operator_key(self.settings)}"}
                headers["X-Whichtweet-Simulated"] = person.kind
                with httpx.Client(base_url=url, headers=headers, timeout=120) as client:
                    play(client, self.form.slug, person, Random(f"{number}/{place}"), share, lambda: None)

            list(pool.map(sit, range(len(people))))

    def retrain(self, number: int) -> str:
        """A retraining as the worker does it; a candidate that passes the gates becomes the champion at once.

        Where the labels are too few for a scorer, one step of the decoding is what they allow.
        """
        from app.db import generators
        from app.db.session import reading
        from app.jobs.workshop import Skipped

        words = ""
        for ways in (self.form.ways, ("decoding",)):
            try:
                done = self._retrain(number, ways)
            except Skipped as reason:
                words += f"{', '.join(ways)} skipped: {reason}; "
                continue
            with reading(self.workshop.engine) as connection:
                made = generators.by_number(connection, self.archive.id, int(done.generator.removeprefix("v")))
            # What a gate failed does not play; where gates could not judge, we are the admin who decides.
            if all(gate["outcome"] != "failed" for gate in done.gates):
                self._crown(made)
            return f"{words}{done.learned}; {done.words}"
        return words

    def _retrain(self, number: int, ways: tuple[Any, ...]) -> Any:
        from app.jobs.hold import by_hand, finish
        from app.jobs.retraining import Errand, retrain
        from app.jobs.supervising import Budget

        budget = Budget(minutes=self.form.minutes or None)
        with by_hand(self.workshop.engine, "retrain", self.archive.id, {}, lambda: False) as hold:
            errand = Errand(job_id=hold.claim.job_id, budget=budget, seed=number, ways=ways)
            done = retrain(self.workshop, self.archive, errand)
            finish(self.workshop.engine, hold, "done", done.words)
        return done

    def train_without_labels(self) -> None:
        """What a retraining would be that had no labels: the anchor's network trained on, and a new shelf."""
        from app.db import generators
        from app.db.generators import ANCHOR as ANCHOR_ARM
        from app.db.session import reading
        from app.jobs import training
        from app.jobs.supervising import Budget, Shape, train

        with reading(self.workshop.engine) as connection:
            anchor = generators.in_arm(connection, self.archive.id, ANCHOR_ARM)
        assert anchor is not None
        key, digest = anchor.checkpoint_key, anchor.checkpoint_sha256
        if "weights" in self.form.ways:
            folder = training.run_folder(self.workshop, self.archive, "control")
            training.freeze_texts(self.workshop, self.archive, folder)
            start = self.workshop.folder(key)
            train(folder, Shape(), Budget(minutes=self.form.minutes), seed=1, start=start)
            key, digest = training.adopt(self.workshop, self.archive, folder)
        bits = training.evaluate(self.workshop, self.archive, key)
        # A recipe of its own, so that its shelf is a new one even where the network is the same.
        decoding = {**anchor.decoding, "control": True}
        given: dict[str, Any] = {"bits": bits, "card": {"made_by": "bench"}, "decoding": decoding}
        self._crown(training.register(self.workshop, self.archive, key, digest, parent_id=anchor.id, **given)[0])

    def _crown(self, generator: Any) -> None:
        from app.db import generators
        from app.db.generators import CHAMPION, Decided
        from app.db.session import reading
        from app.jobs.hold import by_hand, finish
        from app.jobs.promoting import promote

        with reading(self.workshop.engine) as connection:
            champion = generators.in_arm(connection, self.archive.id, CHAMPION)
        if champion is not None and champion.id == generator.id:
            return
        with by_hand(self.workshop.engine, "promote", self.archive.id, {}, lambda: False) as hold:
            decided = Decided("promoted", "bench")
            promote(self.workshop, self.archive, generator, decided=decided, job_id=hold.claim.job_id)
            finish(self.workshop.engine, hold, "done", f"{generator.name} plays")

    def measure(self) -> dict[str, Any]:
        """Deal fresh pairs, let crowds of every kind judge them, and look at the shelf."""
        from app.game.measures import distinct, self_bleu
        from app.game.scoring import interval
        from app.keys import secret_keys
        from app.web.sealed import RoundSeal
        from bench.crowd import gather
        from bench.no_tell import collect, held_out_auc

        with self.serve() as url:
            pairs = collect(url, RoundSeal(secret_keys(self.settings)), self.form.slug, self.form.pairs)
        rates = {}
        for kind in (*TUNED_ON, *UNSEEN):
            people, rng = gather((kind,), 40, seed=99), Random(kind)
            fooled = sum(people[n % 40](*pair.cards, rng) != pair.tweet_index for n, pair in enumerate(pairs))
            low, high = interval(fooled, len(pairs))
            rates[kind] = [round(value, 4) for value in (fooled / len(pairs), low, high)]
        shelf = sorted({pair.cards[1 - pair.tweet_index] for pair in pairs})[: self.form.shelf // 2]
        figures = {"self_bleu": round(self_bleu(shelf), 4), "distinct_3": round(distinct(shelf, 3), 4)}
        auc = max(held_out_auc(pairs).values())
        return {"fool_rate": rates, **figures, "copied": self._copied(shelf), "form_auc": auc}

    def real_tweets(self) -> dict[str, Any]:
        """The same figures of as many held-out tweets."""
        from app.db import tweets
        from app.db.session import reading
        from app.game.measures import distinct, self_bleu

        with reading(self.workshop.engine) as connection:
            deck = [text for text in tweets.texts(connection, self.archive.id, "deck") if 40 <= len(text) <= 280]
        some = Random(1).sample(deck, min(len(deck), self.form.shelf // 2))
        figures = {"self_bleu": round(self_bleu(some), 4), "distinct_3": round(distinct(some, 3), 4)}
        return {**figures, "copied": self._copied(some)}

    def _copied(self, texts: Sequence[str]) -> dict[str, float]:
        """The longest run of characters shared with a learned tweet, and the share of texts with one of 30."""
        from app.db import tweets
        from app.db.session import reading
        from app.game.copied import copied_runs

        with reading(self.workshop.engine) as connection:
            learned = list(tweets.texts(connection, self.archive.id, "train"))
        runs = [int(run.max(initial=0)) for run in copied_runs(texts, learned)]
        return {"longest": max(runs, default=0), "share_30": round(sum(run >= 30 for run in runs) / len(runs), 4)}


def _open_demo(folder: Path, form: Form) -> None:
    from app.jobs.demo import open_demo

    house = House(folder, form)
    open_demo(house.workshop.engine, house.workshop.checkpoints)


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
    house = House(ANCHOR, form)
    first = house.first()
    if first is None:
        import_archive(house.workshop.engine, TRUMP, slug=form.slug)
        start = start_for(house.workshop, Shape())
        made = training.make_generator(house.workshop, house.archive, Shape(), Budget(minutes=minutes), start=start)
        print(f"anchor: {made.bits_per_character:.3f} bits per character after {made.trained.seconds:.0f} s")
        first = house.generator(made.generator_id)
    bounds = Bounds.from_json(bounds_of(house.workshop, house.archive))
    tried = []
    for temperature, top_p in DRAWS:
        decoding = {**first.decoding, "temperature": temperature, "top_p": top_p}
        given: dict[str, Any] = {"bits": first.bits_per_character, "card": dict(first.card), "decoding": decoding}
        key, digest = first.checkpoint_key, first.checkpoint_sha256
        generator = training.register(house.workshop, house.archive, key, digest, **given)[0]
        house._crown(generator)
        rates = house.measure()["fool_rate"]
        rate = sum(rates[kind][0] for kind in TUNED_ON) / len(TUNED_ON)
        failed = [gate.name for gate in set_gates(bounds, house.shelf(generator)) if gate.outcome == "failed"]
        tried.append((len(failed), -rate, generator.id))
        told = f"outside what tweets are: {', '.join(failed)}" if failed else "as varied as tweets"
        print(f"temperature {temperature}, top-p {top_p}: {rate:.1%} of the crowd's rounds fooled; {told}", flush=True)
    best = house.generator(min(tried)[2])
    House(ANCHOR, LONG)._crown(best)
    with writing(house.workshop.engine) as connection:
        generators.place(connection, house.archive.id, generators.ANCHOR, best.id, 0.0, now())
    (ANCHOR / "ready").touch()


def show(result: dict[str, Any]) -> None:
    """The table."""
    kinds = [*result["kinds"]["tuned_on"], *result["kinds"]["unseen"]]
    print(
        f"{'':10}" + "".join(f"{kind:>24}" for kind in kinds) + f"{'form AUC':>10}{'Self-BLEU':>11}{'distinct-3':>12}"
    )
    for arm, rates in result["fool_rate"].items():
        cells = "".join(f"{rate:>9.1%} [{low:.1%}, {high:.1%}]".rjust(24) for rate, low, high in map(rates.get, kinds))
        more = f"{result['form_auc'][arm]:>10.2f}{result['self_bleu'][arm]:>11.3f}{result['distinct_3'][arm]:>12.3f}"
        print(f"{arm:10}{cells}{more}")
    print(f"unseen: {', '.join(result['kinds']['unseen'])}; {result['seconds']} s")


if __name__ == "__main__":
    main()
