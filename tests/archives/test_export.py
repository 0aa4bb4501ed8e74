"""The zip of an export: what is read of it, what is never opened, and what is refused."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import pytest

from app.archives import ArchiveError
from app.archives.opening import open_archive
from app.archives.records import Record


def a_zip(folder: Path, files: dict[str, str], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "export.bin"  # its name tells nothing
    with zipfile.ZipFile(path, "w", packing) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def part(number: int, *texts: str, name: str = "tweets") -> str:
    rows = [{"tweet": {"id_str": f"{number}{place}", "full_text": text}} for place, text in enumerate(texts)]
    return f"window.YTD.{name}.part{number} = {json.dumps(rows)}"


def read(path: Path) -> list[Record]:
    with open_archive(path) as opened:
        records = list(opened.reading.records)
        done, size = opened.place()
        assert done == size > 0
    return records


def test_all_parts_are_read_in_order_and_the_account_is_known(tmp_path: Path) -> None:
    files = {
        "data/account.js": 'window.YTD.account.part0 = [ {"account": {"username": "MayorOfGannet"}} ]',
        "data/tweets-part10.js": part(10, "The last."),
        "data/tweets.js": part(0, "The first.", "The second."),
        "data/tweets-part2.js": part(2, "The third."),
    }
    records = read(a_zip(tmp_path, files))
    assert [record.text for record in records] == ["The first.", "The second.", "The third.", "The last."]
    assert {record.handle for record in records} == {"MayorOfGannet"}


@pytest.mark.parametrize("folder", ["data/", ""])
def test_what_was_told_to_a_community_is_read(tmp_path: Path, folder: str) -> None:
    files = {
        f"{folder}tweets.js": part(0, "Told to all."),
        f"{folder}community-tweet.js": part(0, "Told to a community.", name="community_tweet"),
    }
    assert {record.text for record in read(a_zip(tmp_path, files))} == {"Told to all.", "Told to a community."}


def test_messages_deleted_tweets_and_media_are_never_opened(tmp_path: Path) -> None:
    files = {
        "data/tweets.js": part(0, "The harbour is open."),
        "data/direct-messages.js": "window.YTD.direct_messages.part0 = not even json",
        "data/deleted-tweets.js": part(0, "I never said that.", name="deleted_tweets"),
        "data/tweets_media/1-a.mp4": "\x00\x01",
    }
    assert [record.text for record in read(a_zip(tmp_path, files))] == ["The harbour is open."]


def test_a_long_text_takes_the_place_of_the_row_that_was_cut(tmp_path: Path) -> None:
    whole = "The council has voted, and here is all of what it means for the harbour & the ferry. " * 5
    alike = whole[:150] + " Another end altogether."
    notes = [{"noteTweet": {"noteTweetId": "7", "core": {"text": whole}}}, {"noteTweet": {"core": {}}}, "noise"]
    files = {
        "data/tweets.js": part(0, whole[:270].replace("&", "&amp;") + "… https://t.co/abc", "Short.", alike),
        "data/note-tweet.js": f"window.YTD.note_tweet.part0 = {json.dumps(notes)}",
    }
    assert [record.text for record in read(a_zip(tmp_path, files))] == [whole, "Short.", alike]


def test_many_spaces_in_a_cut_text_do_not_hold_up_the_others(tmp_path: Path) -> None:
    whole = "The council has voted, and here is all of what it means for the harbour and the ferry. " * 5
    notes = [{"noteTweet": {"core": {"text": whole}}}]
    files = {
        "data/tweets.js": part(0, whole[:270] + " " * 200_000 + "x", whole[:270].replace(" ", "  ") + "…"),
        "data/note-tweet.js": f"window.YTD.note_tweet.part0 = {json.dumps(notes)}",
    }
    first, second = (record.text for record in read(a_zip(tmp_path, files)))
    assert first is not None
    assert (len(first), second) == (200_271, whole)


def test_an_export_before_2019_is_read_month_by_month(tmp_path: Path) -> None:
    def month(name: str, text: str) -> str:
        row = {"id_str": name, "text": text, "created_at": "2015-06-03 20:00:00 +0000"}
        return f"Grailbird.data.tweets_{name} =\n[{json.dumps(row)}]"

    files = {
        "data/js/user_details.js": 'var user_details =  {"screen_name": "MayorOfGannet", "id": "1"}',
        "data/js/tweets/2015_06.js": month("2015_06", "June."),
        "data/js/tweets/2014_12.js": month("2014_12", "December."),
        "tweets.csv": "tweet_id,timestamp,text\n1,2015-06-03 20:00:00 +0000,Not read twice\n",
    }
    assert read(a_zip(tmp_path, files)) == [
        Record("December.", "2014_12", "2015-06-03 20:00:00 +0000", "MayorOfGannet"),
        Record("June.", "2015_06", "2015-06-03 20:00:00 +0000", "MayorOfGannet"),
    ]


def test_the_table_of_an_old_export_is_read_where_there_is_nothing_else(tmp_path: Path) -> None:
    head = '"tweet_id","in_reply_to_status_id","in_reply_to_user_id","timestamp","source","text","expanded_urls"\n'
    table = head + '"9","","","2013-02-01 10:00:00 +0000","web","We open, at last.",""\n' * 3
    records = read(a_zip(tmp_path, {"tweets.csv": table}))
    assert records[0] == Record("We open, at last.", "9", "2013-02-01 10:00:00 +0000")


def test_a_folder_around_the_export_does_not_matter(tmp_path: Path) -> None:
    files = {"twitter-2023-01-01-abc/data/tweet.js": part(0, "Hello.", name="tweet")}
    assert [record.text for record in read(a_zip(tmp_path, files))] == ["Hello."]


@pytest.mark.parametrize("folder", ["", "mine/"])
def test_what_was_in_the_folder_of_an_export_may_be_packed_anew(tmp_path: Path, folder: str) -> None:
    account = 'window.YTD.account.part0 = [{"account": {"username": "Mayor"}}]'
    inside = {"tweets.js": part(0, "One"), "tweets-part1.js": part(1, "Two"), "account.js": account, "like.js": "no"}
    records = read(a_zip(tmp_path, {folder + name: text for name, text in inside.items()}))
    assert [(record.text, record.handle) for record in records] == [("One", "Mayor"), ("Two", "Mayor")]


@pytest.mark.parametrize("name", ["realdata.csv", "folder/deep/tweets of mine.txt"])
def test_a_zip_of_one_file_is_that_file(tmp_path: Path, name: str) -> None:
    beside = {"__MACOSX/._realdata.csv": "\0\5\x16\7", "folder/.DS_Store": "\0\0", "folder/empty.csv": ""}
    path = a_zip(tmp_path, {name: "id,text\n1,One\n2,Two\n", **beside})
    assert [record.text for record in read(path)] == ["One", "Two"]


def test_of_an_export_of_mastodon_the_outbox_is_read_and_the_handle_where_no_address_holds_it(tmp_path: Path) -> None:
    note = {"content": "<p>One</p>", "to": ["https://www.w3.org/ns/activitystreams#Public"]}
    create = {"type": "Create", "actor": "https://a.example/ap/users/115093", "object": note}
    files = {
        "outbox.json": json.dumps({"orderedItems": [create]}),
        "actor.json": json.dumps({"type": "Person", "preferredUsername": "mayor"}),
    }
    assert read(a_zip(tmp_path, files)) == [Record("One", handle="mayor")]


def test_of_an_export_of_mastodon_nothing_else_is_opened(tmp_path: Path) -> None:
    to = ["https://www.w3.org/ns/activitystreams#Public"]
    note = {"type": "Create", "actor": "https://a.example/users/b", "object": {"content": "<p>One</p>", "to": to}}
    files = {
        "outbox.json": json.dumps({"orderedItems": [note]}),
        "actor.json": "not even json",
        "likes.json": json.dumps({"orderedItems": ["x"]}),
    }
    assert [record.text for record in read(a_zip(tmp_path, files))] == ["One"]


def test_a_zip_without_tweets_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(
        ArchiveError, match=r"no tweets in export\.bin: expected an export .*; found b.txt, holiday; unpack it"
    ):
        read(a_zip(tmp_path, {"b.txt": "x", "holiday/one.txt": "x"}))


def test_a_spreadsheet_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"^export\.bin is a spreadsheet: .*save it as CSV"):
        read(a_zip(tmp_path, {"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"}))


@pytest.mark.slow
def test_a_zip_that_swells_beyond_measure_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("data/tweets.js", "w") as file:
        for _ in range(60):
            file.write(b" " * (1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ArchiveError, match=r"unpacks to .* times its size"):
        read(path)


def test_a_list_of_files_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = a_zip(tmp_path, {"data/tweets.js": part(0, "One")})
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rfind(b"PK\x05\x06") + 12, 0x7FFFFFFF)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="lists too many files"):
        read(path)


def test_a_second_end_that_tells_a_larger_list_is_believed(tmp_path: Path) -> None:
    """As `zipfile` does, which would read the list that the second one tells of, however small the first says it is."""
    path = a_zip(tmp_path, {"data/tweets.js": part(0, "One")})
    content = path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    size, at = struct.unpack_from("<II", content, end + 12)
    files, listed = content[:at], content[at : at + size]
    many = (40 << 20) // size
    with path.open("wb") as file:
        file.write(files)
        for _ in range(many):
            file.write(listed)
        second = file.tell()
        file.write(struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, many, many, many * size, at))
        file.write(struct.pack("<4sLQL", b"PK\x06\x07", 0, second, 1))
        file.write(content[end:])
    with pytest.raises(ArchiveError, match="lists too many files"):
        read(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("at", [60, 200, -30])
def test_a_damaged_zip_is_refused_in_one_line(tmp_path: Path, packing: int, at: int) -> None:
    texts = (f"Number {number} of the harbour's many notices." for number in range(200))
    path = a_zip(tmp_path, {"data/tweets.js": part(0, *texts)}, packing)
    content = bytearray(path.read_bytes())
    content[at : at + 12] = b"\xff" * 12 if at > 0 else b"\x00" * 12
    path.write_bytes(content)
    with pytest.raises(ArchiveError) as refused:
        read(path)
    assert "\n" not in str(refused.value)


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    path = a_zip(tmp_path, {"data/tweets.js": part(0, "One", "Two")})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ArchiveError, match="damaged zip"):
        read(path)


def marked_as_utf8(folder: Path, files: dict[str, str], *, in_list: bool) -> Path:
    """A zip in which the name of one file, é, is no UTF-8 although it is marked so: in the list, or before the file."""
    path = a_zip(folder, files, zipfile.ZIP_STORED)
    content = path.read_bytes()
    at = content.rindex("é".encode()) if in_list else content.index("é".encode())
    path.write_bytes(content[:at] + b"\xff\xfe" + content[at + 2 :])
    return path


@pytest.mark.parametrize("in_list", [True, False])
def test_names_that_are_no_text_are_told_in_one_line(tmp_path: Path, in_list: bool) -> None:
    path = marked_as_utf8(tmp_path, {"é/data/tweets.js": part(0, "One")}, in_list=in_list)
    with pytest.raises(ArchiveError, match="damaged zip"):
        read(path)


def test_a_list_of_files_that_lies_beyond_all_files_is_told_in_one_line(tmp_path: Path) -> None:
    path = a_zip(tmp_path, {"data/tweets.js": part(0, "One")})
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<I", content, end + 12, 0xFFFFFFFF)
    content[end:end] = struct.pack("<4sIQI", b"PK\x06\x07", 0, 2**64 - 1, 1)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="damaged zip"):
        read(path)


def test_an_account_that_is_nested_beyond_measure_is_unknown(tmp_path: Path) -> None:
    files = {"data/tweets.js": part(0, "One"), "data/account.js": "[" * 100_000}
    assert [record.handle for record in read(a_zip(tmp_path, files))] == [None]


def test_an_export_is_not_read_as_another_format(tmp_path: Path) -> None:
    path = a_zip(tmp_path, {"data/tweets.js": part(0, "One")})
    with pytest.raises(ArchiveError, match="told by its content: unpack it"), open_archive(path, "csv"):
        pass
