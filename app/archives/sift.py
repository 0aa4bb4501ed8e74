"""The sieve: which records are the account's own tweets, and what each of them is called when it is left out.

- "RT @name" at the start is a retweet, as is "RT:" before a link, whatever a flag says; "RT if you agree" is not. So is
  what holds the tweet of somebody else that it repeats.
- A text that begins with a quotation mark and @name, or that has RT @name, QT @name or "@name: inside, is mostly
  somebody else's words. A generator would learn those, so it is left out as a quote.
- What was not for everybody, or stood behind a warning, is left out by what its file says of it.
- Replies, parts of threads and cut texts are the account's own and are kept; they are marked, and not dealt by default.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from app.archives.records import Record
from app.wording import leaning
from model.text import LINK, normalise

LONGEST = 10_000  # characters of a text as stored; no tweet and no passage fit for a card is as long

_GONE = ("[deleted]", "[removed]")  # what Reddit puts in the place of words

# Reasons for leaving a row out, in the order in which they are tried.
NO_TEXT = "no text"
OTHER_ACCOUNT = "another account"
NOT_PUBLIC = "not public"
WARNED = "behind a warning"
TOO_LONG = "too long"
EMPTY = "empty"
RETWEET = "retweet"
QUOTE = "quote"
LINK_ONLY = "link only"
ALREADY_THERE = "already there"
DUPLICATE = "same text twice"
BRIDGE = "near copies in two splits"
REASONS = (
    *(NO_TEXT, OTHER_ACCOUNT, NOT_PUBLIC, WARNED, RETWEET, TOO_LONG, EMPTY, QUOTE, LINK_ONLY),
    *(ALREADY_THERE, DUPLICATE, BRIDGE),
)

_QUOTES = "\"“”„‟«»'‘’‚‛`"
# Behind "RT:" archives of Truth Social have the address of the post, and its words.
_RETWEET = re.compile(rf"[\s.{_QUOTES}]{{0,3}}RT(?::?\s*@\w|:\s*{LINK})", re.IGNORECASE)
_QUOTE = re.compile(
    rf"""[\s.]{{0,3}}[{_QUOTES}]+\s*[@＠]\w             # "@name: …
    | \.?(?:[@＠]\w+:?\s+){{1,9}}[{_QUOTES}]+\s*[@＠]\w      # @name "@name …" answer
    | .*(?:^|[^A-Za-z0-9_@])[RMQ]T:?\s*@\w              # comment RT @name: … (in Japanese without the space)
    | .*["“”„«]\s*[@＠]\w+\s*:                          # comment "@name: …"
    """,
    re.VERBOSE | re.DOTALL,
)

_FEW_DIGITS = re.compile(r"\d{1,6}")
_MOSTLY = 0.9  # share of authors that must be able to be handles
_MAY_BE_A_HANDLE = re.compile(r"[A-Za-z0-9_.-]{1,40}")  # of some platform
_A_NAME_TOO = re.compile(r"[A-Z][a-z]*|[A-Z]+|\d+")  # "Oprah" may be called otherwise at X; "oprah_w" is a handle


class Tweet(NamedTuple):
    """A record that passed the sieve."""

    key: str  # what makes it the same tweet at a second import
    id: str | None
    text: str  # normalised
    leaning: str | None  # reply, thread or cut; None: it stands on its own
    date: str | int | float | None


class Sieve:
    """What one import lets pass."""

    def __init__(self, handle: str | None, *, passages: bool = False) -> None:
        """`handle`: rows of other accounts are left out. `passages`: texts that no account posted, none leans."""
        self._handle = handle.lower() if handle else None
        self._passages = passages
        self._authors_are_handles = False

    def meet(self, records: Sequence[Record]) -> None:
        """Find out by the first records whether their authors are called by handles or by names of another kind."""
        authors = [record.author for record in records if record.author and record.author != _GONE[0]]
        handles = [author for author in authors if _MAY_BE_A_HANDLE.fullmatch(author)]
        told = any(handle.lower() == self._handle or not _A_NAME_TOO.fullmatch(handle) for handle in handles)
        self._authors_are_handles = told and len(handles) >= _MOSTLY * len(authors)

    def poster(self, record: Record) -> str | None:
        """Who posted the record, by a handle; None where its file does not say."""
        return record.handle or (record.author if self._authors_are_handles else None)

    def sift(self, record: Record) -> Tweet | str:
        """The tweet in `record`, or the reason why there is none."""
        raw = record.text
        if raw is None:
            return NO_TEXT
        poster = (self.poster(record) or "").lower()
        if self._handle and poster and poster != self._handle:
            return OTHER_ACCOUNT
        if record.private:
            return NOT_PUBLIC
        if record.warned:
            return WARNED
        if record.reposted:
            return RETWEET
        # Four times as long as may be stored is too long whatever references and spaces become of it.
        text = normalise(raw) if len(raw) <= 4 * LONGEST else raw
        reason = _fault(text)
        if reason:
            return reason
        return Tweet(
            _key(record.id, text), record.id, text, None if self._passages else self._leaning(text, record), record.date
        )

    def _leaning(self, text: str, record: Record) -> str | None:
        found = leaning(text)
        if found is None and record.in_reply:
            # An answer to others opens with their names; one without goes on from the account's own tweet.
            poster = (self.poster(record) or "").lower()
            own = record.reply_to and record.reply_to.lower() in (self._handle, poster)
            return "thread" if own or record.reply_to is None else "reply"
        return found


def _key(id: str | None, text: str) -> str:
    if not id:
        return f"text:{text_key(text)}"
    # So few digits may be the number of a row, and another file's rows have the same numbers.
    return f"id:{id}:{text_key(text)}" if _FEW_DIGITS.fullmatch(id) else f"id:{id}"


def text_key(text: str) -> str:
    """What stands for a text where there is no id: 128 bits of its hash, in hexadecimal."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _fault(text: str) -> str | None:
    if len(text) > LONGEST:
        return TOO_LONG
    if not text or text in _GONE:
        return EMPTY
    if "T" in text.upper() and _RETWEET.match(text):
        return RETWEET
    if ("@" in text or "＠" in text) and _QUOTE.match(text):
        return QUOTE
    if LINK in text and all(c == LINK or unicodedata.category(c)[0] in "PZC" for c in text):
        return LINK_ONLY
    return None
