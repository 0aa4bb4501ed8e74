"""The archives that lie beside the repository, and the demo, imported as they are."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from bringing import bring_in, stored
from sqlalchemy import Engine

from app.archives.twins import alike, compared
from app.db.session import open_engine
from app.jobs.importing import Imported


@pytest.fixture(scope="module")
def trump(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, list[Imported]]:
    """Both shared Trump files in one archive."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("shared/data is not beside the repository")
    file = tmp_path_factory.mktemp("trump") / "whichtweet.db"
    shutil.copy(migrated, file)
    engine = open_engine(f"sqlite:///{file}")
    names = ("trump_archive.json", "trump_2018_apr_dec.json")
    return engine, [bring_in(engine, folder / name, slug="trump", handle="realDonaldTrump") for name in names]


@pytest.mark.slow
def test_the_shared_trump_archives_give_24_000_tweets(trump: tuple[Engine, list[Imported]]) -> None:
    engine, (first, second) = trump
    # The counts of the README beside the files; RT: @ and quotes further inside add to its figures.
    assert first.read == 33_446
    assert 585 <= first.left_out["retweet"] <= 590
    assert 10_809 <= first.left_out["quote"] <= 10_920
    assert first.left_out["link only"] == 6
    assert first.left_out["same text twice"] >= 125
    assert first.leanings["cut"] >= 700
    assert first.leanings["reply"] > 2_500
    assert second.read == 2_459
    assert second.left_out["link only"] >= 53
    assert "retweet" not in second.left_out
    assert "quote" not in second.left_out
    assert 350 <= second.leanings["thread"] <= 450
    assert 23_500 <= first.added + second.added <= 24_500
    rows = stored(engine)
    assert not any(word in row.text for row in rows for word in ("http", "t.co/", "&amp;", "\u00a0", "\u200e", "\r"))
    assert all(row.zone == "utc" for row in rows)
    assert rows[0].source_id == "6971079756"
    shares = {split: sum(row.split == split for row in rows) / len(rows) for split in ("train", "validation", "deck")}
    assert shares == pytest.approx({"train": 0.75, "validation": 0.05, "deck": 0.20}, abs=0.01)


@pytest.mark.slow
def test_hardly_a_tweet_of_the_deck_has_a_near_copy_that_is_learned_from(trump: tuple[Engine, list[Imported]]) -> None:
    # Near copies are found another way than by the import: by rare words.
    rows = stored(trump[0])
    by_word: dict[str, list[str]] = {}
    for row in rows:
        if row.split == "train":
            folded = compared(row.text)
            for word in set(folded.split()):
                by_word.setdefault(word, []).append(folded)
    deck = [compared(row.text) for row in rows if row.split == "deck"][:1000]
    leaks = 0
    for text in deck:
        rare = sorted(set(text.split()), key=lambda word: (len(by_word.get(word, [])), word))[:4]
        near = {other for word in rare for other in by_word.get(word, []) if len(by_word[word]) < 200}
        leaks += any(alike(text, other) for other in near)
    assert leaks <= 5


@pytest.mark.slow
def test_the_shared_obama_archive_is_read_as_its_readme_says(engine: Engine, shared: Callable[[str], Path]) -> None:
    file = shared("data/obama_tweets.csv")
    done = bring_in(engine, file, slug="obama", handle="BarackObama")
    assert done.read == 6_734
    assert "retweet" not in done.left_out
    assert 6_600 <= done.added <= 6_734
    rows = stored(engine)
    assert all(row.zone == "utc" for row in rows)
    assert all(row.source_id.isdecimal() and len(row.source_id) == 18 for row in rows)
    by_id = {row.source_id: row.text for row in rows}
    with file.open(encoding="utf-8", newline="") as lines:
        raw = {row["Tweet ID"]: row["Text"] for row in csv.DictReader(lines)}
    glued = [key for key, text in raw.items() if ".pic.twitter.com/" in text and key in by_id]
    assert len(glued) > 400
    assert all("pic.twitter" not in by_id[key] and ". 🔗" in by_id[key] for key in glued)
    assert sum(text.startswith("RT ") for text in by_id.values()) > 50


@pytest.mark.slow
def test_a_shared_file_again_adds_nothing(trump: tuple[Engine, list[Imported]], shared: Callable[[str], Path]) -> None:
    engine, (_, before) = trump
    again = bring_in(engine, shared("data/trump_2018_apr_dec.json"), slug="trump")
    assert again.added == 0
    assert again.left_out == before.left_out | {"already there": before.added}


@pytest.mark.slow
def test_the_demo_archive_is_imported_whole(engine: Engine) -> None:
    done = bring_in(engine, Path(__file__).parents[2] / "demo" / "mayor_of_gannet.jsonl", is_demo=True)
    assert (done.read, done.added, done.left_out) == (4082, 4082, {})
    assert done.leanings["reply"] == 97
