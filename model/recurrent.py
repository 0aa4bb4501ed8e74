"""Recurrent layers in TensorFlow, made for packed streams on a plain CPU, with a loop back of their own.

Weights lie as in `keras.layers.LSTM`, `GRU` and `SimpleRNN`, so they convert both ways by name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# oneDNN multiplies 1.6 times as fast as TensorFlow's own code also where TensorFlow leaves it off (no AVX-512).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np

from model.arithmetic import processor_has
from model.config import BLOCKS
from model.kept_away import kept_away

# Keras imports them wherever they are, for plots and for layers that we do not have: a quarter of a training's start.
with kept_away("matplotlib", "scipy"):
    import keras
    import tensorflow as tf

__all__ = ["Borrowed", "Parts", "Recurrent", "Tensor", "keras", "product", "tf"]

Tensor = Any
Parts = tuple[Tensor, ...]  # a layer's state: (h,) or, for an LSTM, (h, c); each [B, units] in float32


def product(x: Tensor, weights: Tensor, *, fast: bool) -> Tensor:
    """Each step of x [T, B, D] times weights [D, E], as one product: [T, B, E], in bfloat16 where `fast`."""
    kind = tf.bfloat16 if fast else tf.float32
    flat = tf.matmul(tf.reshape(tf.cast(x, kind), [-1, x.shape[-1]]), tf.cast(weights, kind))
    return tf.reshape(flat, [tf.shape(x)[0], -1, weights.shape[-1]])


class Recurrent(keras.layers.Layer):  # type: ignore[misc]
    """One recurrent layer over [T, B, D], time first, that clears its state wherever a text begins.

    The inputs are multiplied before the loop over time, which does only what depends on the step before. The loop back
    yields the gradients of the products, and one large product each turns them into those of the weights (after
    Appleyard et al. 2016, "Optimizing Performance of Recurrent Neural Networks").
    """

    def __init__(self, cell: str, units: int, *, fast: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.cell, self.units, self.fast = cell, units, fast
        # Products of few rows take half the time with weights turned where there is no AVX-512, else up to thrice it.
        self.turned = not processor_has("avx512f")

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs [T, B, D] of such a shape."""
        wide = BLOCKS[self.cell] * self.units
        bias = np.zeros((2, wide) if self.cell == "gru" else wide, np.float32)
        if self.cell == "lstm":
            bias[self.units : 2 * self.units] = 1.0  # forget nothing at first
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], wide), initializer="glorot_uniform")
        self.recurrent = self.add_weight(name="recurrent", shape=(self.units, wide), initializer="orthogonal")
        self.bias = self.add_weight(name="bias", shape=bias.shape, initializer=keras.initializers.Constant(bias))
        self.built = True

    def call(
        self, x: Tensor, goes_on: Tensor, state: Parts, *, silenced: Tensor | None = None, seed: Tensor = (0, 0)
    ) -> tuple[Tensor, Parts]:
        """Outputs [T, B, units] and the state after the last step, for inputs x [T, B, D] and goes_on [T, B].

        A share `silenced` of the recurrent weights is left out, the same ones at every step (DropConnect, as in
        Merity et al. 2017, "Regularizing and Optimizing LSTM Language Models").
        """
        recurrent = tf.convert_to_tensor(self.recurrent)
        if silenced is not None:
            recurrent = tf.nn.experimental.stateless_dropout(recurrent, silenced, seed)
        inputs = product(x, self.kernel, fast=self.fast)
        bias, keep = tf.convert_to_tensor(self.bias), goes_on[..., None]
        outputs, *after = run(self.cell, inputs, recurrent, bias, keep, state, turned=self.turned)
        return outputs, tuple(after)


def run(
    cell: str, inputs: Tensor, recurrent: Tensor, bias: Tensor, keep: Tensor, state: Parts, *, turned: bool
) -> Parts:
    """The loop over time of one layer, and the loop back; the state before is taken as constant.

    Args:
        cell: lstm, gru or rnn.
        inputs: their products with the kernel, [T, B, blocks · units]; all products are of their kind.
        recurrent: weights [units, blocks · units].
        bias: [blocks · units]; of a GRU [2, blocks · units], the second for the recurrent product.
        keep: [T, B, 1], 0 where the state is cleared before the step.
        state: before the first step.
        turned: multiply in the loops with weights that lie the other way; the products are the same.

    Returns:
        Outputs [T, B, units] and the parts of the state after the last step.
    """
    step, step_back = compiled(cell)
    steps, kind = tf.shape(inputs)[0], inputs.dtype

    def empty(like: Tensor, steps: Tensor = steps) -> Any:
        return tf.TensorArray(like.dtype, steps, element_shape=[None, like.shape[-1]], clear_after_read=False)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def loop(inputs: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
        weights = tf.cast(recurrent, kind)  # once, not at every step
        other = tf.transpose(weights)

        def forward(t: Tensor, state: Parts, backs: Any, states: list[Any]) -> Any:
            h = tf.cast(state[0] * keep[t], kind)
            back = tf.matmul(h, other, transpose_b=True) if turned else tf.matmul(h, weights)
            after = step(inputs[t], back, bias, keep[t], state)
            states = [kept.write(t + 1, part) for kept, part in zip(states, after, strict=True)]
            return t + 1, after, backs.write(t, back), states

        states = [empty(part, steps + 1).write(0, part) for part in state]
        first = (tf.constant(0), state, empty(inputs), states)
        _, last, backs, states = tf.while_loop(lambda t, *_: t < steps, forward, first, parallel_iterations=1)
        outputs = states[0].gather(tf.range(1, steps + 1))

        def gradient(d_outputs: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
            def backward(t: Tensor, d_bias: Tensor, d_state: Parts, d_inputs: Any, d_backs: Any) -> Any:
                before = tuple(kept.read(t) for kept in states)
                d_after = (d_state[0] + d_outputs[t], *d_state[1:])
                d_input, d_back, more, *d_before = step_back(inputs[t], backs.read(t), bias, keep[t], before, d_after)
                d_h = tf.matmul(d_back, weights, transpose_b=True) if turned else tf.matmul(d_back, other)
                d_before[0] += tf.cast(d_h, tf.float32) * keep[t]
                # Only a GRU's reset gate makes the two differ.
                d_backs = d_backs.write(t, d_back) if cell == "gru" else d_backs
                return t - 1, d_bias + more, tuple(d_before), d_inputs.write(t, d_input), d_backs

            first = (steps - 1, tf.zeros_like(bias), tuple(map(tf.zeros_like, state)), empty(inputs), empty(inputs))
            _, d_bias, _, d_in, d_back = tf.while_loop(lambda t, *_: t >= 0, backward, first, parallel_iterations=1)
            d_inputs = d_in.stack()
            d_products = d_back.stack() if cell == "gru" else d_inputs
            past = tf.cast(tf.concat([state[0][None], outputs[:-1]], 0) * keep, kind)
            flat, d_flat = (tf.reshape(part, [-1, part.shape[-1]]) for part in (past, d_products))
            return d_inputs, tf.cast(tf.matmul(flat, d_flat, transpose_a=True), tf.float32), d_bias

        return (outputs, *last), gradient

    return tuple(loop(inputs, recurrent, bias))


@cache
def compiled(cell: str) -> tuple[Callable[..., Parts], Callable[..., Parts]]:
    """A cell's step, and the gradient of one, each made into one pass over memory (XLA) where that can be done.

    A step takes its share of the inputs' products, its recurrent product, bias, keep and state.
    """

    def step(inputs: Tensor, back: Tensor, bias: Tensor, keep: Tensor, state: Parts) -> Parts:
        inputs, back = tf.cast(inputs, tf.float32), tf.cast(back, tf.float32)
        return CELLS[cell](inputs, back, bias, tuple(part * keep for part in state))

    def step_back(inputs: Tensor, back: Tensor, bias: Tensor, keep: Tensor, state: Parts, d_after: Parts) -> Parts:
        given = (inputs, back, bias, *state)
        with tf.GradientTape() as tape:
            tape.watch(given)
            after = step(inputs, back, bias, keep, state)
        return tuple(tape.gradient(after, given, d_after, unconnected_gradients="zero"))

    return tuple(tf.function(part, jit_compile=_can_compile()) for part in (step, step_back))


def _can_compile() -> bool:
    """Whether this TensorFlow has a compiler for its devices; some builds and plugins lack one."""
    try:
        tf.function(tf.tanh, jit_compile=True)(tf.zeros([1]))
    except tf.errors.OpError:
        return False
    return True


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), by the tanh, which XLA makes twice as fast."""
    return 0.5 + 0.5 * tf.tanh(0.5 * x)


def lstm(inputs: Tensor, back: Tensor, bias: Tensor, state: Parts) -> Parts:
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997; its forget gate: Gers et al. 2000)."""
    i, f, g, o = tf.split(inputs + back + bias, 4, axis=-1)
    c = sigmoid(f) * state[1] + sigmoid(i) * tf.tanh(g)
    return sigmoid(o) * tf.tanh(c), c


def gru(inputs: Tensor, back: Tensor, bias: Tensor, state: Parts) -> Parts:
    """One step of a gated recurrent unit (Cho et al. 2014; the reset gate acts on the product, as in cuDNN)."""
    (z, r, g), (back_z, back_r, back_g) = tf.split(inputs + bias[0], 3, axis=-1), tf.split(back + bias[1], 3, axis=-1)
    z, r = sigmoid(z + back_z), sigmoid(r + back_r)
    return (z * state[0] + (1 - z) * tf.tanh(g + r * back_g),)


def rnn(inputs: Tensor, back: Tensor, bias: Tensor, state: Parts) -> Parts:
    """One step of a plain recurrent network (Elman 1990)."""
    return (tf.tanh(inputs + back + bias),)


CELLS: dict[str, Callable[..., Parts]] = {"lstm": lstm, "gru": gru, "rnn": rnn}


class Borrowed(keras.layers.Layer):  # type: ignore[misc]
    """One of Keras's own recurrent layers behind the same face: on a graphics card it runs on cuDNN.

    It clears its state before the first step alone, so every row must hold one text (`Corpus.whole`).
    """

    def __init__(self, cell: str, units: int) -> None:
        super().__init__()
        kinds = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
        self.layer = kinds[cell](units, return_sequences=True, return_state=True)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs [T, B, D] of such a shape."""
        self.layer.build((None, None, shape[-1]))
        cell = self.layer.cell
        self.kernel, self.recurrent, self.bias = cell.kernel, cell.recurrent_kernel, cell.bias
        self.built = True

    def call(
        self, x: Tensor, goes_on: Tensor, state: Parts, *, silenced: Tensor | None = None, seed: Tensor = (0, 0)
    ) -> tuple[Tensor, Parts]:
        """As `Recurrent.call`, without silencing recurrent weights: cuDNN has no place for it."""
        first = [part * goes_on[0][:, None] for part in state]
        outputs, *after = self.layer(tf.transpose(x, [1, 0, 2]), initial_state=first)
        return tf.transpose(outputs, [1, 0, 2]), tuple(after)
