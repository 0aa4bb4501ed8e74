"""Twins: nearly the same texts stay in one split."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from app.archives.sift import BRIDGE, DUPLICATE
from app.archives.twins import Twins, alike, compared

LONG = "We will fix the great big ferry before the summer, and the harbour clock will tell the right time again."
OTHER = "Thank you all for coming to the town hall tonight: there was soup, there were spoons and nobody sang at all."


@pytest.fixture
def twins() -> Iterator[Twins]:
    opened = Twins()
    yield opened
    opened.close()


def test_a_text_without_twins_keeps_its_own_split(twins: Twins) -> None:
    assert twins.place([(LONG, "deck"), (OTHER, "train")]) == ["deck", "train"]


@pytest.mark.parametrize(
    "changed",
    [
        LONG.upper(),
        LONG.replace(",", " –") + " 🔗",
        "@somebody " + LONG,
        LONG.replace("great big", "very great big"),
        LONG.replace("summer", "winter"),
        LONG[:-20],
        LONG + " That is a promise, and I keep my promises.",
        LONG[:60] + "…",
    ],
)
def test_a_near_copy_joins_the_split_of_its_twin(twins: Twins, changed: str) -> None:
    assert twins.place([(LONG, "deck"), (changed, "train")]) == ["deck", "deck"]


def test_a_near_copy_that_comes_later_joins_too(twins: Twins) -> None:
    twins.place([(LONG, "deck")])
    assert twins.place([(LONG.upper(), "train")]) == ["deck"]


def test_what_an_archive_holds_is_remembered(twins: Twins) -> None:
    twins.remember([(LONG, "validation")])
    assert twins.place([(LONG.upper(), "train"), (LONG, "train")]) == ["validation", DUPLICATE]


def test_the_same_text_again_is_left_out(twins: Twins) -> None:
    assert twins.place([(LONG, "deck"), (LONG, "deck")]) == ["deck", DUPLICATE]
    assert twins.place([(LONG, "train")]) == [DUPLICATE]


def test_one_between_two_splits_is_left_out_and_forgotten(twins: Twins) -> None:
    words = LONG.split()
    left, right = " ".join(words[:14]), " ".join(words[6:])
    assert not alike(compared(left), compared(right))
    assert twins.place([(left, "train"), (right, "deck"), (LONG, "train"), (LONG, "deck")]) == [
        "train",
        "deck",
        BRIDGE,
        BRIDGE,
    ]


def test_short_texts_are_twins_when_they_read_the_same(twins: Twins) -> None:
    texts = [("Thank you Iowa!", "deck"), ("THANK YOU, IOWA", "train"), ("Thank you Ohio!", "train")]
    assert twins.place(texts) == ["deck", "deck", "train"]


def test_texts_without_letters_are_compared_as_they_are(twins: Twins) -> None:
    assert twins.place([("🇺🇸🇺🇸", "deck"), ("❤️", "train"), ("!!!", "validation")]) == ["deck", "train", "validation"]


def test_texts_that_differ_in_what_they_say_are_no_twins() -> None:
    assert not alike(compared(LONG), compared(OTHER))
    assert not alike(compared(LONG), compared("We will fix the ferry. " + OTHER))


@pytest.mark.slow
def test_nearly_all_near_copies_are_found_among_many(twins: Twins) -> None:
    rng = random.Random(3)
    vocabulary = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(3000)]
    originals = [" ".join(rng.choices(vocabulary, k=18)) for _ in range(2000)]
    for start in range(0, len(originals), 500):
        twins.place([(text, "train") for text in originals[start : start + 500]])
    copies = []
    for text in originals[:500]:
        words = text.split()
        words[rng.randrange(18)] = "changed"
        copies.append((" ".join(words), "deck"))
    assert twins.place(copies).count("train") >= 495


@pytest.mark.slow
def test_an_account_that_fills_in_a_template_stays_fast(twins: Twins) -> None:
    rng = random.Random(5)
    texts = [
        f"It is {rng.randint(0, 23)}:{rng.randint(0, 59):02} in Port Gannet. Temperature {rng.randint(-9, 39)} "
        f"degrees, wind {rng.randint(0, 99)} km/h, humidity {rng.randint(10, 99)} percent. #weather"
        for _ in range(1500)
    ]
    begun = time.process_time()
    verdicts = Counter[str]()
    for start in range(0, len(texts), 500):
        verdicts.update(
            twins.place([(text, "train" if rng.random() < 0.8 else "deck") for text in texts[start : start + 500]])
        )
    assert time.process_time() - begun < 8
    assert sum(verdicts.values()) == 1500


@pytest.mark.slow
def test_the_same_texts_again_find_the_same_twins() -> None:
    rng = random.Random(9)
    parts = [" ".join(rng.choices(LONG.split() + OTHER.split(), k=7)) for _ in range(40)]
    texts = [(". ".join(rng.choices(parts, k=3)), rng.choice(["train", "deck"])) for _ in range(1500)]
    first, second = Twins(), Twins()
    verdicts = [verdict for start in range(0, 1500, 500) for verdict in first.place(texts[start : start + 500])]
    assert BRIDGE in verdicts
    kept = [
        (text, verdict)
        for (text, _), verdict in zip(texts, verdicts, strict=True)
        if verdict not in (BRIDGE, DUPLICATE)
    ]
    second.remember(kept)
    left_out = [text for text, verdict in zip(texts, verdicts, strict=True) if verdict == BRIDGE]
    assert set(second.place(left_out)) <= {BRIDGE}
