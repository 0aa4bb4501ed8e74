"""Records: a row of any format, reduced to what an archive asks of it. Nothing is judged here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

FORMATS = ("json", "jsonl", "x", "csv", "feed", "text")  # kinds of files that records come from

# What columns are called, lower case and without anything but letters and digits; the first that is filled counts.
TEXT_COLUMNS = (
    *("notetweettext", "extendedtweetfulltext"),  # where the text beside them is cut
    *("fulltext", "text", "tweet", "content", "body", "rawcontent", "tweettext", "tweets", "tweetcontent"),
    *("tweetfulltext", "textraw", "rawtext", "originaltweet", "originaltext", "embedtext", "embeddedtext", "posttext"),
)
# Beside a tweet's own, "id" is what a database counts rows by.
_ID_COLUMNS = ("idstr", "tweetidstr", "tweetid", "statusid", "id", "restid", "postid")
_DATE_COLUMNS = (
    *("createdat", "date", "timestamp", "datetime", "postedat", "publishedat", "time", "tweetcreatedat", "tweetdate"),
    *("tweettime", "createddate", "postdate", "createdutc", "publishdate"),
)
_HANDLE_COLUMNS = (
    *("screenname", "username", "userscreenname", "handle", "authorusername", "userusername"),
    *("fromuser", "fromusername", "authorhandle"),
)
# Of user names only user_name and the like: a username is a handle. Companies have theirs for author_id at Kaggle.
_AUTHOR_COLUMNS = ("author", "user", "username", "authorid")
_NAME_OF_USER = re.compile(r"\W*user[\W_]+name\W*", re.IGNORECASE)
_REPLY_COLUMNS = (
    "inreplytostatusidstr",
    "inreplytostatusid",
    "inreplytotweetid",
    "inreplytoid",
    "inreplytouseridstr",
    "inreplytouserid",
    "inreplyto",
    "replyid",
    "inresponsetotweetid",
    "referencedtweetsrepliedtoid",
)
_CONVERSATION_COLUMNS = ("conversationid", "conversationidstr")
# Filled in a retweet alone. Flags are no proof: archives have them wrong, and the API's `retweeted` is about who asks.
_REPOST_COLUMNS = (
    *("retweetedstatus", "retweetedstatusid", "retweetedstatusidstr", "retweetedstatusresult", "retweetedtweet"),
    *("retweetstatusid", "retweetid", "userrt", "retweetedusername", "referencedtweetsretweetedid"),
    "reblog",
)
# Of these tables the texts of retweets are the others' whole words, without RT (twarc's json2csv, FiveThirtyEight).
_KIND_COLUMNS = ("tweettype", "posttype")
_ADDRESS_COLUMNS = ("url", "link", "permalink", "tweeturl", "posturl")
_VISIBILITY_COLUMNS = ("visibility",)
_NOT_PUBLIC = frozenset({"private", "direct", "followers", "specified", "limited"})  # Mastodon's words and Misskey's
_WARNING_COLUMNS = ("cw", "spoilertext", "contentwarning")
_REPLY_HANDLE_COLUMNS = ("inreplytoscreenname", "inreplytousername")
EXPECTED_COLUMNS = "text, full_text, tweet, content or body"

# \N is what PostgreSQL's COPY and MySQL write, <NA> pandas.
_NOTHING = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "\\n", "0", "0.0", "false", "[]", "{}"})
_NO_WORDS = frozenset({"NA", "NaN", "nan", "NULL", "<NA>", "\\N"})  # what R, pandas and databases write for no text
_OTHERS = re.compile(r"quote|retweet|referenced|reply|user|author", re.IGNORECASE)  # who hold another text
_NOT_ALNUM = re.compile(r"[\W_]+")
_LONGEST_ID = 60
_ROUNDED_ID = re.compile(r"[\d.,]+[eE]\+?\d+")
_MARKED_ID = re.compile(r"(?:x|tweet_id:)(\d{5,20})")  # how R's rtweet and a scraper keep them from being rounded
_HANDLE = re.compile(r"@?(\w{1,30})")
_BYTES = re.compile(r"""b(['"])((?:(?!\1)[ -\[\]-~]|\\(?:x[0-9a-f]{2}|[nrt\\'"]))*)\1""")
_CODE_POINT = re.compile(r"<U\+((?:000[0-9A-F]|00?10|[0-9A-F])?[0-9A-F]{4})>")
_AT_X = re.compile(r"https?://(?:(?:[\w-]+\.)*(?:twitter|x)\.com/|.*/status/)", re.IGNORECASE)


class Record(NamedTuple):
    """One row as its file had it."""

    text: str | None  # None: the row is left out, as having no text
    # Digits alone are a tweet's at X: the verdict links to it, and where no date has a zone its time is read from it.
    # What another platform calls by a number needs something before it. At most 60 characters; longer ones are dropped.
    id: str | None = None
    date: str | int | float | None = None
    handle: str | None = None  # who posted it, as the file says
    in_reply: bool = False  # the file says that it answers another tweet
    reply_to: str | None = None  # the handle that it answers, or an address, which is nobody's handle
    reposted: bool = False  # the file holds the tweet of somebody else that this one only repeats
    private: bool = False  # it was not for everybody; `text` is left empty, since what is left out is shown
    warned: bool = False  # it stood behind a warning that a card would not show; `text` is left empty here too
    author: str | None = None  # who posted it, by a handle or by another name: which, all records together tell


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns hold what, by name, the preferred ones first."""

    text: tuple[str, ...]
    id: tuple[str, ...]
    address: tuple[str, ...]
    date: tuple[str, ...]
    time: str | None  # of a table that keeps date and time apart
    handle: tuple[str, ...]
    author: tuple[str, ...]
    reply: tuple[str, ...]
    reply_to: tuple[str, ...]
    conversation: tuple[str, ...]
    repost: tuple[str, ...]
    kind: tuple[str, ...]
    visibility: tuple[str, ...]
    warning: tuple[str, ...]


@lru_cache(maxsize=256)
def layout_of(names: tuple[str, ...]) -> Layout:
    """The layout of rows with columns of these names, in whatever case and punctuation."""
    # What a database calls a row by itself (MongoDB's _id) hides no tweet's own id.
    plain = {plain_name(name): name for name in sorted(reversed(names), key=lambda name: not name.startswith("_"))}
    if not plain.keys() & set(TEXT_COLUMNS):
        plain = {**_of_nested(names), **plain}

    def present(wanted: Sequence[str]) -> tuple[str, ...]:
        return tuple(plain[name] for name in wanted if name in plain)

    date = present(_DATE_COLUMNS)
    apart = "date" in plain and "time" in plain and plain["date"] == date[0]
    return Layout(
        text=present(TEXT_COLUMNS),
        id=present(_ID_COLUMNS),
        address=present(_ADDRESS_COLUMNS),
        date=date,
        time=plain["time"] if apart else None,
        handle=tuple(name for name in present(_HANDLE_COLUMNS) if not _NAME_OF_USER.fullmatch(name)),
        author=tuple(
            name for name in present(_AUTHOR_COLUMNS) if plain_name(name) != "username" or _NAME_OF_USER.fullmatch(name)
        ),
        reply=present(_REPLY_COLUMNS),
        # GetOldTweets3 calls it so; elsewhere it may be anything.
        reply_to=present((*_REPLY_HANDLE_COLUMNS, "to") if "permalink" in plain else _REPLY_HANDLE_COLUMNS),
        conversation=present(_CONVERSATION_COLUMNS),
        repost=present(_REPOST_COLUMNS),
        kind=present(_KIND_COLUMNS),
        visibility=present(_VISIBILITY_COLUMNS),
        warning=present(_WARNING_COLUMNS),
    )


def _of_nested(names: Sequence[str]) -> dict[str, str]:
    """The columns of what holds the text, where a tool wrote paths for names (legacy.full_text), by plain names."""
    paths = [name.rpartition(".") for name in names if "." in name]
    holders = [holder for holder, _, name in paths if plain_name(name) in TEXT_COLUMNS and not _OTHERS.search(holder)]
    own = min(holders, key=len, default=None)
    return {plain_name(name): f"{holder}.{name}" for holder, _, name in reversed(paths) if holder == own}


def plain_name(name: str) -> str:
    """A column's name for comparison: "Tweet ID", tweet_id and tweetId are one."""
    return _NOT_ALNUM.sub("", name).lower()


def record_from(row: Mapping[str, Any], layout: Layout) -> Record:
    """The record in the columns of `row` that `layout` names."""
    get = row.get
    text = next((value for name in layout.text if isinstance(value := get(name), str) and _holds_words(value)), None)
    if text is None and layout.text and isinstance(get(layout.text[0]), str):
        text = ""
    date = next((value for name in layout.date if _is_date(value := get(name))), None)
    if layout.time and isinstance(date, str) and ":" not in date:
        date = f"{date} {get(layout.time) or ''}".strip()
    known = next((known for name in layout.id if (known := _id(get(name)))), None)
    reply_to = next((handle for name in layout.reply_to if (handle := handle_in(get(name)))), None)
    # A conversation is called by the tweet that began it.
    begun_by = next((first for name in layout.conversation if (first := _id(get(name)))), known)
    in_reply = reply_to is not None or any(_is_something(get(name)) for name in layout.reply)
    private = any(str(get(name)).strip().lower() in _NOT_PUBLIC for name in layout.visibility)
    warned = any(isinstance(value := get(name), str) and _is_something(value) for name in layout.warning)
    return Record(
        text if text is None else "" if private or warned else _as_words(text),
        known and _placed(known, row, layout),
        date,
        next((handle for name in layout.handle if (handle := handle_in(get(name)))), None),
        in_reply or (known is not None and begun_by != known),
        reply_to,
        any(_is_something(get(name)) for name in layout.repost)
        or any(str(get(name)).strip().lower() == "retweet" for name in layout.kind),
        private=private,
        warned=warned,
        author=next((who for name in layout.author if (who := _named(get(name)))), None),
    )


def _holds_words(value: str) -> bool:
    return bool(value) and value not in _NO_WORDS


def _as_words(text: str) -> str:
    r"""A text as it was before R on Windows wrote <U+00E9> for a character that it could not, or Python its bytes
    (b'caf\xc3\xa9'), as scripts for Tweepy fill tables.
    """
    if "<U+" in text:
        text = _CODE_POINT.sub(lambda found: chr(int(found[1], 16)), text)
    found = _BYTES.fullmatch(text) if text.startswith(("b'", 'b"')) else None
    try:
        return found[2].encode().decode("unicode_escape").encode("latin-1").decode() if found else text
    except UnicodeDecodeError:
        return text


def handle_in(value: object) -> str | None:
    """The handle that `value` is, without its @; None where it is none."""
    found = _HANDLE.fullmatch(value.strip()) if isinstance(value, str) else None
    return found.group(1) if found and found.group(1).lower() not in _NOTHING else None


def _named(value: object) -> str | None:
    return value.strip().removeprefix("@") or None if isinstance(value, str) else None


def address_id(address: object) -> str | None:
    """The id that a post's address gives: its server and the last part. Digits alone would be a tweet's at X."""
    parts = address.split("/") if isinstance(address, str) else []
    return short_id(f"{parts[2]}/{parts[-1]}" if len(parts) > 3 and parts[-1] else "")


def _placed(known: str, row: Mapping[str, Any], layout: Layout) -> str:
    """An id as it is, or with its server before it where the post's own address is none at X (Truth Social)."""
    for address in (row.get(name) for name in layout.address):
        if isinstance(address, str) and address.endswith(f"/{known}") and not _AT_X.match(address):
            return address_id(address) or known
    return known


def short_id(known: str) -> str | None:
    """An id as it is; None where it is empty, unprintable or has more than 60 characters."""
    return known if known and len(known) <= _LONGEST_ID and known.isprintable() else None


def _id(value: object) -> str | None:
    """An identifier as a string; None for one that a spreadsheet rounded (8.44897E+17), which names another tweet."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < 2**53 else ""
    # Spreadsheets are kept from rounding by ="123" or '123.
    known = str(value).strip().removeprefix("=").strip("\"'").strip()
    if marked := _MARKED_ID.fullmatch(known):
        known = marked.group(1)
    if len(known) > _LONGEST_ID:
        return None
    if known.endswith(".0") and known[:-2].isdecimal():
        known = known[:-2] if int(known[:-2]) < 2**53 else ""
    if known.lower() in _NOTHING - {"0"} or _ROUNDED_ID.fullmatch(known):
        return None
    return known if known.isprintable() else None


def _is_date(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value not in ("", 0)


def _is_something(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _NOTHING
    return value is not None and value == value and bool(value)
