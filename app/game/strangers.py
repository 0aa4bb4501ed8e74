"""What gives away that a network has read other accounts too: names that its archive lacks, and their very words.

A network that begins from the shipped base is held to both rules beside the usual ones. What the base has read is
known here by hashes alone: no text can be got back from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.wording import begins_sentence

RECITED_RUN = 40  # bytes: a run of this length or more that the base has read is always found
WINDOW = 32  # bytes that are hashed; a shorter run may be found too, where it holds a hashed window by chance
STRIDE = RECITED_RUN - WINDOW + 1  # bytes between two hashed places of what was read
FACTOR = np.uint64(0x9E3779B97F4A7C15)

_WORD = re.compile(r"(?<![\w@])[^\W\d_]+(?:['’][^\W\d_]+)*")
_POSSESSIVE = re.compile(r"['’](?:s|S)?$")


class Names:
    """The words of an archive, to tell names that do not occur there."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._written: set[str] = set()
        for text in texts:
            self._written.update(_bare(word) for word in _WORD.findall(text))
        self._folded = {word.casefold() for word in self._written}

    @property
    def words(self) -> frozenset[str]:
        """The words as the archive writes them."""
        return frozenset(self._written)

    def lacking(self, text: str) -> list[str]:
        """The capitalised words of `text` that the archive lacks, in order.

        Within a sentence a word must be capitalised in the archive, too: "Rose" is not there because "rose" is. One
        that begins a sentence, or is shouted, must be there in any case.
        """
        return [word for word, begins in _capitalised(text) if not self._knows(word, begins)]

    def _knows(self, word: str, begins: bool) -> bool:
        if word in self._written:
            return True
        return (begins or (len(word) > 1 and word.isupper())) and word.casefold() in self._folded


def _capitalised(text: str) -> Iterable[tuple[str, bool]]:
    """The capitalised words and whether each begins a sentence."""
    for found in _WORD.finditer(text):
        word = _bare(found.group())
        if word[:1].isupper():
            yield word, begins_sentence(text, found.start())


def _bare(word: str) -> str:
    return _POSSESSIVE.sub("", word).replace("’", "'")


class Recited:
    """What a base has read, as hashes of runs of 32 bytes."""

    def __init__(self, hashes: NDArray[np.uint32]) -> None:
        self.hashes = hashes  # sorted

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """The hashes of these texts."""
        found = [_hashes(text, STRIDE) for text in texts]
        return cls(np.unique(np.concatenate(found)) if found else np.empty(0, np.uint32))

    @classmethod
    def read(cls, file: Path) -> Self:
        """The hashes in a file that `write` made.

        Raises:
            ValueError: the file is damaged.
            OSError: it is not there.
        """
        hashes = np.load(file, allow_pickle=False)
        if hashes.dtype != np.uint32 or hashes.ndim != 1:
            raise ValueError(f"{file}: found {hashes.dtype} of {hashes.ndim} dimensions, expected a list of uint32")
        return cls(hashes)

    def write(self, file: Path) -> None:
        """Keep the hashes in a file."""
        with file.open("wb") as out:
            np.save(out, self.hashes, allow_pickle=False)

    def holds(self, text: str) -> bool:
        """Whether `text` repeats a run of 40 bytes or more; case and kinds of white space make no difference."""
        wanted = _hashes(text, 1)
        if not len(self.hashes) or not len(wanted):
            return False
        at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
        return bool((self.hashes[at] == wanted).any())


def _hashes(text: str, stride: int) -> NDArray[np.uint32]:
    """Hashes of the windows at every `stride`-th byte; none where the text is shorter than a window."""
    plain = text.lower().replace("\n", " ").replace("’", "'").encode("utf-8", "replace")
    if len(plain) < WINDOW:
        return np.empty(0, np.uint32)
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(plain, np.uint8), WINDOW)[::stride]
    total = np.zeros(len(windows), np.uint64)
    for words in np.ascontiguousarray(windows).view("<u8").T:  # four words of eight bytes
        total = (total ^ words) * FACTOR
        total ^= total >> np.uint64(29)
    return (total >> np.uint64(16)).astype(np.uint32)
