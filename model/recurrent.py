"""Recurrent layers in TensorFlow, made for packed streams on a plain CPU, with their gradient written out.

Weights lie as in `keras.layers.LSTM`, `GRU` and `SimpleRNN`, so they convert both ways by name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# oneDNN multiplies 1.6 times as fast as TensorFlow's own code also where TensorFlow leaves it off (no AVX-512).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np

from model.config import BLOCKS


@contextmanager
def _not_to_be_found(*names: str) -> Iterator[None]:
    """Let nobody in the block import these modules; afterwards everybody may."""
    kept_away = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(kept_away))  # type: ignore[arg-type]  # None: as if it were not installed
    try:
        yield
    finally:
        for name in kept_away:
            del sys.modules[name]


# Keras imports them wherever they are, for plots and for layers that we do not have: a quarter of a training's start.
with _not_to_be_found("matplotlib", "scipy"):
    import keras
    import tensorflow as tf

__all__ = ["Borrowed", "Parts", "Recurrent", "Tensor", "keras", "products", "tf"]

Tensor = Any
Parts = tuple[Tensor, ...]  # a layer's state: (h,) or, for an LSTM, (h, c); each [units, B] in float32


def product(a: Tensor, b: Tensor, *, fast: bool) -> Tensor:
    """The product of a and b, or each step of b [T, …], in float32 or, where `fast`, in bfloat16 and cast back."""
    if not fast:
        return tf.matmul(a, b)
    return tf.cast(tf.matmul(tf.cast(a, tf.bfloat16), tf.cast(b, tf.bfloat16)), tf.float32)


def weight_gradient(x: Tensor, d_products: Tensor, *, fast: bool) -> Tensor:
    """The gradient [D, E] of weights that were multiplied with x [T, D, B], from that of the products [T, E, B]."""
    flat, d_flat = (tf.reshape(tf.transpose(part, [1, 0, 2]), [part.shape[1], -1]) for part in (x, d_products))
    return product(flat, tf.transpose(d_flat), fast=fast)


def products(weights: Tensor, x: Tensor, *, fast: bool) -> Tensor:
    """Weights [D, E] times each step of x [T, D, B]: [T, E, B]. The gradient of the weights is one large product."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def multiply(weights: Tensor, x: Tensor) -> Any:
        def gradient(d_products: Tensor) -> tuple[Tensor, Tensor]:
            return weight_gradient(x, d_products, fast=fast), product(weights, d_products, fast=fast)

        # [None]: else TensorFlow makes the turning a part of the product, which then takes twice as long.
        return product(tf.transpose(weights)[None], x, fast=fast), gradient

    return multiply(weights, x)


class Recurrent(keras.layers.Layer):  # type: ignore[misc]
    """One recurrent layer over [T, D, B], time first and texts last, that clears its state wherever a text begins.

    The inputs are multiplied before the loop over time, which does only what depends on the step before. The gradient
    is written out: the loop back yields the gradients of the gates, and one large product each turns them into those
    of the weights (after Appleyard et al. 2016, "Optimizing Performance of Recurrent Neural Networks"). Texts lie last
    because a product of weights with few columns is about twice as fast as one of few rows with weights, which has to
    pack all the weights anew at every step; and a gate is then one piece of memory.
    """

    def __init__(self, cell: str, units: int, *, fast: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.cell, self.units, self.fast = cell, units, fast

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs [T, D, B] of such a shape."""
        wide = BLOCKS[self.cell] * self.units
        bias = np.zeros((2, wide) if self.cell == "gru" else wide, np.float32)
        if self.cell == "lstm":
            bias[self.units : 2 * self.units] = 1.0  # forget nothing at first
        self.kernel = self.add_weight(name="kernel", shape=(shape[1], wide), initializer="glorot_uniform")
        self.recurrent = self.add_weight(name="recurrent", shape=(self.units, wide), initializer="orthogonal")
        self.bias = self.add_weight(name="bias", shape=bias.shape, initializer=keras.initializers.Constant(bias))
        self.built = True

    def call(
        self, x: Tensor, goes_on: Tensor, state: Parts, *, silenced: float = 0.0, seed: Tensor = (0, 0)
    ) -> tuple[Tensor, Parts]:
        """Outputs [T, units, B] and the state after the last step, for inputs x [T, D, B] and goes_on [T, B].

        A share `silenced` of the recurrent weights is left out, the same ones at every step (DropConnect, as in
        Merity et al. 2017, "Regularizing and Optimizing LSTM Language Models").
        """
        recurrent = tf.convert_to_tensor(self.recurrent)
        if silenced:
            recurrent = tf.nn.experimental.stateless_dropout(recurrent, silenced, seed)
        bias, second_bias = tf.unstack(self.bias) if self.cell == "gru" else (self.bias, tf.zeros_like(self.bias))
        inputs = products(tf.convert_to_tensor(self.kernel), x, fast=self.fast) + bias[:, None]
        keep = goes_on[:, None, :]
        outputs, *after = run(self.cell, inputs, recurrent, second_bias, keep, state, fast=self.fast)
        return outputs, tuple(after)


def run(
    cell: str, inputs: Tensor, recurrent: Tensor, second_bias: Tensor, keep: Tensor, state: Parts, *, fast: bool
) -> Parts:
    """The loop over time of one layer, with its gradient written out; the state before is taken as constant.

    Args:
        cell: lstm, gru or rnn.
        inputs: their products with the kernel, bias added, [T, blocks · units, B].
        recurrent: weights [units, blocks · units].
        second_bias: [blocks · units], of a GRU: its reset gate acts on it. The other cells have none.
        keep: [T, 1, B], 0 where the state is cleared before the step.
        state: before the first step.
        fast: multiply in bfloat16.

    Returns:
        Outputs [T, units, B] and the parts of the state after the last step.
    """
    step_of, factors_of, step_back_of = CELLS[cell]
    steps, wide = tf.shape(inputs)[0], inputs.shape[1]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def loop(inputs: Tensor, recurrent: Tensor, second_bias: Tensor) -> Any:
        # Cast and turned once, not at every step.
        weights = tf.cast(recurrent, tf.bfloat16) if fast else recurrent
        turned = tf.transpose(weights)

        def step(t: Tensor, state: Parts, backs: Any, states: list[Any]) -> Any:
            state = tuple(part * keep[t] for part in state)
            back = product(turned, state[0], fast=fast)
            back = back + second_bias[:, None] if cell == "gru" else back
            after = step_of(inputs[t], back, state)
            return t + 1, after, backs.write(t, back), [a.write(t, part) for a, part in zip(states, after, strict=True)]

        states = [tf.TensorArray(tf.float32, steps, element_shape=part.shape) for part in state]
        first = (tf.constant(0), state, tf.TensorArray(tf.float32, steps, element_shape=[wide, None]), states)
        _, last, backs, states = tf.while_loop(lambda t, *_: t < steps, step, first, parallel_iterations=1)
        after = tuple(part.stack() for part in states)

        def gradient(d_outputs: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
            before = [tf.concat([part[None], all_of[:-1]], 0) * keep for part, all_of in zip(state, after, strict=True)]
            factors = factors_of(inputs, backs.stack(), before, after)

            def step_back(t: Tensor, d_state: Parts, d_in: Any, d_back: Any) -> Any:
                d_after = (d_state[0] + d_outputs[t], *d_state[1:])
                d_input, d_product, (past, *d_before) = step_back_of([factor[t] for factor in factors], d_after)
                d_h = product(weights, d_product, fast=fast)
                d_h = d_h if past is None else d_h + past
                d_in = d_in.write(t, d_input)
                # Only a GRU's reset gate makes the two differ.
                d_back = d_back.write(t, d_product) if cell == "gru" else d_back
                return t - 1, tuple(part * keep[t] for part in (d_h, *d_before)), d_in, d_back

            arrays = [tf.TensorArray(tf.float32, steps, element_shape=[wide, None]) for _ in range(2)]
            first = (steps - 1, tuple(tf.zeros_like(part) for part in state), *arrays)
            _, _, d_in, d_back = tf.while_loop(lambda t, *_: t >= 0, step_back, first, parallel_iterations=1)
            d_inputs = d_in.stack()
            d_products = d_back.stack() if cell == "gru" else d_inputs
            return d_inputs, weight_gradient(before[0], d_products, fast=fast), tf.reduce_sum(d_products, [0, 2])

        return (after[0], *last), gradient

    return tuple(loop(inputs, recurrent, second_bias))


# Each cell is told in three parts. A step: the state after it, from its inputs, its recurrent product and the state
# before. Factors: all that its gradient is multiplied with, for all steps [T, …] at once, so that the loop back has
# little to do. A step back: the gradients of inputs, of the recurrent product and of the state before (of h only what
# does not come through the product; None: nothing does).


def lstm_gates(z: Tensor) -> tuple[Tensor, ...]:
    """Input, forget, candidate and output gate from their sums [..., 4 · units, B]."""
    i, f, g, o = tf.split(z, 4, axis=-2)
    return tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)


def lstm_step(inputs: Tensor, back: Tensor, state: Parts) -> Parts:
    """One step of an LSTM."""
    i, f, g, o = lstm_gates(inputs + back)
    c = f * state[1] + i * g
    return o * tf.tanh(c), c


def lstm_factors(inputs: Tensor, back: Tensor, before: Sequence[Tensor], after: Sequence[Tensor]) -> list[Tensor]:
    """What takes a gradient from h to c, from c and h to the gates, and from c to the c before."""
    i, f, g, o = lstm_gates(inputs + back)
    tanh_c = tf.tanh(after[1])
    gates = [g * i * (1 - i), before[1] * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)]
    return [o * (1 - tanh_c * tanh_c), tf.concat(gates, 1), f]


def lstm_step_back(factors: Sequence[Tensor], d_after: Parts) -> Any:
    """One step back of an LSTM."""
    to_c, to_gates, to_past = factors
    d_h, d_c = d_after
    d_c = d_c + d_h * to_c
    d_gates = tf.concat([d_c, d_c, d_c, d_h], 0) * to_gates
    return d_gates, d_gates, (None, d_c * to_past)


def gru_gates(inputs: Tensor, back: Tensor) -> tuple[Tensor, ...]:
    """Update gate, reset gate and candidate (Keras's reset_after: the reset gate acts on the recurrent product), and
    the candidate's share of that product."""
    (z, r, g), (back_z, back_r, back_g) = tf.split(inputs, 3, axis=-2), tf.split(back, 3, axis=-2)
    z, r = tf.sigmoid(z + back_z), tf.sigmoid(r + back_r)
    return z, r, tf.tanh(g + r * back_g), back_g


def gru_step(inputs: Tensor, back: Tensor, state: Parts) -> Parts:
    """One step of a GRU."""
    z, _, g, _ = gru_gates(inputs, back)
    return (z * state[0] + (1 - z) * g,)


def gru_factors(inputs: Tensor, back: Tensor, before: Sequence[Tensor], after: Sequence[Tensor]) -> list[Tensor]:
    """What takes a gradient from h to the inputs' gates, to those of the recurrent product, and to the h before."""
    z, r, g, back_g = gru_gates(inputs, back)
    to_z, to_g = (before[0] - g) * z * (1 - z), (1 - z) * (1 - g * g)
    to_r = to_g * back_g * r * (1 - r)
    return [tf.concat([to_z, to_r, to_g], 1), tf.concat([to_z, to_r, to_g * r], 1), z]


def gru_step_back(factors: Sequence[Tensor], d_after: Parts) -> Any:
    """One step back of a GRU."""
    to_inputs, to_product, to_past = factors
    three = tf.concat([d_after[0]] * 3, 0)
    return three * to_inputs, three * to_product, (d_after[0] * to_past,)


def rnn_step(inputs: Tensor, back: Tensor, state: Parts) -> Parts:
    """One step of a plain recurrent network."""
    return (tf.tanh(inputs + back),)


def rnn_factors(inputs: Tensor, back: Tensor, before: Sequence[Tensor], after: Sequence[Tensor]) -> list[Tensor]:
    """What takes a gradient from h to its sum."""
    return [1 - after[0] * after[0]]


def rnn_step_back(factors: Sequence[Tensor], d_after: Parts) -> Any:
    """One step back of a plain recurrent network."""
    d_z = d_after[0] * factors[0]
    return d_z, d_z, (None,)


CELLS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]] = {
    "lstm": (lstm_step, lstm_factors, lstm_step_back),
    "gru": (gru_step, gru_factors, gru_step_back),
    "rnn": (rnn_step, rnn_factors, rnn_step_back),
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
        """Make the weights for inputs [T, D, B] of such a shape."""
        self.layer.build((None, None, shape[1]))
        cell = self.layer.cell
        self.kernel, self.recurrent, self.bias = cell.kernel, cell.recurrent_kernel, cell.bias
        self.built = True

    def call(
        self, x: Tensor, goes_on: Tensor, state: Parts, *, silenced: float = 0.0, seed: Tensor = (0, 0)
    ) -> tuple[Tensor, Parts]:
        """As `Recurrent.call`, without silencing recurrent weights: cuDNN has no place for it."""
        first = [tf.transpose(part * goes_on[0]) for part in state]
        outputs, *after = self.layer(tf.transpose(x, [2, 0, 1]), initial_state=first)
        return tf.transpose(outputs, [1, 2, 0]), tuple(map(tf.transpose, after))
