"""Whatever bytes an archive's file holds, it is read or refused in one line: never a traceback."""

from __future__ import annotations

import io
import json
import tarfile
import unicodedata
import zipfile
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.archives import ArchiveError
from app.archives.formats import FORMATS
from app.archives.opening import open_archive
from app.archives.sift import Sieve
from app.archives.source import ENCODING_ERRORS

pytestmark = pytest.mark.slow

ROWS = 200
UNSEEN = {"Cc", "Cs", "Co"}  # controls and halves of characters: no card holds one

texts = st.text(max_size=60) | st.sampled_from(
    ["<script>alert(1)</script>", "\u202eevil", "=1+1", "a\x00b", "z\u0300" * 40, "RT @a: b", "x" * 5000, "\ud83d", ""]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        *(
            "text",
            "full_text",
            "Text",
            "id",
            "id_str",
            "created_at",
            "date",
            "tweet",
            "user",
            "in_reply_to_user_id_str",
        ),
        *("data", "orderedItems", "actor", "type", "object", "content", "to", "note_tweet", "conversation_id", "reply"),
        *("@context", "attributedTo", "summary", "inReplyTo", "cc", "tag"),
        *("visibility", "account", "reblog", "spoiler_text", "in_reply_to_id", "emojis", "uri", "status"),
        *("in_reply_to_user_id_str", "referenced_tweets", "retweeted_status", "reason", "post", "123"),
    ]
)
elements = st.sampled_from(
    [
        *("title", "link", "guid", "id", "pubDate", "description", "content:encoded", "dc:creator", "content"),
        *("summary", "published", "updated", "activity:verb", "thr:in-reply-to", "item", "entry", "p", "a:b"),
    ]
)
posts = st.sampled_from(
    [
        *("https://a.example/@b/1", "https://a.example/b/status/1#m", "at://did:plc:a/app.bsky.feed.post/1"),
        *("<p><strong>CW</strong> a</p><hr><p>b</p>", "RT by @a: b", "R to @a: b", '<a href="b/c">b/…</a>', "&a;"),
    ]
)
rows = st.lists(st.dictionaries(names, values, max_size=6) | values, max_size=5)


def as_json(found: Any) -> bytes:
    return json.dumps(found).encode("utf-8", "replace")


def as_zip(content: bytes, name: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as bundle:
        bundle.writestr(name or "tweets.js", content)
    return whole.getvalue()


def as_tar(content: bytes, mode: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode=mode) as packed:  # type: ignore[call-overload]
        for name in ("a.png", "outbox.json"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return whole.getvalue()


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file that is nearly right, cut, repeated or spoiled somewhere; or any bytes at all."""
    content = draw(
        rows.map(as_json)
        | rows.map(lambda found: b"\n".join(map(as_json, found)))
        | st.dictionaries(names, values | rows, max_size=3).map(as_json)
        | rows.map(lambda found: b"window.YTD.tweets.part0 = " + as_json([{"tweet": row} for row in found]))
        | st.lists(st.lists(texts, max_size=4), max_size=4).map(_as_csv)
        | st.builds(_as_feed, st.lists(st.dictionaries(elements, texts | posts, max_size=6), max_size=4), st.booleans())
        | texts.map(lambda text: text.encode("utf-8", "replace"))
        | st.binary(max_size=200)
    )
    packing = draw(st.sampled_from(["", "", "zip", "zip", "w", "w:gz"]))
    if packing == "zip":
        content = as_zip(content, draw(st.sampled_from(["data/tweets.js", "../../etc/passwd", "a.csv", "tweet.js"])))
    elif packing:
        content = as_tar(content, packing)
    for _ in range(draw(st.integers(0, 2))):
        begin = draw(st.integers(0, len(content)))
        end = draw(st.integers(begin, min(len(content), begin + 20)))
        content = content[:begin] + draw(st.binary(max_size=8)) + content[end:]
    return content


def _as_csv(lines: list[list[str]]) -> bytes:
    return ("id,text,created_at\n" + "\n".join(",".join(line) for line in lines)).encode("utf-8", "replace")


def _as_feed(items: list[dict[str, str]], of_atom: bool) -> bytes:
    outer, inner = ('feed xmlns="http://www.w3.org/2005/Atom"', "entry") if of_atom else ("rss", "item")
    spaces = {
        "content": "http://purl.org/rss/1.0/modules/content/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "activity": "http://activitystrea.ms/spec/1.0/",
        "thr": "http://purl.org/syndication/thread/1.0",
    }
    told = ["".join(f"<{name}>{escape(text)}</{name}>" for name, text in item.items()) for item in items]
    held = "".join(f"<{inner}>{each}</{inner}>" for each in told)
    named = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in spaces.items())
    return f"<{outer}{named}>{held}</{outer.split()[0]}>".encode("utf-8", "replace")


@pytest.mark.parametrize("format", ["auto", *FORMATS])
def test_any_file_is_read_or_refused_in_one_line(tmp_path: Path, format: str, tried: dict[str, int]) -> None:
    file = tmp_path / "any"

    @settings(settings.get_profile("fuzz"))
    @given(files(), st.sampled_from(ENCODING_ERRORS))
    def read(content: bytes, errors: str) -> None:
        tried["inputs"] += 1
        file.write_bytes(content)
        refused = ""
        sieve = Sieve(None, passages=False)
        try:
            with open_archive(file, format, None, errors) as found:
                for record in islice(found.reading.records, ROWS):
                    sifted = sieve.sift(record)
                    if not isinstance(sifted, str):
                        assert not {unicodedata.category(mark) for mark in sifted.text.replace("\n", "")} & UNSEEN
        except ArchiveError as error:
            refused = str(error)
        assert refused.isprintable(), "an error is one line that can be shown anywhere"

    read()
