"""Sensitive: samples that join a named person with crime, illness, death, threats or slurs are held back until somebody
has looked at them. It errs on the side of holding: a name is whatever is written like one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.game.vetting import BlockedWords
from app.wording import fold, mentions

SHIPPED = Path(__file__).with_name("sensitive_words.txt")
SUBJECTS = ("crime", "illness", "death", "threats", "slurs")

_CAPITALISED = r"[^\W\d_a-z][\w’'-]*\w\.?"
# "Clive Bose", "J. Bose", "Mary Jane Pell": two words or more that are written like a name.
_ROW = re.compile(rf"(?:{_CAPITALISED}|\b[A-Z]\.)(?:[ ](?:{_CAPITALISED}|[A-Z]\.))+")
_WORD = re.compile(r"\w[\w’'-]*")


@dataclass(frozen=True)
class Sensitive:
    """The word lists, made ready."""

    subjects: tuple[tuple[str, BlockedWords], ...]
    titles: frozenset[str]
    not_people: frozenset[str]

    @classmethod
    def of(cls, lines: Iterable[str]) -> Sensitive:
        """The lists in these lines; see the head of the shipped file for the form."""
        lists: dict[str, list[str]] = {}
        words: list[str] = []
        for line in lines:
            entry = line.strip()
            if entry.startswith("["):
                words = lists.setdefault(entry.strip("[]"), [])
            elif entry and not entry.startswith("#"):
                words.append(entry)
        return cls(
            tuple((subject, BlockedWords.of(lists.get(subject, ()))) for subject in SUBJECTS),
            frozenset(map(fold, lists.get("titles", ()))),
            frozenset(map(fold, lists.get("not people", ()))),
        )

    def subject(self, text: str) -> str | None:
        """What a person is joined with who is named in `text`; None where nobody is named, or with nothing of this."""
        found = next((subject for subject, words in self.subjects if words.found_in(text)), None)
        return found if found is not None and self.names_a_person(text) else None

    def names_a_person(self, text: str) -> bool:
        """Whether there is a handle, a title before a capitalised word, or a row of capitalised words."""
        return bool(mentions(text)) or self.names_in(text)

    def names_in(self, text: str) -> bool:
        """Whether something in `text` is written like a person's name; handles are none."""
        return any(self._is_name(row.group()) for row in _ROW.finditer(text))

    def _is_name(self, row: str) -> bool:
        words = [fold(word) for word in _WORD.findall(row)]
        if any(word in self.titles for word in words[:-1]):
            return True
        # A shouted sentence is no name; of a row that begins one, the first word may be any.
        if row.isupper():
            return False
        return sum(word not in self.not_people and word not in self.titles for word in words) >= 2


@cache
def shipped() -> Sensitive:
    """The lists that come with the game."""
    return Sensitive.of(SHIPPED.read_text(encoding="utf-8").splitlines())
