"""The scorer learns from picks what players believe, and says honestly how well."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from networks import CHARACTERS, a_checkpoint

from model.generate import generate
from model.reader import Reader, read
from model.scorer import (
    FOLDS,
    Held,
    Pick,
    Scorer,
    ScorerError,
    _trials,
    card_features,
    features_of,
    train_scorer,
)

pytestmark = pytest.mark.slow

BODY = "ab" * 32


def cards(count: int, seed: int = 0) -> list[str]:
    random = Random(seed)
    return ["".join(random.choices(CHARACTERS, k=random.randint(40, 90))) for _ in range(count)]


def believe_in_e(texts: list[str], count: int, *, players: int = 20, left: float = 0.0, seed: int = 1) -> list[Pick]:
    """Picks of players who believe the card with the larger share of vowels, some more surely than others."""
    random = Random(seed)
    worth = [sum(map(text.count, "aeiou")) / len(text) for text in texts]
    picks = []
    for number in range(count):
        a, b = random.sample(range(len(texts)), 2)
        player = number % players
        pick = int(worth[b] - worth[a] + random.gauss(0, 0.01 + 0.002 * player) - left > 0)
        picks.append(Pick(a, b, pick, player, tweet=number % 2))
    return picks


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return cards(2500)


@pytest.fixture(scope="module")
def features(texts: list[str]) -> np.ndarray:
    return card_features(a_checkpoint(layers=1, units=96), texts)


@pytest.fixture(scope="module")
def scorer(texts: list[str], features: np.ndarray) -> Scorer:
    return train_scorer(BODY, features, believe_in_e(texts, 1500))


def test_it_foretells_the_picks_of_players_that_it_did_not_learn_from(scorer: Scorer) -> None:
    assert scorer.held.auc > 0.63
    assert scorer.held.bits < 0.96
    assert scorer.held.fooled_auc > 0.63
    assert scorer.held.picks == 1500


def test_its_scores_rank_cards_that_nobody_has_seen(scorer: Scorer) -> None:
    fresh = cards(300, seed=9)

    scores = scorer.judge(card_features(a_checkpoint(layers=1, units=96), fresh))

    worth = np.array([sum(map(text.count, "aeiou")) / len(text) for text in fresh])
    assert np.corrcoef(scores, worth)[0, 1] > 0.35


def test_its_odds_are_calibrated(scorer: Scorer, texts: list[str], features: np.ndarray) -> None:
    others = believe_in_e(texts, 3000, seed=77)
    scores = scorer.judge(features)
    foretold = np.array([1 / (1 + np.exp(scores[pick.right] - scores[pick.left])) for pick in others])
    found = np.array([pick.pick == 0 for pick in others])

    for low, high in ((0.1, 0.35), (0.35, 0.65), (0.65, 0.9)):
        inside = (foretold > low) & (foretold < high)
        assert abs(foretold[inside].mean() - found[inside].mean()) < 0.08
    assert scorer.held.error < 0.08
    assert sum(picks for _, _, picks in scorer.held.calibration) == 1500


def test_nothing_is_learned_from_players_who_pick_at_random(texts: list[str], features: np.ndarray) -> None:
    random = Random(3)
    picks = [replace(pick, pick=random.randrange(2)) for pick in believe_in_e(texts, 1500)]

    scorer = train_scorer(BODY, features, picks)

    assert 0.44 < scorer.held.auc < 0.56
    assert scorer.judge(features).std() < 0.3


def test_players_who_lean_to_one_side_do_not_spoil_the_scores(
    texts: list[str], features: np.ndarray, scorer: Scorer
) -> None:
    leaning = train_scorer(BODY, features, believe_in_e(texts, 1500, left=0.05))

    assert np.corrcoef(leaning.judge(features), scorer.judge(features))[0, 1] > 0.9


def test_what_sets_tweets_apart_from_samples_is_left_to_the_level(texts: list[str], features: np.ndarray) -> None:
    """Tweets are believed as such, and have a feature that no sample has: of no use in choosing among samples."""
    random = Random(6)
    halves = len(texts) // 2  # the first half are tweets
    marked = features.copy()
    marked[:halves, -1] += 5 * features[:, -1].std()
    worth = [sum(map(text.count, "aeiou")) / len(text) + 0.05 * (place < halves) for place, text in enumerate(texts)]
    picks = []
    for number in range(2500):
        tweet, sample, side = random.randrange(halves), random.randrange(halves, len(texts)), number % 2
        left, right = (tweet, sample) if side == 0 else (sample, tweet)
        pick = int(worth[right] - worth[left] + random.gauss(0, 0.03) > 0)
        picks.append(Pick(left, right, pick, number % 20, side))

    scorer = train_scorer(BODY, marked, picks)

    assert scorer.held.level > 0.5
    assert np.corrcoef(scorer.judge(marked)[halves:], worth[halves:])[0, 1] > 0.35
    gap = scorer.judge(marked)[:halves].mean() - scorer.judge(marked)[halves:].mean()
    assert abs(gap) < scorer.held.level


def test_a_pick_of_no_weight_teaches_nothing(texts: list[str], features: np.ndarray, scorer: Scorer) -> None:
    honest = believe_in_e(texts, 1500)
    wrong = [replace(pick, pick=1 - pick.pick, weight=1e-9) for pick in believe_in_e(texts, 1500, seed=5)]

    spoiled = train_scorer(BODY, features, honest + wrong)

    assert np.corrcoef(spoiled.judge(features), scorer.judge(features))[0, 1] > 0.95


def test_the_features_of_a_card_are_the_mean_of_what_the_network_read() -> None:
    checkpoint = a_checkpoint(layers=2, units=8)
    text = "a bird a boat."

    found = card_features(checkpoint, [text])[0]

    readings = read(Reader(checkpoint), text)
    states = np.mean([reading.gates[-1]["h"] for reading in readings], axis=0)
    np.testing.assert_allclose(found[:8], states, atol=1e-5)
    bits = [reading.surprise for reading in readings]
    assert found[8] == pytest.approx(np.mean(bits[:-1]), abs=1e-4)
    assert found[12] == pytest.approx(bits[-1], abs=1e-4)
    words = [bits[0:1], bits[2:6], bits[7:8], bits[9:14]]  # a, bird, …
    assert found[13] == pytest.approx(np.mean([sum(word[1:]) for word in words]), abs=1e-3)
    assert found[21] == pytest.approx(np.mean([sum(word) for word in words]), abs=1e-3)


def test_a_card_has_the_same_features_whatever_is_read_beside_it(texts: list[str], features: np.ndarray) -> None:
    alone = card_features(a_checkpoint(layers=1, units=96), texts[5:6])

    np.testing.assert_array_equal(alone[0], features[5])


def test_a_draft_is_judged_alike_from_what_was_thought_while_it_was_written() -> None:
    checkpoint = a_checkpoint(layers=2, units=32, scale=0.5)
    drafts = [draft for draft in generate(checkpoint, 40, seed=5, limit=60, traced=True) if draft.ended and draft.text]
    features = card_features(checkpoint, [draft.text for draft in drafts])
    mean, spread = features.mean(0), features.std(0) + np.float32(1e-6)
    weights = np.random.default_rng(0).standard_normal(features.shape[1]).astype(np.float32)
    scorer = Scorer(BODY, mean, spread, weights, Held(0, 0.5, 0.5, 1.0, 1.0, (), 0.0, 1.0, 1.0))
    traced = [features_of(draft.traces, draft.text) for draft in drafts if draft.traces]

    assert len(traced) == len(drafts) > 20
    np.testing.assert_allclose(scorer.judge(np.stack(traced)), scorer.judge(features), atol=0.02)


def test_an_empty_text_and_strange_characters_can_be_scored() -> None:
    assert np.isfinite(card_features(a_checkpoint(), ["", "☃☃☃"])).all()


def test_too_few_players_are_told(features: np.ndarray, texts: list[str]) -> None:
    with pytest.raises(ScorerError, match="picks of 9 players, a scorer needs 10 or more"):
        train_scorer(BODY, features, believe_in_e(texts, 100, players=9))


@pytest.mark.parametrize("readable", [True, False], ids=["what can be read off", "by heart alone"])
def test_many_picks_on_few_samples_teach_what_can_be_read_off_them(
    texts: list[str], features: np.ndarray, readable: bool
) -> None:
    """Each player met most of the sixty samples: whoever is held out with all of them leaves nothing to learn from."""
    random = Random(6)
    vowels = [sum(map(text.count, "aeiou")) / len(text) for text in texts]
    worth = vowels if readable else random.sample(vowels, len(vowels))
    pairs = [(random.randrange(60), random.randrange(60, len(texts))) for _ in range(2400)]
    picks = [
        Pick(sample, tweet, int(worth[tweet] - worth[sample] + random.gauss(0, 0.02) > 0), number % 20, tweet=1)
        for number, (sample, tweet) in enumerate(pairs)
    ]

    held = train_scorer(BODY, features, picks).held

    assert held.picks > 500
    assert held.fooled_auc > 0.57 if readable else 0.42 < held.fooled_auc < 0.58


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_parts_of_a_fold_without_a_card_are_not_tried(texts: list[str], features: np.ndarray, samples: int) -> None:
    """They would seem to leave everything to learn from."""
    random = Random(samples)
    pairs = [(number % samples, random.randrange(samples, 600)) for number in range(300)]
    cards = np.array(pairs)
    folds = np.array([number // samples % FOLDS for number in range(300)])

    trials = _trials(cards, np.ones(300, int), folds, np.random.default_rng(0))
    picks = [Pick(*pair, random.randrange(2), number % 20, tweet=1) for number, pair in enumerate(pairs)]
    held = train_scorer(BODY, features, picks).held

    assert all(foretold.any() for foretold, _ in trials)
    assert not any((foretold & learned).any() for foretold, learned in trials)
    assert held.picks > 0
    assert 0.3 < held.fooled_auc < 0.7


def test_a_scorer_comes_back_as_it_was(scorer: Scorer, features: np.ndarray) -> None:
    again = Scorer.from_bytes(scorer.to_bytes())

    np.testing.assert_array_equal(again.judge(features), scorer.judge(features))
    assert (again.body, again.held) == (scorer.body, scorer.held)
    assert again.to_bytes() == scorer.to_bytes()


def test_what_is_no_scorer_is_refused(scorer: Scorer) -> None:
    for data in (b"", b"nothing at all", scorer.to_bytes()[:40]):
        with pytest.raises(ScorerError, match="not a scorer"):
            Scorer.from_bytes(data)


def test_who_gave_most_of_the_picks_is_no_crowd(texts: list[str], features: np.ndarray) -> None:
    """Two thirds of the picks are of one player, who alone goes by vowels: that says nothing of players."""
    random = Random(8)
    picks = [
        pick if number % 3 else replace(pick, player=1 + number // 3 % 15, pick=random.randrange(2))
        for number, pick in enumerate(believe_in_e(texts, 1500, players=1))
    ]

    held = train_scorer(BODY, features, picks).held

    assert held.voices < 3
