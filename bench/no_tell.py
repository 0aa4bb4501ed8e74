"""Can form alone tell the tweet from the sample?  python -m bench.no_tell [--archive SLUG] [--pairs N]

Deals pairs from the database of the settings (WHICHTWEET_DATA_DIR, WHICHTWEET_DATABASE_URL) over HTTP, to a fresh
player each, and trains two classifiers on form (length, case, punctuation, marks, mentions, hashtags, emoji, position,
markup, size and time of the answer). Keeps the held-out AUC, 0.5 being chance, in bench/results/no_tell.json.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.keys import secret_keys
from app.settings import read_settings
from app.web.sealed import RoundSeal
from model.text import LINK

RESULTS = Path(__file__).with_name("results") / "no_tell.json"
MARKS = ".,!?:;'\"-()…’“”&@#/$%"
FOLDS = 5


@dataclass(frozen=True)
class Pair:
    """What a browser gets of a round before the guess; `tweet_index`, `tweet` and `sample` are for judging only."""

    cards: tuple[str, str]
    markup: tuple[str, str]  # of the two cards on the page, without their texts
    bytes: int
    seconds: float
    tweet_index: int
    tweet: int
    sample: int


def collect(
    url: str, seal: RoundSeal, archive: str, pairs: int, cookie: Callable[[int], dict[str, str]] = lambda _: {}
) -> list[Pair]:
    """Deal `pairs` rounds to players of their own, who bring the `cookie` of their number, or none.

    Each player's second round: the pair that opens a newcomer's game is chosen, all others are drawn.
    """
    found: list[Pair] = []
    with httpx.Client(base_url=url, timeout=30) as client:
        markup = _markup(client.get(f"/a/{archive}").text)
        while len(found) < pairs:
            client.cookies = httpx.Cookies(cookie(len(found)))
            first = client.post("/api/rounds", json={"archive": archive}).raise_for_status().json()["round"]
            began = time.perf_counter()
            response = client.post("/api/rounds", json={"archive": archive, "after": first})
            seconds = time.perf_counter() - began
            body = response.raise_for_status().json()
            sealed = seal.open(body["round"])
            texts = (body["cards"][0]["text"], body["cards"][1]["text"])
            size = len(response.content) + len(str(response.headers))
            found.append(Pair(texts, markup, size, seconds, sealed.tweet_index, sealed.tweet_id, sealed.sample_id))
    return found


def _markup(page: str) -> tuple[str, str]:
    cards = re.findall(r"<article.*?</article>", page, re.DOTALL)
    bare = [re.sub(r'(dir="auto">).*?(</span></button>)', r"\1\2", card, flags=re.DOTALL) for card in cards]
    numberless = [re.sub(r"\d", "0", card) for card in bare]
    return numberless[0], numberless[1]


def form(text: str) -> list[float]:
    """The features of one card: everything but what it says."""
    letters = [character for character in text if character.isalpha()]
    words = text.split()
    length = len(text)
    return [
        length,
        len(words),
        float(np.mean([len(word) for word in words])),
        sum(map(str.isupper, letters)) / max(1, len(letters)),
        sum(word.isupper() and len(word) > 1 for word in words),
        sum(word[:1].isupper() for word in words) / len(words),
        sum(map(str.isdigit, text)),
        text[:1].isupper(),
        text[0] in "\"'“‘",
        text[-1] in ".!?",
        text[-1] == "!",
        text[-1].isalnum(),
        text.endswith(LINK),
        text.count(LINK),
        text.count("\n"),
        text.count('"') % 2,
        text.count("(") - text.count(")"),
        len(re.findall(r"(?<!\w)@\w", text)),
        len(re.findall(r"(?<!\w)#\w", text)),
        len(re.findall(r"[.!?]{2,}", text)),
        sum(ord(character) > 0x2FFF for character in text) - text.count(LINK),
        sum(0x7F < ord(character) <= 0x2FFF for character in text),
        *(text.count(mark) for mark in MARKS),
    ]


def held_out_auc(pairs: Sequence[Pair]) -> dict[str, float]:
    """How well classifiers tell card 1 from card 0 as the tweet, on pairs of cards that they never saw."""
    first, second = (np.array([form(pair.cards[index]) for pair in pairs]) for index in (0, 1))
    about = np.array([[pair.bytes, pair.seconds, pair.markup[0] == pair.markup[1]] for pair in pairs], dtype=float)
    features = np.hstack([first - second, first, second, about])
    answers = np.array([pair.tweet_index for pair in pairs])
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=2000)),
        "boosting": HistGradientBoostingClassifier(max_iter=80, learning_rate=0.05, max_depth=4, random_state=0),
    }
    return {name: round(_cross_validated(model, features, answers, pairs), 4) for name, model in models.items()}


def _cross_validated(
    model: object, features: NDArray[np.float64], answers: NDArray[np.int64], pairs: Sequence[Pair]
) -> float:
    tweets, samples = (np.array([getattr(pair, name) for pair in pairs]) for name in ("tweet", "sample"))
    scores = np.zeros(len(pairs))
    # No tweet and no sample of the held-out pairs is learned from: a card that is known is not told by its form.
    for learned, held_out in GroupKFold(FOLDS).split(features, answers, tweets):
        apart = learned[~np.isin(samples[learned], samples[held_out])]
        model.fit(features[apart], answers[apart])  # type: ignore[attr-defined]
        scores[held_out] = model.predict_proba(features[held_out])[:, 1]  # type: ignore[attr-defined]
    return float(roc_auc_score(answers, scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--archive", default="mayor-of-gannet")
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--url", default="", help="a game that runs; default: this machine's")
    asked = parser.parse_args()
    settings = read_settings()
    url = asked.url or f"http://{settings.host}:{settings.port}"
    pairs = collect(url, RoundSeal(secret_keys(settings)), asked.archive, asked.pairs)
    ratios = [min(map(len, pair.cards)) / max(map(len, pair.cards)) for pair in pairs]
    result = {
        "archive": asked.archive,
        "pairs": len(pairs),
        "held_out_auc": held_out_auc(pairs),
        "alike_in_length": sum(ratio >= 0.8 for ratio in ratios) / len(ratios),
        "tweets": len({pair.tweet for pair in pairs}),
        "samples": len({pair.sample for pair in pairs}),
    }
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known | {asked.archive: result}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
