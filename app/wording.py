"""What a normalised text says to the rules: the handles and tags it names, what it leans on, and how texts compare."""

from __future__ import annotations

import re
import unicodedata

from model.text import LINK

# As X reads them: in Japanese, Chinese or Korean a word may stand right before a handle, and right behind it.
_LATIN = "A-Za-z0-9_\u00c0-\u024f"
_MENTION = re.compile(rf"(?<![{_LATIN}@＠/])[@＠]([A-Za-z0-9_]{{1,20}})(?![{_LATIN}])")
_HASHTAG = re.compile(r"(?<![\w&/#＃])[#＃](\w*[^\W\d_]\w*)")
_REPLY = re.compile(r"[@＠]\w")
_CUT = re.compile(rf"…(?:\s*{LINK})?$|[(\[]cont(?:inued|\.|'d)?[)\]]", re.IGNORECASE)
_DOTS_FIRST = re.compile(r"\.\.|…")
_DOTS_LAST = re.compile(r"""\.\.["'”’)]?$""")
_NUMBERED_FIRST = re.compile(r"(?:[(\[](\d{1,2})(?:/| of )|(\d{1,2})/)(\d{1,2})?[)\].:]?(?=\s|$)")
_NUMBERED_LAST = re.compile(r"(?:(?<=\s)(\d{1,2})/|[(\[](\d{1,2})(?:/| of ))(\d{1,2})[)\]]?$")
# What may stand between the end of a sentence and the capital that the next one begins with.
_BEGINS = re.compile(r"""(?:^|[.!?…:\n•|—–-])[\s"'“”‘’«»(\[#*🔗.!?…:|—–-]*$""")
_APOSTROPHES = re.compile(r"['’ʼ`]")
_NO_WORD = re.compile(r"[\W_]+")


class _Markless(dict[int, int | None]):
    """What becomes of each character where accents and joiners are dropped, decided when it first comes by."""

    def __missing__(self, code: int) -> int | None:
        category = unicodedata.category(chr(code))
        self[code] = kept = None if category[0] == "M" or category == "Cf" else code
        return kept


_MARKLESS = _Markless()


def fold(text: str) -> str:
    """`text` for comparison: lower-case letters and digits only, accents dropped, single spaces between words."""
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    if not decomposed.isascii():
        decomposed = decomposed.translate(_MARKLESS)
    return _NO_WORD.sub(" ", decomposed).strip()


def mentions(text: str) -> list[str]:
    """The handles that `text` names, lower case and without @, in order."""
    return [handle.lower() for handle in _MENTION.findall(text)]


def hashtags(text: str) -> list[str]:
    """The hashtags of `text`, lower case and without #, in order."""
    return [tag.lower() for tag in _HASHTAG.findall(text)]


def leaning(text: str) -> str | None:
    """What keeps a normalised text from standing on its own: cut, reply or thread; None where nothing does.

    cut: broken off by "…" or "(cont)", or in the middle of a link. reply: begins with @name (".@name" speaks to all).
    thread: begins or ends in dots, or is numbered like "2/5".
    """
    if _CUT.search(text):
        return "cut"
    if _REPLY.match(text):
        return "reply"
    body = text.rstrip(LINK + " \n")
    if _DOTS_FIRST.match(body) or _DOTS_LAST.search(body) or _is_numbered(body):
        return "thread"
    return None


def _is_numbered(text: str) -> bool:
    """Whether `text` begins or ends with its place in a thread; 24/7 and 9/11 are none."""
    for found in (_NUMBERED_FIRST.match(text), _NUMBERED_LAST.search(text)):
        if found:
            numbers = [int(group) for group in found.groups() if group]
            place, total = numbers[0], numbers[-1] if len(numbers) == 2 else 99
            if 1 <= place <= total and total > 1 and (place, total) != (9, 11):
                return True
    return False


def begins_sentence(text: str, place: int) -> bool:
    """Whether a word at that place of a text begins a sentence: there a capital says nothing of the word."""
    return _BEGINS.search(text, 0, place) is not None
