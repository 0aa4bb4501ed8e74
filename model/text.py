"""The one door for every text: tweets on their way in and samples on their way out pass `normalise`, so that formatting
never tells one from the other.

What passes: letters, marks, digits, punctuation, symbols and emoji, one space between words, one line break between
lines. Every link becomes the same mark, `LINK`. Curly quotes stay curly: they are how an account writes.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

TEXT_VERSION = 4  # goes up with any change of what `normalise` returns; stored with each text

LINK = "🔗"  # stands for any link
START = "\x02"  # begins a text in the network's input; `normalise` never returns it
END = "\x03"  # ends one
UNKNOWN = "\ufffd"  # a character outside the vocabulary

_MARKS_PER_LETTER = 3  # the most that living scripts stack; "zalgo" stacks dozens and spills over its card

# What html5 calls a character reference, but only when closed by ";": "AT&T" and "?a=1&para=2" are no references.
_ENTITY = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AMPERSANDS = re.compile(r"&(?:amp;)+", re.IGNORECASE)

_SURROGATE = re.compile("[\ud800-\udfff]")

_EMOJI = (
    "©®‼⁉™ℹ\u2194-\u21aa⌚-⏿Ⓜ\u25aa-\u25fe☀-➿⤴⤵\u2b05-\u2b55〰〽㊗㊙"
    "\U0001f000-\U0001f516\U0001f518-\U0001faff"  # all but U+1F517, which is LINK
)
# Where letters would join otherwise, joiners are spelling: between those of Arabic, as Persian writes its endings, and
# around the mark by which the scripts of India drop a vowel.
_ARABIC = "\u0620\u0622-\u063f\u0641-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff"
_JOINS = (  # to the next letter
    "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649-\u065f\u066e-\u0670\u0678-\u0687\u069a-\u06bf"
    "\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1\u06fa-\u06ff"
)
_INDIC, _VIRAMA = "\u0900-\u0dff", "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"
_NON_JOINER = re.compile(
    f"(?<=[{_JOINS}])(\u200c)\u200c*(?=[{_ARABIC}])|(?<=[{_VIRAMA}])(\u200c)\u200c*(?=[{_INDIC}])|\u200c"
)
_LONE_JOINER = re.compile(
    f"((?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])|(?<=[{_VIRAMA}])\u200d|(?<=[{_INDIC}])\u200d(?=[{_VIRAMA}]))|\u200d"
)
_LONE_SELECTOR = re.compile(f"(?<![{_EMOJI}0-9#*])\ufe0f|(?<=[0-9#*])\ufe0f(?!\u20e3)")
# Tags spell a flag behind a black one (England, Scotland, Wales), and are nothing anywhere else.
_TAG = re.compile("[\U000e0020-\U000e007f]")
_LONE_TAG = re.compile("(🏴[\U000e0061-\U000e007a]{4,6}\U000e007f)|[\U000e0020-\U000e007f]")

# Drawn as nothing although Unicode calls them letters or marks: fillers, joiners and variation selectors.
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE0F))
    | set(range(0xE0100, 0xE01F0))
)
_BLANK = frozenset({0x09, 0x1C, 0x1D, 0x1E, 0x1F, 0x85, 0x2800})
_LINE_BREAKS = frozenset({0x0A, 0x0B, 0x0C, 0x0D, 0x2028, 0x2029})

_IN_LINK = r"""[^\s<>"“”«»…「」『』、。！？（）【】🔗]"""
_NEXT_LINK = r"(?:https?:/|pic\.twitter\.com/)"
_TOP_LEVEL = (
    "com|org|net|edu|gov|mil|info|biz|int|io|co|tv|ly|gl|gd|fm|uk|ca|de|fr|eu|au|nz|es|nl|jp|ru|br|news|app|dev"
)
_SHORTENERS = (  # on top levels that are words too ("tell.me/us")
    "youtu.be|wp.me|fb.me|on.fb.me|t.me|amzn.to|nyti.ms|dlvr.it|lnkd.in|apne.ws|tl.gd|is.gd|dld.bz|cnn.it|wapo.st"
)
_WEB_LINK = re.compile(
    rf"""(?:
        https?://?t\.co/(?:(?!{_NEXT_LINK})(?=[!-~]){_IN_LINK})*   # X writes these: what is not ASCII is the text again
      | (?:https?|ftp):(?://|/(?=\w))(?:(?!{_NEXT_LINK})(?:{_IN_LINK}|…(?=/)))*   # glued to a word or not
      | pic\.twitter\.com/(?a:\w+)
      | (?<![\w@.-])(?:
            www\.[a-z0-9-]+\.{_IN_LINK}+
          | t\.co/(?a:\w+)
          | (?:{_SHORTENERS.replace(".", "[.]")})/{_IN_LINK}+
          | (?:(?![a-z0-9-]*pic\.twitter)[a-z0-9-]{{1,63}}\.){{1,5}}(?:{_TOP_LEVEL})/(?:(?!{_NEXT_LINK}){_IN_LINK})+
        )
    )(?:\u00a0…)?   # how twitter.com's own pages end a link that they show shortened""",
    re.IGNORECASE | re.VERBOSE,
)
_CUT_LINK = re.compile(r"(?<!\w)(?:h(?:t(?:t(?:ps?(?::/?)?)?)?)?(?=…\s*$)|https?:/?(?=\s*$))", re.IGNORECASE)
_MAY_END_CUT = re.compile(r"[…:/]\s*$")
_BALANCED = {")": "(", "]": "[", "}": "{"}
_LINK_TAIL = ".,;:!?'’)]}*~|"
_GLUED_BEFORE = re.compile(rf"""(?<![\s(\[{{“‘«])(?<!\s["'])(?<!^["'])(?<!^){LINK}""")
_GLUED_AFTER = re.compile(rf"""{LINK}(?=[^\s.,;:!?…)\]}}"”’'»])""")
_LINK_RUN = re.compile(rf"{LINK}(?:\s*{LINK})+")

_LINE_BREAK_RUN = re.compile(r" ?\n[ \n]*")
_SPACE_RUN = re.compile(r"  +")
# Four of ten tweets hold nothing that `normalise` would touch; this tells them quickly.
_TOUCHED = re.compile(r"[^ -~]|[&/]|  |[wW]{3}\.|[pP][sS]?:$|^ | $|^$")


class _Door(dict[int, int | str | None]):
    """What becomes of each character by itself, decided when it first comes by (for `str.translate`)."""

    def __missing__(self, code: int) -> int | str | None:
        self[code] = fate = _fate(code)
        return fate


def _fate(code: int) -> int | str | None:
    if code in _LINE_BREAKS:
        return "\n"
    if code in _BLANK:
        return " "
    if code in _INVISIBLE or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return None
    category = unicodedata.category(chr(code))
    if category == "Zs":
        return " "
    # Joiners and tags are invisible too, but inside emoji and some words they are kept: the patterns above decide.
    may_stay = code in (0x200C, 0x200D) or 0xE0020 <= code <= 0xE007F
    return None if category in ("Cc", "Cf", "Cs", "Co") and not may_stay else code


_DOOR = _Door()


def normalise(raw: str) -> str:
    """The text as the game stores, learns and shows it.

    Character references are resolved (however often they were escaped), canonical composition is applied, what cannot
    be seen is dropped, white space is reduced to single spaces and single line breaks, and every link becomes `LINK`,
    set apart from words. Idempotent: a text that passed passes unchanged.
    """
    if not _TOUCHED.search(raw):
        return raw
    text = _pass(raw)
    # One step may make room for another (a reference that hid a control character); nearly all texts stop at once.
    while (again := _pass(text)) != text:
        text = again
    return text


def _pass(text: str) -> str:
    if not text.isascii() and _SURROGATE.search(text):  # halves are joined, and dropped where there is no other half
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    text = _mark_links(_unescape(text)).translate(_DOOR)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        if "\u200c" in text:
            text = _NON_JOINER.sub(r"\1\2", text)
        if "\u200d" in text or "\ufe0f" in text:
            text = _LONE_SELECTOR.sub("", _LONE_JOINER.sub(r"\1", text))
        if _TAG.search(text):
            text = _LONE_TAG.sub(r"\1", text)
        text = _mark_run().sub(r"\1", text)
    text = _LINE_BREAK_RUN.sub("\n", _SPACE_RUN.sub(" ", text)).strip()
    return _set_links_apart(text) if LINK in text else text


def _unescape(text: str) -> str:
    if "&" not in text or ";" not in text:
        return text
    while True:
        plain = _ENTITY.sub(lambda entity: html.unescape(entity.group()), _AMPERSANDS.sub("&", text))
        if plain == text:
            return text
        text = plain


def _mark_links(text: str) -> str:
    if "/" in text or "www." in text.lower():
        text = _WEB_LINK.sub(_link_and_tail, text)
    return _CUT_LINK.sub(LINK, text) if _MAY_END_CUT.search(text) else text


def _link_and_tail(found: re.Match[str]) -> str:
    """LINK, and behind it the punctuation that ends the sentence rather than the address."""
    address = found.group()
    rest = address[len(address.rstrip(_LINK_TAIL)) :]
    cut = found.string.startswith("…", found.end())
    if not rest or cut:
        return LINK
    opening = _BALANCED.get(rest[0])
    return LINK + (rest[1:] if opening and opening in address else rest)


def _set_links_apart(text: str) -> str:
    text = _GLUED_AFTER.sub(LINK + " ", _GLUED_BEFORE.sub(" " + LINK, text))
    return _LINK_RUN.sub(LINK, text)


@cache
def _mark_run() -> re.Pattern[str]:
    """More marks on one letter than `_MARKS_PER_LETTER`, with those that stay as its group."""
    # Within the basic plane a class is one table; with the historic scripts beyond it would be ten times slower.
    codes = (code for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) in ("Mn", "Me"))
    marks = "".join(map(chr, codes))
    return re.compile(f"([{marks}]{{{_MARKS_PER_LETTER}}})[{marks}]+")
