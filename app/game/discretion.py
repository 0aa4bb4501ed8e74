"""Discretion: tells whether a text holds a piece of a card that somebody may still be dealt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.game.novelty import CopyIndex
from app.wording import fold

SHARED = 30  # characters of a card, in a row, that may not be shown
SQUEEZED = 24  # letters and digits in a row that stand for as much, whatever was put between them


def squeeze(text: str) -> str:
    """Letters and digits alone: what is left when case, accents, spaces and punctuation are played with."""
    return fold(text).replace(" ", "")


class Pieces:
    """The pieces of some cards: about 600 bytes a card."""

    def __init__(self, cards: Iterable[tuple[int, str]]) -> None:
        """`cards`: id and text."""
        ids, texts = [], []
        for card, text in cards:
            ids.append(card)
            texts.append(text)
        self._ids: Sequence[int] = ids
        self._literal = CopyIndex(texts)
        self._squeezed = CopyIndex(squeeze(text) for text in texts)

    def shared_with(self, text: str) -> set[int]:
        """The cards of which `text` holds 30 characters in a row, or 24 letters and digits."""
        numbers = self._literal.sharing(text, SHARED) | self._squeezed.sharing(squeeze(text), SQUEEZED)
        return {self._ids[number] for number in numbers}
