"""The network's forward pass in plain NumPy, as the textbook has it: to sample, to measure and to look inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Checkpoint
from model.vocab import END_ID, START_ID, UNKNOWN_ID

Array = NDArray[np.float32]


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + e^−x), written as a tanh: faster, and it never overflows."""
    y: Array = x * np.float32(0.5)
    np.tanh(y, out=y)
    y *= np.float32(0.5)
    y += np.float32(0.5)
    return y


def lstm(z: Array, h: Array, c: Array) -> dict[str, Array]:
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    With z = W·[x_t, h_{t−1}] + b, its blocks in the order i, f, g, o:

        i_t = σ(z_i)      f_t = σ(z_f)      g_t = tanh(z_g)      o_t = σ(z_o)
        c_t = f_t ∘ c_{t−1} + i_t ∘ g_t
        h_t = o_t ∘ tanh(c_t)
    """
    units = h.shape[1]
    both = sigmoid(z[:, : 2 * units])
    i, f = both[:, :units], both[:, units:]
    g, o = np.tanh(z[:, 2 * units : 3 * units]), sigmoid(z[:, 3 * units :])
    c = f * c + i * g
    return {"input": i, "forget": f, "candidate": g, "output": o, "c": c, "h": o * np.tanh(c)}


def gru(z: Array, h: Array, c: Array) -> dict[str, Array]:
    """One step of a gated recurrent unit (Cho et al. 2014; the reset gate acts on the product, as in cuDNN and Keras).

    With the blocks z_z, z_r of z = W·[x_t, h_{t−1}] + b, and for the candidate input and recurrent part on their own:

        u_t = σ(z_z)      r_t = σ(z_r)      g_t = tanh(W_g·x_t + b_g + r_t ∘ (U_g·h_{t−1} + b'_g))
        h_t = u_t ∘ h_{t−1} + (1 − u_t) ∘ g_t
    """
    units = h.shape[1]
    both = sigmoid(z[:, : 2 * units])
    u, r = both[:, :units], both[:, units:]
    g = np.tanh(z[:, 2 * units : 3 * units] + r * z[:, 3 * units :])
    return {"update": u, "reset": r, "candidate": g, "h": u * h + (1 - u) * g}


def rnn(z: Array, h: Array, c: Array) -> dict[str, Array]:
    """One step of a plain recurrent network (Elman 1990): h_t = tanh(W·[x_t, h_{t−1}] + b)."""
    return {"h": np.tanh(z)}


CELLS: dict[str, Callable[[Array, Array, Array], dict[str, Array]]] = {"lstm": lstm, "gru": gru, "rnn": rnn}


def steady(rows: Array, matrix: Array) -> Array:
    """Each row [B, K] times the matrix [K, N], bit for bit the same whatever the other rows are.

    OpenBLAS multiplies one row, or a product of up to a million steps, by another routine that rounds differently;
    rows of zeros keep it from that, so that a seed writes the same sample in every batch.
    """
    least = max(2, 1_000_000 // matrix.size + 1)
    if len(rows) >= least:
        return rows @ matrix
    padded = np.zeros((least, rows.shape[1]), np.float32)
    padded[: len(rows)] = rows
    return (padded @ matrix)[: len(rows)]


@dataclass
class State:
    """What the network remembers of each row; `Reader.step` changes it in place."""

    h: Array  # [B, layers · units], the layers side by side
    c: Array  # the same for the cells of an LSTM

    def keep(self, rows: Sequence[int]) -> State:
        """The state of some rows."""
        return State(self.h[rows], self.c[rows])

    def clear(self, row: int) -> None:
        """Forget what one row has read."""
        self.h[row] = self.c[row] = 0


class Reader:
    """A checkpoint made ready to be stepped through.

    With one row at a time `quick` is several times as fast, but its last digits are not those of larger batches.
    """

    def __init__(self, checkpoint: Checkpoint, *, quick: bool = False) -> None:
        self._product: Callable[[Array, Array], Array] = np.matmul if quick else steady
        self.config, self.vocab, self._cell = checkpoint.config, checkpoint.vocab, CELLS[checkpoint.config.cell]
        weights, wide = checkpoint.weights, self.config.embedding
        # For each layer [W; U] and b: one product with [x_t, h_{t−1}].
        self._layers = [_stacked(self.config.cell, weights, f"layers.{layer}.") for layer in range(self.config.layers)]
        # A symbol's vector times the first layer's input matrix is always the same: looked up, not multiplied.
        matrix, bias = self._layers[0]
        self._table: Array = weights["embedding"] @ matrix[:wide] + bias
        self._layers[0] = np.ascontiguousarray(matrix[wide:]), bias
        self._output, self._output_bias = weights["output.kernel"], weights["output.bias"]

    def start(self, rows: int) -> State:
        """The state before anything was read."""
        width = self.config.layers * self.config.units
        return State(np.zeros((rows, width), np.float32), np.zeros((rows, width), np.float32))

    def step(self, symbols: NDArray[np.integer], state: State) -> Array:
        """Read one symbol a row [B]; the logits [B, V] of the next one. Changes `state`."""
        units = self.config.units
        for layer, (matrix, bias) in enumerate(self._layers):
            here = slice(layer * units, (layer + 1) * units)
            # Above the first, the layer below has just stepped: its h_t and this layer's h_{t−1} lie side by side.
            z = self._product(state.h[:, max(0, here.start - units) : here.stop], matrix)
            z += bias if layer else self._table[symbols]
            values = self._cell(z, state.h[:, here], state.c[:, here])
            state.h[:, here] = values["h"]
            if "c" in values:
                state.c[:, here] = values["c"]
        logits = self._product(state.h[:, -units:], self._output)
        logits += self._output_bias
        return logits

    def follow(self, symbols: Sequence[int]) -> tuple[Array, list[dict[str, Array]]]:
        """Read one text [T] from its beginning to its end, a layer at a time.

        What stepping through it comes to, but for rounding, in two thirds of the time: a layer's products with what
        comes from below are made at once, and each step reads the recurrent weights alone from memory.

        Returns:
            The logits [T, V] of what follows each symbol, and what each layer computed, by name, [T, units] each.
        """
        units, layers = self.config.units, list[dict[str, Array]]()
        for layer, (matrix, bias) in enumerate(self._layers):
            inputs = layers[-1]["h"] @ matrix[:units] + bias if layer else self._table[list(symbols)]
            layers.append(self._layer(inputs, matrix[-units:]))
        logits: Array = layers[-1]["h"] @ self._output + self._output_bias
        return logits, layers

    def _layer(self, inputs: Array, recurrent: Array) -> dict[str, Array]:
        """What a layer computes at each step, [T, units] each, given all its inputs' products [T, blocks · units]."""
        h = c = np.zeros((1, self.config.units), np.float32)
        steps: list[dict[str, Array]] = []
        for row in inputs:
            values = self._cell(h @ recurrent + row, h, c)
            h, c = values["h"], values.get("c", c)
            steps.append(values)
        return {name: np.concatenate([values[name] for values in steps]) for name in steps[0]}


def _stacked(cell: str, weights: dict[str, Array], name: str) -> tuple[Array, Array]:
    kernel, recurrent, bias = weights[name + "kernel"], weights[name + "recurrent"], weights[name + "bias"]
    if cell != "gru":
        return np.concatenate([kernel, recurrent]), bias
    # A GRU's candidate needs U_g·h by itself (the reset gate acts on it): it gets a block of columns of its own.
    gates, units = 2 * len(recurrent), len(recurrent)
    above = [kernel, np.zeros((len(kernel), units), np.float32)]
    below = [recurrent[:, :gates], np.zeros((units, units), np.float32), recurrent[:, gates:]]
    biases = [bias[0, :gates] + bias[1, :gates], bias[0, gates:], bias[1, gates:]]
    return np.block([above, below]), np.concatenate(biases)


def log2_odds(logits: Array) -> Array:
    """log2 of the softmax over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    odds: Array = (shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))) * np.float32(1 / np.log(2))
    return odds


@dataclass(frozen=True)
class Reading:
    """What the network made of one character (or of the end mark, an empty string)."""

    character: str
    surprise: float  # bits
    likeliest: tuple[tuple[str, float], ...]  # the five likeliest characters with their odds, before it was read
    gates: tuple[dict[str, Array], ...]  # for each layer: gates and state [units] of the step that predicted it


def read(reader: Reader, text: str, account: str | None = None) -> list[Reading]:
    """Read `text` character by character, end mark included, with all that the network thought at each."""
    vocab, found = reader.vocab, list[Reading]()
    symbols = vocab.symbols
    symbols[END_ID] = ""
    opening = vocab.opening(text, account)
    logits, layers = reader.follow(opening)
    odds = log2_odds(logits)
    # Six of them, for the start mark, which nothing can go on with, may be among them.
    best = np.argsort(-odds, kind="stable")[:, :6].tolist()
    for step, (character, symbol) in enumerate(zip([*text, ""], [*opening[1:], END_ID], strict=True)):
        surprise = float(-odds[step, symbol]) + (vocab.unknown_bits if symbol == UNKNOWN_ID else 0.0)
        likeliest = tuple((symbols[i], float(2 ** odds[step, i])) for i in best[step] if i != START_ID)[:5]
        gates = tuple({name: values[step] for name, values in layer.items()} for layer in layers)
        found.append(Reading(character, surprise, likeliest, gates))
    return found


@dataclass(frozen=True)
class Traces:
    """What the network made of a text as a whole, from its start mark to its end mark."""

    state: Array  # [units] mean of the topmost layer's states
    bits: Array  # [characters + 1] surprise of each character and of the end mark, at temperature 1


def skim(reader: Reader, texts: Sequence[str], batch: int = 128) -> Iterator[tuple[int, Traces]]:
    """Read many texts side by side, the longest first: for each its place among `texts`, and what was made of it."""
    vocab, units = reader.vocab, reader.config.units
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]), reverse=True)
    for places in (order[first : first + batch] for first in range(0, len(order), batch)):
        rows = [[*vocab.opening(texts[place]), END_ID] for place in places]
        lengths = np.array([len(row) - 1 for row in rows])
        symbols = np.array([row + [END_ID] * (len(rows[0]) - len(row)) for row in rows])
        state, bits = reader.start(len(rows)), np.zeros((len(rows), lengths[0]), np.float32)
        states = np.zeros((len(rows), units), np.float32)
        for step in range(lengths[0]):
            live = int((lengths > step).sum())  # the shortest are last, and done first
            if live < len(state.h):
                state = state.keep(range(live))
            odds = log2_odds(reader.step(symbols[:live, step], state))
            bits[:live, step] = -odds[np.arange(live), symbols[:live, step + 1]]
            states[:live] += state.h[:, -units:]
        for row, (place, length) in enumerate(zip(places, lengths, strict=True)):
            yield place, Traces(states[row] / np.float32(length), bits[row, :length])
