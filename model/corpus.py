"""The training texts as a packed stream of rows, cut into windows; every window is a pure function of its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.vocab import END_ID, Vocab


@dataclass(frozen=True)
class Text:
    """One text to learn from."""

    text: str
    weight: float = 1.0  # how much its characters count beside those of others
    account: str | None = None  # whose it is, where one network learns several archives


class Window(NamedTuple):
    """What the network reads between two updates; all arrays are [T, B], time first."""

    symbols: NDArray[np.int32]  # what is read
    targets: NDArray[np.int32]  # what comes next
    goes_on: NDArray[np.float32]  # 0 where a text begins (the state is cleared before it), else 1
    weights: NDArray[np.float32]  # weight of each target; 0 behind the end of a row


class Corpus:
    """Texts as symbols: start, characters, end, one text behind the other in one flat array."""

    def __init__(self, texts: Sequence[Text], vocab: Vocab, *, seed: int = 0) -> None:
        self.seed = seed
        self._offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text.text) + 2 for text in texts], out=self._offsets[1:])
        self._flat = np.empty(self._offsets[-1], np.uint8 if len(vocab) <= 256 else np.uint16)
        for place, text in enumerate(texts):
            row = self._flat[self._offsets[place] : self._offsets[place + 1]]
            row[0], row[-1] = vocab.start(text.account), END_ID
            row[1:-1] = vocab.encode(text.text)
        self._weights = np.array([text.weight for text in texts], np.float32)
        # Characters and end marks of texts that weigh something: what one epoch predicts.
        self.characters = int((np.diff(self._offsets) - 1)[self._weights > 0].sum())

    def rows(self, most: int) -> int:
        """How many rows, up to `most`, to deal the texts to: more would be empty while the longest text is read."""
        lengths = np.diff(self._offsets) - 1
        return max(1, min(most, int(lengths.sum() // lengths.max())))

    def windows(self, batch: int, window: int, *, epoch: int, first: int = 0) -> Iterator[Window]:
        """The windows of one epoch from the window `first` on: texts shuffled by seed and epoch, dealt to `batch` rows.

        Each row holds whole texts, and every row of an epoch begins with a text's start.
        """
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self._weights))
        lengths = (np.diff(self._offsets) - 1)[order]  # the end mark is only ever a target
        ends = np.cumsum(lengths)
        begins = ends - lengths
        # A text goes to the row in whose even share of the stream it begins.
        edges = np.searchsorted(begins, np.arange(batch) * ends[-1] / batch)
        row_begin = np.append(begins, ends[-1])[edges]
        row_end = np.append(row_begin[1:], ends[-1])
        for step in range(first, -(-int((row_end - row_begin).max()) // window)):
            place = row_begin + step * window + np.arange(window)[:, None]
            inside = place < row_end
            text = np.searchsorted(ends, np.minimum(place, ends[-1] - 1), side="right")
            yield self._window(order[text], np.where(inside, place - begins[text], 0), inside)

    def whole(self, batch: int, *, epoch: int, first: int = 0) -> Iterator[Window]:
        """The windows of one epoch with one text a row, texts of like length together: for layers that cannot clear
        their state within a row. What is behind a text's end weighs nothing."""
        random = np.random.default_rng([self.seed, epoch])
        lengths = np.diff(self._offsets) - 1
        # Sorted by length but for chance, so that batches are not the same in each epoch.
        order = np.argsort(lengths * random.uniform(0.9, 1.1, len(lengths)), kind="stable")
        groups = random.permutation(-(-len(order) // batch))
        for group in groups[first:]:
            texts = order[group * batch : (group + 1) * batch]
            longest = -(-int(lengths[texts].max()) // 32) * 32  # few different lengths: each one is compiled anew
            place = np.arange(longest)[:, None]
            rows = np.pad(texts, (0, batch - len(texts)))
            inside = (place < lengths[rows]) & (np.arange(batch) < len(texts))
            yield self._window(rows, np.minimum(place, lengths[rows] - 1), inside)

    def _window(self, texts: NDArray[Any], places: NDArray[Any], inside: NDArray[np.bool_]) -> Window:
        """What stands at these places [T, B] of these texts; what is not `inside` weighs nothing."""
        at = self._offsets[texts] + places
        symbols, targets = self._flat[at].astype(np.int32), self._flat[at + 1].astype(np.int32)
        return Window(symbols, targets, (places > 0).astype(np.float32), self._weights[texts] * inside)
