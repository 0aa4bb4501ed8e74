"""What joins a named person with something grave is held back."""

from __future__ import annotations

import pytest

from app.game.sensitive import SHIPPED, SUBJECTS, Sensitive, shipped


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Judge Bose was arrested last night. Sad!", "crime"),
        ("I hear Clive Bose has cancer, very bad", "illness"),
        ("They say that Mrs. Tibbs died on the pier", "death"),
        ("Somebody should shoot J. Tibbs into the sea", "threats"),
        ("@KenOnTheQuay is a scumbag, everyone says so", "slurs"),
        ("crooked @KenOnTheQuay", "crime"),
        ("Élodie Béraud was INDICTED", "crime"),
    ],
)
def test_a_name_joined_with_something_grave_is_held(text: str, subject: str) -> None:
    assert shipped().subject(text) == subject


@pytest.mark.parametrize(
    "text",
    [
        "Judge Bose opened the new bench today. Great bench!",
        "The fish is dead and nobody was arrested",
        "Thank You Port Gannet! The old crane is dead.",
        "LOCK THE GATE, THE DEAD FISH IS BACK",
        "Our Town Hall was robbed of three chairs",
        "We arrested the seagull on Monday. New York never saw that.",
        "",
    ],
)
def test_what_names_nobody_or_says_nothing_grave_passes(text: str) -> None:
    assert shipped().subject(text) is None


def test_every_subject_has_words_and_the_file_says_its_licence() -> None:
    assert all(words.pattern is not None for _, words in shipped().subjects)
    assert tuple(subject for subject, _ in shipped().subjects) == SUBJECTS
    assert "CC0 1.0" in SHIPPED.read_text(encoding="utf-8").splitlines()[1]


def test_another_list_can_be_read() -> None:
    lists = Sensitive.of(["# ours", "[crime]", "parking*", "[titles]", "warden", "[not people]", "blue"])
    assert lists.subject("Warden Pell was caught parking") == "crime"
    assert lists.subject("warden Pell was seen") is None
