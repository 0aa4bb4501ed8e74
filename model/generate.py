"""Writing drafts: the rows of a batch, each with its own seed, refilled as soon as one is finished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from model.checkpoint import Checkpoint
from model.reader import Array, Reader, log2_odds
from model.sampling import Decoding, choose, repeats
from model.vocab import END_ID, Vocab

__all__ = ["Decoding", "Draft", "generate"]


@dataclass(frozen=True)
class Draft:
    """What the network wrote; a sample, once it is vetted."""

    text: str  # with the prompt, without marks
    ended: bool  # whether it came to an end by itself within the limit
    bits: float  # surprise of what follows the prompt, end mark included, at temperature 1
    seed: int  # writes the same draft again, alone: generate(…, 1, seed=draft.seed)


class _Row:
    """A draft in the making: one row of the batch."""

    def __init__(self, index: int, seed: int, opening: list[int], prompt: str, limit: int) -> None:
        self.index, self.seed, self.limit = index, seed, limit
        self.text, self.bits, self.ended, self.done = prompt, 0.0, False, False
        self.unread = list(opening)  # symbols that the network has still to read: of the prompt, then its own
        # A stream of its own for each draft: what is drawn does not depend on the rows beside it.
        self.uniforms = np.random.Generator(np.random.Philox(key=seed)).random(limit + 1)

    def write(self, symbol: int, bits: float, symbols: list[str]) -> None:
        self.bits += bits
        self.ended = symbol == END_ID
        self.done = self.ended or len(self.text) == self.limit
        if not self.done:
            self.text += symbols[symbol]
            self.unread.append(symbol)


def generate(
    checkpoint: Checkpoint,
    count: int,
    *,
    decoding: Decoding | None = None,
    seed: int = 0,
    prompt: str = "",
    limit: int = 280,
    account: str | None = None,
    batch: int = 128,
) -> Iterator[Draft]:
    """Write `count` drafts, yielded in the order of their seeds.

    Args:
        checkpoint: the network.
        count: how many drafts.
        decoding: temperature, top-p, guard against repetition.
        seed: of the first draft; the next has seed + 1, and so on. A seed writes the same draft in every batch.
        prompt: text that every draft begins with.
        limit: most characters of a draft, prompt included; one that would go on beyond it has not ended.
        account: whose tweets, where the checkpoint knows several.
        batch: rows that are stepped together.

    Raises:
        ValueError: the prompt is longer than the limit.
    """
    if len(prompt) > limit:
        raise ValueError(f"prompt: found {len(prompt)} characters, expected at most {limit}")
    decoding = decoding or Decoding()
    reader, vocab = Reader(checkpoint), checkpoint.vocab
    opening = [vocab.start(account), *vocab.encode(prompt).tolist()]
    fresh = (_Row(index, seed + index, opening, prompt, limit) for index in range(count))
    rows = list(islice(fresh, batch))
    state = reader.start(len(rows))
    finished: dict[int, Draft] = {}
    yielded = 0
    while rows:
        logits = reader.step(np.array([row.unread.pop(0) for row in rows]), state)
        _write(rows, logits, vocab, decoding)
        live = []
        for place, row in enumerate(rows):
            if not row.done:
                live.append(place)
                continue
            finished[row.index] = Draft(row.text, row.ended, row.bits, row.seed)
            if (new := next(fresh, None)) is not None:
                rows[place] = new
                state.clear(place)
                live.append(place)
        if len(live) < len(rows):
            rows, state = [rows[place] for place in live], state.keep(live)
        while yielded in finished:
            yield finished.pop(yielded)
            yielded += 1


def _write(rows: list[_Row], logits: Array, vocab: Vocab, decoding: Decoding) -> None:
    """Let every row that has read all of its prompt write one symbol."""
    ready = [place for place, row in enumerate(rows) if not row.unread]
    writing, logits = [rows[place] for place in ready], logits[ready]
    if not writing:
        return
    symbols, bits = vocab.symbols, -log2_odds(logits)
    logits[:, ~vocab.writable] = -np.inf
    uniforms = np.array([row.uniforms[len(row.text)] for row in writing])
    chosen = choose(logits, uniforms, decoding)
    for place, row in enumerate(writing):
        while chosen[place] != END_ID and repeats(row.text, symbols[chosen[place]], decoding.no_repeat):
            logits[place, chosen[place]] = -np.inf
            chosen[place] = choose(logits[[place]], uniforms[[place]], decoding)[0]
        row.write(int(chosen[place]), float(bits[place, chosen[place]]), symbols)
