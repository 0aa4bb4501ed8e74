"""The choice of drafts follows the scorer, and form does not give it away."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from app.game.choice import Candidate, ShelfChoice, Usual
from app.game.copied import copied_runs
from app.game.measures import self_bleu

WORDS = [
    "ferry",
    "council",
    "bridge",
    "harbour",
    "gull",
    "market",
    "clock",
    "baker",
    "soup",
    "spoon",
    "pier",
    "school",
    "rain",
    "tunnel",
]


def write(random: Random, capitals: float) -> str:
    """A card of some length, in which words are written large with a chance of `capitals`."""
    words = (random.choice(WORDS) for _ in range(random.randint(8, 30)))
    return " ".join(word.upper() if random.random() < capitals else word for word in words) + "."


def capitals(text: str) -> float:
    return sum(map(str.isupper, text)) / len(text)


def a_pilot(score: object, count: int = 2500, seed: int = 1) -> list[Candidate]:
    random = Random(seed)
    texts = [write(random, 0.1 + 0.3 * random.random()) for _ in range(count)]
    return [Candidate(text, score(text), place) for place, text in enumerate(texts)]  # type: ignore[operator]


@pytest.fixture(scope="module")
def tweets() -> list[str]:
    random = Random(2)
    return [write(random, 0.1 + 0.3 * random.random()) for _ in range(1500)]


@pytest.fixture(scope="module")
def choice(tweets: list[str]) -> ShelfChoice:
    """The choice of a scorer that likes gulls: what nobody sees who does not read."""
    return ShelfChoice.fit(a_pilot(gulls), tweets, best_of=12)


def shelf_of(
    choice: ShelfChoice, drafts: list[Candidate], tweets: list[str], learned: list[str] | None = None
) -> list[Candidate]:
    """What becomes of drafts: one in twelve; what was left to chance has no score."""
    stored = [
        draft if by == "scorer" else replace(draft, score=None)
        for draft, by in zip(drafts, choice.takes(drafts), strict=True)
        if by
    ]
    kept = choice.best(stored, tweets, tweets if learned is None else learned, len(drafts) // 12)
    return [draft for draft, is_kept in zip(stored, kept, strict=True) if is_kept]


def taken_by(who: str, choice: ShelfChoice, drafts: list[Candidate]) -> list[Candidate]:
    return [draft for draft, by in zip(drafts, choice.takes(drafts), strict=True) if by == who]


def gulls(text: str) -> float:
    return float(text.lower().count("gull")) / len(text)


@pytest.mark.slow
def test_drafts_that_the_scorer_likes_are_preferred(choice: ShelfChoice, tweets: list[str]) -> None:
    drafts = a_pilot(gulls, seed=3)
    chosen = [gulls(draft.text) for draft in shelf_of(choice, drafts, tweets) if draft.score is not None]
    scores = [gulls(draft.text) for draft in drafts]
    assert np.mean(chosen) > np.mean(scores) + 0.6 * np.std(scores)
    assert 0.35 < len(taken_by("scorer", choice, drafts)) / len(drafts) < 0.45


@pytest.mark.slow
def test_while_a_shelf_is_put_together_it_is_asked_again_and_again_whether_it_is_wanted(
    choice: ShelfChoice, tweets: list[str]
) -> None:
    asked: list[bool] = []
    choice.best(a_pilot(gulls, 600, seed=3), tweets, tweets, 100, lambda: asked.append(True))
    assert len(asked) > 30


@pytest.mark.slow
def test_a_score_that_hangs_on_form_does_not_change_the_form(tweets: list[str]) -> None:
    def plainness(text: str) -> float:
        return -capitals(text) + gulls(text)

    choice = ShelfChoice.fit(a_pilot(plainness), tweets, best_of=12)

    chosen = [draft.text for draft in shelf_of(choice, a_pilot(plainness, 6000, seed=3), tweets)]
    usual = np.array([capitals(text) for text in tweets])
    assert abs(np.mean([capitals(text) for text in chosen]) - usual.mean()) < 0.25 * usual.std()


@pytest.mark.slow
def test_no_length_is_favoured(tweets: list[str]) -> None:
    def shortness(text: str) -> float:
        return -float(len(text))

    choice = ShelfChoice.fit(a_pilot(shortness), tweets, best_of=12)

    chosen = [len(draft.text) for draft in shelf_of(choice, a_pilot(shortness, 6000, seed=3), tweets)]
    lengths = [len(text) for text in tweets]
    assert abs(np.mean(chosen) - np.mean(lengths)) < 0.35 * np.std(lengths)


@pytest.mark.slow
def test_a_share_of_the_shelf_is_left_to_chance(choice: ShelfChoice, tweets: list[str]) -> None:
    drafts = a_pilot(gulls, 6000, seed=3)
    shelf = shelf_of(choice, drafts, tweets)
    by_chance = [gulls(draft.text) for draft in shelf if draft.score is None]
    assert len(by_chance) == round(0.15 * len(shelf))
    scores = [gulls(draft.text) for draft in drafts]
    assert abs(np.mean(by_chance) - np.mean(scores)) < 4 * np.std(scores) / len(by_chance) ** 0.5


@pytest.mark.slow
def test_without_a_scorer_the_choice_is_by_form_alone(tweets: list[str]) -> None:
    pilot = [Candidate(draft.text, None, draft.seed) for draft in a_pilot(gulls)]
    choice = ShelfChoice.fit(pilot, tweets)

    taken = choice.takes(pilot)
    assert set(taken) == {"chance", None}
    assert [who is not None for who in taken] == list(
        choice.plain.keeps([d.text for d in pilot], [d.seed for d in pilot])
    )


@pytest.mark.slow
def test_a_draft_that_was_not_scored_is_taken_by_chance_only(choice: ShelfChoice) -> None:
    assert set(choice.takes([Candidate(d.text, None, d.seed) for d in a_pilot(gulls, seed=3)])) == {"chance", None}


@pytest.mark.slow
def test_asked_again_the_answer_is_the_same(tweets: list[str], choice: ShelfChoice) -> None:
    drafts = a_pilot(gulls, 300)
    again = ShelfChoice.fit(a_pilot(gulls), tweets, best_of=12)

    assert again.takes(drafts) == choice.takes(drafts)


def test_a_tiny_pilot_still_follows_the_scorer() -> None:
    choice = ShelfChoice.fit(a_pilot(gulls, 30), ["one tweet"], best_of=12)

    drafts = a_pilot(gulls, 2000, seed=3)
    chosen = [gulls(draft.text) for draft in taken_by("scorer", choice, drafts)]
    assert np.mean(chosen) > np.mean([gulls(draft.text) for draft in drafts])


def test_scores_are_judged_beside_those_of_like_length() -> None:
    texts = [WORDS[place % 7] + " a" * (20 if place < 500 else 95) for place in range(1000)]
    usual = Usual.fit(texts, [*np.linspace(9, 11, 500), *np.linspace(-1, 1, 500)])

    low, high, long_low, long_high = usual.standings([*texts[:2], *texts[500:502]], [9, 11, -1, 1])
    assert (low, high) == pytest.approx((long_low, long_high), abs=0.8)
    assert low < 0 < high
    assert Usual.fit([], []).standings(["anything"], [0.0]) == [0.0]


@pytest.mark.slow
def test_what_is_copied_is_not_favoured(tweets: list[str]) -> None:
    """A scorer that likes old phrases: it would fill the shelf with them."""
    learned = [f"{a} and {b} once more" for a in WORDS for b in WORDS]

    def with_phrases(count: int, seed: int) -> list[Candidate]:
        random, drafts = Random(seed), a_pilot(gulls, count, seed)
        texts = [
            f"{draft.text[:-1]} {random.choice(learned) if random.random() < 0.3 else 'once and more again today'}."
            for draft in drafts
        ]
        return [
            Candidate(text, 3 * ("once more" in text) + random.gauss(0, 1) + 50 * gulls(text), draft.seed)
            for text, draft in zip(texts, drafts, strict=True)
        ]

    choice, drafts = ShelfChoice.fit(with_phrases(2500, 1), tweets, 12), with_phrases(6000, 3)

    def copied(some: list[Candidate]) -> float:
        return float(np.mean([run.max() for run in copied_runs([draft.text for draft in some], learned)]))

    blind, seeing = (copied(shelf_of(choice, drafts, tweets, texts)) for texts in (["nothing of the kind"], learned))
    assert blind > 1.1 * copied(drafts)
    assert seeing < 1.03 * copied(drafts)


@pytest.mark.slow
def test_samples_of_a_shelf_have_no_more_in_common_than_other_drafts_have(tweets: list[str]) -> None:
    """A scorer that likes a few phrases, each of them a good one: together they would be all that is said."""
    phrases = [f"{a} before {b} and after {c}" for a, b, c in zip(WORDS, WORDS[3:], WORDS[5:], strict=False)]

    def with_phrases(count: int, seed: int) -> list[Candidate]:
        random, drafts = Random(seed), []
        for draft in a_pilot(gulls, count, seed):
            liked = random.random() < 0.2
            said = random.choice(phrases) if liked else " ".join(random.sample(WORDS, 5))
            drafts.append(Candidate(f"{draft.text[:-1]} {said}.", random.gauss(2.0 * liked, 1), draft.seed))
        return drafts

    choice, drafts = ShelfChoice.fit(with_phrases(2500, 1), tweets, 12), with_phrases(6000, 3)
    shelf = shelf_of(choice, drafts, tweets, ["nothing"])
    liked = sorted(drafts, key=lambda draft: -(draft.score or 0))[: len(shelf)]
    usual, together, one_by_one = (self_bleu([draft.text for draft in some[:200]]) for some in (drafts, shelf, liked))
    assert one_by_one > 1.1 * usual
    assert together < 1.03 * usual
    by_scorer = [draft.score for draft in shelf if draft.score is not None]
    assert np.mean(by_scorer) > np.mean([draft.score or 0 for draft in drafts]) + 0.5
