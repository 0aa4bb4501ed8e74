"""Imports from the file to the database: what goes in, as what, and what stays out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bringing import bring_in, everything, stored, tweet, write
from sqlalchemy import Engine

from app.archives import ArchiveError
from app.archives.splits import split_of
from app.db import archives, tweets
from app.db.session import reading
from app.jobs.importing import Progress


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


def test_rows_of_two_files_that_are_counted_alike_are_other_tweets(engine: Engine, tmp_path: Path) -> None:
    first = [tweet(n, id_str=str(n)) for n in range(20)]
    bring_in(engine, write(tmp_path, first))
    second = [tweet(100 + n, id_str=str(n)) for n in range(20)]
    assert bring_in(engine, write(tmp_path, [*first, *second])).added == 20


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


def test_of_a_feed_only_what_the_account_said_itself_is_stored(engine: Engine, tmp_path: Path) -> None:
    def posted(number: int, title: str = "", who: str = "mayor", text: str | None = None) -> str:
        address = f"<guid>https://bird.example/{who}/status/{10**18 + number}#m</guid>"
        told = f"<title>{title}</title><pubDate>Fri, 14 Mar 2025 19:07:41 GMT</pubDate>"
        text = f"<p>{tweet(number)['text']}</p>" if text is None else text
        return f"<item>{address}{told}<description><![CDATA[{text}]]></description></item>"

    warned = "<p><strong>CW:</strong> the play</p><hr><p>the butler did it</p>"
    items = [
        posted(1),
        posted(2, title="RT by @mayor: They say", who="ann"),
        posted(3, title="R to @ann: At noon, then."),
        posted(4, who="ann"),
        posted(5, title="Image", text="<p></p><img>"),
        f"<item><guid>https://sea.example/@mayor/6</guid><description><![CDATA[{warned}]]></description></item>",
        "<item/>",
    ]
    file = tmp_path / "feed"
    file.write_text(f"<rss version='2.0'><channel>{''.join(items)}</channel></rss>")
    done = bring_in(engine, file, handle="mayor")
    assert (done.format, done.unit, done.leanings) == ("feed", "tweet", {"reply": 1})
    assert done.left_out == {
        "no text": 1,
        "another account": 1,
        "behind a warning": 1,
        "retweet": 1,
        "empty": 1,
    }
    assert [row.source_id for row in stored(engine)] == [str(10**18 + number) for number in (1, 3)]
    assert stored(engine)[0].posted_at == datetime(2025, 3, 14, 19, 7, 41, tzinfo=UTC)
    assert bring_in(engine, file, handle="mayor").left_out["already there"] == 2


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


@pytest.mark.slow
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


@pytest.mark.slow
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
    both = bring_in(engine, write(tmp_path, rows), slug="both")
    assert both.handle is None
    assert both.note is not None
    assert "several accounts, @Bob and @Alice among them" in both.note
    assert bring_in(engine, write(tmp_path, [tweet(12, screen_name="Alice")])).handle == "Bob"


def test_the_handle_is_taken_from_authors_that_are_called_by_it(engine: Engine, tmp_path: Path) -> None:
    rows = [tweet(n, author=author) for n, author in enumerate(["bob_builder", "bob_builder", "alice"])]
    assert bring_in(engine, write(tmp_path, rows[:2])).handle == "bob_builder"
    done = bring_in(engine, write(tmp_path, rows), slug="asked-for", handle="@Bob_Builder")
    assert (done.added, done.left_out) == (2, {"another account": 1})


def test_numbers_beside_handles_are_other_authors(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "twcs.csv"
    file.write_text(
        "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n"
        "1,sprintcare,False,Tue Oct 31 22:10:47 +0000 2017,We can help you with that today,2,3\n"
        "2,115712,True,Tue Oct 31 22:11:45 +0000 2017,And how do you propose we do that,,1\n"
        "4,AppleSupport,False,Tue Oct 31 22:10:47 +0000 2017,Update it and send us a note,,\n"
    )
    done = bring_in(engine, file, handle="sprintcare")
    assert (done.added, done.left_out, done.leanings) == (1, {"another account": 2}, {"thread": 1})


def test_a_later_file_without_a_handle_is_sifted_by_the_archives(engine: Engine, tmp_path: Path) -> None:
    rows = [tweet(1, screen_name="Bob"), tweet(2, screen_name="Alice")]
    bring_in(engine, write(tmp_path, rows), handle="bob")
    done = bring_in(engine, write(tmp_path, [*rows, tweet(3, screen_name="bob"), tweet(4, screen_name="Alice")]))
    assert (done.added, done.left_out) == (1, {"another account": 2, "already there": 1})
    assert done.note is not None
    assert done.note.startswith("2 rows of ")
    by_another = bring_in(engine, write(tmp_path, [tweet(5, screen_name="Alice")]), handle="alice")
    assert (by_another.added, by_another.note) == (1, None)


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


@pytest.mark.slow
def test_progress_is_told_to_the_last_byte(engine: Engine, tmp_path: Path) -> None:
    told: list[Progress] = []
    file = write(tmp_path, [tweet(n) for n in range(1100)])
    bring_in(engine, file, on_progress=told.append)
    assert [progress.read for progress in told] == [500, 1000, 1100]
    assert (told[-1].bytes_read, told[-1].bytes_total, told[-1].added) == (file.stat().st_size,) * 2 + (1100,)
