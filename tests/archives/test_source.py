"""The file itself: what is refused before anything is read, and bytes that are no text."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.archives import ArchiveError
from app.archives.formats import FORMATS, open_records
from app.archives.records import Record
from app.archives.source import ENCODING_ERRORS, open_source
from model.text import normalise
from tests.archives.reading import read, texts


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ArchiveError, match=r"^there is no file .*nowhere\.json: expected "),
        open_source(tmp_path / "nowhere.json"),
    ):
        pass


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="is a folder: expected a file"), open_source(tmp_path):
        pass


@pytest.mark.parametrize("inside", ["data/tweets.js", "outbox.json"])
def test_the_folder_of_an_export_names_its_file(tmp_path: Path, inside: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / inside).write_text("x")
    with (
        pytest.raises(ArchiveError, match=rf"is a folder, expected a file: import .*/{re.escape(inside)}$"),
        open_source(tmp_path),
    ):
        pass


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArchiveError, match="neither a file nor a folder"), open_source(tmp_path / "pipe"):
        pass


@pytest.mark.parametrize("content", [b"", b"  \n\t\r\n ", b"\xef\xbb\xbf", b"\xff\xfe", b"\n" * 300_000])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ArchiveError, match=r"is empty: expected tweets|no rows in"):
        read(tmp_path, content)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data/tweets.js", "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(), r"is a zip archive: .*data/tweets\.js"),
        (gzip.compress(b"text", mtime=0), "is a gzip archive: .*unpack it"),
        (b"%PDF-1.4 ...", "is a PDF"),
        (b"SQLite format 3\x00....", "is an SQLite database"),
        (b"\x00\x01\x02\x03" * 50, "is no text: zero byte at byte 0"),
        ("text".encode("utf-16-le") * 9, "byte order mark"),
        (b"\x01\x02\x03\x04 text" * 50, "full of control characters"),
        (b"<!DOCTYPE html><html>...", "is a page of markup"),
        (b"<?xml version='1.0'?><a/>", "is XML, but no feed: found <a> outermost"),
        (b"\n<div class='error'>Not found</div>", "is a page of markup"),
        (b"<Error><Code>AccessDenied</Code></Error>\n", "is a page of markup, beginning with '<Error><Code>Acc"),
        (b"\x3a\xa2eroots\x81\xd8\x2a\x58\x25\x00\x01\x71\x12\x20", "is a CAR file .*get the posts as JSON"),
        (pickle.dumps(["One", "Two"], protocol=0), "is a pickle of Python"),
        (pickle.dumps([{"text": "One"}]), "is a pickle of Python"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a pointer of Git LFS: .*git lfs pull"),
    ],
)
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(ArchiveError, match=words):
        read(tmp_path, content)


@pytest.mark.parametrize("padding", [0, 10, 262_130, 262_143, 600_000])
def test_one_bad_byte_is_refused_by_its_place(tmp_path: Path, padding: int) -> None:
    before = b"x" * padding + b"\nCaf\xc3\xa9 "
    with pytest.raises(
        ArchiveError, match=rf"UTF-8: byte 0xe9 at byte {len(before)} .*windows-1252.*--encoding-errors replace$"
    ):
        read(tmp_path, before + b"\xe9 and on\n")


def test_bad_bytes_are_replaced_when_asked(tmp_path: Path) -> None:
    assert texts(tmp_path, b"id,text\n1,Caf\xe9\n2,Two\n", errors="replace") == ["Caf\ufffd", "Two"]


def test_text_between_angles_alone_is_no_markup(tmp_path: Path) -> None:
    assert len(texts(tmp_path, "<Ann> Good morning\n<Ben> Is it? <3\n")) == 2


@pytest.mark.parametrize("padding", [0, 262_130, 262_140, 600_000])
def test_bytes_of_windows_are_read_as_such_when_asked_and_those_of_utf8_as_theirs(tmp_path: Path, padding: int) -> None:
    content = b"x" * padding + b"\nCaf\xe9 \x96 \x93soup\x94 \xc3\xa9\xe2\x82\xac \x81\n"
    assert texts(tmp_path, content, errors="windows-1252")[-1] == "Café – “soup” é€ \ufffd\n"
    assert texts(tmp_path, b"id;text\r\n1;Caf\xe9\r\n", errors="windows-1252") == ["Café"]


def test_a_character_cut_off_at_the_end(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="at byte 4 is part of no character"):
        read(tmp_path, b"One \xe2\x82")


def test_a_format_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no format 'yaml': expected auto, json"):
        read(tmp_path, "One", format="yaml")


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [b"{", b"}", b"[", b"]", b'"', b",", b":", b"text", b"id", b"1", b"\n", b"\r", b"\t", b"\\", b"\xc3"]
        ),
        max_size=40,
    ).map(b"".join),
    st.sampled_from(["auto", *FORMATS]),
    st.sampled_from(ENCODING_ERRORS),
)
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, format: str, errors: str) -> None:
    file = tmp_path / "any"
    file.write_bytes(content)
    refused = ""
    records: list[Record] = []
    try:
        with open_source(file, errors) as source:
            records = list(open_records(source, format).records)
    except ArchiveError as error:
        refused = str(error)
    assert refused.isprintable()
    assert all(record.text is None or isinstance(record.text, str) for record in records)


def test_zero_bytes_here_and_there_are_passed_over(tmp_path: Path) -> None:
    rows = "".join(f"{number},Nobody told me that the ferry was l\0ate\n" for number in range(50))
    assert {normalise(text or "") for text in texts(tmp_path, "id,text\n" + rows)} == {
        "Nobody told me that the ferry was late"
    }
