"""The network in TensorFlow against Keras's own layers and against the reader."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from networks import Lazily, a_checkpoint, a_vocab

from model.config import Recipe
from model.corpus import Corpus, Text
from model.reader import Reader

pytestmark = pytest.mark.train

Learner, Network, Recurrent, keras, tf = (
    Lazily("model.network", name) for name in ("Learner", "Network", "Recurrent", "keras", "tf")
)
T, B, D, U = 9, 5, 7, 16
KERAS = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}
RANDOM = np.random.default_rng(0)


def some(*shape: int) -> Any:
    return tf.constant(RANDOM.standard_normal(shape), tf.float32)


def ours_and_keras(cell: str) -> tuple[Any, Any]:
    """A layer of ours and one of Keras's with the same weights."""
    keras.utils.set_random_seed(0)
    ours, theirs = Recurrent(cell, U), getattr(keras.layers, KERAS[cell])(U, return_sequences=True, return_state=True)
    ours.build((None, None, D))
    theirs.build((B, T, D))
    ours.bias.assign(0.3 * some(*ours.bias.shape))
    theirs.set_weights([part.numpy() for part in (ours.kernel, ours.recurrent, ours.bias)])
    return ours, theirs


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("cell", KERAS)
def test_outputs_and_gradients_are_those_of_keras(cell: str, turned: bool) -> None:
    ours, theirs = ours_and_keras(cell)
    ours.turned = turned
    x, weigh, state = some(T, B, D), some(T, B, U), [some(B, U) for _ in range(2 if cell == "lstm" else 1)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs, after = tf.function(ours)(x, tf.ones([T, B]), tuple(state))
        total = tf.reduce_sum(outputs * weigh)
    gradients = tape.gradient(total, [x, ours.kernel, ours.recurrent, ours.bias])
    with tf.GradientTape() as tape:
        tape.watch(x)
        expected, *expected_after = theirs(tf.transpose(x, [1, 0, 2]), initial_state=state)
        total = tf.reduce_sum(tf.transpose(expected, [1, 0, 2]) * weigh)
    expected_gradients = tape.gradient(total, [x, *(variable.value for variable in theirs.trainable_variables)])
    assert np.abs(tf.transpose(outputs, [1, 0, 2]) - expected).max() <= 1e-6
    assert all(np.abs(a - b).max() <= 1e-6 for a, b in zip(after, expected_after, strict=True))
    assert all(np.abs(a - b).max() <= 1e-5 for a, b in zip(gradients, expected_gradients, strict=True))


@pytest.mark.parametrize("cell", KERAS)
def test_bfloat16_stays_close_to_float32(cell: str) -> None:
    ours, _ = ours_and_keras(cell)
    x, state = some(T, B, D), tuple(tf.zeros([B, U]) for _ in range(2 if cell == "lstm" else 1))
    exact, _ = ours(x, tf.ones([T, B]), state)
    ours.fast = True
    rounded, _ = ours(x, tf.ones([T, B]), state)
    assert 0 < np.abs(exact - rounded).max() < 0.05


@pytest.mark.parametrize("cell", KERAS)
def test_a_text_never_sees_the_one_before(cell: str) -> None:
    network = Network(a_checkpoint(cell).config, 32, fast=False)
    second = np.array([[0], [5], [6]])
    alone, _ = network(second, np.array([[0.0], [1], [1]]), network.zero_state(1))
    for first in ([[0], [9], [9], [9]], [[0], [20], [21], [22]]):
        both = np.concatenate([np.array(first), second])
        goes_on = (both != 0).astype(np.float32)
        after, _ = network(both, goes_on, network.zero_state(1))
        assert np.abs(after[4:] - alone).max() <= 1e-6
        assert np.abs(network(both, np.ones_like(goes_on), network.zero_state(1))[0][4:] - alone).max() > 1e-6


@pytest.mark.parametrize("cell", KERAS)
def test_no_gradient_flows_across_a_start(cell: str) -> None:
    ours, _ = ours_and_keras(cell)
    x, state = some(6, 1, D), tuple(tf.zeros([1, U]) for _ in range(2 if cell == "lstm" else 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs, _ = ours(x, tf.constant([[0.0], [1], [1], [0], [1], [1]]), state)
        late = tf.reduce_sum(outputs[3:])
    flow = np.abs(tape.gradient(late, x)).sum((1, 2))
    assert (flow[:3] == 0).all()
    assert (flow[3:] > 0).all()


@pytest.mark.parametrize("cell", KERAS)
def test_the_state_is_carried_from_window_to_window(cell: str) -> None:
    checkpoint = a_checkpoint(cell)
    network = Network(checkpoint.config, 32, fast=False)
    symbols, goes_on = RANDOM.integers(3, 32, (8, 4)), np.ones((8, 4), np.float32)
    whole, _ = network(symbols, goes_on, network.zero_state(4))
    first, state = network(symbols[:3], goes_on[:3], network.zero_state(4))
    rest, _ = network(symbols[3:], goes_on[3:], state)
    assert np.abs(np.concatenate([first, rest]) - whole).max() <= 1e-6


@pytest.mark.parametrize("cell", KERAS)
def test_the_reader_agrees_with_tensorflow(cell: str) -> None:
    checkpoint = a_checkpoint(cell, layers=3, units=48, scale=0.15)
    network, reader = Network(checkpoint.config, 32, fast=False), Reader(checkpoint)
    network.load(checkpoint.weights)
    symbols = RANDOM.integers(3, 32, (12, 6))
    expected, _ = network(symbols, np.ones((12, 6), np.float32), network.zero_state(6))
    state = reader.start(6)
    logits = np.stack([reader.step(row, state) for row in symbols])
    assert np.abs(logits - expected).max() <= 1e-5


def test_weights_go_in_and_come_out_by_name() -> None:
    checkpoint = a_checkpoint("gru")
    network = Network(checkpoint.config, 32)
    network.load(checkpoint.weights)
    out = network.weights_now()
    assert out.keys() == checkpoint.config.shapes.keys()
    assert all((out[name] == checkpoint.weights[name]).all() for name in out)


@pytest.mark.parametrize("cell", KERAS)
def test_borrowed_layers_compute_what_ours_do(cell: str) -> None:
    checkpoint, corpus = a_checkpoint(cell), Corpus([Text("hello there"), Text("good day"), Text("b")], a_vocab())
    (window,) = corpus.whole(4, epoch=0)
    logits = []
    for borrowed in (False, True):
        network = Network(checkpoint.config, 32, fast=False, borrowed=borrowed)
        network.load(checkpoint.weights)
        dirty = [tuple(part + 1 for part in parts) for parts in network.zero_state(4)]
        logits.append(network(window.symbols, window.goes_on, dirty)[0].numpy()[window.weights > 0])
    assert np.abs(logits[0] - logits[1]).max() <= 1e-5


def test_borrowed_layers_learn_and_are_measured_alike() -> None:
    texts = [Text("hello there"), Text("good day"), Text("b")]
    corpus, options = Corpus(texts, a_vocab()), Recipe(batch=2, window=8, dropout=0.0, weight_dropout=0.0)
    learners = [Learner(a_checkpoint().config, a_vocab(), options, borrowed=borrowed) for borrowed in (False, True)]
    learners[1].begin_from(learners[0].network.weights_now())
    before = [learner.measure(corpus) for learner in learners]
    assert before[0] == pytest.approx(before[1], abs=0.01)
    for window in learners[1].windows(corpus, 2):
        learners[1].learn(window, rate=0.01, step=0)
    assert learners[1].measure(corpus) < before[1] - 0.01


def a_learner(**recipe: Any) -> Learner:
    options = {"batch": 2, "window": 8, "dropout": 0.0, "weight_dropout": 0.0, **recipe}
    return Learner(a_checkpoint(layers=1, units=16).config, a_vocab(), Recipe(**options))


def test_a_learner_goes_on_from_what_another_one_kept() -> None:
    learner = a_learner(batch=3)
    for window in Corpus([Text("hello there"), Text("good day")], a_vocab()).windows(3, 8, epoch=0):
        learner.learn(window, rate=0.01, step=0)
    kept, other = learner.arrays(), a_learner(batch=3)
    assert kept["memory.0"].shape == (3, 16)
    other.restore(kept)
    assert all((other.arrays()[name] == array).all() for name, array in kept.items())


@pytest.mark.parametrize("name", ["network.embedding", "optimizer.0", "memory.0"])
def test_a_learner_refuses_what_another_kind_of_one_kept(name: str) -> None:
    learner = a_learner()
    for odd in (None, np.zeros((7, 7, 7), np.float32)):
        arrays = {key: odd if key == name else array for key, array in learner.arrays().items()}
        with pytest.raises(ValueError, match=r".+"):
            learner.restore({key: array for key, array in arrays.items() if array is not None})
    with pytest.raises(ValueError, match="extra is unknown"):
        learner.restore({**learner.arrays(), "extra": np.zeros(1)})


def test_symbols_begin_as_loud_as_layers_want_their_input() -> None:
    vocab = a_vocab()
    embedding = Learner(a_checkpoint(units=16).config, vocab, Recipe(batch=2)).network.embedding.numpy()
    assert 0.7 < np.sqrt(np.mean(embedding**2)) < 1.3


def test_a_text_of_weight_nought_teaches_nothing() -> None:
    taught = [Text("abc abc abc"), Text("xyz xyz xyz", 0.0)]
    losses = [
        a_learner().learn(next(Corpus(texts, a_vocab(), seed=3).windows(2, 32, epoch=0)), rate=0.1, step=0)
        for texts in (taught, [taught[0], Text("qqq qqq qqq", 0.0)])
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def test_noise_is_as_loud_as_is_asked_for() -> None:
    window = next(Corpus([Text("hello there"), Text("good day")], a_vocab()).windows(2, 8, epoch=0))
    noisy = {"dropout": 0.5, "weight_dropout": 0.3}
    plain = a_learner().learn(window, rate=0.01, step=0)
    silent, loud = (a_learner(**noisy).learn(window, rate=0.01, step=0, noise=noise) for noise in (0.0, 1.0))
    assert silent == pytest.approx(plain, abs=1e-6)
    assert abs(loud - plain) > 1e-4


def test_measuring_reads_all_and_pays_for_unknown_characters() -> None:
    from model.checkpoint import Checkpoint
    from model.evaluate import bits_per_character

    learner, texts = a_learner(), ["hello there", "é", "a longer text, with more in it", "b"]
    checkpoint = Checkpoint(learner.network.config, a_vocab(), learner.averaged.weights_now())
    measured = learner.measure(Corpus([Text(text) for text in texts], a_vocab()))
    assert measured == pytest.approx(bits_per_character(checkpoint, texts).bits_per_character, abs=0.01)


def test_long_texts_are_measured_in_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, seen = a_learner(), list[int]()
    windows = learner.windows
    monkeypatch.setattr(learner, "windows", lambda corpus, rows: seen.append(rows) or windows(corpus, rows))
    learner.measure(Corpus([Text("hello there " * 9)] * 3, a_vocab()))
    assert seen == [3]


def test_dropout_silences_the_same_units_for_a_whole_window() -> None:
    network = Network(a_checkpoint(layers=1).config, 32, fast=False)
    network.output_kernel.assign(np.eye(32))  # so that what the layer hands on is what comes out
    symbols = RANDOM.integers(3, 32, (6, 50))
    x, _ = network(symbols, np.ones((6, 50), np.float32), network.zero_state(50), dropout=0.5, seed=(1, 2))
    silent = np.array(x) == 0
    assert (silent == silent[0]).all()
    assert 0.3 < silent.mean() < 0.7
    assert (silent[0, :, 0] != silent[0, :, 1]).any()
