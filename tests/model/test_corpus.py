"""The packed stream: every text once an epoch, whole, reset at its start."""

from __future__ import annotations

import numpy as np

from model.corpus import Corpus, Text
from model.text import END, START
from model.vocab import Vocab

TEXTS = [Text(text) for text in ("abc", "d", "efghij", "kl", "mnopqrs", "t" * 30, "uv", "wxyz")]
VOCAB = Vocab("").extended((text.text for text in TEXTS), least=1)


def stream(corpus: Corpus, *, epoch: int = 0, batch: int = 3, window: int = 5) -> tuple[list[str], list[str]]:
    """What each row reads and what it foretells in an epoch, marks written out."""
    symbols = np.array(VOCAB.symbols)
    parts = list(corpus.windows(batch, window, epoch=epoch))
    inside = np.concatenate([part.weights for part in parts]) > 0
    rows = [np.concatenate([getattr(part, name) for part in parts]) for name in ("symbols", "targets")]
    read, foretold = (["".join(symbols[row[:, b][inside[:, b]]]) for b in range(batch)] for row in rows)
    return read, foretold


def test_an_epoch_reads_every_text_once() -> None:
    read, foretold = stream(Corpus(TEXTS, VOCAB))
    assert sorted("".join(read).split(START)[1:]) == sorted(text.text for text in TEXTS)
    assert sorted("".join(foretold).split(END)[:-1]) == sorted(text.text for text in TEXTS)
    assert all(row.startswith(START) for row in read)


def test_what_is_foretold_comes_next() -> None:
    read, foretold = stream(Corpus(TEXTS, VOCAB))
    for row, targets in zip(read, foretold, strict=True):
        assert targets == "".join(END if c == START else c for c in row[1:] + START)


def test_the_state_is_cleared_exactly_where_a_text_begins() -> None:
    for part in Corpus(TEXTS, VOCAB).windows(3, 5, epoch=0):
        inside = part.weights > 0
        assert ((part.goes_on == 0) == (part.symbols == VOCAB.start()))[inside].all()


def test_epochs_differ_and_seeds_repeat() -> None:
    assert stream(Corpus(TEXTS, VOCAB, seed=1)) == stream(Corpus(TEXTS, VOCAB, seed=1))
    assert stream(Corpus(TEXTS, VOCAB, seed=1)) != stream(Corpus(TEXTS, VOCAB, seed=2))
    corpus = Corpus(TEXTS, VOCAB)
    assert stream(corpus, epoch=0) != stream(corpus, epoch=1)


def test_an_epoch_can_be_taken_up_at_any_window() -> None:
    corpus = Corpus(TEXTS, VOCAB)
    whole = list(corpus.windows(3, 5, epoch=4))
    rest = list(corpus.windows(3, 5, epoch=4, first=2))
    assert len(rest) == len(whole) - 2
    assert all((a.symbols == b.symbols).all() for a, b in zip(rest, whole[2:], strict=True))


def test_a_text_weighs_what_it_is_told_to() -> None:
    corpus = Corpus([Text("aaaa", 3.0), Text("bb", 0.5)], VOCAB)
    total = sum(float(part.weights.sum()) for part in corpus.windows(2, 4, epoch=0))
    assert total == 3.0 * 5 + 0.5 * 3


def test_an_epoch_has_so_many_characters_as_weigh_something() -> None:
    corpus = Corpus([Text("aaaa", 3.0), Text("bb", 0.5), Text("cccccc", 0.0)], VOCAB)
    assert corpus.characters == sum(int((part.weights > 0).sum()) for part in corpus.windows(2, 4, epoch=0)) == 5 + 3


def test_more_rows_than_texts_are_left_empty() -> None:
    parts = list(Corpus(TEXTS[:2], VOCAB).windows(8, 4, epoch=0))
    assert sum((part.weights > 0).sum() for part in parts) == 4 + 2


def test_there_are_no_more_rows_than_the_longest_text_fills_its_share_of() -> None:
    assert Corpus([Text("t" * 99)] * 6, VOCAB).rows(128) == 6
    assert Corpus([Text("t" * 99), *[Text("uv")] * 100], VOCAB).rows(128) == 4
    assert Corpus([Text("uv")] * 500, VOCAB).rows(128) == 128


def test_whole_texts_stand_one_in_a_row() -> None:
    symbols, read = np.array(VOCAB.symbols), []
    for part in Corpus(TEXTS, VOCAB).whole(3, epoch=2):
        assert (part.goes_on == (np.arange(len(part.goes_on)) > 0)[:, None]).all()
        for row in range(3):
            inside = part.weights[:, row] > 0
            read.append("".join(symbols[part.symbols[inside, row]]))
            assert "".join(symbols[part.targets[inside, row]]) == (read[-1] + END)[1:] * bool(read[-1])
    assert sorted(filter(None, read)) == sorted(START + text.text for text in TEXTS)


def test_an_account_begins_with_its_own_mark() -> None:
    vocab = Vocab("ab", ("one",))
    (part,) = Corpus([Text("ab", account="one")], vocab).windows(1, 8, epoch=0)
    assert part.symbols[0, 0] == vocab.start("one") != vocab.start()


def test_a_large_corpus_takes_a_byte_a_character() -> None:
    corpus = Corpus([Text("ab" * 5_000)] * 10, VOCAB)
    assert corpus._flat.nbytes == 10 * 10_002
