"""Records of JSON in all its forms: an array, an object that holds one, one object a line, and the `tweets.js` of an
export, which is an array with an assignment before it.

Read element by element with the standard library's decoder on a sliding piece of the text: as fast as a streaming
parser, and the byte at which a file is broken is known.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain
from json import JSONDecodeError
from typing import Any

from app.archives import ArchiveError
from app.archives.elements import CONTAINERS, is_unsigned, names_in, records_in, signed
from app.archives.records import Record
from app.archives.source import LONGEST_RECORD, Source

ASSIGNMENT = re.compile(r"(?:var |let |const )?[\w.$\[\]'\"]{1,100}\s*=\s*(?=[\[{])")

_SPACE = re.compile(r"[ \t\r\n\ufeff\x1e\0]*")
_BETWEEN = re.compile(r"[ \t\r\n\ufeff\x1e\0;,]*")
_KNOWN_END = 16  # characters: an error nearer to the end of the piece may only mean that the piece ends there


def json_records(source: Source, *, container: bool = False) -> Iterator[Record]:
    """The records of `source`, one by one; see `json_rows`."""
    return chain.from_iterable(map(records_in, json_rows(source, container=container)))


def json_rows(source: Source, *, container: bool = False) -> Iterator[object]:
    """The elements of `source`, one by one, as they are.

    With `container`, an object at the top holds the array of them; else it is one itself.

    Raises:
        ArchiveError: the JSON is broken; the message names the byte.
    """
    text = _Slide(source)
    while mark := text.peek(_BETWEEN):
        if mark == "[":
            yield from text.elements()
        elif mark == "{" and container:
            yield from text.contained()
        elif mark == "{":
            yield text.value()
        elif not text.skip(ASSIGNMENT):
            raise text.broken("expected { or [")
    if container and not text.held:
        known = ", ".join(sorted(CONTAINERS))
        raise ArchiveError(f"no tweets in {source.name}: expected an array of tweets, on its own or as one of {known}")


class _Slide:
    """A piece of the text that moves along with what was decoded."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decoder = json.JSONDecoder(strict=False)  # raw line breaks within strings do happen
        self._text = source.read()
        self._at = 0
        self._before = source.mark_width  # bytes of the file before `_text`
        self._lines = 1  # of the file before `_text`, and the one that it begins in
        self._ended = False
        self.held = False  # whether an object held an array of elements, empty as it may be, or some under their ids

    def peek(self, space: re.Pattern[str] = _SPACE) -> str:
        """The next character behind `space`; empty at the end."""
        while True:
            self._at = self._end_of(space)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Step over `pattern` if it stands here."""
        found = pattern.match(self._text, self._at)
        while found is None and len(self._text) - self._at < 200 and self._grow():
            found = pattern.match(self._text, self._at)
        if found is None:
            return False
        self._at = found.end()
        return True

    def elements(self) -> Iterator[Any]:
        """The elements of the array that begins here."""
        self._step("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self._step(",]") == "]":
                return

    def contained(self) -> Iterator[Any]:
        """The elements of all arrays that the object which begins here holds under a name of `CONTAINERS`, and the
        objects that it holds under their ids. Who wrote them may be told behind them (API of X): until then they wait.
        """
        waiting: list[Any] = []
        names: dict[str, str] = {}
        self._step("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            name = self.value()
            self._step(":")
            if name in CONTAINERS and self.peek() == "[":
                self.held = True
                begun = self._place()
                for row in self.elements():
                    if is_unsigned(row) and self._place() - begun <= LONGEST_RECORD:
                        waiting.append(row)
                    else:
                        yield row
            elif self.peek() == "[":
                deque(self.elements(), maxlen=0)  # one by one: who follows whom may be longer than the tweets
            else:
                value = self.value()
                names = names_in(value) if name == "includes" else names
                if isinstance(value, dict) and isinstance(name, str) and name.isdecimal():
                    self.held = True
                    yield {"id": name, **value}
            if self._step(",}") == "}":
                yield from (signed(row, names) for row in waiting)
                return

    def value(self) -> Any:
        """The value that begins here."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _KNOWN_END
                if not (cut_off and self._grow()):
                    raise self._explain(error) from None
            except RecursionError:
                raise self.broken("nested too deeply") from None
            except ValueError:
                raise self.broken("a number with thousands of digits") from None
            else:
                # A number at the very end of the piece may go on in the next.
                if end < len(self._text) or isinstance(value, dict | list | str) or not self._grow():
                    self._at = end
                    return value

    def broken(self, why: str, at: int | None = None) -> ArchiveError:
        """The error that the file is broken here, or `at` a place of the piece."""
        place = self._at if at is None else at
        byte = self._before + self._source.width(self._text[:place])
        line = self._lines + self._text.count("\n", 0, self._at)
        is_short = place >= len(self._text)
        found = "the end of the file" if is_short else ascii(self._text[place : place + 20])
        remedy = "get the whole file" if is_short else "mend that place, or take that record out"
        return ArchiveError(
            f"broken JSON in {self._source.name} at byte {byte} (record in line {line}): {why}, found "
            f"{found}; {remedy}; nothing was imported"
        )

    def _explain(self, error: JSONDecodeError) -> ArchiveError:
        if self._ended and (error.msg.startswith("Unterminated") or error.pos >= len(self._text)):
            return self.broken("the file is cut short, expected the rest of a record", len(self._text))
        why = error.msg[0].lower() + error.msg[1:].removesuffix(" starting at").removesuffix(" at")
        return self.broken(why, error.pos)

    def _place(self) -> int:
        return self._before + self._at

    def _step(self, wanted: str) -> str:
        found = self.peek()
        if not found or found not in wanted:
            raise self.broken(f"expected {' or '.join(wanted)}")
        self._at += 1
        return found

    def _grow(self) -> bool:
        """Read on, letting go of what was decoded; False at the end of the file."""
        if self._ended:
            return False
        if len(self._text) - self._at > LONGEST_RECORD:
            raise self.broken(f"expected records of at most {LONGEST_RECORD >> 20} MiB")
        piece = self._source.read()
        if not piece:
            self._ended = True
            return False
        self._before += self._source.width(self._text[: self._at])
        self._lines += self._text.count("\n", 0, self._at)
        pieces, wanted = [self._text[self._at :], piece], len(self._text) - self._at
        self._at = 0
        # As much again as is pending: a long record is tried a few times only.
        while wanted > len(piece) and piece:
            wanted -= len(piece)
            piece = self._source.read()
            pieces.append(piece)
        self._text = "".join(pieces)
        return True

    def _end_of(self, space: re.Pattern[str]) -> int:
        found = space.match(self._text, self._at)
        return found.end() if found else self._at
