"""Items of a feed: the entries of an RSS 2.0 or Atom file, one by one, as the fields that a post can be made of.

Read by expat, piece by piece. A document type is refused where it begins, so there are no entities but XML's own five
and the characters that HTML names, and nothing outside the file is ever looked at. How deep elements lie, how long a
tag is and how many names there are is bounded, since expat keeps all of these in the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from html.entities import html5
from typing import NamedTuple
from xml.parsers import expat

from app.archives import ArchiveError
from app.archives.source import EXPECTED, Source

_LONGEST_FIELD = 200_000  # characters of a field that are kept; a text is too long far below
_LONGEST_TAG = 1 << 20  # bytes of one tag or comment
_DEEPEST = 200  # elements within each other
_MOST_NAMES = 10_000  # different names of elements and attributes

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_ACTIVITY = "http://activitystrea.ms/spec/1.0/"
_THREAD = "http://purl.org/syndication/thread/1.0"

# What stands in an item, and the field that it becomes. The first that is filled counts.
_OF_RSS = {"description": "summary", "title": "title", "link": "link", "guid": "id", "pubDate": "date"}
_OF_ATOM = {
    **{"content": "content", "summary": "summary", "title": "title", "link": "link", "id": "id"},
    **{"published": "date", "updated": "updated"},
}
_OF_OTHERS = {
    (_CONTENT, "encoded"): "content",
    (_DUBLIN_CORE, "creator"): "creator",
    (_DUBLIN_CORE, "date"): "updated",
    (_ACTIVITY, "verb"): "verb",
    (_THREAD, "in-reply-to"): "answers",
}
_IS_MARKUP = {"text": False, "text/plain": False, "html": True, "text/html": True}
_IS_MARKUP |= {"xhtml": True, "application/xhtml+xml": True}

_OPENING = " \t\r\n\ufeff\x1e"
_PROLOGUE = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_OUTERMOST = re.compile(r"<(!doctype\s+)?((?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*))", re.IGNORECASE)
_FEED = re.compile(r"<(?:[\w.-]+:)?(?:rss\b|feed\s[^<>]*\bxmlns)")
_KNOWN = {"opml": "a list of feeds, each to be got by itself", "RDF": "RSS 1.0", "urlset": "the map of a site"}
_CUT_SHORT = frozenset(
    expat.errors.codes[error]
    for error in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


class Words(NamedTuple):
    """What a field holds."""

    text: str
    markup: bool | None  # whether it is HTML; None: the feed does not say


Item = Mapping[str, Words]  # by field: content, summary, title, link, id, date, updated, creator, verb, answers


def is_feed(head: str, name: str) -> bool:
    """Whether a feed begins here; False where no XML does, or a page of HTML.

    Raises:
        ArchiveError: it is another kind of XML, or declares a document type.
    """
    prologue = _PROLOGUE.match(head)
    place = prologue.end() if prologue else 0
    outermost = _OUTERMOST.match(head, place)
    if outermost is None or outermost.group(3).lower() == "html":
        return False
    if _FEED.match(head, place):
        return True
    if outermost.group(1) and (head.startswith("<?xml") or outermost.group(3).lower() in ("rss", "feed")):
        raise _of_a_type(name)
    if head.startswith("<?xml"):
        raise _no_feed(name, outermost.group(3))
    return False


def feed_items(source: Source) -> Iterator[Item]:
    """The items of `source`, one by one.

    Raises:
        ArchiveError: the XML is broken, and the message names the place; it is no feed; it means harm.
    """
    return _Reader(source).items()


class _Field:
    """A field that is being read: its words, and between them the tags of elements, as XHTML has them."""

    def __init__(self, name: str, markup: bool | None) -> None:
        self.name = name
        self._markup = markup
        self._parts: list[tuple[bool, str]] = []  # whether it is a tag, and what stands there
        self._length = 0

    def add(self, text: str, *, tag: bool = False) -> None:
        if self._length <= _LONGEST_FIELD:
            self._length += len(text)
            self._parts.append((tag, text))

    def words(self) -> Words:
        if any(tag for tag, _ in self._parts):
            return Words("".join(part if tag else escape(part) for tag, part in self._parts), markup=True)
        return Words("".join(part for _, part in self._parts), self._markup)


class _Reader:
    """What expat tells, gathered into items."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines_skipped = 0  # lines of the file that expat never gets
        self._piece = b""
        self._before = 0  # bytes that expat had before `_piece`
        self._silent = 0  # bytes since it last told anything
        self._depth = 0
        self._own = ""  # the namespace of items
        self._fields: Mapping[tuple[str, str], str] = {}  # by namespace and name
        self._item: dict[str, Words] = {}
        self._item_depth = 0  # 0: between items
        self._field: _Field | None = None
        self._done: list[Item] = []
        # The text was decoded by now, whatever its first line says.
        self._parser = parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True  # else each reference comes by itself
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._take
        parser.StartDoctypeDeclHandler = self._refuse_type
        parser.CommentHandler = parser.ProcessingInstructionHandler = self._pass_over
        parser.StartNamespaceDeclHandler = self._pass_over  # so that `intern` counts prefixes too
        # As if names were declared elsewhere, which nobody reads: unknown ones are handed on, not taken for an error.
        parser.UseForeignDTD(True)
        parser.SkippedEntityHandler = self._take_named

    def items(self) -> Iterator[Item]:
        piece = self._source.read()
        text = piece.lstrip(_OPENING)  # programs let an empty line slip in before the XML
        self._lines_skipped = piece[: len(piece) - len(text)].count("\n")
        while text:
            self._parse(text.encode("utf-8", "surrogatepass"))
            yield from self._done
            self._done = []
            text = self._source.read()
        self._parse(b"", last=True)

    def _parse(self, piece: bytes, *, last: bool = False) -> None:
        self._before, self._piece = self._before + len(self._piece), piece
        self._silent += len(piece)
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            if last and error.code in _CUT_SHORT:
                raise self._broken("the file is cut short, expected the rest of the feed") from None
            raise self._broken(expat.ErrorString(error.code)) from None
        if self._silent > _LONGEST_TAG:
            raise self._broken(f"expected tags of at most {_LONGEST_TAG >> 20} MiB")
        if len(self._parser.intern) > _MOST_NAMES:
            raise self._broken(f"more than {_MOST_NAMES:,} names of elements, expected a feed's few")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._silent = 0
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._broken("nested too deeply")
        namespace, _, local = name.rpartition(" ")
        if self._depth == 1:
            self._enter(namespace, local)
        elif self._field:
            href = attributes.get("href")
            self._field.add(f'<{local} href="{escape(href)}">' if href else f"<{local}>", tag=True)
        elif self._item_depth == 0:
            if namespace == self._own and local in ("item", "entry"):
                self._item, self._item_depth = {}, self._depth
        elif self._depth == self._item_depth + 1 and (namespace, local) in self._fields:
            self._field = _begun(self._fields[namespace, local], namespace, attributes)

    def _enter(self, namespace: str, local: str) -> None:
        """Look at the outermost element."""
        if local == "rss":  # some programs put all of it into a namespace
            own = _OF_RSS
        elif (namespace, local) == (_ATOM, "feed"):
            own = _OF_ATOM
        else:
            raise _no_feed(self._source.name, local, namespace)
        self._own = namespace
        self._fields = {(namespace, each): field for each, field in own.items()} | _OF_OTHERS

    def _take(self, text: str) -> None:
        self._silent = 0
        if self._field:
            self._field.add(text)

    def _take_named(self, name: str, _: bool) -> None:
        """A character by HTML's name for it (&nbsp;), which XML does not know, and which programs leave in."""
        if f"{name};" not in html5:
            raise self._broken("undefined entity")
        self._take(html5[f"{name};"])

    def _end(self, name: str) -> None:
        self._silent = 0
        if self._field and self._depth > self._item_depth + 1:
            self._field.add(f"</{name.rpartition(' ')[2]}>", tag=True)
        elif self._field:
            if not _filled(self._item, self._field.name):
                self._item[self._field.name] = self._field.words()
            self._field = None
        elif self._item_depth and self._depth == self._item_depth:
            self._done.append(self._item)
            self._item_depth = 0
        self._depth -= 1

    def _pass_over(self, *told: str | None) -> None:
        self._silent = 0

    def _refuse_type(self, *told: object) -> None:
        raise _of_a_type(self._source.name)

    def _broken(self, why: str) -> ArchiveError:
        """The error that the file is broken here."""
        line, column = self._lines_skipped + self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        rest = self._piece[max(self._parser.CurrentByteIndex - self._before, 0) :][:80]
        found = ascii(rest.decode("utf-8", "replace")[:20]) if rest else "the end of the file"
        return ArchiveError(
            f"broken XML in {self._source.name} at line {line}, column {column}: {why}, found {found}; "
            "nothing was imported"
        )


def _begun(field: str, namespace: str, attributes: Mapping[str, str]) -> _Field | None:
    """The field that begins with these attributes; None for what is no text (a picture, say)."""
    kind = ""
    if namespace == _ATOM and field in ("content", "summary", "title"):
        kind = attributes.get("type", "").strip().lower()
    if kind and kind not in _IS_MARKUP:
        return None
    begun = _Field(field, _IS_MARKUP.get(kind))
    if field == "link" and attributes.get("rel", "alternate") == "alternate":
        begun.add(attributes.get("href", ""))
    elif field == "answers":
        begun.add(attributes.get("href") or attributes.get("ref", ""))
    return begun


def _filled(item: Item, field: str) -> bool:
    return field in item and bool(item[field].text.strip())


def _of_a_type(name: str) -> ArchiveError:
    return ArchiveError(
        f"{name} declares a document type (<!DOCTYPE): expected an RSS or Atom feed without one, since no entities and "
        "no files from elsewhere are read; get the feed from the site itself, or take the declaration out"
    )


def _no_feed(name: str, local: str, namespace: str = "") -> ArchiveError:
    told = f"<{local[:40]}>" + (f" of {namespace[:60]}" if namespace else "")
    told += f" ({_KNOWN[local]})" if local in _KNOWN else ""
    return ArchiveError(
        f"{name} is XML, but no feed: found {told} outermost, expected <rss>, or <feed> of {_ATOM}, or tweets in "
        f"{EXPECTED}; is it a message that stands for a download? (to read it as plain text say --format text)"
    )
