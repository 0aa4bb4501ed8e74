"""Drafts: seeds, batches, limits, marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

import numpy as np
import pytest
from networks import a_checkpoint, a_vocab

from model.checkpoint import Checkpoint
from model.evaluate import bits_per_character
from model.generate import Decoding, Draft, Row, Task, _written, beam, generate
from model.reader import Reader, log2_odds, skim
from model.sampling import NEAR, choose, repeats
from model.text import END, START, UNKNOWN
from model.vocab import END_ID, Vocab

pytestmark = pytest.mark.slow

SHORT = 60


def drafts(count: int = 12, **options: object) -> list[Draft]:
    options = {"limit": SHORT, "seed": 7, **options}
    return list(generate(a_checkpoint(), count, **options))  # type: ignore[arg-type]


def test_the_same_seed_writes_the_same_drafts() -> None:
    assert drafts() == drafts()


def test_another_seed_writes_others() -> None:
    assert drafts(seed=7)[0].text != drafts(seed=8)[0].text


@pytest.mark.parametrize("batch", [1, 2, 5, 64])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_batch_changes_nothing(batch: int, cell: str) -> None:
    checkpoint = a_checkpoint(cell, units=48)
    usual, other = (list(generate(checkpoint, 9, seed=3, limit=SHORT, batch=size)) for size in (7, batch))
    assert [(draft.text, draft.ended, draft.seed) for draft in usual] == [(d.text, d.ended, d.seed) for d in other]
    assert [draft.bits for draft in usual] == pytest.approx([draft.bits for draft in other], abs=1e-3)


def test_each_draft_can_be_written_again_alone() -> None:
    for draft in drafts(6):
        assert drafts(1, seed=draft.seed)[0].text == draft.text


def test_a_near_choice_of_a_single_row_is_made_as_in_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.sampling.NEAR", 2.0)  # every choice counts as near
    assert drafts(4, batch=1) == drafts(4, batch=4)


def test_what_is_written_again_one_reader_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []

    def making(checkpoint: Checkpoint, *, quick: bool = False) -> Reader:
        made.append(quick)
        return Reader(checkpoint, quick=quick)

    monkeypatch.setattr("model.generate.Reader", making)
    monkeypatch.setattr("model.sampling.NEAR", 2.0)
    drafts(4, batch=1)
    assert made == [True, False]


def has_a_near_choice(checkpoint: Checkpoint, decoding: Decoding, seed: int) -> bool:
    """Whether a choice of a draft was a near thing, its text written down step by step."""
    reader, vocab, text, near = Reader(checkpoint, quick=True), checkpoint.vocab, "", False
    state, (symbol,) = reader.start(1), vocab.opening("", None)
    uniforms = np.random.Generator(np.random.Philox(key=seed)).random(SHORT + 1)
    while True:
        logits = reader.step(np.array([symbol]), state)
        logits[:, ~vocab.writable] = -np.inf
        while True:
            chosen, is_near = choose(logits, uniforms[[len(text)]], decoding)
            symbol, near = int(chosen[0]), near or bool(is_near[0])
            if symbol == END_ID or not repeats(text, vocab.symbols[symbol], decoding.no_repeat):
                break
            logits[0, symbol] = -np.inf
        if symbol == END_ID or len(text) == SHORT:
            return near
        text += vocab.symbols[symbol]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The seeds of all that is written, of each time that something is; the first time has all."""
    seen: list[list[int]] = []

    def noting(reader: Reader, task: Task, seeds: Iterable[int], batch: int) -> Iterator[Row]:
        seen.append(list(seeds))
        yield from _written(reader, task, seen[-1], batch)

    monkeypatch.setattr("model.generate._written", noting)
    return seen


def test_a_single_row_is_written_again_exactly_where_a_choice_was_near(
    asked: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, guarded = a_checkpoint(), Decoding(1.0, 0.9, no_repeat=2)
    monkeypatch.setattr("model.sampling.NEAR", 4e-4)
    list(generate(checkpoint, 32, decoding=guarded, limit=SHORT, batch=1))
    near = [seed for seed in range(32) if has_a_near_choice(checkpoint, guarded, seed)]
    assert 0 < len(near) < 32
    assert asked[1:] == [[seed] for seed in near]


def test_a_single_row_is_rarely_written_again(asked: list[list[int]]) -> None:
    checkpoint = a_checkpoint(scale=1.0)  # about as sure of what comes next as one that was trained
    checkpoint.weights["output.bias"][END_ID] = -30
    written = list(generate(checkpoint, 40, batch=1))
    assert {len(draft.text) for draft in written} == {280}
    assert len(asked[1:]) < 16  # of 40; 31 where all count as near whose nucleus ends near top-p


def test_a_single_row_differs_from_a_batch_by_less_than_what_counts_as_near() -> None:
    checkpoint = a_checkpoint(units=256, scale=0.08)
    quick, steady = Reader(checkpoint, quick=True), Reader(checkpoint)
    states, symbols = (quick.start(1), steady.start(1)), np.random.default_rng(0).integers(3, 32, 280)
    for symbol in symbols:
        logits = [reader.step(np.array([symbol]), state) for reader, state in zip((quick, steady), states, strict=True)]
        odds = [2.0 ** log2_odds(row) for row in logits]
        assert np.abs(odds[0] - odds[1]).max() < NEAR / 3


def test_the_symbols_are_put_together_once_and_not_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint, times = a_checkpoint(), list[int]()
    symbols = checkpoint.vocab.symbols
    monkeypatch.setattr(Vocab, "symbols", property(lambda _: times.append(1) or symbols))
    list(generate(checkpoint, 20, limit=SHORT))
    assert len(times) == 1
    beam(checkpoint, 4, limit=SHORT)
    assert len(times) == 2


def test_drafts_come_in_the_order_of_their_seeds() -> None:
    assert [draft.seed for draft in drafts(20, batch=3)] == list(range(7, 27))


def test_no_draft_holds_a_mark() -> None:
    checkpoint = a_checkpoint(vocab=a_vocab(accounts=("one", "two")), scale=0.1)
    text = "".join(draft.text for draft in generate(checkpoint, 100, limit=SHORT, decoding=Decoding(3.0, 1.0)))
    assert len(text) > 1000
    assert set(text) <= set(checkpoint.vocab.characters)
    assert not set(text) & {START, END, UNKNOWN}


def test_no_draft_is_longer_than_the_limit() -> None:
    written = drafts(50, decoding=Decoding(1.5, 1.0))
    assert any(not draft.ended for draft in written)
    assert all(len(draft.text) == SHORT for draft in written if not draft.ended)


def test_a_draft_that_ends_on_the_limit_has_ended() -> None:
    long = next(draft for draft in drafts(80, decoding=Decoding(2.0, 1.0)) if draft.ended and len(draft.text) > 5)
    again = drafts(1, seed=long.seed, limit=len(long.text), decoding=Decoding(2.0, 1.0))
    assert (again[0].text, again[0].ended) == (long.text, True)


def test_every_draft_begins_with_the_prompt() -> None:
    written = drafts(prompt="good day, é")
    assert all(draft.text.startswith("good day, é") and draft.bits > 0 for draft in written)
    assert any(len(draft.text) > 20 for draft in written)


def test_a_prompt_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="prompt: found 61"):
        drafts(prompt="a" * 61)


def test_a_prompt_that_fills_the_limit_may_still_end() -> None:
    full = drafts(1, prompt="a" * SHORT)[0]
    assert full.text == "a" * SHORT
    assert full.bits > 0  # of an end, or of what would have come instead


def test_the_surprise_of_a_draft_is_what_reading_it_costs() -> None:
    written = [draft for draft in drafts(40) if draft.ended]
    assert len(written) > 5
    for draft in written:
        found = bits_per_character(a_checkpoint(), [draft.text])
        assert draft.bits == pytest.approx(found.bits_per_character * found.characters, abs=1e-2)


def test_what_was_thought_while_writing_is_what_is_thought_when_reading() -> None:
    written = [draft for draft in drafts(40, traced=True) if draft.ended]
    read = dict(skim(Reader(a_checkpoint()), [draft.text for draft in written]))
    for place, draft in enumerate(written):
        assert draft.traces is not None
        np.testing.assert_allclose(draft.traces.state, read[place].state, atol=1e-4)
        np.testing.assert_allclose(draft.traces.bits, read[place].bits, atol=1e-3)


def test_the_guard_keeps_drafts_from_going_round_in_circles() -> None:
    cold = Decoding(temperature=0.05, top_p=1.0, no_repeat=6)
    for draft in drafts(decoding=cold, limit=200):
        runs = [draft.text[i : i + 6] for i in range(len(draft.text) - 5)]
        assert len(runs) == len(set(runs))
    loops = drafts(decoding=Decoding(0.05, 1.0, no_repeat=0), limit=200)
    assert any(len({draft.text[i : i + 6] for i in range(195)}) < 100 for draft in loops)


def test_a_wide_beam_finds_the_likeliest_texts() -> None:
    checkpoint = a_checkpoint(vocab=a_vocab("ab"), scale=0.8)
    every = ["".join(letters) for size in range(5) for letters in product("ab", repeat=size)]
    bits = {
        text: (found := bits_per_character(checkpoint, [text])).bits_per_character * found.characters for text in every
    }
    found_texts = beam(checkpoint, 40, limit=4)
    assert [draft.text for draft in found_texts] == sorted(bits, key=bits.__getitem__)
    assert [draft.bits for draft in found_texts] == pytest.approx(sorted(bits.values()), abs=1e-3)


def test_a_narrow_beam_goes_on_while_something_likelier_may_come() -> None:
    checkpoint = a_checkpoint(vocab=a_vocab("ab"), scale=1.2, seed=3)
    checkpoint.weights["output.bias"][END_ID] -= 2  # few texts end early
    likeliest = beam(checkpoint, 600, limit=8)[:3]
    assert max(len(draft.text) for draft in likeliest) > 3
    assert [draft.text for draft in beam(checkpoint, 3, limit=8)] == [draft.text for draft in likeliest]


@pytest.mark.parametrize("width", [3, 6])
def test_a_beam_gives_up_only_what_costs_more_than_all_that_it_keeps(width: int) -> None:
    checkpoint = a_checkpoint(vocab=a_vocab("ab"), scale=1.2, seed=12)
    checkpoint.weights["output.bias"][END_ID] -= 2
    likeliest = beam(checkpoint, 300, limit=7)[:width]
    assert [draft.text for draft in beam(checkpoint, width, limit=7)] == [draft.text for draft in likeliest]


def test_what_is_traced_has_no_prompt() -> None:
    with pytest.raises(ValueError, match="found a prompt"):
        drafts(prompt="good day", traced=True)


def test_a_beam_goes_on_from_its_prompt() -> None:
    found = beam(a_checkpoint(), 4, prompt="good d", limit=30)
    assert found
    assert all(draft.text.startswith("good d") and draft.ended for draft in found)


def test_a_beam_has_read_all_of_its_prompt() -> None:
    """What it charges for going on and what the whole text costs differ by the prompt's share alone."""
    checkpoint = a_checkpoint(scale=0.6)
    found = beam(checkpoint, 6, prompt="good d", limit=30)
    whole = [bits_per_character(checkpoint, [draft.text]) for draft in found]
    prompt = [each.bits_per_character * each.characters - draft.bits for each, draft in zip(whole, found, strict=True)]
    assert prompt == pytest.approx([prompt[0]] * len(found), abs=1e-2)
