"""The symbols a network reads and writes: marks, accounts and the characters that an archive uses often enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import log2
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.text import END, START, UNKNOWN

START_ID, END_ID, UNKNOWN_ID = 0, 1, 2
MARKS = START + END + UNKNOWN
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
        if len(set(self.characters)) != len(self.characters):
            raise VocabError("vocabulary: a character occurs twice")
        if set(self.characters) & set(MARKS):
            raise VocabError("vocabulary: a mark occurs among the characters")
        if any(0xD800 <= ord(character) <= 0xDFFF for character in self.characters):
            raise VocabError("vocabulary: half of a surrogate pair occurs among the characters")
        if len(set(self.accounts)) != len(self.accounts):
            raise VocabError("vocabulary: an account occurs twice")

    @classmethod
    def from_texts(cls, texts: Iterable[str], *, least: int = 4, accounts: tuple[str, ...] = ()) -> Self:
        """The vocabulary of the characters that occur at least `least` times; rarer ones are read as unknown."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        often = {character for character, count in counts.items() if count >= least and not _surrogate(character)}
        return cls("".join(sorted(often - set(MARKS))), accounts)

    def extended(self, texts: Iterable[str], *, least: int = 4, accounts: tuple[str, ...] = ()) -> Vocab:
        """This vocabulary with the characters and accounts that `texts` add to it; known ids of characters stay."""
        more = Vocab.from_texts(texts, least=least)
        new = "".join(character for character in more.characters if character not in self.characters)
        return Vocab(self.characters + new, self.accounts + tuple(a for a in accounts if a not in self.accounts))

    @property
    def alphabet(self) -> str:
        """The characters it can write, marks left out."""
        return self.characters

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
        known = account is not None and account in self.accounts
        return len(MARKS) + len(self.characters) + self.accounts.index(str(account)) if known else START_ID

    def encode(self, text: str) -> NDArray[np.uint16]:
        """Ids of the characters of `text`, without marks."""
        return self._ids[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of character ids; marks of start and end stand for nothing."""
        symbols = self.symbols
        return "".join(symbols[i] for i in ids if i >= UNKNOWN_ID and i < len(MARKS) + len(self.characters))

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {"characters": self.characters, "accounts": list(self.accounts)}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The vocabulary that `to_json` wrote.

        Raises:
            VocabError: it is malformed.
        """
        if not isinstance(data, dict) or set(data) != {"characters", "accounts"}:
            raise VocabError("vocabulary: expected an object with characters and accounts")
        characters, accounts = data["characters"], data["accounts"]
        if not isinstance(characters, str) or not isinstance(accounts, list):
            raise VocabError("vocabulary: expected characters as a string and accounts as a list")
        if not all(isinstance(account, str) for account in accounts):
            raise VocabError("vocabulary: expected accounts as a list of strings")
        return cls(characters, tuple(accounts))


def _surrogate(character: str) -> bool:
    return 0xD800 <= ord(character) <= 0xDFFF
