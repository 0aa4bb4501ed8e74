"""JSON in all its forms: both generations of the Trump Twitter Archive, exports of X, arrays, objects and lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.archives import ArchiveError, json_records, source
from app.archives.records import Record
from tests.archives.reading import as_lines, read, texts


def test_the_older_trump_archive_is_read(tmp_path: Path) -> None:
    rows = [
        {
            "source": "Web",
            "id_str": "6971079756",
            "text": "Happy New Year! \ud83c\uddfa\ud83c\uddf8",
            "created_at": "Wed Dec 23 17:38:18 +0000 2009",
            "retweet_count": 28,
            "in_reply_to_user_id_str": None,
            "is_retweet": True,
        }
    ]
    reading, records = read(tmp_path, json.dumps(rows))
    assert (reading.format, reading.unit) == ("json", "tweet")
    assert records == [Record("Happy New Year! 🇺🇸", "6971079756", "Wed Dec 23 17:38:18 +0000 2009")]


def test_the_later_trump_archive_is_read(tmp_path: Path) -> None:
    rows = [
        {"id": 1324398500000000001, "text": "One", "isRetweet": "f", "date": "2020-11-05 12:00:00", "device": "iPhone"},
        {"id": 1324398500000000002, "text": "Two", "isRetweet": "t", "date": 1604577600000, "isDeleted": "f"},
    ]
    _, records = read(tmp_path, json.dumps(rows, indent=2))
    assert records == [
        Record("One", "1324398500000000001", "2020-11-05 12:00:00"),
        Record("Two", "1324398500000000002", 1604577600000),
    ]


@pytest.mark.parametrize("name", ["window.YTD.tweets.part0", "window.YTD.tweet.part0", "window.YTD.tweets.part12"])
def test_an_export_of_x_is_read(tmp_path: Path, name: str) -> None:
    rows = [
        {
            "tweet": {
                "id": "9",
                "id_str": "10",
                "full_text": "Hello &amp; you",
                "favorite_count": "3",
                "retweeted": False,
            }
        },
        {
            "tweet": {
                "id_str": "11",
                "full_text": "@bob yes",
                "in_reply_to_status_id_str": "4",
                "in_reply_to_screen_name": "bob",
            }
        },
    ]
    reading, records = read(tmp_path, f"{name} = {json.dumps(rows, indent=1)}")
    assert reading.format == "x"
    assert records == [Record("Hello &amp; you", "10"), Record("@bob yes", "11", None, None, True, "bob")]


def test_an_export_of_x_without_wrappers_is_read(tmp_path: Path) -> None:
    assert texts(tmp_path, 'window.YTD.tweet.part0 = [ {"full_text": "One", "id_str": "1"} ];\n') == ["One"]


def test_an_export_before_2019_is_read(tmp_path: Path) -> None:
    assert texts(tmp_path, 'Grailbird.data.tweets_2013_01 =\n [ {"text": "One", "id_str": "1"} ]') == ["One"]


def test_another_part_of_an_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"'like' of an X export: expected its tweets\.js"):
        read(tmp_path, 'window.YTD.like.part0 = [ {"like": {"fullText": "One"}} ]')


def test_two_arrays_one_after_the_other_are_read(tmp_path: Path) -> None:
    assert texts(
        tmp_path, 'window.YTD.tweets.part0 = [{"text":"One"}]\nwindow.YTD.tweets.part1 = [{"text":"Two"}]'
    ) == ["One", "Two"]


def test_lines_of_json_are_read(tmp_path: Path) -> None:
    reading, records = read(
        tmp_path, '{"text": "One", "id": 1}\r\n\r\n{"tweet": "Two", "id": "2"}\n{"content": "Three"}'
    )
    assert reading.format == "jsonl"
    assert records == [Record("One", "1"), Record("Two", "2"), Record("Three")]


def test_a_single_line_of_json_is_read(tmp_path: Path) -> None:
    assert texts(tmp_path, '{"text": "One"}') == ["One"]


def test_objects_over_several_lines_are_read(tmp_path: Path) -> None:
    assert texts(tmp_path, '{\n "text": "One"\n}\n{\n "text": "Two"\n}\n') == ["One", "Two"]


@pytest.mark.parametrize("name", ["data", "tweets", "statuses", "results"])
def test_an_object_that_holds_the_array_is_read(tmp_path: Path, name: str) -> None:
    whole = {"meta": {"count": 12}, "note": [1, 2], name: [{"text": "One"}, {"text": "Two"}], "next": None}
    assert texts(tmp_path, json.dumps(whole)) == ["One", "Two"]


def test_an_array_of_texts_is_read(tmp_path: Path) -> None:
    assert texts(tmp_path, '["One", "Two"]') == ["One", "Two"]


@pytest.mark.parametrize(
    "name", ["full_text", "text", "Text", "TEXT", "tweet", "content", "body", "fullText", "rawContent"]
)
def test_a_text_may_have_many_names(tmp_path: Path, name: str) -> None:
    assert texts(tmp_path, as_lines({"id": 1, name: "One"})) == ["One"]


def test_the_whole_text_is_preferred_to_the_cut_one(tmp_path: Path) -> None:
    longer = {"text": "cut…", "extended_tweet": {"full_text": "not cut"}}
    assert texts(tmp_path, as_lines({"text": "cut…", "full_text": "whole"}, longer)) == ["whole", "not cut"]


def test_ids_keep_all_their_digits(tmp_path: Path) -> None:
    _, records = read(tmp_path, '[{"id": 1324398500000000007, "text": "a"}, {"id": 1.3243985e18, "text": "b"}]')
    # The second was rounded by whoever wrote it: it would be another tweet's.
    assert [record.id for record in records] == ["1324398500000000007", None]


def test_the_handle_is_found_where_it_is(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "user": {"screen_name": "bob"}},
        {"text": "b", "username": "@bob"},
        {"text": "c", "user": "Bob B."},
    ]
    assert [record.handle for record in read(tmp_path, as_lines(*rows))[1]] == ["bob", "bob", None]


def test_rows_without_a_text_are_passed_on_as_such(tmp_path: Path) -> None:
    rows = [{"text": None}, {"text": 5}, {"id": 1}, [1], 7, None, {"text": ""}]
    assert texts(tmp_path, json.dumps([{"text": "One"}, *rows])) == ["One", *[None] * 6, ""]


@pytest.mark.parametrize(
    ("content", "byte"),
    [
        ('[{"text": "One"}, {"text": "Two"} {"text": "Three"}]', 34),
        ('[{"text": "One"}, {"text": Two}]', 27),
        ('[{"text": "One"}, ', 18),
        ('[{"text": "One"}, {"text": "Tw', 30),
        ('{"text": "One"}\n{"text": "Two"\n{"text": "Three"}', 31),
        ('{"text": "One"}\n{"text: "Two"}', 25),
        ('{"text": "One"}\nTwo', 16),
        ('[{"text": "é€"}, x]', 20),
    ],
)
def test_broken_json_is_refused_with_its_byte(tmp_path: Path, content: str, byte: int) -> None:
    with pytest.raises(ArchiveError, match=rf"^broken JSON in archive\.dat at byte {byte}: .+; nothing was imported$"):
        read(tmp_path, content)


def test_the_byte_is_told_beyond_the_first_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "HEAD", 300)
    monkeypatch.setattr(source, "PIECE", 7)
    good = as_lines(*({"text": f"é number {number}", "count": 123456789} for number in range(200)))
    with pytest.raises(ArchiveError, match=f"at byte {len(good.encode()) + 9}: "):
        read(tmp_path, good + '{"text": nothing}')
    assert len(texts(tmp_path, good)) == 200


def test_values_are_whole_wherever_a_piece_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"text": 'é "quoted" \\ \ud83d\ude00', "n": -12.5e3, "ok": True, "none": None}] * 3
    whole = json.dumps({"count": 123456, "data": rows})
    for piece in range(1, 40):
        monkeypatch.setattr(source, "HEAD", 64)
        monkeypatch.setattr(source, "PIECE", piece)
        assert texts(tmp_path, whole, format="json") == ['é "quoted" \\ 😀'] * 3


@pytest.mark.parametrize(
    "hostile",
    ["[" * 100_000 + "{", '{"text":' * 50_000, '[{"text": ' + "9" * 10_000 + "}]", '{"data": [[[[', '[{"text": NaN}]'],
)
def test_hostile_json_is_refused(tmp_path: Path, hostile: str) -> None:
    with pytest.raises(ArchiveError):
        read(tmp_path, hostile, format="json")


def test_a_record_beyond_all_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "LONGEST_RECORD", 1 << 20)
    endless = '[{"text": "' + "a" * (1 << 23)
    with pytest.raises(ArchiveError, match="expected records of at most 1 MiB"):
        read(tmp_path, endless)


@pytest.mark.parametrize("rows", ['[[1, "One"], [2, "Two"]]', '[["One"], ["Two"]]', "[[]]", '[[{"text": "One"}]]'])
def test_arrays_within_an_array_are_no_tweets_and_no_plain_text(tmp_path: Path, rows: str) -> None:
    with pytest.raises(ArchiveError, match=r"^no tweets in archive\.dat: expected a field text.*; found none$"):
        read(tmp_path, rows)


@pytest.mark.parametrize("verse", ["[[Exit, pursued by a bear.]]", "[1] See there, and here.", "[[1] and [2]]"])
def test_brackets_alone_make_no_json(tmp_path: Path, verse: str) -> None:
    assert texts(tmp_path, verse) == [verse]


def test_a_field_of_texts_that_holds_none_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="expected words in the field text; found none in 2 rows"):
        read(tmp_path, '[{"id": 1, "text": 5}, {"id": 2, "text": null}]')


def test_json_without_a_text_names_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"^no tweets in archive\.dat: expected a field text.*; found id, message$"):
        read(tmp_path, '[{"id": 1, "message": "One"}]')


@pytest.mark.parametrize("content", ["[]", "[ ]\n", '{"data": []}'])
def test_json_without_rows_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ArchiveError, match=r"no rows|no tweets"):
        read(tmp_path, content)


def test_an_object_that_holds_no_array_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no tweets in"):
        read(tmp_path, '{"name": "Bob", "age": 5}')
