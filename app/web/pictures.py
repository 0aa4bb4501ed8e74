"""Pictures to share: a sample on a slip of paper, and inside the picture the words that a machine wrote it."""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from model.text import LINK, normalise

SIZE = (1200, 630)  # what previews of links are cut to
PAPER, SLIP, INK, SOFT, MACHINE = "#f4efe5", "#fffdf8", "#211d19", "#655d52", "#a03a0c"
WORDS = "Written by a machine"
LONGEST = 600  # characters that are drawn; no sample is longer
TEXT_SIZES = (52, 46, 40, 35, 30, 26, 22)  # pixels: the largest that fits
WIDE, HIGH = 1000, 330  # of the text
FIRST_BEYOND = 0x0530  # Armenian, Hebrew, Arabic and so on: the serif face knows Latin, Greek and Cyrillic
# Debian's and Fedora's places; where neither is, Pillow brings a plain one.
_FOLDERS = (
    *("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/TTF"),
    *("/usr/share/fonts/dejavu-serif-fonts", "/usr/share/fonts/dejavu-sans-fonts"),
)
_LACKING = "\U0010fffe"  # no character at all: every face draws its box
_KEYCAP = re.compile("\ufe0f?\u20e3")  # around a digit, which stays
_EMOJI = re.compile("(?:[\U0001f000-\U0001faff\u2600-\u27bf\U000e0000-\U000e0fff][\ufe0f\u200d]*)+")
_NON_JOINER = "\u200c"  # is spelling in Persian


@dataclass(frozen=True)
class Caption:
    """What stands around the sample."""

    generator: str  # v3
    name: str  # of the archive: @handle, or its name
    fooled: int
    guesses: int
    unit: str


def picture(text: str, caption: Caption) -> bytes:
    """A PNG of a sample, 1200 × 630."""
    from PIL import Image, ImageDraw  # it takes megabytes that most days need not

    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((100, 52), WORDS, fill=MACHINE, font=font(58, bold=True))
    draw.rounded_rectangle((60, 140, 1140, 510), 24, SLIP, MACHINE, 4)
    chosen, lines, step = _fitted(drawable(text))
    top = 325 - step * len(lines) / 2
    for number, line in enumerate(lines):
        draw.text((100, top + number * step), line, fill=INK, font=chosen)
    words, face = _told(caption)
    draw.text((100, 528), words, fill=SOFT, font=face)
    draw.text((100, 568), f"Which {caption.unit} is real?", fill=INK, font=font(30, bold=True))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def drawable(text: str) -> str:
    """The text without what the faces here cannot draw: emoji, and scripts that they lack, become a dot."""
    plain = _plain(text)
    is_wide = _is_beyond(plain)
    runs = groupby(plain, lambda character: _is_drawn(character, wide=is_wide))
    return "".join("".join(run) if is_drawn else "·" * any(map(_is_base, run)) for is_drawn, run in runs)


def is_told(text: str) -> bool:
    """Whether a picture would show what the text says: most of its letters can be drawn."""
    plain = _plain(text)
    is_wide = _is_beyond(plain)
    letters = [character for character in plain if character.isalnum()]
    return 2 * sum(_is_drawn(letter, wide=is_wide) for letter in letters) >= len(letters)


def _plain(text: str) -> str:
    plain = _KEYCAP.sub("", normalise(text)[:LONGEST].replace(LINK, "[link]"))
    plain = _EMOJI.sub("·", plain)
    return "".join(c for c in plain if c == _NON_JOINER or unicodedata.category(c) not in ("Cn", "Co", "Cf"))


def _is_beyond(text: str) -> bool:
    return any(character.isalpha() and ord(character) >= FIRST_BEYOND for character in text)


def _is_base(character: str) -> bool:
    return not unicodedata.category(character).startswith("M")


@lru_cache(maxsize=4096)
def _is_drawn(character: str, *, wide: bool) -> bool:
    """Whether the face knows the character, and does not draw the box that stands for what it lacks."""
    face = font(TEXT_SIZES[-1], wide=wide, shaped=False)
    return character.isspace() or bytes(face.getmask(character)) != bytes(face.getmask(_LACKING))


@cache
def font(size: int, *, bold: bool = False, wide: bool = False, shaped: bool = True) -> Any:
    """A serif face where the system has one, else Pillow's own.

    `wide`: one that knows more scripts; `shaped`: letters join and marks stand on them, where Pillow can do that.
    """
    from PIL import ImageFont

    name = "DejaVuSans.ttf" if wide else "DejaVuSerif-Bold.ttf" if bold else "DejaVuSerif.ttf"
    file = next((path for folder in _FOLDERS if (path := Path(folder) / name).exists()), None)
    engine = None if shaped else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(file), size, layout_engine=engine) if file else ImageFont.load_default(size)


def wrapped(text: str, face: Any, wide: int) -> list[str]:
    """Lines no wider than `wide` pixels; a word that is wider by itself is broken."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if face.getlength(longer) <= wide:
                line = longer
                continue
            if line:
                lines.append(line)
            *full, line = _broken(word, face, wide)
            lines += full
        lines.append(line)
    return lines


def _broken(word: str, face: Any, wide: int) -> list[str]:
    pieces, piece = [], ""
    for character in word:
        if piece and face.getlength(piece + character) > wide:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]


def _told(caption: Caption) -> tuple[str, Any]:
    """The line below the slip, of the name as much as fits, and its face."""
    name = " ".join(drawable(caption.name).split())
    face = font(26, wide=_is_beyond(name))
    rate = f" It fooled {caption.fooled} of {caption.guesses} players." if caption.guesses else ""
    shown = name
    while face.getlength(words := f"Network {caption.generator}, after {shown}.{rate}") > WIDE and name:
        name = name[:-1].rstrip()
        shown = f"{name}…"
    return words, face


def _fitted(text: str) -> tuple[Any, list[str], float]:
    """The largest face in which the text fits, its lines, and the pixels from one to the next."""
    is_wide = _is_beyond(text)
    for size in TEXT_SIZES:
        face, step = font(size, wide=is_wide), size * 1.32
        lines = wrapped(text, face, WIDE)
        if step * len(lines) <= HIGH:
            return face, lines, step
    shown = int(HIGH // step)
    return face, [*lines[: shown - 1], lines[shown - 1].rstrip() + " …"] if len(lines) > shown else lines, step
