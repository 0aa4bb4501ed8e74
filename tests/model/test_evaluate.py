"""Bits per character: what counts, and what unknown characters cost."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from networks import a_checkpoint

from model.evaluate import bits_per_character
from model.reader import Reader, read


def test_the_end_mark_counts_as_a_character() -> None:
    bits = bits_per_character(a_checkpoint(), ["abc", "de"])
    assert (bits.characters, bits.tweets) == (3 + 1 + 2 + 1, 2)


def test_a_batch_measures_as_the_reader_reads() -> None:
    checkpoint, texts = a_checkpoint(), ["a", "hello, world", "some text. and more", "zz", "é unknown é"]
    total = sum(reading.surprise for text in texts for reading in read(Reader(checkpoint), text))
    measured = bits_per_character(checkpoint, texts)
    assert measured.bits_per_character == pytest.approx(total / measured.characters, abs=1e-5)


def test_an_unknown_character_costs_its_mark_and_its_code_point() -> None:
    checkpoint = a_checkpoint()
    even = {name: np.zeros_like(array) for name, array in checkpoint.weights.items()}
    flat = type(checkpoint)(checkpoint.config, checkpoint.vocab, even)
    symbols, others = len(checkpoint.vocab), 0x110000 - 2048 - len(checkpoint.vocab.characters)
    bits = bits_per_character(flat, ["aé"])
    assert bits.bits_per_character == pytest.approx((3 * log2(symbols) + log2(others)) / 3, abs=1e-5)


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="no texts"):
        bits_per_character(a_checkpoint(), [])
