"""What gives away a network that has read other accounts: names from elsewhere, and others' very words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.game.novelty import CopyIndex
from app.game.strangers import RECITED_RUN, Names, Recited
from app.game.vetting import NAME, RECITED, BlockedWords, CardRules, Vetting

ARCHIVE = [
    "The harbour opens at nine. Bring Tilda and the rose seeds, please!",
    "Good morning, Port Gannet. It’s the council’s turn.",
    "so we met and saw and gave her, was there, see, new, waits, till, rain",
    "Ferry day at Gannet's pier. OLD PIER, new ferry #PierDay",
]
SENTENCE = "the ferry to the far side of the bay leaves at nine sharp every morning"


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("We saw Tilda at Port Gannet and gave her Gannet’s seeds.", []),
        ("We saw Obama there. And Tilda.", ["Obama"]),
        ("Obama was there.", ["Obama"]),
        ("Seeds for the harbour! Please bring morning.", []),
        ("So we met Rose there", ["Rose"]),
        ("Was there a So met", ["So"]),
        ("The FERRY waits, GREAT ferry", ["GREAT"]),
        ("Ferry! “Morning” (seeds) … New day", []),
        ("see #PierDay and #ObamaDay", ["ObamaDay"]),
        ("see @Obama and the pier", []),
        ("the Donald's ferry", ["Donald"]),
    ],
)
def test_capitalised_words_that_the_archive_lacks_are_named(text: str, lacking: list[str]) -> None:
    assert Names(ARCHIVE).lacking(text) == lacking


def test_an_archive_lacks_none_of_its_own_names() -> None:
    names = Names(ARCHIVE)
    assert [names.lacking(text) for text in ARCHIVE] == [[]] * len(ARCHIVE)


@pytest.mark.parametrize("before", range(12))
def test_every_recited_run_of_forty_is_found_wherever_it_begins(before: int) -> None:
    read = Recited.of(["x" * before + SENTENCE + " and back", "something else that is quite as long as this"])
    assert read.holds("Well: " + SENTENCE[7 : 7 + RECITED_RUN].upper() + "!")


def test_what_was_not_read_is_not_recited() -> None:
    read = Recited.of([SENTENCE])
    assert not read.holds("at nine sharp every gull in the harbour wakes up and cries for its breakfast")
    assert not read.holds(SENTENCE[:31])
    assert not Recited.of([]).holds(SENTENCE)


def test_what_was_read_is_kept_in_a_file(tmp_path: Path) -> None:
    Recited.of([SENTENCE]).write(tmp_path / "read.npy")
    assert Recited.read(tmp_path / "read.npy").holds(SENTENCE)
    np.save(tmp_path / "other.npy", np.zeros(3))
    with pytest.raises(ValueError, match="expected a list of uint32"):
        Recited.read(tmp_path / "other.npy")


def test_vetting_turns_both_away() -> None:
    rules = CardRules(BlockedWords.of([]), names=Names(ARCHIVE))
    vetting = Vetting(rules, CopyIndex([]), recited=Recited.of([SENTENCE]))
    assert vetting.vet("The ferry of Donald waits at the old pier till nine.", True) == NAME
    assert vetting.vet(SENTENCE, True) == RECITED
    assert vetting.vet("The ferry waits at the old pier till nine, rain or no rain.", True) is None
