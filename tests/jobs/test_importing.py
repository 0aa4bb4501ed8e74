"""Imports from the file to the database: what goes in, what stays out, and that it is all or nothing."""

from __future__ import annotations

import csv
import json
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select

from app.archives import ArchiveError, ImportStoppedError
from app.archives.splits import split_of
from app.archives.twins import alike, compared
from app.db import archives, tweets
from app.db.locks import alone
from app.db.session import open_engine, reading, writing
from app.db.tables import archives as archives_table
from app.db.tables import imports as imports_table
from app.db.tables import tweets as tweets_table
from app.jobs.importing import Imported, Progress, import_archive
from tests.factories import LONG_AGO, add_archive, add_tweets

WORDS = [
    "".join(letters)
    for letters in {tuple(random.Random(n).choices("abcdefghijklmnopqrstuvwxyz", k=3 + n % 6)) for n in range(2000)}
]


def tweet(number: int, **fields: Any) -> dict[str, Any]:
    """A tweet that is like no other."""
    text = " ".join(random.Random(number).choices(sorted(WORDS), k=15))
    return {"id_str": str(10**18 + number), "text": text, "created_at": "Wed Dec 23 17:38:18 +0000 2009"} | fields


def write(folder: Path, rows: Sequence[object], name: str = "tweets.json") -> Path:
    file = folder / name
    file.write_text(json.dumps(list(rows)), encoding="utf-8")
    return file


def bring_in(engine: Engine, file: Path, **options: Any) -> Imported:
    return import_archive(engine, file, **({"slug": "mayor"} | options))


def stored(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(select(tweets_table).order_by(tweets_table.c.id)))


def everything(engine: Engine) -> list[list[Any]]:
    """All rows that an import may touch."""
    with reading(engine) as connection:
        return [
            list(connection.execute(select(table).order_by(table.c.id)))
            for table in (archives_table, imports_table, tweets_table)
        ]


def test_a_tweet_is_stored_as_it_is_shown(either_engine: Engine, tmp_path: Path) -> None:
    rows = [tweet(1, text=" Q&amp;A:\u00a0read https://t.co/abc\r\n\r\n@bob “now” ", id_str="844896595179180034")]
    done = bring_in(either_engine, write(tmp_path, rows), handle="@Mayor", name="The Mayor")
    (row,) = stored(either_engine)
    assert row.text == "Q&A: read 🔗\n@bob “now”"
    assert row.length == len(row.text)
    assert (row.source_key, row.source_id) == ("id:844896595179180034", "844896595179180034")
    assert (row.posted_at, row.zone) == (datetime(2009, 12, 23, 17, 38, 18, tzinfo=UTC), "utc")
    assert (done.read, done.added, done.left_out) == (1, 1, {})
    with reading(either_engine) as connection:
        found = archives.find(connection, "mayor")
    assert found is not None
    assert (found.name, found.handle, found.unit, found.stamp) == ("The Mayor", "Mayor", "tweet", 1)


def test_a_second_import_adds_only_what_is_new(either_engine: Engine, tmp_path: Path) -> None:
    bring_in(either_engine, write(tmp_path, [tweet(n) for n in range(50)]))
    before = stored(either_engine)
    done = bring_in(either_engine, write(tmp_path, [tweet(n) for n in range(60)]))
    assert (done.added, done.left_out) == (10, {"already there": 50})
    assert stored(either_engine)[:50] == before
    assert bring_in(either_engine, write(tmp_path, [tweet(n) for n in range(60)])).added == 0


def test_texts_without_ids_are_known_again(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("".join(tweet(n)["text"] + "\n" for n in range(30)))
    assert bring_in(engine, file).added == 30
    assert bring_in(engine, file).left_out == {"already there": 30}


def test_the_same_tweet_from_another_format_is_not_added(engine: Engine, tmp_path: Path) -> None:
    bring_in(engine, write(tmp_path, [tweet(1), tweet(2)]))
    (tmp_path / "a.csv").write_text(f"text\n{tweet(1)['text']}\n{tweet(3)['text']}\n")
    done = bring_in(engine, tmp_path / "a.csv")
    assert (done.added, done.left_out) == (1, {"same text twice": 1})


def test_the_days_of_a_file_are_read_in_one_order(engine: Engine, tmp_path: Path) -> None:
    dates = ["03/04/2015 10:00", "23/04/2015 10:00"]
    rows = [{"text": tweet(number)["text"], "date": date} for number, date in enumerate(dates)]
    bring_in(engine, write(tmp_path, rows))
    assert {row.posted_at for row in stored(engine)} == {datetime(2015, 4, day, 10, tzinfo=UTC) for day in (3, 23)}


def test_every_row_is_added_or_left_out_for_a_reason(engine: Engine, tmp_path: Path) -> None:
    rows = [
        tweet(1),
        tweet(1),
        tweet(2, text=tweet(1)["text"].upper().lower()),
        tweet(3, text="RT @bob: hello there"),
        tweet(4, text='"@bob: hello there" Thanks'),
        tweet(5, text="https://t.co/abc"),
        tweet(6, text=" \u200b "),
        tweet(7, text=None),
        tweet(8, text="x" * 20_000),
        tweet(9, screen_name="bob"),
        17,
    ]
    done = bring_in(engine, write(tmp_path, rows), handle="mayor")
    assert done.left_out == {
        "no text": 2,
        "another account": 1,
        "too long": 1,
        "empty": 1,
        "retweet": 1,
        "quote": 1,
        "link only": 1,
        "same text twice": 2,
    }
    assert done.added + sum(done.left_out.values()) == done.read == len(rows)


def test_of_an_outbox_only_what_the_account_said_to_everybody_is_stored(engine: Engine, tmp_path: Path) -> None:
    me, public = "https://sea.example/users/mayor", "https://www.w3.org/ns/activitystreams#Public"

    def note(number: int, to: str = public, cc: str = f"{me}/followers", **more: Any) -> dict[str, Any]:
        held = {"id": f"{me}/statuses/{number}", "type": "Note", "attributedTo": me, "to": [to], "cc": [cc]}
        held |= {"published": "2022-11-05T12:00:00Z", "content": f"<p>{tweet(number)['text']}</p>"} | more
        return {"type": "Create", "actor": me, "to": held["to"], "cc": held["cc"], "object": held}

    rows = [
        note(1),
        note(2, to=f"{me}/followers", cc=public),
        note(3, to=f"{me}/followers", cc="https://sea.example/users/ann"),
        note(4, to="https://sea.example/users/ann", cc="https://sea.example/users/bob"),
        note(5, summary="how the play ends"),
        note(6, inReplyTo="https://sea.example/users/ann/statuses/9"),
        note(7, inReplyTo=f"{me}/statuses/1"),
        {"type": "Announce", "actor": me, "to": [public], "object": "https://sea.example/users/ann/statuses/9"},
        {"type": "Like", "actor": me, "object": "https://sea.example/users/ann/statuses/9"},
    ]
    file = tmp_path / "outbox.json"
    file.write_text(json.dumps({"@context": "https://www.w3.org/ns/activitystreams", "orderedItems": rows}))
    done = bring_in(engine, file)
    assert done.left_out == {"no text": 1, "not public": 2, "behind a warning": 1, "retweet": 1}
    assert done.leanings == {"reply": 1, "thread": 1}
    assert [row.source_id for row in stored(engine)] == [f"sea.example/{number}" for number in (1, 2, 6, 7)]
    assert (stored(engine)[0].posted_at, done.handle) == (datetime(2022, 11, 5, 12, tzinfo=UTC), "mayor")


def test_of_statuses_only_what_the_account_said_to_everybody_is_stored(engine: Engine, tmp_path: Path) -> None:
    mayor, ann = {"id": "7", "acct": "mayor"}, {"id": "8", "acct": "ann@other.example"}

    def status(number: int, visibility: str = "public", **more: Any) -> dict[str, Any]:
        held = {"id": str(number), "uri": f"https://sea.example/users/mayor/statuses/{number}", "account": mayor}
        held |= {"created_at": "2022-11-05T12:00:00.000Z", "content": f"<p>{tweet(number)['text']}</p>"}
        return held | {"visibility": visibility, "spoiler_text": "", "reblog": None} | more

    rows = [
        status(1),
        status(2, "unlisted"),
        status(3, "private"),
        status(4, "direct"),
        status(5, spoiler_text="how the play ends"),
        status(6, in_reply_to_id="9", in_reply_to_account_id="8"),
        status(7, in_reply_to_id="1", in_reply_to_account_id="7"),
        status(8, reblog=status(9, account=ann)),
        status(10, account=ann),
    ]
    done = bring_in(engine, write(tmp_path, rows), handle="mayor")
    assert done.left_out == {"not public": 2, "behind a warning": 1, "retweet": 1, "another account": 1}
    assert done.leanings == {"reply": 1, "thread": 1}
    assert [row.source_id for row in stored(engine)] == [f"sea.example/{number}" for number in (1, 2, 6, 7)]
    assert [row.text for row in stored(engine)] == [tweet(number)["text"] for number in (1, 2, 6, 7)]
    assert stored(engine)[0].posted_at == datetime(2022, 11, 5, 12, tzinfo=UTC)


def test_a_file_that_was_taken_for_plain_text_is_told_with_its_beginning(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("---\nname: site\nservices:\n  web: here\n")
    done = bring_in(engine, file)
    assert done.unit == "passage"
    assert done.note is not None
    assert done.note.startswith("site.yaml was read as plain text, of which '---' is the first passage")
    assert bring_in(engine, file, slug="other", split="line").note is None, "somebody said so"
    assert bring_in(engine, write(tmp_path, [tweet(1)]), slug="tweets").note is None


def test_one_line_of_plain_text_is_no_archive(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "tweets.json"
    file.write_text("404: Not Found")
    with pytest.raises(ArchiveError, match=r"^tweets\.json holds one line of plain text, '404: Not Found': expected "):
        bring_in(engine, file)
    assert everything(engine) == [[], [], []]
    assert bring_in(engine, file, split="line").added == 1
    file.write_text("Gone")
    assert bring_in(engine, file).added == 1, "to passages one may be added"


def test_splits_follow_the_id_and_the_deck_has_no_gaps(engine: Engine, tmp_path: Path) -> None:
    done = bring_in(engine, write(tmp_path, [tweet(n) for n in range(700)]))
    bring_in(engine, write(tmp_path, [tweet(n) for n in range(600, 1300)]))
    rows = stored(engine)
    assert {row.split for row in rows} == {"train", "validation", "deck"}
    assert all(row.split == split_of(row.source_id) for row in rows)
    assert [row.deck_seq for row in rows if row.split == "deck"] == list(
        range(sum(row.split == "deck" for row in rows))
    )
    assert all(row.deck_seq is None for row in rows if row.split != "deck")
    with reading(engine) as connection:
        blocks = tweets.deck_blocks(connection, 1)
    assert blocks == [(0, done.splits["deck"]), (done.splits["deck"], sum(row.split == "deck" for row in rows))]


def test_near_copies_share_a_split_across_imports(engine: Engine, tmp_path: Path) -> None:
    bring_in(engine, write(tmp_path, [tweet(n) for n in range(200)]))
    bring_in(
        engine, write(tmp_path, [tweet(n + 1000, text=tweet(n)["text"] + "!! https://t.co/x") for n in range(200)])
    )
    rows = stored(engine)
    assert [row.split for row in rows[:200]] == [row.split for row in rows[200:]]


def test_replies_threads_and_cut_texts_are_marked(engine: Engine, tmp_path: Path) -> None:
    plain = tweet(1)["text"]
    rows = [
        tweet(1, text="@bob " + plain),
        tweet(2, text=tweet(2)["text"] + "...."),
        tweet(3, text=tweet(3)["text"] + "…"),
        tweet(4, in_reply_to_user_id_str="25073877"),
        tweet(5),
    ]
    done = bring_in(engine, write(tmp_path, rows))
    assert [row.leaning for row in stored(engine)] == ["reply", "thread", "cut", "thread", None]
    assert done.leanings == {"reply": 1, "thread": 2, "cut": 1}


def test_the_handle_is_taken_where_all_rows_agree(engine: Engine, tmp_path: Path) -> None:
    assert bring_in(engine, write(tmp_path, [tweet(n, screen_name="Bob") for n in range(3)])).handle == "Bob"
    rows = [tweet(10, screen_name="Bob"), tweet(11, screen_name="Alice")]
    assert bring_in(engine, write(tmp_path, rows), slug="both").handle is None
    assert bring_in(engine, write(tmp_path, [tweet(12, screen_name="Alice")])).handle == "Bob"


def test_plain_text_makes_an_archive_of_passages(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "hamlet"
    file.write_text(
        "HAMLET:\nTo be, or not to be...\nthat is the question.\n\nOPHELIA:\nGood my lord,\nhow does your honour?\n"
    )
    done = bring_in(engine, file, slug="Hamlet, Prince")
    assert (done.slug, done.unit, done.added, done.format) == ("hamlet-prince", "passage", 2, "text")
    assert {row.leaning for row in stored(engine)} == {None}
    with reading(engine) as connection:
        found = archives.find(connection, "hamlet-prince")
    assert found is not None
    assert (found.unit, found.name) == ("passage", "Hamlet, Prince")


def test_plain_text_is_added_to_tweets_only_when_asked(engine: Engine, tmp_path: Path) -> None:
    bring_in(engine, write(tmp_path, [tweet(1)]))
    (tmp_path / "notes").write_text("Some notes.\n@bob one that answers\n")
    with pytest.raises(ArchiveError, match="looks like plain text, but mayor is an archive of tweets"):
        bring_in(engine, tmp_path / "notes")
    assert bring_in(engine, tmp_path / "notes", split="line").added == 2
    assert stored(engine)[-1].leaning == "reply"


def test_progress_is_told_to_the_last_byte(engine: Engine, tmp_path: Path) -> None:
    told: list[Progress] = []
    file = write(tmp_path, [tweet(n) for n in range(1100)])
    bring_in(engine, file, on_progress=told.append)
    assert [progress.read for progress in told] == [500, 1000, 1100]
    assert (told[-1].bytes_read, told[-1].bytes_total, told[-1].added) == (file.stat().st_size,) * 2 + (1100,)


BROKEN = {
    "broken JSON": b'[{"text": "One"}, {"text": "Two"',
    "a bad byte": b'{"text": "One"}\n{"text": "Caf\xe9"}\n',
    "no text": b'[{"id": 1, "message": "One"}]',
    "nothing usable": b'[{"id": 1, "text": "RT @bob: hello"}]',
    "empty": b"",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_first_import_that_fails_leaves_no_trace(either_engine: Engine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ArchiveError):
        bring_in(either_engine, tmp_path / "bad")
    assert everything(either_engine) == [[], [], []]


def test_a_later_import_that_fails_leaves_the_archive_as_it_was(either_engine: Engine, tmp_path: Path) -> None:
    bring_in(either_engine, write(tmp_path, [tweet(n) for n in range(10)]))
    before = everything(either_engine)
    (tmp_path / "bad").write_text(json.dumps([tweet(n) for n in range(2000)])[:-5])
    with pytest.raises(ArchiveError, match="broken JSON in bad at byte"):
        bring_in(either_engine, tmp_path / "bad", name="Another name", handle="other")
    after = everything(either_engine)
    assert (after[0], after[2]) == (before[0], before[2])
    assert [row.state for row in after[1]] == ["done", "failed"]


def test_a_stopped_import_leaves_no_trace(either_engine: Engine, tmp_path: Path) -> None:
    asked: list[int] = []
    with pytest.raises(ImportStoppedError):
        bring_in(
            either_engine,
            write(tmp_path, [tweet(n) for n in range(2000)]),
            on_progress=lambda progress: asked.append(progress.added),
            should_stop=lambda: len(asked) == 2,
        )
    assert asked == [500, 1000]
    assert everything(either_engine) == [[], [], []]


def test_any_error_leaves_no_trace(engine: Engine, tmp_path: Path) -> None:
    def fail(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in(engine, write(tmp_path, [tweet(n) for n in range(600)]), on_progress=fail)
    assert everything(engine) == [[], [], []]


KILLED = """
import os, signal, sys
from pathlib import Path
from app.db.session import open_engine
from app.jobs.importing import import_archive

def die(progress):
    if progress.read >= 1000:
        os.kill(os.getpid(), signal.SIGKILL)

import_archive(open_engine(sys.argv[1]), Path(sys.argv[2]), slug="mayor", on_progress=die)
"""


@pytest.mark.parametrize("tweets_before", [0, 40])
def test_a_killed_import_is_invisible_and_swept_up_by_the_next(
    either_url: str, tmp_path: Path, tweets_before: int
) -> None:
    engine = open_engine(either_url)
    if tweets_before:
        bring_in(engine, write(tmp_path, [tweet(n) for n in range(tweets_before)]))
    file = write(tmp_path, [tweet(n) for n in range(2000)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, either_url, str(file)], check=False, cwd=Path(__file__).parents[2]
    )
    assert killed.returncode == -signal.SIGKILL
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(tweets_table)).scalar_one() == 1000
        found = archives.listing(connection)
        assert [sum(archives.holdings(connection, archive).splits.values()) for archive in found] == (
            [tweets_before] if tweets_before else []
        )
    done = bring_in(engine, file)
    assert done.added == 2000 - tweets_before
    rows = stored(engine)
    assert len(rows) == 2000
    assert sorted(row.deck_seq for row in rows if row.split == "deck") == list(
        range(sum(row.split == "deck" for row in rows))
    )
    engine.dispose()


def test_of_two_imports_at_once_the_second_is_refused(either_engine: Engine, tmp_path: Path) -> None:
    file = write(tmp_path, [tweet(1)])
    with (
        alone(either_engine, "import-mayor"),
        pytest.raises(ArchiveError, match="another import of the archive mayor is at work"),
    ):
        bring_in(either_engine, file)
    assert bring_in(either_engine, file).added == 1


def test_the_lock_leaves_no_file_behind(engine: Engine, tmp_path: Path) -> None:
    bring_in(engine, write(tmp_path, [tweet(1)]))
    assert not list(tmp_path.glob("*.lock"))


def test_a_deleted_archive_takes_no_import(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        add_tweets(connection, add_archive(connection, deleted_at=LONG_AGO), ["old"])
    before = everything(engine)
    with pytest.raises(ArchiveError, match="the archive mayor was deleted"):
        bring_in(engine, write(tmp_path, [tweet(1)]))
    assert everything(engine) == before


def test_no_write_transaction_takes_more_than_a_batch(engine: Engine, tmp_path: Path) -> None:
    written: list[int] = []

    @event.listens_for(engine, "after_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        if statement.startswith(("INSERT INTO tweets", "DELETE FROM tweets")):
            written.append(cursor.rowcount)

    with pytest.raises(ImportStoppedError):
        bring_in(
            engine,
            write(tmp_path, [tweet(n) for n in range(2100)]),
            should_stop=lambda: sum(written) >= 1500,
        )
    assert written
    assert max(written) <= 500


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    errors=st.sampled_from(["strict", "replace"]),
)
def test_any_bytes_are_imported_or_refused(engine: Engine, tmp_path: Path, content: bytes, errors: str) -> None:
    (tmp_path / "any").write_bytes(content)
    before = everything(engine)
    try:
        done = bring_in(engine, tmp_path / "any", encoding_errors=errors, split=None)
    except ArchiveError:
        assert everything(engine)[2] == before[2]
    else:
        assert len(stored(engine)) == len(before[2]) + done.added


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
    _assert_no_leak(rows)


def _assert_no_leak(rows: list[Any]) -> None:
    """Of a thousand deck tweets, none has a near copy in the train split (found another way: by rare words)."""
    by_word: dict[str, list[str]] = {}
    for row in rows:
        if row.split == "train":
            folded = compared(row.text)
            for word in set(folded.split()):
                by_word.setdefault(word, []).append(folded)
    deck = [compared(row.text) for row in rows if row.split == "deck"][:1000]
    leaks = 0
    for text in deck:
        rare = sorted(set(text.split()), key=lambda word: len(by_word.get(word, [])))[:4]
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


def test_the_demo_archive_is_imported_whole(engine: Engine) -> None:
    done = bring_in(engine, Path(__file__).parents[2] / "demo" / "mayor_of_gannet.jsonl", is_demo=True)
    assert (done.read, done.added, done.left_out) == (4082, 4082, {})
    assert done.leanings["reply"] == 97
