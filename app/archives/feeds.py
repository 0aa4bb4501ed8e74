"""Feeds: the posts in an account's RSS or Atom, as Mastodon, Bluesky, Nitter and blogs give it.

A post's address tells whose program wrote the item, and so what in it are the account's words: Mastodon puts a warning
before them and a poll behind, Nitter the post that is quoted, and both tell a title that nobody wrote. GoToSocial's
addresses are Mastodon's; its description is a sentence about the post, and its warning is the title.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from app.archives.markup import plain
from app.archives.records import Record, address_id, handle_in, short_id
from app.archives.source import Source
from app.archives.xml_items import Item, Words, feed_items

_STATUS = re.compile(r"https?://[^/\s]+/(?:@(\w+)/(?:statuses/)?|users/(\w+)/statuses/)(?:\d+|[0-9A-Z]{26})")
_TWEET = re.compile(r"https?://[^/\s]+/(\w{1,30})/status/(\d{1,19})(?:#m)?")
_BLUESKY = re.compile(r"at://[^/\s]+/app\.bsky\.feed\.post/\w+")
_BLUESKY_EMBEDS = re.compile(r"\s*\[contains quote post or other embedded content\]\s*$")
# "Content warning:" in any language, and what it warns of; emoji are pictures.
_WARNING = re.compile(r"\s*<p>(?:<strong>[^<]*</strong>)?(?:[^<]|<img\b[^<>]*>)*</p>\s*<hr\b[^<>]*>")
_GOTOSOCIAL = re.compile(r"@\w+@\S+ (?:made a new post|posted (?:1|\[\d+\]) attachments?)")
_CHOICE = re.compile(r"<(radio|checkbox)\b[^<>]*>[^<]*</\1>")
_RETWEETED = re.compile(r"RT by @\w+: ")
_ANSWERING = re.compile(r"R to @(\w+): ")
_FIRST_PARAGRAPH = re.compile(r"\s*<p>(.*?)</p>", re.DOTALL)

_HTML = re.compile(
    r"</?(?:p|br|a|div|span|img|b|i|u|s|em|strong|small|del|ins|sub|sup|q|code|pre|ul|ol|li|blockquote|hr|h[1-6]"
    r"|figure|video|audio|iframe|table)\b[^<>]*>",
    re.IGNORECASE,
)
_LINK = re.compile(r"<a\b([^<>]*)>([^<>]*)…</a>", re.IGNORECASE)
_TARGET = re.compile(r"""\bhref=(["'])(.*?)\1""", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def feed_records(source: Source) -> Iterator[Record]:
    """The records of `source`, one by one.

    Raises:
        ArchiveError: the XML is broken or no feed, or means harm.
    """
    return map(item_record, feed_items(source))


def item_record(item: Item) -> Record:
    """The record in an item: of a repost no words, nor of what stood behind a warning."""
    link, known = _value(item, "link"), _value(item, "id")
    if _value(item, "verb").endswith("/share"):
        return Record("", reposted=True)
    if tweet := _TWEET.fullmatch(link) or _TWEET.fullmatch(known):
        return _of_nitter(item, tweet)
    if status := _STATUS.fullmatch(link) or _STATUS.fullmatch(known):
        told = _GOTOSOCIAL.match(_value(item, "summary"))
        return _of_gotosocial(item, status) if told else _of_mastodon(item, status)
    if _BLUESKY.fullmatch(known):
        return _of_bluesky(item, known)
    return _of_blog(item, known)


def _of_nitter(item: Item, address: re.Match[str]) -> Record:
    title, words = _value(item, "title"), _told(item, "summary")
    if _RETWEETED.match(title):
        return Record("", reposted=True)
    if words and (own := _FIRST_PARAGRAPH.match(words.text)):
        words = Words(own[1], markup=True)  # the post that is quoted, and the word Video, stand behind
    answering = _ANSWERING.match(title)
    return Record(
        _readable(words, lines=True),
        address[2],
        _date(item),
        _creator(item) or handle_in(address[1]),
        answering is not None,
        answering[1] if answering else None,
    )


def _of_mastodon(item: Item, address: re.Match[str]) -> Record:
    handle = handle_in(address[1] or address[2])
    words = _told(item, "content", "summary")
    if words and _WARNING.match(words.text):
        return Record("", handle=handle, warned=True)
    own = words and words._replace(text=_CHOICE.sub("", words.text))
    return Record(_readable(own), address_id(address[0]), _date(item), handle)


def _of_gotosocial(item: Item, address: re.Match[str]) -> Record:
    handle = handle_in(address[1] or address[2])
    # The title is the warning, and where there is none what the description quotes, which is cut later.
    title, quoted = _value(item, "title"), _value(item, "summary").partition(': "')[2]
    said = quoted.removesuffix('"').strip() == title or (title.endswith("...") and quoted.startswith(title[:-3]))
    if not said:
        return Record("", handle=handle, warned=True)
    text = _readable(item.get("content", Words("", markup=True)))
    return Record(text, address_id(address[0]), _date(item), handle)


def _of_bluesky(item: Item, known: str) -> Record:
    words = _told(item, "summary")
    text = _BLUESKY_EMBEDS.sub("", words.text).strip() if words else None
    return Record(text, address_id(known), _date(item))


def _of_blog(item: Item, known: str) -> Record:
    return Record(
        _readable(_told(item, "content", "summary", "title")),
        _id(known),
        _date(item),
        _creator(item),
        "answers" in item,
        _value(item, "answers") or None,
    )


def _readable(words: Words | None, *, lines: bool = False) -> str | None:
    """Words as they are read; line breaks in HTML are spaces, unless they are `lines`."""
    if words is None:
        return None
    text, markup = words
    if not (_HTML.search(text) if markup is None else markup):
        return text.strip()
    if not lines and "<pre" not in text.lower():
        text = _SPACE.sub(" ", text)
    return plain(_LINK.sub(_whole_link, text))


def _whole_link(found: re.Match[str]) -> str:
    """The address behind a link that is shown shortened; the link as it is where it shows other words."""
    target = _TARGET.search(found[1])
    shown = found[2].strip()
    return target[2] if target and shown and shown in html.unescape(target[2]) else found[0]


def _told(item: Item, *fields: str) -> Words | None:
    """The first of the fields that is filled; one that is empty where none is; None where there is none."""
    there = [item[field] for field in fields if field in item]
    return next((words for words in there if words.text.strip()), there[0] if there else None)


def _value(item: Item, field: str) -> str:
    return item[field].text.strip() if field in item else ""


def _date(item: Item) -> str | None:
    return _value(item, "date") or _value(item, "updated") or None


def _creator(item: Item) -> str | None:
    """Who wrote it, where that is a handle; the name of a person is none, though it may look like one."""
    creator = _value(item, "creator")
    return handle_in(creator) if creator.startswith("@") else None


def _id(known: str) -> str | None:
    """What the feed knows an item by. Digits alone would be a tweet's."""
    return short_id(f"guid/{known}" if known.isdecimal() else known)
