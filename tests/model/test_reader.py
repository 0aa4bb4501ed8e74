"""The reader: what it returns for each character; that it agrees with TensorFlow is tested in test_network."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from networks import a_checkpoint, a_vocab

from model.reader import Reader, read


def by_hand(text: str) -> list[float]:
    """Surprise of each character under a one-layer LSTM, written with loops and nothing shared with the reader."""
    checkpoint = a_checkpoint(layers=1, units=4, embedding=3)
    w, vocab = checkpoint.weights, checkpoint.vocab
    h, c, bits, symbol = np.zeros(4), np.zeros(4), [], vocab.start()
    for target in [*vocab.encode(text), 1]:
        x = w["embedding"][symbol].astype(float)
        z = x @ w["layers.0.kernel"] + h @ w["layers.0.recurrent"] + w["layers.0.bias"]
        i, f, o = (1 / (1 + np.exp(-z[block : block + 4])) for block in (0, 4, 12))
        c = f * c + i * np.tanh(z[8:12])
        h = o * np.tanh(c)
        logits = h @ w["output.kernel"] + w["output.bias"]
        bits.append(-log2(np.exp(logits)[target] / np.exp(logits).sum()))
        symbol = int(target)
    return bits


def test_surprise_is_that_of_the_textbook() -> None:
    checkpoint = a_checkpoint(layers=1, units=4, embedding=3)
    assert [reading.surprise for reading in read(Reader(checkpoint), "hello")] == pytest.approx(
        by_hand("hello"), abs=1e-5
    )


def test_it_reads_every_character_and_the_end() -> None:
    assert [reading.character for reading in read(Reader(a_checkpoint()), "abc")] == ["a", "b", "c", ""]


def test_the_five_likeliest_come_in_order_with_their_odds() -> None:
    for reading in read(Reader(a_checkpoint(scale=1.0)), "some text"):
        odds = [share for _, share in reading.likeliest]
        assert len(odds) == 5
        assert odds == sorted(odds, reverse=True)
        known = dict(reading.likeliest)
        if reading.character in known:
            assert reading.surprise == pytest.approx(-log2(known[reading.character]), abs=1e-4)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("lstm", {"input", "forget", "candidate", "output", "c", "h"}),
        ("gru", {"update", "reset", "candidate", "h"}),
        ("rnn", {"h"}),
    ],
)
def test_it_shows_every_gate_of_every_layer(cell: str, names: set[str]) -> None:
    for reading in read(Reader(a_checkpoint(cell, layers=3)), "ab"):
        assert [set(layer) for layer in reading.gates] == [names] * 3
        assert all(value.shape == (32,) for layer in reading.gates for value in layer.values())


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_text_read_whole_is_read_as_step_by_step(cell: str) -> None:
    reader, symbols = Reader(a_checkpoint(cell, layers=3)), [0, 5, 6, 7, 5]
    state = reader.start(1)
    one_by_one = [reader.step(np.array([symbol]), state)[0] for symbol in symbols]
    logits, layers = reader.follow(symbols)
    assert np.allclose(logits, one_by_one, atol=1e-5)
    assert np.allclose(np.concatenate([layer["h"][-1] for layer in layers]), state.h[0], atol=1e-5)


def test_gates_of_different_characters_differ() -> None:
    first, second, *_ = read(Reader(a_checkpoint()), "aa")
    assert not np.allclose(first.gates[0]["forget"], second.gates[0]["forget"])


def test_a_cleared_row_forgets_and_the_others_do_not() -> None:
    reader = Reader(a_checkpoint())
    state = reader.start(2)
    fresh = reader.step(np.array([0, 0]), reader.start(2))
    reader.step(np.array([5, 6]), state)
    state.clear(0)
    after = reader.step(np.array([0, 0]), state)
    assert (after[0] == fresh[0]).all()
    assert not np.allclose(after[1], fresh[1])


def test_an_account_reads_by_its_own_mark() -> None:
    checkpoint = a_checkpoint(vocab=a_vocab(accounts=("one", "two")))
    first = [read(Reader(checkpoint), "a", account)[0].surprise for account in (None, "one", "two")]
    assert len(set(first)) == 3
