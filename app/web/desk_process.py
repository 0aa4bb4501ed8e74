"""The desk: a process in which a network reads texts, or writes one along, and shows what it thinks.

    python -m app.web.desk_process

answers requests, one a line, each by a line of JSON. Reading and writing take a core for a moment: here they hold up
nobody else. It ends when its standard input does, and so dies with whoever started it.

``{"do": "read", "folder": …, "texts": […], "layer": 1, "unit": 17}`` is answered by the readings of the texts.
``{"do": "write", "folder": …, "prompt": …, "temperature": …, "top_p": …, "seed": …, "limit": …}`` is answered by a
line for each character; after each the other side says ``yes`` to go on or ``no`` to have another one in its place.
"""

from __future__ import annotations

import json
import os
import sys
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import CheckpointError, read_checkpoint
from model.reader import Array, Reader, Reading, read
from model.sampling import Decoding, choose, nucleus, repeats
from model.vocab import END_ID

AT_HAND = 2  # networks that are kept in memory: the champion, and one that somebody looks back at
LIVELY = 8  # units that are named as worth a look
SHOWN = 5  # likeliest characters
NICE = 5  # whoever plays comes first


def read_aloud(
    reader: Reader, texts: Sequence[str], layer: int | None = None, unit: int | None = None, account: str | None = None
) -> dict[str, Any]:
    """What the network makes of texts, and one unit of it in particular.

    Args:
        reader: the network.
        texts: what it reads.
        layer: of the unit, counted from 1; None or one that it does not have: the last.
        unit: counted from 1; None or one that it does not have: the liveliest over these texts.
        account: whose texts, where the network knows several.
    """
    config = reader.config
    layer = layer if layer is not None and 1 <= layer <= config.layers else config.layers
    thoughts = [read(reader, text, account) for text in texts]
    lively = liveliest([one.gates[layer - 1] for text in thoughts for one in text])
    unit = unit if unit is not None and 1 <= unit <= config.units else lively[0]
    return {
        "cell": config.cell,
        "layers": config.layers,
        "units": config.units,
        "layer": layer,
        "unit": unit,
        "lively": lively,
        "texts": [[_told(one, layer - 1, unit - 1) for one in text] for text in thoughts],
    }


def liveliest(steps: Sequence[dict[str, Array]]) -> list[int]:
    """The units, counted from 1, whose state changes the most over these steps of one layer."""
    spread = np.stack([step["h"] for step in steps]).std(axis=0)
    return [int(unit) + 1 for unit in np.argsort(-spread, kind="stable")[:LIVELY]]


def _told(one: Reading, layer: int, unit: int) -> dict[str, Any]:
    return {
        "c": one.character,
        "bits": round(one.surprise, 2),
        "best": [[character, round(odds, 4)] for character, odds in one.likeliest],
        "gates": {name: round(float(values[unit]), 3) for name, values in one.gates[layer].items()},
    }


class Writing:
    """A text in the making, one character at a time."""

    def __init__(
        self, reader: Reader, prompt: str, decoding: Decoding, seed: int, limit: int, account: str | None = None
    ) -> None:
        self._reader, self._decoding, self._limit = reader, decoding, limit
        self._uniforms = np.random.Generator(np.random.Philox(key=seed))
        self._symbols = reader.vocab.symbols
        self._symbols[END_ID] = ""
        self._state = reader.start(1)
        self.text = prompt
        self._unread = reader.vocab.opening(prompt, account)

    def steps(self) -> Iterator[Choice]:
        """Each choice in turn, to be taken or refused; the last one taken is the end, or fills the limit."""
        while len(self.text) < self._limit:
            for symbol in self._unread:
                logits = self._reader.step(np.array([symbol]), self._state)
            logits[:, ~self._reader.vocab.writable] = -np.inf
            choice = Choice(logits, self._decoding, self._symbols, self._uniforms.random(1))
            while repeats(self.text, choice.character, self._decoding.no_repeat):
                choice.refuse()
            yield choice
            if not choice.character:
                return
            self.text += choice.character
            self._unread = [choice.symbol]


class Choice:
    """The next character, and the odds that it was drawn with."""

    def __init__(self, logits: Array, decoding: Decoding, symbols: Sequence[str], uniform: NDArray[np.float64]) -> None:
        self._logits, self._decoding, self._symbols, self._uniform = logits, decoding, symbols, uniform
        self.symbol = int(choose(logits, uniform, decoding)[0][0])

    @property
    def character(self) -> str:
        """What was chosen; empty for the end."""
        return self._symbols[self.symbol]

    def refuse(self) -> None:
        """Choose another one. Where nothing else is left, the text ends."""
        self._logits[0, self.symbol] = -np.inf
        if np.isfinite(self._logits).any():
            self.symbol = int(choose(self._logits, self._uniform, self._decoding)[0][0])
        else:
            self.symbol = END_ID

    def told(self) -> dict[str, Any]:
        """The character, its odds and the likeliest ones, as they are after temperature and top-p."""
        if not np.isfinite(self._logits).any():
            return {"c": "", "odds": 1.0, "bits": 0.0, "best": [["", 1.0]]}
        odds = nucleus(self._logits, self._decoding)[0][0]
        best = np.argsort(-odds, kind="stable")[:SHOWN]
        own = float(odds[self.symbol])
        return {
            "c": self.character,
            "odds": round(own, 4),
            "bits": round(-float(np.log2(own)), 2) + 0.0,
            "best": [[self._symbols[i], round(float(odds[i]), 4)] for i in best if odds[i] > 0],
        }


class Desk:
    """Networks at hand, by the folder of their checkpoint."""

    def __init__(self) -> None:
        self._readers: OrderedDict[str, Reader] = OrderedDict()

    def reader(self, folder: str) -> Reader:
        """The network of a checkpoint.

        Raises:
            CheckpointError: it is missing or damaged.
        """
        if folder not in self._readers:
            while len(self._readers) >= AT_HAND:
                self._readers.popitem(last=False)
            self._readers[folder] = Reader(read_checkpoint(Path(folder)), quick=True)
        self._readers.move_to_end(folder)
        return self._readers[folder]

    def read(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Answer a request to read."""
        return read_aloud(self.reader(ask["folder"]), ask["texts"], ask["layer"], ask["unit"], ask.get("account"))

    def write(self, ask: dict[str, Any]) -> Writing:
        """A text that a request to write begins."""
        decoding = Decoding(ask["temperature"], ask["top_p"])
        reader = self.reader(ask["folder"])
        return Writing(reader, ask["prompt"], decoding, ask["seed"], ask["limit"], ask.get("account"))


def say(words: dict[str, Any]) -> None:
    """Put a line on the standard output."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _write(desk: Desk, ask: dict[str, Any]) -> None:
    for choice in desk.write(ask).steps():
        say(choice.told())
        while sys.stdin.readline().strip() == "no":
            choice.refuse()
            say(choice.told())
    say({"done": True})


def main() -> None:
    """Answer until the input ends."""
    os.nice(NICE)
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    desk = Desk()
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            if ask["do"] == "read":
                say(desk.read(ask))
            else:
                _write(desk, ask)
        except CheckpointError as error:
            say({"error": str(error)})


if __name__ == "__main__":
    main()
