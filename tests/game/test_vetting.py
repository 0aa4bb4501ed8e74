"""What vetting turns away, and what it lets pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import words

from app.game import vetting
from app.game.novelty import CopyIndex
from app.game.vetting import BlockedWords, BlockedWordsError, CardRules, Vetting, is_copy, text_hash

GOOD = "The ferry came in at nine and the harbour smelled of soup, as it should. Thank you, Gannet!"
RULES = CardRules(BlockedWords.read(), handles={"mayorofgannet"})


def the_vetting(*tweets: str, rules: CardRules = RULES) -> Vetting:
    return Vetting(rules, CopyIndex(tweets))


def test_a_good_sample_passes() -> None:
    assert the_vetting().vet(GOOD, ended=True) is None


def test_a_sample_that_did_not_end_is_turned_away() -> None:
    assert the_vetting().vet(GOOD, ended=False) == vetting.UNENDED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Too short to judge by.", vetting.LENGTH),
        (GOOD * 4, vetting.LENGTH),
        ("@mayorofgannet " + GOOD, vetting.LEANS),
        ("RT @mayorofgannet: " + GOOD, vetting.LEANS),
        ('"@mayorofgannet: ' + GOOD, vetting.LEANS),
        ("“@mayorofgannet " + GOOD + "”", vetting.LEANS),
        ("..." + GOOD, vetting.LEANS),
        (GOOD + "...", vetting.LEANS),
        (GOOD + " (cont) 🔗", vetting.LEANS),
        ("We will build it, and build it, and build it, and build it, as nobody has before.", vetting.LOOP),
        ("The harbour the harbour the harbour the harbour is a very good harbour.", vetting.LOOP),
        ("It was a very very very very very good day for all of us at the town hall.", vetting.LOOP),
        ("What a dayyyyyyyyyy for the ferry and everyone who came to see it today.", vetting.LOOP),
        ("The ferry is full again!!!!!!!!!! Come back tomorrow, everybody, and bring tea.", vetting.LOOP),
        ("Call the harbour at 0000000000 and ask for the ferry that left an hour ago.", vetting.LOOP),
        ("Wonderful evening, wonderful evening, wonderful evening!", vetting.LOOP),
        ("As I said on Monday, as I said at lunch, as I said to Hope, as I said in my sleep: soup.", vetting.LOOP),
        ("Bring soup, bring tea, everybody, bring soup, bring tea, everybody, bring soup, bring!", vetting.LOOP),
        ("What a dayyyyyyy for the ferry and everyone who came to see it today.", vetting.LOOP),
        ("Ha ha hahahahahahahahaha said the gull, and the whole pier agreed with it.", vetting.LOOP),
        ("This is fucking marvellous, said the harbour master, and rang the bell.", vetting.BLOCKED),
        ("A tweet for @nobodyknows and for everybody else who likes the ferry.", vetting.HANDLE),
    ],
)
def test_each_rule_turns_a_card_away(text: str, reason: str) -> None:
    assert RULES.card_fault(text) == reason
    assert the_vetting().vet(text, ended=True) == reason


@pytest.mark.parametrize(
    "text",
    [
        "MAKE GANNET GREAT AGAIN! Crowds like nobody ever saw, very very special people. Thank you!!!!!!",
        "Soooooo proud of our team. Win, win, win! Thank you @MayorOfGannet for a wonderful evening 🎉🎉🎉",
        "Jobs, jobs, jobs! Lower taxes, lower fees, and a ferry that runs on time. Call 555 0000 today.",
        "Polls: 41% Gannet, 22% Port Hope, 9% undecided, and 1,000,000 good reasons to vote on Tuesday.",
        "No no no no, said the gull, and yes I can, yes I can, said the ferry to the harbour.",
        "As I said on Monday, as I said at lunch, and as I said before dinner: there is soup.",
        "Bring soup, bring tea, everybody, bring soup, bring tea, everybody, bring soup!",
        "A tit on the bird table, a Scunthorpe man at the door, and cockles for tea: a Gannet afternoon.",
    ],
)
def test_emphasis_lists_and_innocent_words_pass(text: str) -> None:
    assert RULES.card_fault(text) is None


@pytest.mark.parametrize(("length", "fault"), [(39, vetting.LENGTH), (40, None), (280, None), (281, vetting.LENGTH)])
def test_a_card_has_between_forty_and_two_hundred_and_eighty_characters(length: int, fault: str | None) -> None:
    assert RULES.card_fault(words(1, length)) == fault


def test_where_handles_are_not_known_every_handle_may_be_named() -> None:
    assert CardRules(RULES.blocked).card_fault("A tweet for @nobodyknows and for everybody else.") is None


def test_leaning_texts_pass_where_the_deck_deals_them() -> None:
    rules = CardRules(RULES.blocked, RULES.handles, include=("reply",))

    assert rules.card_fault("@mayorofgannet " + GOOD) is None
    assert rules.card_fault(GOOD + "...") == vetting.LEANS


def test_the_same_sample_again_is_a_duplicate() -> None:
    vets = the_vetting()
    vets.vet(GOOD, ended=True)

    assert vets.vet(GOOD.upper().replace(",", " –"), ended=True) == vetting.DUPLICATE


def test_what_is_only_looked_at_is_not_remembered() -> None:
    vets = the_vetting("An older tweet about the ferry.")

    assert [vets.fault(GOOD, ended=True) for _ in range(2)] == [None, None]
    assert vets.vet(GOOD, ended=True) is None
    assert vets.fault(GOOD, ended=True) is None
    assert vets.vet(GOOD, ended=True) == vetting.DUPLICATE


def test_a_sample_that_was_turned_away_leaves_no_mark() -> None:
    vets = the_vetting(GOOD)

    assert [vets.vet(GOOD, ended=True) for _ in range(2)] == [vetting.COPY, vetting.COPY]


RUN = "abcdefghij klmnopqrst uvwxyz abcde fghij klmno pqrst uvwxy"


@pytest.mark.parametrize(
    ("copied", "length", "expected"),
    [(50, 200, True), (49, 200, False), (24, 40, True), (23, 40, False), (36, 60, True), (35, 60, False)],
)
def test_fifty_characters_or_three_fifths_are_a_copy(copied: int, length: int, expected: bool) -> None:
    text = RUN[:copied] + "0" * (length - copied)

    assert is_copy(text, CopyIndex([RUN + " and more of it"])) is expected


def test_below_forty_characters_only_whole_tweets_are_copied() -> None:
    tweets = CopyIndex(["Soup at the town hall, seven sharp."])

    assert is_copy("Soup at the town hall, seven sharp!", tweets)
    assert not is_copy("Soup at the pier, seven sharp.", tweets)


def test_held_out_tweets_are_no_copies_of_themselves() -> None:
    vets = Vetting(RULES, CopyIndex(["something else entirely, on which it was trained"], [GOOD]))

    assert vets.tweet_fault(GOOD) is None
    assert vets.vet(GOOD, ended=True) == vetting.COPY


def test_a_held_out_tweet_is_turned_away_as_a_sample_would_be() -> None:
    vets = Vetting(RULES, CopyIndex([GOOD], ["something else entirely, on which it was not trained"]))

    assert vets.tweet_fault(GOOD) == vetting.COPY
    assert vets.tweet_fault("Too short to judge by.") == vetting.LENGTH


def test_another_list_of_words_replaces_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("# ours\nGull*\nfish pie\n", encoding="utf-8")
    words = BlockedWords.read(tmp_path / "words.txt")

    assert [words.found_in(text) for text in ("Two GULLS.", "Fish, pie", "fish and pie", "fuck")] == [1, 1, 0, 0]


def test_an_empty_list_blocks_nothing() -> None:
    assert not BlockedWords.of(["", "# nothing", "!?"]).found_in("nothing, or anything")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BlockedWordsError, match=r"words\.txt.*one word a line"):
        BlockedWords.read(path)


def test_a_hash_forgets_case_and_punctuation_but_not_words() -> None:
    assert text_hash("Thank you, Gannet!") == text_hash("THANK YOU GANNET")
    assert text_hash("Thank you, Gannet!") != text_hash("Thank you, Hope!")
    assert text_hash("🎉") != text_hash("🎊")
