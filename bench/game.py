"""A game of its own in a folder, played, retrained and measured for a bench, all by the code that players meet."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Literal

Way = Literal["decoding", "scorer", "weights"]
TUNED_ON, UNSEEN = (
    ("speller", "stylist", "listener"),
    ("reader",),
)  # kinds of players: those who teach, and who never do


@dataclass(frozen=True)
class Form:
    """How much is played."""

    slug: str
    rounds: int
    guesses: int  # in each round
    players: int
    shelf: int
    pairs: int  # dealt to judge a generator
    ways: tuple[Way, ...]
    minutes: float  # of training a network's weights, in each round
    arms: tuple[str, ...] = ("labels", "poisoned", "control")


class Game:
    """A game of its own in a folder: its database, its checkpoints, its players."""

    def __init__(self, folder: Path, form: Form) -> None:
        from app.cli.workbench import open_workshop
        from app.settings import Settings

        self.form = form
        limits: dict[str, Any] = {"rate_limit": "1000000/minute", "network_rate_limit": "1000000/minute"}
        self.settings = Settings(data_dir=folder, learn_from=("real", "simulated"), **limits)
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

            def sit(place: int) -> int:
                person = people[place]
                headers = {"Authorization": f"Bearer {operator_key(self.settings)}"}
                headers["X-Whichtweet-Simulated"] = person.kind
                with httpx.Client(base_url=url, headers=headers, timeout=120) as client:
                    return len(play(client, self.form.slug, person, Random(f"{number}/{place}"), share, lambda: True))

            made = sum(pool.map(sit, range(len(people))))
        if made != share * len(people):
            raise RuntimeError(f"found {made} guesses, expected {share * len(people)}")

    def retrain(self, number: int) -> str:
        """A retraining as the worker does it; a candidate that passes the gates becomes the champion at once."""
        from app.db import generators
        from app.db.session import reading
        from app.jobs.workshop import Skipped

        try:
            done = self._retrain(number)
        except Skipped as reason:
            return f"{', '.join(self.form.ways)} skipped: {reason}"
        with reading(self.workshop.engine) as connection:
            made = generators.by_number(connection, self.archive.id, int(done.generator.removeprefix("v")))
        # What a gate failed does not play; where gates could not judge, we are the admin who decides.
        if all(gate["outcome"] != "failed" for gate in done.gates):
            self.crown(made)
        return f"{done.learned}; {done.words}"

    def _retrain(self, number: int) -> Any:
        from app.jobs.hold import by_hand, finish
        from app.jobs.retraining import Errand, retrain
        from app.jobs.supervising import Budget

        budget = Budget(minutes=self.form.minutes or None)
        with by_hand(self.workshop.engine, "retrain", self.archive.id, {}, lambda: False) as hold:
            errand = Errand(job_id=hold.claim.job_id, budget=budget, seed=number, ways=self.form.ways)
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
        self.crown(training.register(self.workshop, self.archive, key, digest, parent_id=anchor.id, **given)[0])

    def crown(self, generator: Any) -> None:
        """Make a generator the champion, as an admin does; one that is stays so."""
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
        import numpy as np

        from app.game.measures import distinct, self_bleu
        from app.keys import secret_keys
        from app.web.sealed import RoundSeal
        from bench.crowd import gather
        from bench.no_tell import collect, held_out_auc

        with self.serve() as url:
            pairs = collect(url, RoundSeal(secret_keys(self.settings)), self.form.slug, self.form.pairs)
        of = [pair.cards[1 - pair.tweet_index] for pair in pairs]
        fooled = {}
        for kind in (*TUNED_ON, *UNSEEN):
            people, rng = gather((kind,), 40, seed=99), Random(kind)
            picks = [people[n % 40](*pair.cards, rng) for n, pair in enumerate(pairs)]
            fooled[kind] = np.array([pick != pair.tweet_index for pick, pair in zip(picks, pairs, strict=True)], float)
        rates = {kind: by_sample(rounds, of) for kind, rounds in fooled.items()}
        mean = by_sample(np.mean([*fooled.values()], axis=0), of)
        shelf = sorted(set(of))[: self.form.shelf // 2]
        figures = {"self_bleu": round(self_bleu(shelf), 4), "distinct_3": round(distinct(shelf, 3), 4)}
        auc = max(held_out_auc(pairs).values())
        return {"fool_rate": rates, "mean": mean, **figures, "copied": self._copied(shelf), "form_auc": auc}

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


def by_sample(rounds: Any, samples: Sequence[str]) -> list[float]:
    """The mean of rounds [N] with its 95 % interval, for which rounds of one sample count as one another's copies."""
    import numpy as np

    mean = float(rounds.mean())
    _, places = np.unique(samples, return_inverse=True)
    error = float(np.sqrt((np.bincount(places, rounds - mean) ** 2).sum())) / len(rounds)
    return [round(value, 4) for value in (mean, max(0.0, mean - 1.96 * error), min(1.0, mean + 1.96 * error))]


def beside(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """By how much one mean is above another, with its 95 % interval, given those of both."""
    apart = one[0] - other[0]
    half = (((one[2] - one[1]) / 2) ** 2 + ((other[2] - other[1]) / 2) ** 2) ** 0.5
    return [round(value, 4) for value in (apart, apart - half, apart + half)]
