"""Pictures to share: whatever the text is, a picture comes of it, and it says that a machine wrote it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from app.web.pictures import LONGEST, SIZE, WIDE, Caption, drawable, font, is_told, picture, wrapped

CAPTION = Caption("v3", "@MayorOfGannet", 12, 20, "tweet")
HOSTILE = [
    "",
    "ordinary words about the pier, " * 9,
    "\u202egnirts desrever a\u202c",
    "z\u0351\u0352\u0353\u0354\u0355\u0356\u0357" * 40,
    "🎉👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿" * 20,
    "W" * 1_000_000,
    "السلام عليكم ورحمة الله وبركاته " * 8,
    "\x00\x07\u200b\ufeff\ud800",
    "一二三四五六七八九十" * 28,
    "line\nline\n\n\n" * 100,
]


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_makes_a_picture(text: str) -> None:
    content = picture(text, CAPTION)
    assert opened(content).size == SIZE
    assert len(content) < 300_000


@pytest.mark.slow
def test_the_words_stand_in_every_picture_and_the_text_keeps_out_of_them() -> None:
    head, margins = (0, 0, 1200, 138), [(0, 140, 58, 510), (1143, 140, 1200, 510)]
    blank = opened(picture("", CAPTION))
    assert len(blank.crop(head).getcolors() or []) > 2, "there is something in the head"
    for text in HOSTILE:
        drawn = opened(picture(text, CAPTION))
        for box in (head, *margins):
            assert ImageChops.difference(blank.crop(box), drawn.crop(box)).getbbox() is None


def captioned(name: str, fooled: int = 12) -> bytes:
    return picture("", replace(CAPTION, name=name, fooled=fooled))


@pytest.mark.parametrize("name", ["x" * 45, "W" * 200, "Ada " * 50, "שלום " * 40])
def test_a_long_name_is_cut_short_and_the_rate_is_not(name: str) -> None:
    assert captioned(name, 12) != captioned(name, 13)
    margin = opened(captioned(name)).crop((1102, 520, 1200, 630))
    assert len(margin.getcolors() or []) == 1, "it ends where the slip does"


def test_a_name_is_drawn_in_its_script_and_without_boxes() -> None:
    assert captioned("שלום") != captioned("עליכ")
    assert captioned("Ada 🎉") == captioned("Ada ·")
    assert captioned("two\nlines") == captioned("two lines")


def test_lines_are_no_wider_than_the_slip() -> None:
    face = font(40)
    for text in ("one two three " * 20, "x" * 500, "short"):
        assert all(face.getlength(line) <= WIDE for line in wrapped(text, face, WIDE))
    assert "".join(wrapped("x" * 500, face, WIDE)) == "x" * 500


def test_scripts_that_no_face_here_knows_become_dots_and_make_no_picture() -> None:
    face = font(22, wide=True, shaped=False)
    box = bytes(face.getmask("\U0010fffe"))
    for text in (*HOSTILE, "ferry 港の時計 at nine", "\u05d0 z\u0353\u0354\u0355algo", "\u05d0 นายกเทศมนตรี"):
        for character in drawable(text):
            assert character.isspace() or bytes(face.getmask(character)) != box or ord(character) < 0x530
    assert drawable("z\u0353\u0354\u0355algo") == "zalgo"
    assert drawable("ferry 港の時計 at nine") == "ferry · at nine"
    assert drawable("1\ufe0f\u20e3 each") == "1 each"
    assert drawable("می\u200cخواهم") == "می\u200cخواهم"  # as it is spelt
    assert drawable("see क्\u200dष") == "see ·"
    assert is_told("ferry 港の時計 at nine")
    assert is_told("שלום عليكم")
    assert is_told("🎉🎉 !")  # nothing to read either way
    assert not is_told("港の時計は火曜日に逆回りします")


def test_what_a_font_cannot_draw_is_left_out_or_named() -> None:
    assert drawable("go 🎉👩‍👩‍👧 to https://example.org/x") == "go · to [link]"
    assert len(drawable("a" * 5000)) == LONGEST
