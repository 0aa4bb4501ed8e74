"""Writing drafts: the rows of a batch, each with its own seed, refilled as soon as one is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from model.checkpoint import Checkpoint
from model.reader import Array, Reader, Traces, log2_odds
from model.sampling import Decoding, choose, repeats
from model.vocab import END_ID

__all__ = ["Decoding", "Draft", "beam", "generate"]

Bend = Callable[[Array, Sequence[str]], None]  # moves the logits [B, V] of what follows each of some texts, in place


@dataclass(frozen=True)
class Draft:
    """What the network wrote; a sample, once it is vetted."""

    text: str  # with the prompt, without marks
    ended: bool  # whether it came to an end by itself within the limit
    bits: float  # surprise of what follows the prompt, end mark included, at temperature 1
    seed: int  # writes the same draft again, alone: generate(…, 1, seed=draft.seed)
    score: float | None = None  # the scorer's, where one has read it
    traces: Traces | None = None  # what the network thought meanwhile, where it was asked for: as if it read the draft


@dataclass(frozen=True)
class Task:
    """What every draft of a batch has in common."""

    checkpoint: Checkpoint
    decoding: Decoding
    prompt: str
    limit: int
    account: str | None
    bend: Bend | None = None
    traced: bool = False

    @cached_property
    def symbols(self) -> list[str]:
        """What each id stands for, put together once for all steps."""
        return self.checkpoint.vocab.symbols


class Row:
    """A draft in the making: one row of the batch."""

    def __init__(self, task: Task, seed: int) -> None:
        self.seed, self.limit = seed, task.limit
        self.text, self.ended, self.done = task.prompt, False, False
        self.bits: list[float] = []  # surprise of what is written
        self.near = False  # whether a choice was a near thing: a batch might make another one
        self.states: Array | None = np.zeros(task.checkpoint.config.units, np.float32) if task.traced else None
        # Symbols that the network has still to read: of the prompt, then its own.
        self.unread = task.checkpoint.vocab.opening(task.prompt, task.account)
        # A stream of its own for each draft: what is drawn does not depend on the rows beside it.
        self.uniforms = np.random.Generator(np.random.Philox(key=seed)).random(task.limit + 1)

    def write(self, symbol: int, bits: float, symbols: list[str]) -> None:
        """Go on with a symbol, or end."""
        self.bits.append(bits)
        self.ended = symbol == END_ID
        self.done = self.ended or len(self.text) == self.limit
        if not self.done:
            self.text += symbols[symbol]
            self.unread.append(symbol)

    @property
    def draft(self) -> Draft:
        """What is written so far."""
        traces = None
        if self.states is not None:
            traces = Traces(self.states / np.float32(len(self.bits)), np.array(self.bits, np.float32))
        return Draft(self.text, self.ended, sum(self.bits), self.seed, traces=traces)


def generate(
    checkpoint: Checkpoint,
    count: int,
    *,
    decoding: Decoding | None = None,
    seed: int = 0,
    prompt: str = "",
    limit: int = 280,
    account: str | None = None,
    bend: Bend | None = None,
    traced: bool = False,
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
        bend: moves the odds before that; a seed writes the same draft under the same bend alone.
        traced: give each draft with what the network thought meanwhile; only without a prompt.
        batch: rows that are stepped together.

    Raises:
        ValueError: the prompt is longer than the limit, or there is one and drafts are traced.
    """
    if traced and prompt:
        raise ValueError("found a prompt, expected none where drafts are traced")
    if len(prompt) > limit:
        raise ValueError(f"prompt: found {len(prompt)} characters, expected at most {limit}")
    task = Task(checkpoint, decoding or Decoding(), prompt, limit, account, bend, traced)
    single = min(batch, count) == 1
    finished: dict[int, Row] = {}
    following = seed
    steady: Reader | None = None
    for row in _written(Reader(checkpoint, quick=single), task, range(seed, seed + count), batch):
        finished[row.seed] = row
        while following in finished:
            row = finished.pop(following)
            if single and row.near:
                steady = steady or Reader(checkpoint)  # which writes it again as a batch would
                (row,) = _written(steady, task, [row.seed], 1)
            yield row.draft
            following += 1


def _written(reader: Reader, task: Task, seeds: Iterable[int], batch: int) -> Iterator[Row]:
    """A row for each seed, as they are finished; at most `batch` at a time are under way."""
    fresh = (Row(task, seed) for seed in seeds)
    rows = list(islice(fresh, batch))
    state = reader.start(len(rows))
    while rows:
        logits = reader.step(np.array([row.unread.pop(0) for row in rows]), state)
        if task.traced:
            for row, h in zip(rows, state.h[:, -task.checkpoint.config.units :], strict=True):
                row.states += h
        _write(rows, logits, task)
        live = []
        for place, row in enumerate(rows):
            if row.done:
                yield row
                if (new := next(fresh, None)) is None:
                    continue
                rows[place] = new
                state.clear(place)
            live.append(place)
        if len(live) < len(rows):
            rows, state = [rows[place] for place in live], state.keep(live)


def _write(rows: list[Row], logits: Array, task: Task) -> None:
    """Let every row that has read all of its prompt write one symbol."""
    ready = [place for place, row in enumerate(rows) if not row.unread]
    if not ready:
        return
    rows, logits = [rows[place] for place in ready], logits[ready]
    symbols, bits = task.symbols, -log2_odds(logits)
    logits[:, ~task.checkpoint.vocab.writable] = -np.inf
    if task.bend is not None:
        task.bend(logits, [row.text for row in rows])
    uniforms = np.array([row.uniforms[len(row.text)] for row in rows])
    chosen, near = choose(logits, uniforms, task.decoding)
    for place, row in enumerate(rows):
        while chosen[place] != END_ID and repeats(row.text, symbols[chosen[place]], task.decoding.no_repeat):
            logits[place, chosen[place]] = -np.inf
            if not np.isfinite(logits[place]).any():
                break  # a word that its bending leads to and nothing else: vetting sees the circle
            again, too = choose(logits[[place]], uniforms[[place]], task.decoding)
            chosen[place], near[place] = again[0], near[place] or too[0]
        row.near = row.near or bool(near[place])
        row.write(int(chosen[place]), float(bits[place, chosen[place]]), symbols)


def beam(
    checkpoint: Checkpoint, width: int = 8, *, prompt: str = "", limit: int = 280, account: str | None = None
) -> list[Draft]:
    """The likeliest texts that a beam search finds, the likeliest first: at most `width`, all ended.

    What is likeliest is dull, and short: it shows what the network is sure of, and is no way to fool anybody.

    Raises:
        ValueError: the prompt is longer than the limit.
    """
    if len(prompt) > limit:
        raise ValueError(f"prompt: found {len(prompt)} characters, expected at most {limit}")
    vocab, symbols = checkpoint.vocab, checkpoint.vocab.symbols
    reader, opening = Reader(checkpoint), vocab.opening(prompt, account)
    state = reader.start(1)
    for symbol in opening[:-1]:
        reader.step(np.array([symbol]), state)
    texts, bits, last = [prompt], np.zeros(1), np.array(opening[-1:])
    ended: list[Draft] = []
    while texts:
        costs = -log2_odds(reader.step(last, state)).astype(np.float64)
        costs[:, ~vocab.writable] = np.inf
        costs += bits[:, None]
        ends = [Draft(text, True, float(cost), 0) for text, cost in zip(texts, costs[:, END_ID], strict=True)]
        ended = sorted(ended + ends, key=lambda draft: draft.bits)[:width]
        if len(texts[0]) >= limit:
            break
        costs[:, END_ID] = np.inf
        best = np.argsort(costs, axis=None, kind="stable")[:width]
        worst = ended[-1].bits if len(ended) == width else np.inf
        best = best[(costs.flat[best] < worst) & np.isfinite(costs.flat[best])]
        parents, last = np.divmod(best, len(vocab))
        texts = [texts[parent] + symbols[symbol] for parent, symbol in zip(parents, last, strict=True)]
        bits, state = costs.flat[best], state.keep(parents.tolist())
    return ended
