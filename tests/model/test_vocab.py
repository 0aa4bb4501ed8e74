"""Symbols: which characters get one, and what the others are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text import END, START, UNKNOWN
from model.vocab import MOST_SYMBOLS, START_ID, UNKNOWN_ID, Vocab, VocabError


def test_rare_characters_have_no_symbol() -> None:
    vocab = Vocab("").extended(["aab", "aab", "c"], least=2)
    assert vocab.characters == "ab"
    assert vocab.encode("c").tolist() == [UNKNOWN_ID]


def test_marks_in_a_text_never_become_characters() -> None:
    vocab = Vocab("").extended([START + END + UNKNOWN + "a"] * 9)
    assert vocab.characters == "a"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0" + START + END + UNKNOWN)))
def test_what_it_knows_comes_back_as_it_was(text: str) -> None:
    vocab = Vocab("").extended([text], least=1)
    assert "".join(vocab.symbols[place] for place in vocab.encode(text)) == text


def test_it_comes_back_from_json_as_it_was() -> None:
    vocab = Vocab("abc🔗é", ("one", "two"))
    assert Vocab.from_json(json.loads(json.dumps(vocab.to_json()))) == vocab


def test_known_characters_keep_their_ids_when_others_are_added() -> None:
    vocab = Vocab("xyz")
    more = vocab.extended(["abc" * 9, "xyz"])
    assert more.encode("xyz").tolist() == vocab.encode("xyz").tolist()
    assert more.characters == "xyzabc"


def test_an_account_has_a_start_mark_of_its_own() -> None:
    vocab = Vocab("ab", ("one", "two"))
    assert len({vocab.start(), vocab.start("one"), vocab.start("two")}) == 3
    assert vocab.start("three") == START_ID


def test_only_characters_and_the_end_may_be_written() -> None:
    vocab = Vocab("ab", ("one",))
    assert [s for s, may in zip(vocab.symbols, vocab.writable, strict=True) if may] == [END, "a", "b"]


def test_one_that_is_too_large_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vocab, "symbols", property(lambda _: pytest.fail("it was")))
    with pytest.raises(VocabError, match=r"found 65,539 symbols, expected at most 65,536"):
        Vocab("a" * MOST_SYMBOLS)


TOO_MANY = "".join(map(chr, range(0x10000, 0x20000)))


@pytest.mark.parametrize(
    "data",
    [[], {"characters": "ab"}, {"characters": 3, "accounts": []}, {"characters": "ab", "accounts": [1]}]
    + [{"characters": text, "accounts": []} for text in ("aa", "a" + END, "\ud800", "a\0", TOO_MANY)]
    + [{"characters": "a", "accounts": ["b\0"]}],
)
def test_a_malformed_one_is_refused(data: object) -> None:
    with pytest.raises(VocabError, match="vocabulary: "):
        Vocab.from_json(data)
