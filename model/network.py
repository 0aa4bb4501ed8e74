"""The network in Keras on TensorFlow: stacked recurrent layers of our own, made for packed streams on a plain CPU.

Weights lie as in `keras.layers.LSTM`, `GRU` and `SimpleRNN`, so they convert both ways by name.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model.checkpoint import Weights
from model.config import BLOCKS, Config, Recipe
from model.corpus import Corpus, Window
from model.vocab import UNKNOWN_ID, Vocab

__all__ = ["Learner", "Network", "Recurrent", "has_bfloat16", "keras", "tf"]

Tensor = Any
Array = NDArray[Any]
State = list[tuple[Tensor, ...]]  # for each layer (h,) or, for an LSTM, (h, c); each [B, units] in float32
MEASURED_ROWS = 128  # rows of the packed stream of validation texts


def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def product(a: Tensor, b: Tensor, *, fast: bool, flip: bool = False) -> Tensor:
    """The product of a and b (transposed where `flip`), in float32 or, where `fast`, in bfloat16 and cast back."""
    if not fast:
        return tf.matmul(a, b, transpose_b=flip)
    return tf.cast(tf.matmul(tf.cast(a, tf.bfloat16), tf.cast(b, tf.bfloat16), transpose_b=flip), tf.float32)


class Recurrent(keras.layers.Layer):  # type: ignore[misc]
    """One recurrent layer over [T, B, D], time first, that clears its state wherever a text begins.

    All input products are one large product; the loop over time does only what depends on the step before. The
    gradient is written out: the loop back yields the gradients of the gates, and one large product each turns them
    into those of the weights (after Appleyard et al. 2016, "Optimizing Performance of Recurrent Neural Networks").
    """

    def __init__(self, cell: str, units: int, *, fast: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.cell, self.units, self.fast = cell, units, fast

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs of width `shape[-1]`."""
        wide = BLOCKS[self.cell] * self.units
        bias = (2, wide) if self.cell == "gru" else (wide,)
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], wide), initializer="glorot_uniform")
        self.recurrent = self.add_weight(name="recurrent", shape=(self.units, wide), initializer="orthogonal")
        self.bias = self.add_weight(name="bias", shape=bias, initializer=self._first_bias)
        self.built = True

    def _first_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        values = np.zeros(shape, np.float32)
        if self.cell == "lstm":
            values[self.units : 2 * self.units] = 1.0  # forget nothing at first
        return tf.constant(values)

    def call(
        self, x: Tensor, goes_on: Tensor, state: tuple[Tensor, ...], *, silenced: float = 0.0, seed: Tensor = (0, 0)
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Outputs [T, B, units] and the state after the last step, for inputs x [T, B, D] and goes_on [T, B].

        A share `silenced` of the recurrent weights is left out, the same ones at every step (DropConnect, as in
        Merity et al. 2017, "Regularizing and Optimizing LSTM Language Models").
        """
        recurrent = tf.convert_to_tensor(self.recurrent)
        if silenced:
            recurrent = tf.nn.experimental.stateless_dropout(recurrent, silenced, seed)
        steps, width = tf.shape(x)[0], x.shape[-1]
        bias = self.bias[0] if self.cell == "gru" else self.bias
        flat = product(tf.reshape(x, [-1, width]), self.kernel, fast=self.fast) + bias
        inputs = tf.reshape(flat, [steps, -1, BLOCKS[self.cell] * self.units])
        outputs, *state_after = run(self.cell, inputs, recurrent, self.bias, goes_on, state, fast=self.fast)
        return outputs, tuple(state_after)


def run(
    cell: str,
    inputs: Tensor,
    recurrent: Tensor,
    bias: Tensor,
    goes_on: Tensor,
    state: tuple[Tensor, ...],
    *,
    fast: bool,
) -> tuple[Tensor, ...]:
    """The loop over time of one layer, with its gradient written out; the state before is taken as constant.

    Args:
        cell: lstm, gru or rnn.
        inputs: products of the inputs with the kernel, bias added, [T, B, blocks · units].
        recurrent: [units, blocks · units].
        bias: of the layer; only a GRU's second row is added here, within its reset gate.
        goes_on: [T, B], 0 where the state is cleared before the step.
        state: (h,) or (h, c), each [B, units].
        fast: multiply in bfloat16.

    Returns:
        Outputs [T, B, units] and the parts of the state after the last step.
    """
    forward, backward, kept = CELLS[cell]
    steps, batch, units = tf.shape(inputs)[0], tf.shape(inputs)[1], recurrent.shape[0]
    keep = goes_on[:, :, None]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def loop(inputs: Tensor, recurrent: Tensor, second_bias: Tensor) -> Any:
        read = tf.TensorArray(tf.float32, steps, element_shape=[None, inputs.shape[-1]]).unstack(inputs)
        # Cast once, not at every step.
        weights = tf.cast(recurrent, tf.bfloat16) if fast else recurrent

        def step(t: Tensor, state: tuple[Tensor, ...], outputs: Any, saved: list[Any]) -> Any:
            state = tuple(part * keep[t] for part in state)
            back = product(state[0], weights, fast=fast) + second_bias
            after, values = forward(read.read(t), back, state)
            saved = [array.write(t, value) for array, value in zip(saved, values, strict=True)]
            return t + 1, after, outputs.write(t, after[0]), saved

        arrays = [tf.TensorArray(tf.float32, steps, element_shape=[None, units]) for _ in range(kept + 1)]
        first = (tf.constant(0), state, arrays[0], arrays[1:])
        _, after, outputs, saved = tf.while_loop(lambda t, *_: t < steps, step, first, parallel_iterations=1)
        stacked = outputs.stack()

        def gradient(d_outputs: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
            d_read = tf.TensorArray(tf.float32, steps).unstack(d_outputs)

            def step_back(t: Tensor, d_state: tuple[Tensor, ...], d_in: Any, d_back: Any) -> Any:
                values = [array.read(t) for array in saved]
                d_after = (d_state[0] + d_read.read(t), *d_state[1:])
                d_input, d_product, d_before = backward(values, d_after)
                d_h = d_before[0] + product(d_product, weights, fast=fast, flip=True)
                d_state = tuple(part * keep[t] for part in (d_h, *d_before[1:]))
                d_in = d_in.write(t, d_input)
                # Only a GRU's reset gate makes the two differ.
                d_back = d_back.write(t, d_product) if cell == "gru" else d_back
                return t - 1, d_state, d_in, d_back

            wide = [tf.TensorArray(tf.float32, steps, element_shape=[None, inputs.shape[-1]]) for _ in range(2)]
            zero = tuple(tf.zeros([batch, units]) for _ in state)
            first = (steps - 1, zero, *wide)
            _, _, d_in, d_back = tf.while_loop(lambda t, *_: t >= 0, step_back, first, parallel_iterations=1)
            d_inputs = d_in.stack()
            d_products = d_back.stack() if cell == "gru" else d_inputs
            before = tf.concat([state[0][None], stacked[:-1]], 0) * keep
            flat = tf.reshape(d_products, [-1, inputs.shape[-1]])
            d_recurrent = product(tf.transpose(tf.reshape(before, [-1, units])), flat, fast=fast)
            return d_inputs, d_recurrent, tf.reduce_sum(flat, 0)

        return (stacked, *after), gradient

    second_bias = bias[1] if cell == "gru" else tf.zeros([recurrent.shape[1]])
    return tuple(loop(inputs, recurrent, second_bias))


def lstm_forward(inputs: Tensor, back: Tensor, state: tuple[Tensor, ...]) -> Any:
    """One step of an LSTM: the state after it, and what its gradient needs."""
    i, f, g, o = tf.split(inputs + back, 4, axis=1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    c = f * state[1] + i * g
    tanh_c = tf.tanh(c)
    return (o * tanh_c, c), (i, f, g, o, tanh_c, state[1])


def lstm_backward(values: list[Tensor], d_after: tuple[Tensor, ...]) -> Any:
    """The gradients of an LSTM's step: of its inputs, of its recurrent product and of the state before it."""
    i, f, g, o, tanh_c, c_before = values
    d_h, d_c = d_after
    d_c = d_c + d_h * o * (1 - tanh_c * tanh_c)
    d_i, d_f, d_g = d_c * g * i * (1 - i), d_c * c_before * f * (1 - f), d_c * i * (1 - g * g)
    d_gates = tf.concat([d_i, d_f, d_g, d_h * tanh_c * o * (1 - o)], 1)
    return d_gates, d_gates, (tf.zeros_like(d_h), d_c * f)


def gru_forward(inputs: Tensor, back: Tensor, state: tuple[Tensor, ...]) -> Any:
    """One step of a GRU (Keras's reset_after: the reset gate acts on the recurrent product)."""
    (z, r, g), (back_z, back_r, back_g) = tf.split(inputs, 3, axis=1), tf.split(back, 3, axis=1)
    z, r = tf.sigmoid(z + back_z), tf.sigmoid(r + back_r)
    g = tf.tanh(g + r * back_g)
    return (z * state[0] + (1 - z) * g,), (z, r, g, back_g, state[0])


def gru_backward(values: list[Tensor], d_after: tuple[Tensor, ...]) -> Any:
    """The gradients of a GRU's step, as `lstm_backward`."""
    z, r, g, back_g, h_before = values
    (d_h,) = d_after
    d_g = d_h * (1 - z) * (1 - g * g)
    d_z, d_r = d_h * (h_before - g) * z * (1 - z), d_g * back_g * r * (1 - r)
    return tf.concat([d_z, d_r, d_g], 1), tf.concat([d_z, d_r, d_g * r], 1), (d_h * z,)


def rnn_forward(inputs: Tensor, back: Tensor, state: tuple[Tensor, ...]) -> Any:
    """One step of a plain recurrent network."""
    h = tf.tanh(inputs + back)
    return (h,), (h,)


def rnn_backward(values: list[Tensor], d_after: tuple[Tensor, ...]) -> Any:
    """The gradients of a plain network's step, as `lstm_backward`."""
    d_z = d_after[0] * (1 - values[0] * values[0])
    return d_z, d_z, (tf.zeros_like(d_z),)


# Cell -> step forward, step back, and how many tensors [B, units] one hands to the other.
CELLS: dict[str, tuple[Callable[..., Any], Callable[..., Any], int]] = {
    "lstm": (lstm_forward, lstm_backward, 6),
    "gru": (gru_forward, gru_backward, 5),
    "rnn": (rnn_forward, rnn_backward, 1),
}


class Borrowed(keras.layers.Layer):  # type: ignore[misc]
    """One of Keras's own recurrent layers behind the same face: on a graphics card it runs on cuDNN.

    It clears its state before the first step alone, so every row must hold one text (`Corpus.whole`).
    """

    def __init__(self, cell: str, units: int) -> None:
        super().__init__()
        kinds = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
        self.layer = kinds[cell](units, return_sequences=True, return_state=True)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs of width `shape[-1]`."""
        self.layer.build(shape)
        cell = self.layer.cell
        self.kernel, self.recurrent, self.bias = cell.kernel, cell.recurrent_kernel, cell.bias
        self.built = True

    def call(
        self, x: Tensor, goes_on: Tensor, state: tuple[Tensor, ...], *, silenced: float = 0.0, seed: Tensor = (0, 0)
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """As `Recurrent.call`, without silencing recurrent weights: cuDNN has no place for it."""
        first = [part * goes_on[0][:, None] for part in state]
        outputs, *after = self.layer(tf.transpose(x, [1, 0, 2]), initial_state=first)
        return tf.transpose(outputs, [1, 0, 2]), tuple(after)


class Network(keras.Model):  # type: ignore[misc]
    """Symbols in, the odds of the next symbol out: embedding, recurrent layers, output."""

    def __init__(self, config: Config, symbols: int, *, fast: bool | None = None, borrowed: bool | None = None) -> None:
        """By default in bfloat16 where the processor has it, with borrowed layers where there is a graphics card."""
        super().__init__()
        fast = has_bfloat16() if fast is None else fast
        self.borrowed = bool(tf.config.list_physical_devices("GPU")) if borrowed is None else borrowed
        self.config, self.fast = config, fast and not self.borrowed
        self.embedding = self.add_weight(name="embedding", shape=(symbols, config.embedding), initializer="uniform")
        self.recurrent_layers = [
            Borrowed(config.cell, config.units) if self.borrowed else Recurrent(config.cell, config.units, fast=fast)
            for _ in range(config.layers)
        ]
        for place, layer in enumerate(self.recurrent_layers):
            layer.build((None, None, config.units if place else config.embedding))
        self.output_kernel = self.add_weight(
            name="output_kernel", shape=(config.units, symbols), initializer="glorot_uniform"
        )
        self.output_bias = self.add_weight(name="output_bias", shape=(symbols,), initializer="zeros")
        self.built = True

    @property
    def named(self) -> dict[str, Any]:
        """The variables by their names in a checkpoint."""
        named = {"embedding": self.embedding}
        for place, layer in enumerate(self.recurrent_layers):
            named[f"layers.{place}.kernel"] = layer.kernel
            named[f"layers.{place}.recurrent"] = layer.recurrent
            named[f"layers.{place}.bias"] = layer.bias
        return {**named, "output.kernel": self.output_kernel, "output.bias": self.output_bias}

    def load(self, weights: Weights) -> None:
        """Take over the weights of a checkpoint."""
        for name, variable in self.named.items():
            variable.assign(weights[name])

    def weights_now(self) -> Weights:
        """The weights as arrays, by name."""
        return {name: np.asarray(variable.numpy()) for name, variable in self.named.items()}

    def zero_state(self, batch: int) -> State:
        """The state before anything was read."""
        parts = 2 if self.config.cell == "lstm" else 1
        return [tuple(tf.zeros([batch, self.config.units]) for _ in range(parts)) for _ in range(self.config.layers)]

    def call(
        self,
        symbols: Tensor,
        goes_on: Tensor,
        state: State,
        *,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        seed: Tensor = (0, 0),
    ) -> tuple[Tensor, State]:
        """Logits [T, B, V] and the state afterwards, for symbols and goes_on [T, B].

        While it learns, a share `dropout` of each layer's outputs and a share `weight_dropout` of its recurrent
        weights are silenced, which ones by `seed` [2].
        """
        x = tf.gather(self.embedding, symbols)
        after: State = []
        for place, layer in enumerate(self.recurrent_layers):
            chance = tf.add(seed, place)
            x, layer_state = layer(x, goes_on, state[place], silenced=weight_dropout, seed=chance)
            x = _silence(x, dropout, chance) if dropout else x
            after.append(layer_state)
        flat = tf.reshape(x, [-1, self.config.units])
        logits = product(flat, self.output_kernel, fast=self.fast) + self.output_bias
        return tf.reshape(logits, [tf.shape(symbols)[0], tf.shape(symbols)[1], -1]), after


def _silence(x: Tensor, share: float, seed: Tensor) -> Tensor:
    # Locked dropout (Gal & Ghahramani 2016): the same units for a whole window, so that the noise does not average
    # out over time.
    shape = [1, tf.shape(x)[1], x.shape[2]]
    return tf.nn.experimental.stateless_dropout(x, share, seed, noise_shape=shape)


class Learner:
    """A network that learns window by window, and its averaged twin, which is measured and kept.

    Adam with clipped gradients; the twin's weights are the moving average of the network's (Polyak & Juditsky 1992).
    """

    def __init__(self, config: Config, vocab: Vocab, recipe: Recipe, *, borrowed: bool | None = None) -> None:
        keras.utils.set_random_seed(recipe.seed)
        self.vocab, self.recipe = vocab, recipe
        self.network, self.averaged = (Network(config, len(vocab), borrowed=borrowed) for _ in range(2))
        self.averaged.load(self.network.weights_now())
        self.optimizer = keras.optimizers.Adam(recipe.rate, beta_2=0.99, global_clipnorm=1.0)
        self.optimizer.build(self.network.trainable_variables)
        self.memory = self.network.zero_state(recipe.batch)  # carried from window to window
        self._update, self._surprise = tf.function(self._update_eagerly), tf.function(self._surprise_eagerly)

    def windows(self, corpus: Corpus, batch: int, *, epoch: int = 0, first: int = 0) -> Iterator[Window]:
        """The windows of an epoch, as the network's layers want them: packed, or one text a row."""
        if self.network.borrowed:
            return corpus.whole(batch, epoch=epoch, first=first)
        return corpus.windows(batch, self.recipe.window, epoch=epoch, first=first)

    def learn(self, window: Window, *, rate: float, step: int) -> float:
        """One step on one window; the weighted mean surprise in nats before it."""
        self.optimizer.learning_rate.assign(rate)
        decay = min(self.recipe.averaging, (1 + step) / (10 + step))
        seed = tf.constant([self.recipe.seed, step * 64], tf.int32)
        parts = (window.symbols, window.targets, window.goes_on, window.weights)
        loss, self.memory = self._update(*map(tf.constant, parts), self.memory, tf.constant(decay, tf.float32), seed)
        return float(loss)

    def _update_eagerly(
        self,
        symbols: Tensor,
        targets: Tensor,
        goes_on: Tensor,
        weights: Tensor,
        memory: State,
        decay: Tensor,
        seed: Tensor,
    ) -> tuple[Tensor, State]:
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            noise = {"dropout": self.recipe.dropout or 0.0, "weight_dropout": self.recipe.weight_dropout or 0.0}
            logits, memory = self.network(symbols, goes_on, memory, **noise, seed=seed)
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_sum(nats * weights) / tf.maximum(tf.reduce_sum(weights), 1e-6)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        for average, variable in zip(self.averaged.trainable_variables, variables, strict=True):
            average.assign_add((1 - decay) * (variable - average))
        return loss, memory

    def measure(self, corpus: Corpus) -> float:
        """Bits per character of the averaged weights on `corpus`, end marks counted, unknown characters paid for."""
        memory = self.averaged.zero_state(MEASURED_ROWS)
        nats = unknown = 0.0
        for window in self.windows(corpus, MEASURED_ROWS):
            inside = window.weights > 0
            surprise, memory = self._surprise(window.symbols, window.targets, window.goes_on, memory)
            nats += float(surprise.numpy()[inside].sum(dtype=np.float64))
            unknown += float((window.targets[inside] == UNKNOWN_ID).sum())
        return (nats / math.log(2) + unknown * self.vocab.unknown_bits) / corpus.characters

    def _surprise_eagerly(self, symbols: Tensor, targets: Tensor, goes_on: Tensor, memory: State) -> Any:
        logits, memory = self.averaged(symbols, goes_on, memory)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits), memory

    def averaged_weights(self) -> Weights:
        """The weights to keep."""
        return self.averaged.weights_now()

    def begin_from(self, weights: Weights) -> None:
        """Start with the weights of a checkpoint."""
        self.network.load(weights)
        self.averaged.load(weights)

    def _variables(self) -> dict[str, Any]:
        named = {f"network.{name}": variable for name, variable in self.network.named.items()}
        named |= {f"averaged.{name}": variable for name, variable in self.averaged.named.items()}
        return named | {f"optimizer.{i}": variable for i, variable in enumerate(self.optimizer.variables)}

    def arrays(self) -> dict[str, Array]:
        """All that a later `restore` needs to go on in the same way."""
        arrays = {name: np.asarray(variable.numpy()) for name, variable in self._variables().items()}
        for layer, parts in enumerate(self.memory):
            arrays |= {f"memory.{layer}.{i}": part.numpy() for i, part in enumerate(parts)}
        return arrays

    def restore(self, arrays: dict[str, Array]) -> None:
        """Go on from what `arrays` returned."""
        for name, variable in self._variables().items():
            variable.assign(arrays[name])
        self.memory = [
            tuple(tf.constant(arrays[f"memory.{layer}.{i}"]) for i in range(len(parts)))
            for layer, parts in enumerate(self.memory)
        ]
