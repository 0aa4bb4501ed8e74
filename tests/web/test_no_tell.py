"""Nothing but what a card says tells the tweet from the sample: neither its form nor how it arrives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from serving import SECRET, Game, serve, settings
from starlette.responses import Response

from app.db.session import open_engine
from app.jobs.demo import SLUG, open_demo
from app.web.identity import Visitor
from app.web.sealed import RoundSeal

pytestmark = pytest.mark.train  # scikit-learn comes with what training needs

no_tell = pytest.importorskip("bench.no_tell")


@pytest.fixture(scope="module")
def demo(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(migrated, folder / "whichtweet.db")
    url = f"sqlite:///{folder / 'whichtweet.db'}"
    open_demo(open_engine(url), folder / "checkpoints")
    with serve(settings(url, folder)) as game:
        yield game


@pytest.fixture(scope="module")
def pairs(demo: Game) -> list[no_tell.Pair]:
    # Always the same players: what is measured changes with the shelf and the rules, not from run to run.
    def cookie(number: int) -> dict[str, str]:
        response = Response()
        demo.services.identity.greet(response, Visitor(number.to_bytes(16, "big")))
        name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
        return {name: value}

    return no_tell.collect(demo.url, RoundSeal([SECRET.encode()]), SLUG, 2000, cookie)


def test_form_alone_does_not_tell(pairs: list[no_tell.Pair]) -> None:
    assert max(no_tell.held_out_auc(pairs).values()) <= 0.60


def test_the_measure_finds_a_tell_where_there_is_one(pairs: list[no_tell.Pair]) -> None:
    def told(pair: no_tell.Pair) -> no_tell.Pair:
        cards = list(pair.cards)
        cards[1 - pair.tweet_index] += " !!"
        return replace(pair, cards=(cards[0], cards[1]))

    assert min(no_tell.held_out_auc([told(pair) for pair in pairs[:600]]).values()) > 0.9


def test_cards_are_alike_in_length_in_nearly_all_rounds(pairs: list[no_tell.Pair]) -> None:
    alike = [min(map(len, pair.cards)) >= 0.8 * max(map(len, pair.cards)) for pair in pairs]
    assert fmean(alike) >= 0.95
