"""Vetting: what a sample must pass before it may be shown. All rules but novelty hold for tweets of the deck as well,
so that no rule tells one kind of card from the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from app.game.novelty import SHORT, CopyIndex
from app.game.strangers import Names, Recited
from app.wording import fold, leaning, mentions

VETTING_VERSION = 1  # goes up with any change of a rule; a generator vetted otherwise is another generator

SHORTEST = 40  # characters of a card
LONGEST: Mapping[str, int] = MappingProxyType({"tweet": 280, "passage": 560})  # characters of a card, by unit
COPIED_RUN = 50  # characters of a tweet that a sample may not repeat in one run
COPIED_SHARE = 0.6  # of a sample's length: so much in one run is a copy too
SHIPPED_WORDS = Path(__file__).with_name("blocked_words.txt")

# Reasons, in the order in which the rules are tried: the cheapest first.
UNENDED, LENGTH, LEANS, LOOP, BLOCKED, HANDLE, NAME, OTHERS, DUPLICATE, COPY, RECITED, FORM = (
    "does not end by itself",
    "too short or too long",
    "does not stand on its own",
    "goes in circles",
    "blocked word",
    "handle not in the archive",
    "name not in the archive",
    "names somebody else",
    "duplicate",
    "copied from a tweet",
    "recited from what the base has read",
    "form seldom among tweets",  # a choice among those that passed (app/game/form.py), not a fault
)
HELD = "held back for a look"  # what is sensitive (app/game/sensitive.py): stored, and dealt only if an admin says so
REASONS = (UNENDED, LENGTH, LEANS, LOOP, BLOCKED, HANDLE, NAME, OTHERS, DUPLICATE, COPY, RECITED, FORM, HELD)

# More of one letter than real tweets hold ("Soooooo"), or a group of characters five times, such as ten of one mark.
_LETTER_RUN = re.compile(r"([^\W\d_])\1{6}")
_GROUP_RUN = re.compile(r"(?=(\S.{1,11}?))\1{5}", re.DOTALL)
# Somebody else's words, which imports leave out: "RT @name", or a quote that begins with its author.
_BORROWED = re.compile(r"""[\s."'“”‘’«]*(?:RT\s+@\w|(?<=["'“”‘’«])@\w)""")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
LONGEST_PHRASE = 12  # words; longer ones do not come three times within a card


class BlockedWordsError(ValueError):
    """A list of blocked words cannot be read; the message is one line that names the file."""


@dataclass(frozen=True)
class BlockedWords:
    """Words and phrases that no card may hold."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, lines: Iterable[str]) -> BlockedWords:
        """The list in these lines; see the head of the shipped one for the form."""
        words = []
        for line in lines:
            entry = line.strip()
            if entry and not entry.startswith("#"):
                folded = fold(entry)
                if folded:
                    words.append(re.escape(folded) + (r"\w*" if entry.endswith("*") else ""))
        return cls(re.compile(rf"(?:^| )(?:{'|'.join(words)})(?: |$)") if words else None)

    @classmethod
    def read(cls, path: Path | None = None) -> BlockedWords:
        """The list in a file; the shipped one where none is named.

        Raises:
            BlockedWordsError: the file is missing or not UTF-8.
        """
        file = path or SHIPPED_WORDS
        try:
            return cls.of(file.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise BlockedWordsError(f"{file}: cannot read the blocked words ({reason}): one word a line") from None

    def found_in(self, text: str) -> bool:
        """Whether `text` holds one of the words."""
        return self.pattern is not None and self.pattern.search(fold(text)) is not None


@dataclass(frozen=True)
class CardRules:
    """The rules that hold for both kinds of card.

    Attributes:
        blocked: words that no card may hold.
        handles: handles that occur in the archive, lower case, without @; None: every handle may be named.
        names: the archive's words, where the network has read other accounts as well; None: every name may be named.
        others: whether a text names somebody else than the account (app/game/third_parties.py); None: cards may.
        longest: most characters of a card.
        include: ways of leaning on another text that are dealt all the same (reply, thread, cut).
    """

    blocked: BlockedWords
    handles: Collection[str] | None = None
    names: Names | None = None
    others: Callable[[str], bool] | None = None
    shortest: int = SHORTEST
    longest: int = LONGEST["tweet"]
    include: Collection[str] = ()

    def card_fault(self, text: str) -> str | None:
        """The first rule that a card with this text breaks, in words; None where it may be shown."""
        if not self.shortest <= len(text) <= self.longest:
            return LENGTH
        leans = leaning(text)
        if _BORROWED.match(text) or (leans is not None and leans not in self.include):
            return LEANS
        if goes_in_circles(text):
            return LOOP
        if self.blocked.found_in(text):
            return BLOCKED
        if self.handles is not None and not all(handle in self.handles for handle in mentions(text)):
            return HANDLE
        if self.names is not None and self.names.lacking(text):
            return NAME
        if self.others is not None and self.others(text):
            return OTHERS
        return None


@dataclass(frozen=True)
class Vetting:
    """All rules for the samples of an archive.

    Attributes:
        rules: those that hold for the deck's cards too.
        tweets: every tweet of the archive, of every split, to find copies of them.
        hashes: `text_hash` of every sample that the archive ever had; grows with each sample that passes.
        recited: what the base has read that the network began from; None: it began from chance.
    """

    rules: CardRules
    tweets: CopyIndex
    hashes: set[str] = field(default_factory=set)
    recited: Recited | None = None

    def vet(self, text: str, ended: bool) -> str | None:
        """The first rule that a sample breaks, in words; None where it may go on the shelf.

        A text that passes counts as known from then on: the same one again is a duplicate.
        """
        fault = self.fault(text, ended)
        if fault is not None:
            return fault
        mark = text_hash(text)
        if mark in self.hashes:
            return DUPLICATE
        self.hashes.add(mark)
        return None

    def fault(self, text: str, ended: bool) -> str | None:
        """The same, whatever samples there are already."""
        if not ended:
            return UNENDED
        fault = self.rules.card_fault(text)
        if fault is not None:
            return fault
        if is_copy(text, self.tweets):
            return COPY
        return RECITED if self.recited is not None and self.recited.holds(text) else None

    def tweet_fault(self, text: str) -> str | None:
        """What the same rules say of a held-out tweet, of which other tweets only are searched for copies of it."""
        return self.rules.card_fault(text) or (COPY if is_copy(text, self.tweets, with_held_out=False) else None)


def is_copy(text: str, tweets: CopyIndex, *, with_held_out: bool = True) -> bool:
    """Whether `text` repeats a tweet: 50 characters in a run, or 60 % of a text of 40 or more.

    A shorter text is one only if a tweet says the same or nearly the same.
    """
    if len(text) < SHORT:
        return tweets.resembles_short(text, with_held_out=with_held_out)
    allowed = min(COPIED_RUN, COPIED_SHARE * len(text))
    run = tweets.longest_run(text, enough=COPIED_RUN, with_held_out=with_held_out)
    return run.length >= allowed


def goes_in_circles(text: str) -> bool:
    """Whether characters, words or phrases are repeated beyond what people do for emphasis."""
    if _LETTER_RUN.search(text) or _GROUP_RUN.search(text):
        return True
    words = [word.casefold() for word in _WORD.findall(text)]
    return _repeats_in_a_row(words) or _comes_back_too_often(words)


def _repeats_in_a_row(words: list[str]) -> bool:
    """A word five times in a row, or a phrase of several three times."""
    for size in range(1, min(LONGEST_PHRASE, len(words) // 3) + 1):
        allowed = 5 if size == 1 else 3
        row = 1
        for place in range(size, len(words)):
            # A word that equals the one `size` before it continues a repetition of that size.
            row = row + 1 if words[place] == words[place - size] else 1
            if row > size * (allowed - 1):
                return True
    return False


def _comes_back_too_often(words: list[str]) -> bool:
    """Three words in a row that come four times, or that make up half of the text by coming again."""
    if len(words) < 9:
        return False
    seen: dict[tuple[str, ...], int] = {}
    for place in range(len(words) - 2):
        three = tuple(words[place : place + 3])
        seen[three] = seen.get(three, 0) + 1
    again = sum(count - 1 for count in seen.values())
    return max(seen.values()) >= 4 or again * 2 > len(words) - 2


def text_hash(text: str) -> str:
    """32 hex digits that two samples share exactly if they are the same but for case, accents and punctuation."""
    return sha256((fold(text) or text).encode("utf-8", "replace")).hexdigest()[:32]
