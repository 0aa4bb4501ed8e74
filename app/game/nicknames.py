"""Nicknames: what a player may be called, and what two names look like to an eye that reads quickly."""

from __future__ import annotations

import re
import unicodedata
from itertools import product

from app.game.vetting import BlockedWords
from app.wording import fold
from model.text import normalise

SHORTEST, LONGEST = 2, 20  # characters
EMBEDDED = 6  # letters from which a blocked word is looked for inside of others

# Letters of other scripts that look like Latin ones, small after case folding.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁԛԝһѵгтвмнк" "αβεικνορτυχγηωμ" "ıłøđħŧƒ",
    "aeopcyxijsdqwhvrtbmhk" "abeiknoptuxynwu" "ilodhtf",
)  # fmt: skip
# Digits and signs that stand for letters; some for one of two.
_LEET = {
    "0": "o", "1": "il", "!": "il", "|": "il", "2": "z", "3": "e", "4": "a", "@": "a", "5": "s", "$": "s", "6": "g",
    "7": "t", "+": "t", "8": "b", "9": "g", "€": "e", "£": "l",
}  # fmt: skip
_SIGNS = frozenset(" -_.'")
_READINGS = 64  # ways to read the digits of one name that are tried
_REPEATS = re.compile(r"(.)\1+")


class NicknameRefused(ValueError):  # noqa: N818  # an answer, not a mistake
    """A name that is not taken; the message says why, in one line."""


def accept(name: str, blocked: BlockedWords) -> str:
    """The name as it will be shown.

    Raises:
        NicknameRefused: too short, too long, of strange characters, or a blocked word however it is spelled.
    """
    shown = " ".join(unicodedata.normalize("NFKC", name).split())
    if not SHORTEST <= len(shown) <= LONGEST:
        raise NicknameRefused(f"a nickname has {SHORTEST} to {LONGEST} characters; this one has {len(shown)}")
    strange = [c for c in shown if not (c.isalnum() or c in _SIGNS or c in _LEET or unicodedata.category(c) == "Mn")]
    # What a text is not let in with, a name is not either: letters that are drawn as nothing, marks piled up.
    if strange or normalise(shown) != shown or not any(character.isalnum() for character in shown):
        raise NicknameRefused("a nickname is made of letters and digits; spaces, - _ . ' may stand between them")
    if any(blocked.found_in(reading) for reading in readings(shown)) or _holds(_letters(shown), blocked):
        raise NicknameRefused("that nickname is not for here: choose another")
    return shown


def _holds(letters: str, blocked: BlockedWords) -> bool:
    """Whether a long blocked word stands inside of a longer one; a short one does so in many a harmless name."""
    spans = [(start, end) for start in range(len(letters)) for end in range(start + EMBEDDED, len(letters) + 1)]
    return any(blocked.found_in(letters[start:end]) for start, end in spans)


def key(shown: str) -> str:
    """The same for names that look alike: letters folded, digits read as letters, no signs, no doubled letters."""
    # i and l are one stroke in many typefaces.
    squeezed = _REPEATS.sub(r"\1", _letters(shown).replace("l", "i"))
    return squeezed[:32] or shown[:32]


def _letters(shown: str) -> str:
    """The letters of a name in one run, digits read as letters."""
    return fold("".join(_LEET.get(character, character)[0] for character in _latin(shown))).replace(" ", "")


def readings(shown: str) -> list[str]:
    """What a name can be read as: digits for letters, letters of other scripts, letters drawn out or spaced out."""
    latin = _latin(shown)
    choices = [_LEET.get(character, character) for character in latin]
    read = {latin}
    for number, letters in enumerate(product(*choices)):
        if number == _READINGS:
            break
        read.add("".join(letters))
    for text in list(read):
        words = re.split(r"[\s\-_.']+", text)
        # "b a d" and "b.a.d", but not the end of one word with the start of the next.
        if all(len(word) == 1 for word in words if word):
            read.add("".join(words))
        read.add(" ".join(words))
    for text in list(read):
        read |= {_REPEATS.sub(r"\1", text), _REPEATS.sub(r"\1\1", text)}
    return sorted(read)


def _latin(shown: str) -> str:
    decomposed = unicodedata.normalize("NFKD", shown).casefold()
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return bare.translate(_LOOKALIKES)
