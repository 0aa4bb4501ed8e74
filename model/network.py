"""The network in Keras on TensorFlow, and how it learns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arithmetic import has_bfloat16
from model.checkpoint import Weights
from model.config import Config, Recipe
from model.corpus import Corpus, Window
from model.recurrent import Borrowed, Parts, Recurrent, Tensor, keras, product, tf
from model.vocab import UNKNOWN_ID, Vocab

__all__ = ["Learner", "Network", "has_bfloat16", "keras", "tf"]

Array = NDArray[Any]
State = list[Parts]  # for each layer
MEASURED_ROWS = 128  # rows of the packed stream of validation texts, at most


class Network(keras.Model):  # type: ignore[misc]
    """Symbols in, the odds of the next symbol out: embedding, recurrent layers, output."""

    def __init__(self, config: Config, symbols: int, *, fast: bool | None = None, borrowed: bool | None = None) -> None:
        """By default in bfloat16 where the processor has it, with borrowed layers where there is a graphics card."""
        super().__init__()
        fast = has_bfloat16() if fast is None else fast
        self.borrowed = bool(tf.config.list_physical_devices("GPU")) if borrowed is None else borrowed
        self.config, self.fast = config, fast and not self.borrowed
        # As large as a layer's input should be: of Keras's own ±0.05 the first layer would hear next to nothing for
        # hundreds of steps.
        loud = keras.initializers.RandomNormal(stddev=1.0)
        self.embedding = self.add_weight(name="embedding", shape=(symbols, config.embedding), initializer=loud)
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
        layers = [part for layer in self.recurrent_layers for part in (layer.kernel, layer.recurrent, layer.bias)]
        variables = [self.embedding, *layers, self.output_kernel, self.output_bias]
        return dict(zip(self.config.shapes, variables, strict=True))

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
        dropout: Tensor | None = None,
        weight_dropout: Tensor | None = None,
        seed: Tensor = (0, 0),
    ) -> tuple[Tensor, State]:
        """Logits [T, B, V] and the state afterwards, for symbols and goes_on [T, B].

        While it learns, a share `dropout` of each layer's outputs and a share `weight_dropout` of its recurrent
        weights are silenced, which ones by `seed` [2]; None: nothing is.
        """
        x = tf.gather(self.embedding, symbols)
        after: State = []
        for place, layer in enumerate(self.recurrent_layers):
            chance = tf.add(seed, place)
            x, layer_state = layer(x, goes_on, state[place], silenced=weight_dropout, seed=chance)
            if dropout is not None:
                # Locked dropout (Gal & Ghahramani 2016): the same units for a whole window, so that the noise does not
                # average out over time.
                shape = [1, tf.shape(x)[1], x.shape[2]]
                x = tf.nn.experimental.stateless_dropout(x, dropout, chance, noise_shape=shape)
            after.append(layer_state)
        logits = product(x, self.output_kernel, fast=self.fast)
        return tf.cast(logits, tf.float32) + self.output_bias, after


class Learner:
    """A network that learns window by window, and its averaged twin, which is measured and kept.

    Adam with clipped gradients; the twin's weights are the moving average of the network's (Polyak & Juditsky 1992).
    """

    def __init__(self, config: Config, vocab: Vocab, recipe: Recipe, *, borrowed: bool | None = None) -> None:
        self.seed = recipe.seed % 2**31  # TensorFlow takes no larger one
        keras.utils.set_random_seed(self.seed)
        self.vocab, self.recipe = vocab, recipe
        self.network, self.averaged = (Network(config, len(vocab), borrowed=borrowed) for _ in range(2))
        self.averaged.load(self.network.weights_now())
        self.optimizer = keras.optimizers.Adam(beta_2=0.99, global_clipnorm=1.0)
        self.optimizer.build(self.network.trainable_variables)
        # Carried from window to window.
        self.memory = [tuple(map(tf.Variable, parts)) for parts in self.network.zero_state(recipe.batch)]
        self._update, self._surprise = tf.function(self._update_eagerly), tf.function(self._surprise_eagerly)

    def windows(self, corpus: Corpus, batch: int, *, epoch: int = 0, first: int = 0) -> Iterator[Window]:
        """The windows of an epoch, as the network's layers want them: packed, or one text a row."""
        if self.network.borrowed:
            return corpus.whole(batch, epoch=epoch, first=first)
        return corpus.windows(batch, self.recipe.window, epoch=epoch, first=first)

    def learn(self, window: Window, *, rate: float, step: int, noise: float = 1.0) -> float:
        """One step on one window, with that share of the recipe's noise; the weighted mean surprise in nats before."""
        self.optimizer.learning_rate.assign(rate)
        decay = min(self.recipe.averaging, (1 + step) / (10 + step))
        seed = tf.constant([self.seed, step * 64], tf.int32)
        tensors = Window(*map(tf.constant, window))
        scalars = (tf.constant(value, tf.float32) for value in (decay, noise))
        return float(self._update(tensors, *scalars, seed))

    def _update_eagerly(self, window: Any, decay: Tensor, noise: Tensor, seed: Tensor) -> Tensor:
        variables, memory = self.network.trainable_variables, tf.nest.map_structure(tf.convert_to_tensor, self.memory)
        shares = {"dropout": self.recipe.dropout, "weight_dropout": self.recipe.weight_dropout}
        silenced = {name: noise * share for name, share in shares.items() if share}
        with tf.GradientTape() as tape:
            logits, memory = self.network(window.symbols, window.goes_on, memory, **silenced, seed=seed)
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(window.targets, logits)
            loss = tf.reduce_sum(nats * window.weights) / tf.maximum(tf.reduce_sum(window.weights), 1e-6)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        for average, variable in zip(self.averaged.trainable_variables, variables, strict=True):
            average.assign_add((1 - decay) * (variable - average))
        tf.nest.map_structure(lambda kept, now: kept.assign(now), self.memory, memory)
        return loss

    def measure(self, corpus: Corpus) -> float:
        """Bits per character of the averaged weights on `corpus`, end marks counted, unknown characters paid for."""
        rows = corpus.rows(MEASURED_ROWS)
        memory = self.averaged.zero_state(rows)
        nats = unknown = 0.0
        for window in self.windows(corpus, rows):
            inside = window.weights > 0
            surprise, memory = self._surprise(Window(*map(tf.constant, window)), memory)
            nats += float(surprise.numpy()[inside].sum(dtype=np.float64))
            unknown += float((window.targets[inside] == UNKNOWN_ID).sum())
        return (nats / math.log(2) + unknown * self.vocab.unknown_bits) / corpus.characters

    def _surprise_eagerly(self, window: Any, memory: State) -> tuple[Tensor, State]:
        logits, memory = self.averaged(window.symbols, window.goes_on, memory)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(window.targets, logits), memory

    def begin_from(self, weights: Weights) -> None:
        """Start with the weights of a checkpoint."""
        self.network.load(weights)
        self.averaged.load(weights)

    def _variables(self) -> dict[str, Any]:
        named = {f"network.{name}": variable for name, variable in self.network.named.items()}
        named |= {f"averaged.{name}": variable for name, variable in self.averaged.named.items()}
        named |= {f"optimizer.{i}": variable for i, variable in enumerate(self.optimizer.variables)}
        return named | {f"memory.{i}": part for i, part in enumerate(tf.nest.flatten(self.memory))}

    def arrays(self) -> dict[str, Array]:
        """All that a later `restore` needs to go on in the same way."""
        return {name: np.asarray(variable.numpy()) for name, variable in self._variables().items()}

    def restore(self, arrays: dict[str, Array]) -> None:
        """Go on from what `arrays` returned.

        Raises:
            ValueError: they are another learner's: some are missing, unknown or of another shape.
        """
        variables = self._variables()
        if odd := arrays.keys() ^ variables.keys():
            raise ValueError(f"{min(odd)} is {'missing' if min(odd) in variables else 'unknown'}")
        for name, variable in variables.items():
            variable.assign(arrays[name])
