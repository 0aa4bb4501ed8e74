"""Metrics for Prometheus, served on a loopback port of their own."""

from __future__ import annotations

from functools import cache

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server
from sqlalchemy import Engine

from app.web.census import Census

rounds = Counter("whichtweet_rounds_total", "Rounds dealt, by whether the cards' lengths are alike", ["lengths"])
guesses = Counter("whichtweet_guesses_total", "Guesses recorded", ["crowd"])
refused = Counter("whichtweet_guesses_refused_total", "Guesses not recorded, by problem", ["problem"])
answers = Counter("whichtweet_answers_total", "Answers by status", ["status"])
seconds = Histogram(
    "whichtweet_seconds",
    "Time to an answer",
    ["path"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
batch = Histogram(
    "whichtweet_guess_batch", "Guesses written in one transaction", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
# Finding a label takes longer than counting under it: there are few, and each is kept.
round_of = cache(rounds.labels)
guess_of = cache(guesses.labels)
answer_of = cache(answers.labels)
seconds_of = cache(seconds.labels)
shelf = Gauge("whichtweet_shelf_samples", "Samples that may be dealt", ["archive"])


def start_metrics(port: int, engine: Engine | None = None) -> None:
    """Serve the metrics on 127.0.0.1 at `port`, with those that a database tells."""
    if engine is not None:
        REGISTRY.register(Census(engine))
    start_http_server(port, addr="127.0.0.1")
