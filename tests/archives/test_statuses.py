"""An account's statuses, as Mastodon's API and the tools that ask it give them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.archives import ArchiveError, source
from app.archives.records import Record
from app.archives.sift import Sieve
from tests.archives.reading import as_lines, read

MAYOR = {"id": "7", "username": "mayor", "acct": "mayor", "note": "<p>Mayor.</p>", "emojis": [], "fields": []}
ANN = {"id": "8", "username": "ann", "acct": "ann@other.example"}


def status(number: int, content: str, visibility: str = "public", **more: Any) -> dict[str, Any]:
    """A post as the API gives it."""
    return {
        "id": str(number),
        "created_at": "2022-11-05T12:00:00.000Z",
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": visibility,
        "uri": f"https://sea.example/users/mayor/statuses/{number}",
        "url": f"https://sea.example/@mayor/{number}",
        "content": content,
        "reblog": None,
        "account": MAYOR,
        "emojis": [],
    } | more


def test_public_posts_are_read_as_an_outbox_has_them(tmp_path: Path) -> None:
    reading, records = read(tmp_path, json.dumps([status(109, "<p>One &amp; more</p><p>Two<br />three</p>")]))
    assert (reading.format, reading.unit) == ("json", "tweet")
    assert records == [Record("One & more\nTwo\nthree", "sea.example/109", "2022-11-05T12:00:00.000Z", "mayor")]


@pytest.mark.parametrize("visibility", ["private", "direct", "limited", "", None, {"by": "me"}, ["me"]])
def test_what_was_not_public_leaves_its_words_behind(tmp_path: Path, visibility: Any) -> None:
    rows = [status(1, "<p>Open</p>", "unlisted"), status(2, "<p>a secret</p>", visibility)]
    reading, records = read(tmp_path, as_lines(*rows))
    assert (reading.format, [record.private for record in records]) == ("jsonl", [False, True])
    assert "secret" not in repr(records)


def test_what_stood_behind_a_warning_leaves_its_words_behind(tmp_path: Path) -> None:
    warned = status(1, "<p>the butler did it</p>", spoiler_text="how the play ends", sensitive=True)
    picture = status(2, "<p>The harbour.</p>", sensitive=True)  # says that its picture is covered, no more
    records = read(tmp_path, as_lines(warned, picture))[1]
    assert [record.warned for record in records] == [True, False]
    assert "butler" not in repr(records)


def test_boosts_are_somebody_elses(tmp_path: Path) -> None:
    theirs = status(5, "<p>Words of Ann</p>", account=ANN)
    records = read(tmp_path, as_lines(status(1, "<p>One</p>"), status(2, theirs["content"], reblog=theirs)))[1]
    assert [record.reposted for record in records] == [False, True]
    assert "Ann" not in repr(records)


@pytest.mark.parametrize(
    ("answered", "leaning"),
    [
        ({"in_reply_to_id": "1", "in_reply_to_account_id": "7"}, "thread"),
        ({"in_reply_to_id": "1", "in_reply_to_account_id": "8"}, "reply"),
        ({"in_reply_to_id": "1", "in_reply_to_account_id": None}, "reply"),
        ({}, None),
    ],
)
@pytest.mark.parametrize("acct", ["mayor", "the-mayor"])
def test_who_answers_themselves_goes_on_with_a_thread(
    tmp_path: Path, answered: dict[str, Any], leaning: str | None, acct: str
) -> None:
    rows = [status(2, "<p>Yes, at noon.</p>", account=MAYOR | {"acct": acct}, **answered)]
    tweet = Sieve("mayor").sift(read(tmp_path, as_lines(*rows))[1][0])
    assert not isinstance(tweet, str)
    assert tweet.leaning == leaning


def test_emoji_of_a_server_are_pictures_and_leave_no_names(tmp_path: Path) -> None:
    emojis = [{"shortcode": "boat", "url": "https://sea.example/boat.png"}, {"url": "x"}, ":fish:", None]
    row = status(1, "<p>Out at 10:30:20 :boat:, back by :night:</p>", emojis=emojis)
    assert read(tmp_path, as_lines(row))[1][0].text == "Out at 10:30:20, back by :night:"


def test_a_post_that_another_server_told_of_is_called_as_its_own_calls_it(tmp_path: Path) -> None:
    there = status(3, "<p>One</p>", account=MAYOR | {"acct": "mayor@sea.example"})
    there |= {"id": "99", "uri": "https://sea.example/users/mayor/statuses/3", "url": "https://away.example/@m/99"}
    without = {name: value for name, value in there.items() if name not in ("uri", "url")}
    records = read(tmp_path, as_lines(there, there | {"uri": None}, without))[1]
    assert [record.id for record in records] == ["sea.example/3", "away.example/99", None], "no digits: those are X's"
    assert {record.handle for record in records} == {"mayor"}


def test_fields_that_a_tool_dropped_or_spoiled_break_nothing(tmp_path: Path) -> None:
    bare = {"content": "<p>One</p>", "visibility": "public", "in_reply_to_id": None}
    odd = status(1, "<p>Two</p>", account="mayor", emojis=5, spoiler_text=None, created_at=[], uri=7, url="x")
    none = status(2, "") | {"content": None}
    records = read(tmp_path, as_lines(bare, odd, none))[1]
    assert [(record.text, record.handle, record.date) for record in records] == [
        ("One", None, None),
        ("Two", None, None),
        (None, "mayor", None),
    ]


def test_a_message_in_a_notification_is_no_post_for_everybody(tmp_path: Path) -> None:
    told = {"id": "4", "type": "mention", "account": ANN, "status": status(2, "<p>psst</p>", "direct", account=ANN)}
    (record,) = read(tmp_path, as_lines(told))[1]
    assert (record.text, record.private, record.handle) == ("", True, "ann")


def test_rows_of_other_tools_that_tell_who_may_see_them_keep_their_angles(tmp_path: Path) -> None:
    rows = [{"id": n, "content": f"<3 to all {n} >", "visibility": "friends"} for n in (1, 2)]
    assert [record.text for record in read(tmp_path, as_lines(*rows))[1]] == ["<3 to all 1 >", "<3 to all 2 >"]


@pytest.mark.parametrize("head", [200, 256 * 1024])
def test_of_all_that_a_tool_saved_of_an_account_its_statuses_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: int
) -> None:
    monkeypatch.setattr(source, "HEAD", head)
    monkeypatch.setattr(source, "PIECE", 1024)
    monkeypatch.setattr("app.archives.json_records.LONGEST_RECORD", 8 * 1024)
    liked = [status(n, f"<p>Liked {n}</p>", account=ANN) for n in range(90)]
    saved = {"account": MAYOR, "favourites": liked, "statuses": [status(n, f"<p>{n}</p>") for n in range(40)]}
    reading, records = read(tmp_path, json.dumps(saved | {"mentions": liked}))
    assert reading.format == "json"
    assert [record.text for record in records] == [str(n) for n in range(40)]


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (json.dumps({"account": MAYOR, "statuses": []}), "no rows in archive.dat: expected tweets in "),
        (as_lines(status(1, "") | {"content": None}), "no tweets in archive.dat: "),
        (as_lines(status(1, "<p>One</p>"), status(2, "<p>Two</p>"))[:-40], "broken JSON in archive.dat at byte "),
    ],
)
def test_statuses_that_cannot_be_read_are_refused_in_one_line(tmp_path: Path, content: str, refused: str) -> None:
    with pytest.raises(ArchiveError) as error:
        read(tmp_path, content)
    assert str(error.value).startswith(refused)
    assert str(error.value).isprintable()
