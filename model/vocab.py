"""The symbols a network reads and writes: marks, accounts and the characters that an archive uses often enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import log2
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.text import END, START, UNKNOWN

START_ID, END_ID, UNKNOWN_ID = 0, 1, 2
MARKS = START + END + UNKNOWN
MOST_SYMBOLS = 1 << 16  # an id takes two bytes
CODE_POINTS = 0x110000 - 0x800  # all that a text can hold: Unicode without its surrogates


class VocabError(ValueError):
    """A vocabulary is malformed; the message is one line."""


@dataclass(frozen=True)
class Vocab:
    """Symbol ids: 0 start, 1 end, 2 unknown, then `characters`, then one start mark for each of `accounts`.

    A text of an account that the vocabulary knows begins with that account's mark instead of the plain start, so one
    network can learn several archives and write like one of them.
    """

    characters: str
    accounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self) > MOST_SYMBOLS:  # first of all: a foreign one may be of any size
            raise VocabError(f"vocabulary: found {len(self):,} symbols, expected at most {MOST_SYMBOLS:,}")
        if len(set(self.symbols)) != len(self):
            raise VocabError("vocabulary: a mark, a character or an account occurs twice")
        if any(map(_surrogate, self.characters)):
            raise VocabError("vocabulary: half of a surrogate pair occurs among the characters")
        if any("\0" in symbol for symbol in self.symbols):  # PostgreSQL stores none
            raise VocabError("vocabulary: a null character occurs")

    def extended(self, texts: Iterable[str], *, least: int = 4, accounts: tuple[str, ...] = ()) -> Vocab:
        """This vocabulary with the accounts, and the characters that occur in `texts` at least `least` times.

        Rarer ones are read as unknown. Known ids of characters stay.
        """
        counts = Counter(chain.from_iterable(texts))
        often = {
            character
            for character, count in counts.items()
            if count >= least and not _surrogate(character) and character != "\0"
        }
        new = "".join(sorted(often - {*MARKS, *self.characters}))
        return Vocab(self.characters + new, self.accounts + tuple(a for a in accounts if a not in self.accounts))

    @property
    def symbols(self) -> list[str]:
        """What each id stands for; an account's mark is named "@" + account."""
        return [*MARKS, *self.characters, *("@" + account for account in self.accounts)]

    def __len__(self) -> int:
        return len(MARKS) + len(self.characters) + len(self.accounts)

    @property
    def unknown_bits(self) -> float:
        """Bits to say which character an unknown one is: any code point that has no symbol of its own."""
        return log2(CODE_POINTS - len(self.characters))

    @cached_property
    def writable(self) -> NDArray[np.bool_]:
        """For each id whether a text may go on with it: characters and the end mark."""
        mask = np.zeros(len(self), bool)
        mask[END_ID] = True
        mask[len(MARKS) : len(MARKS) + len(self.characters)] = True
        return mask

    @cached_property
    def _ids(self) -> NDArray[np.uint16]:
        table = np.full(0x110000, UNKNOWN_ID, np.uint16)
        for place, character in enumerate(self.characters):
            table[ord(character)] = len(MARKS) + place
        return table

    def start(self, account: str | None = None) -> int:
        """The id that a text of `account` begins with; the plain start mark for an account it does not know."""
        if account not in self.accounts:
            return START_ID
        return len(MARKS) + len(self.characters) + self.accounts.index(account)

    def encode(self, text: str) -> NDArray[np.uint16]:
        """Ids of the characters of `text`, without marks."""
        return self._ids[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)]

    def opening(self, text: str, account: str | None = None) -> list[int]:
        """What a network reads of `text`: the start mark of its account, then its characters."""
        return [self.start(account), *self.encode(text).tolist()]

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {"characters": self.characters, "accounts": list(self.accounts)}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The vocabulary that `to_json` wrote.

        Raises:
            VocabError: it is malformed.
        """
        match data:
            case {"characters": str(characters), "accounts": [*accounts], **rest} if not rest:
                if all(isinstance(account, str) for account in accounts):
                    return cls(characters, tuple(accounts))
        raise VocabError("vocabulary: expected an object with characters, a string, and accounts, a list of strings")


def _surrogate(character: str) -> bool:
    return 0xD800 <= ord(character) <= 0xDFFF
