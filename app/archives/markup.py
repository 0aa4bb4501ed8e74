"""Markup: the HTML of a post as the text that is read."""

from __future__ import annotations

import html
import re
from collections.abc import Set

from app.archives.records import Record
from app.archives.sift import LONGEST

_BREAK = re.compile(r"(?:<(?:br|/?(?:p|div|ul|ol|li|blockquote|pre|h[1-6]))\b[^<>]*>\s*)+", re.IGNORECASE)
# What Mastodon puts before a quoting post, for programs that show no quotes: not the account's words.
_QUOTED = re.compile(r"\s*<p [^<>]{0,200}\bquote-inline\b[^<>]{0,200}>.*?</p>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_SHORTCODE = re.compile(r"[ \u00a0]?(?<![\w:])(:\w{1,60}:)(?![\w:])")
_MOST_MARKED = 10 * LONGEST  # characters of a text with its markup; longer ones are too long whatever it is


def plain(content: str, emoji: Set[str] = frozenset()) -> str:
    """HTML as the text that is read: blocks are lines, and a server's own `emoji`, which are pictures (:boat:), go."""
    if len(content) > _MOST_MARKED:
        return content
    own = content[found.end() :] if (found := _QUOTED.match(content)) else content
    text = html.unescape(_TAG.sub("", _BREAK.sub("\n", own)))
    return (_SHORTCODE.sub(lambda found: "" if found[1] in emoji else found[0], text) if emoji else text).strip()


def unmarked(record: Record) -> Record:
    """The record with its text as it is read, where that is in paragraphs of HTML, as servers of Mastodon's kind give
    posts to programs that write tables; what people type is not.
    """
    text = record.text.strip() if record.text else ""
    return record._replace(text=plain(text)) if text.startswith("<p>") and text.endswith("</p>") else record
