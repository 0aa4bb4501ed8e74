"""An account's outbox at a server of the Fediverse, as Mastodon exports it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.archives import ArchiveError, source
from app.archives.records import Record
from app.archives.sift import Sieve
from tests.archives.reading import as_lines, read

ME = "https://sea.example/users/mayor"
CONTEXT = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{CONTEXT}#Public"


def note(number: int, content: str, to: str = PUBLIC, **more: Any) -> dict[str, Any]:
    """A post as an activity."""
    held = {"id": f"{ME}/statuses/{number}", "type": "Note", "published": "2022-11-05T12:00:00Z", "content": content}
    held |= {"attributedTo": ME, "summary": None, "sensitive": False}
    return {"type": "Create", "actor": ME, "to": [to], "cc": [], "object": held | {"to": [to], "cc": []} | more}


def outbox(*activities: object) -> str:
    """A whole outbox."""
    held = {"id": "outbox.json", "type": "OrderedCollection", "orderedItems": list(activities)}
    return json.dumps({"@context": CONTEXT} | held)


def test_public_posts_are_read(tmp_path: Path) -> None:
    reading, records = read(tmp_path, outbox(note(109, "<p>One &amp; more</p><p>Two<br />three</p>")))
    assert (reading.format, reading.unit) == ("json", "tweet")
    assert records == [Record("One & more\nTwo\nthree", "sea.example/109", "2022-11-05T12:00:00Z", "mayor")]


def test_unlisted_posts_are_public_and_replies_are_told(tmp_path: Path) -> None:
    unlisted = note(1, "<p>One</p>", to=f"{ME}/followers", cc=[PUBLIC])
    reply = note(2, "<p>Two</p>", inReplyTo="https://other.example/users/ann/statuses/5")
    records = read(tmp_path, outbox(unlisted, reply))[1]
    assert [(record.text, record.in_reply) for record in records] == [("One", False), ("Two", True)]


@pytest.mark.parametrize("to", [f"{ME}/followers", "https://other.example/users/ann"])
def test_what_was_not_public_leaves_its_words_behind(tmp_path: Path, to: str) -> None:
    records = read(tmp_path, outbox(note(1, "<p>Open</p>"), note(2, "<p>a secret</p>", to=to)))[1]
    assert [record.private for record in records] == [False, True]
    assert "secret" not in repr(records)


@pytest.mark.parametrize("wider", ["to", "cc"])
def test_where_the_activity_says_public_and_its_note_does_not_the_note_is_believed(tmp_path: Path, wider: str) -> None:
    contradicting = note(1, "<p>a secret</p>", to=f"{ME}/followers") | {wider: [PUBLIC]}
    assert [record.private for record in read(tmp_path, outbox(contradicting))[1]] == [True]


def test_a_note_that_names_nobody_goes_where_its_activity_goes(tmp_path: Path) -> None:
    bare = note(1, "<p>One</p>", to=[])
    records = read(tmp_path, outbox(bare | {"to": [PUBLIC]}, bare | {"to": [f"{ME}/followers"]}))[1]
    assert [record.private for record in records] == [False, True]


def test_what_stood_behind_a_warning_leaves_its_words_behind(tmp_path: Path) -> None:
    warned = note(1, "<p>the butler did it</p>", summary="how the play ends", sensitive=True)
    picture = note(2, "<p>The harbour.</p>", summary="", sensitive=True)  # says that its picture is covered, no more
    records = read(tmp_path, outbox(warned, picture))[1]
    assert [record.warned for record in records] == [True, False]
    assert "butler" not in repr(records)


def test_a_note_by_somebody_else_is_no_post_of_the_account(tmp_path: Path) -> None:
    records = read(tmp_path, outbox(note(1, "<p>words</p>", attributedTo="https://sea.example/users/ann")))[1]
    assert [(record.text, record.reposted) for record in records] == [("", True)]


def test_notes_without_their_activities_are_judged_alike(tmp_path: Path) -> None:
    notes = [note(n, f"<p>{n}</p>", to=to)["object"] for n, to in ((1, PUBLIC), (2, f"{ME}/followers"))]
    records = read(tmp_path, outbox(*notes))[1]
    assert [(record.text, record.handle, record.private) for record in records] == [
        ("1", "mayor", False),
        ("", "mayor", True),
    ]


@pytest.mark.parametrize(
    ("answered", "leaning"),
    [
        (f"{ME}/statuses/1", "thread"),
        ("https://sea.example/users/mayoress/statuses/1", "reply"),
        ("https://other.example/users/mayor/statuses/1", "reply"),
        (None, None),
    ],
)
def test_who_answers_themselves_goes_on_with_a_thread(
    tmp_path: Path, answered: str | None, leaning: str | None
) -> None:
    (record,) = read(tmp_path, outbox(note(2, "<p>Yes, at noon.</p>", inReplyTo=answered)))[1]
    tweet = Sieve("mayor").sift(record)
    assert not isinstance(tweet, str)
    assert tweet.leaning == leaning


@pytest.mark.parametrize(
    ("actor", "handle"),
    [
        (ME, "mayor"),
        (f"{ME}/", "mayor"),
        ("https://sea.example/ap/users/115093", None),
        ("https://sea.example/@m", "m"),
    ],
)
def test_nobody_is_called_by_the_number_in_an_address(tmp_path: Path, actor: str, handle: str | None) -> None:
    (record,) = read(tmp_path, outbox(note(1, "<p>One</p>", attributedTo=actor) | {"actor": actor}))[1]
    assert (record.text, record.handle) == ("One", handle)


def test_boosts_are_somebody_elses(tmp_path: Path) -> None:
    boost = {"type": "Announce", "actor": ME, "to": [PUBLIC], "object": "https://other.example/users/ann/statuses/5"}
    records = read(tmp_path, outbox(*[boost] * 1200, note(1, "<p>One</p>")))[1]
    assert [record.reposted for record in records] == [True] * 1200 + [False]


@pytest.mark.parametrize(
    "strange", [{"type": "Like"}, {"object": None}, {"object": {"content": 5}}, {"type": "Update"}]
)
def test_other_activities_have_no_text(tmp_path: Path, strange: dict[str, Any]) -> None:
    records = read(tmp_path, outbox(note(1, "<p>One</p>"), note(2, "<p>Two</p>") | strange))[1]
    assert [record.text for record in records] == ["One", None]


def test_an_outbox_longer_than_what_a_file_is_recognised_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "HEAD", 200)
    assert len(read(tmp_path, outbox(*(note(n, f"<p>Number {n}</p>") for n in range(30))))[1]) == 30


def test_emoji_of_a_server_are_pictures_and_leave_no_names(tmp_path: Path) -> None:
    tag = [{"type": "Emoji", "name": ":boat:"}, {"type": "Hashtag", "name": "#fog"}, {"type": "Emoji"}, ":fish:", None]
    texts = [
        "<p>Out at 10:30:20 :boat:, back by :night:</p>",
        "<p>:boat: a:boat: :boat:\u200b:boat:</p>",
        "<p>:boat:</p>",
    ]
    records = read(tmp_path, outbox(*(note(n, text, tag=tag) for n, text in enumerate(texts))))[1]
    tweets = [Sieve("mayor").sift(record) for record in records]
    assert [tweet if isinstance(tweet, str) else tweet.text for tweet in tweets] == [
        "Out at 10:30:20, back by :night:",
        "a:boat:",
        "empty",
    ]
    assert read(tmp_path, outbox(note(1, texts[0], tag="none")))[1][0].text == "Out at 10:30:20 :boat:, back by :night:"


ADDRESSES = [f"https://other.example/users/ann/statuses/{number}" for number in range(9)]


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ({"type": "OrderedCollection", "orderedItems": ADDRESSES}, "a list of addresses (likes.json"),
        (
            {"type": "Person", "id": ME, "preferredUsername": "mayor", "summary": "<p>Mayor.</p>"},
            "the description of an",
        ),
        (
            {"type": "OrderedCollection", "totalItems": 3, "first": f"{ME}/outbox?page=true"},
            "the front page of an outbox",
        ),
    ],
)
def test_other_files_beside_an_outbox_are_told_by_what_they_are(
    tmp_path: Path, held: dict[str, Any], found: str
) -> None:
    with pytest.raises(ArchiveError) as refused:
        read(tmp_path, json.dumps({"@context": CONTEXT} | held))
    assert str(refused.value).startswith(f"archive.dat is {found}")
    assert str(refused.value).endswith(": expected outbox.json of Mastodon's export")


def test_a_long_list_of_addresses_is_told_by_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "HEAD", 200)
    with pytest.raises(ArchiveError, match=r"^archive\.dat is a list of addresses"):
        read(tmp_path, json.dumps({"@context": CONTEXT, "type": "OrderedCollection", "orderedItems": ADDRESSES}))


@pytest.mark.parametrize("kind", [[], {"Person": 1}, None, 5])
def test_a_kind_that_is_no_word_is_that_of_no_account(tmp_path: Path, kind: Any) -> None:
    with pytest.raises(ArchiveError, match=r"^no tweets in archive\.dat: "):
        read(tmp_path, json.dumps({"@context": CONTEXT, "type": kind}))


def test_activities_one_a_line_are_no_other_file(tmp_path: Path) -> None:
    rows = [{"@context": CONTEXT} | note(n, f"<p>{n}</p>", author={"type": "Person"}) for n in (1, 2)]
    assert [record.text for record in read(tmp_path, as_lines(*rows))[1]] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (outbox(), "no rows in archive.dat: expected tweets in "),
        (outbox({"type": "Like", "actor": ME, "object": ADDRESSES[0]}), "no tweets in archive.dat: "),
        (outbox(note(1, "<p>One</p>"), note(2, "<p>Two</p>"))[:-40], "broken JSON in archive.dat at byte "),
        (outbox(note(1, "<p>One</p>")).replace('"actor"', "actor"), "broken JSON in archive.dat at byte "),
    ],
)
def test_an_outbox_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, content: str, refused: str) -> None:
    with pytest.raises(ArchiveError) as error:
        read(tmp_path, content)
    assert str(error.value).startswith(refused)
    assert str(error.value).isprintable()


def test_an_outbox_is_known_whatever_stands_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "HEAD", 200)
    held = {
        "id": "outbox.json",
        "type": "OrderedCollection",
        "orderedItems": [note(n, f"<p>{n}</p>") for n in range(9)],
    }
    reading, records = read(tmp_path, json.dumps(held))
    assert (reading.format, len(records)) == ("json", 9)
