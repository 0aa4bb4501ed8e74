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


@pytest.mark.parametrize("before", ["null, ", "null,\nnull,\n"])
@pytest.mark.parametrize("row", ['{"text": "One"}', '"One"'])
def test_an_array_may_begin_with_what_a_deleted_tweet_left(tmp_path: Path, before: str, row: str) -> None:
    reading, records = read(tmp_path, f"[{before}{row}]")
    assert (reading.format, records[-1]) == ("json", Record("One"))


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


@pytest.mark.parametrize(
    "longer",
    [
        {"note_tweet": {"text": "not cut"}},
        {"note_tweet": {"note_tweet_results": {"result": {"text": "not cut"}}}},
    ],
)
def test_a_long_text_is_found_beside_the_cut_one(tmp_path: Path, longer: dict[str, object]) -> None:
    rows = [{"id": "1", "text": "cut…", **longer}, {"legacy": {"full_text": "cut…"}, **longer}]
    assert texts(tmp_path, as_lines(*rows)) == ["not cut", "not cut"]


def page(*rows: dict[str, object]) -> dict[str, object]:
    """A page of answers as the API of X gives them."""
    beside = {"tweets": [{"id": "99", "text": "somebody else's"}], "users": [{"id": "42", "username": "mayor"}]}
    return {"data": list(rows), "includes": beside, "meta": {"result_count": len(rows)}}


def test_pages_of_answers_are_read_however_they_were_kept(tmp_path: Path) -> None:
    pages = [page({"id": "1", "text": "One"}, {"id": "2", "text": "Two"}), page({"id": "3", "text": "Three"})]
    empty = {"meta": {"result_count": 0}}
    wanted = ["One", "Two", "Three"]
    assert texts(tmp_path, as_lines(*pages)) == wanted
    assert texts(tmp_path, json.dumps(pages)) == wanted
    assert [text for text in texts(tmp_path, as_lines(empty, *pages)) if text] == wanted
    turned = [dict(reversed(each.items())) for each in pages]
    assert texts(tmp_path, as_lines(*turned)) == wanted


def test_pages_longer_than_what_a_file_is_recognised_by_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "HEAD", 300)
    pages = [page(*({"id": str(n), "text": f"Number {n}"} for n in range(start, start + 20))) for start in (1, 21)]
    turned = [dict(reversed(each.items())) for each in pages]
    for kept in (pages, turned):
        assert texts(tmp_path, as_lines(*kept)) == [f"Number {n}" for n in range(1, 41)]


@pytest.mark.parametrize("envelope", ["data", "_json", "tweet", "status", "record", "value"])
def test_a_tweet_in_an_envelope_is_found(tmp_path: Path, envelope: str) -> None:
    row = {envelope: {"id": "1", "text": "One"}, "beside": {"text": "Other"}}
    assert read(tmp_path, as_lines(row, row))[1] == [Record("One", "1")] * 2


def test_tweets_under_their_ids_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = json.dumps({"12": {"text": "One"}, "13": {"text": "Two", "id": "14"}, "count": 2}, indent=1)
    wanted = [Record("One", "12"), Record("Two", "14")]
    assert read(tmp_path, whole)[1] == wanted
    monkeypatch.setattr(source, "HEAD", 20)
    assert read(tmp_path, whole)[1] == wanted


@pytest.mark.parametrize(
    "mark",
    [
        {"retweeted_status": {"text": "One"}},
        {"retweeted_status_id": 7},
        {"retweetedTweet": {"rawContent": "One"}},
        {"user_rt": "bob", "retweet_id": "7"},
        {"retweeted_status_result": {"result": {"legacy": {"full_text": "One"}}}},
    ],
)
def test_what_repeats_the_tweet_of_somebody_else_is_told(tmp_path: Path, mark: dict[str, object]) -> None:
    rows = [{"text": "One", **mark}, {"text": "Two", **dict.fromkeys(mark), "quotedTweet": {"rawContent": "Other"}}]
    assert [record.reposted for record in read(tmp_path, as_lines(*rows))[1]] == [True, False]


def test_a_flag_alone_makes_no_retweet(tmp_path: Path) -> None:
    rows = [{"text": "One", "is_retweet": True, "isRetweet": "t", "retweeted": True, "retweet": "True"}]
    assert not read(tmp_path, as_lines(*rows))[1][0].reposted


@pytest.mark.parametrize(
    "mark",
    [
        {"conversation_id": "5"},
        {"conversationId": 5},
        {"referenced_tweets": [{"type": "replied_to", "id": "5"}]},
        {"reply": {"parent": {"uri": "at://did:plc:abc/app.bsky.feed.post/3k"}}},
        {"in_reply_to": "5"},
    ],
)
def test_a_reply_is_told_however_it_is_marked(tmp_path: Path, mark: dict[str, object]) -> None:
    own = [{"text": "Two", "id": "1"}, {"text": "Three", "id": "1", "conversation_id": "1", "reply": 3}]
    rows = [
        {"text": "One", "id": "1", **mark},
        *own,
        {"text": "Four", "id": "1", "referenced_tweets": [{"type": "quoted"}]},
    ]
    assert [record.in_reply for record in read(tmp_path, as_lines(*rows))[1]] == [True, False, False, False]


def test_a_feed_of_bluesky_is_read_without_what_others_said_there(tmp_path: Path) -> None:
    def shown(text: str, **more: object) -> dict[str, object]:
        return {
            "post": {"record": {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2023-11-05T12:00:00Z"}},
            **more,
        }

    rows = [
        shown("One"),
        shown("Two", reason={"$type": "app.bsky.feed.defs#reasonRepost"}),
        shown("Three", reason={"$type": "app.bsky.feed.defs#reasonPin"}),
    ]
    records = read(tmp_path, json.dumps({"feed": rows, "cursor": "x"}))[1]
    assert [(record.text, record.reposted) for record in records] == [("One", False), ("Two", True), ("Three", False)]
    assert records[0].date == "2023-11-05T12:00:00Z"


@pytest.mark.parametrize(
    ("seen_by", "private", "warned"),
    [
        *(({"visibility": "public"}, False, False), ({"visibility": "home", "cw": None}, False, False)),
        *(({"visibility": "followers"}, True, False), ({"visibility": "specified"}, True, False)),
        ({"visibility": "public", "cw": "how the play ends"}, False, True),
    ],
)
def test_of_a_note_of_misskey_nothing_goes_on_that_was_not_for_everybody(
    tmp_path: Path, seen_by: dict[str, object], private: bool, warned: bool
) -> None:
    row = {"id": "9abc", "text": "One", "createdAt": "2023-01-01T10:00:00.000Z", "replyId": "9abb", "renoteId": None}
    record = read(tmp_path, json.dumps([row | seen_by]))[1][0]
    assert (record.text, record.private, record.warned) == ("" if private or warned else "One", private, warned)
    assert record.in_reply


def test_ids_keep_all_their_digits(tmp_path: Path) -> None:
    _, records = read(tmp_path, '[{"id": 1324398500000000007, "text": "a"}, {"id": 1.3243985e18, "text": "b"}]')
    # The second was rounded by whoever wrote it: it would be another tweet's.
    assert [record.id for record in records] == ["1324398500000000007", None]


@pytest.mark.parametrize("name", ["created_at", "timestamp", "Post date", "created_utc", "publish_date"])
def test_a_date_has_many_names(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, as_lines({"body": "One", name: 1420070400}))[1][0].date == 1420070400


def test_what_a_database_calls_a_row_by_is_no_tweets_id(tmp_path: Path) -> None:
    key = {"$oid": "507f1f77bcf86cd799439011"}
    rows = [{"_id": key, "id": 1324398500000000007, "text": "a"}, {"_id": key, "text": "b"}, {"_id": "7", "text": "c"}]
    assert [record.id for record in read(tmp_path, as_lines(*rows))[1]] == ["1324398500000000007", None, "7"]
    table = "_id,id,text\nObjectId(507f1f77bcf86cd799439011),1324398500000000007,a\n"
    assert [record.id for record in read(tmp_path, table)[1]] == ["1324398500000000007"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://truthsocial.com/@realDonaldTrump/{}", "truthsocial.com/{}"),
        ("https://www.facebook.com/NASA/posts/{}", "www.facebook.com/{}"),
        ("https://x.com/mayor/status/{}", "{}"),
        ("https://mobile.twitter.com/mayor/statuses/{}", "{}"),
        ("https://nitter.net/mayor/status/{}", "{}"),
        ("https://example.com/what-it-links-to", "{}"),
        ("", "{}"),
    ],
)
def test_an_id_is_a_tweets_unless_the_posts_address_is_elsewhere(tmp_path: Path, address: str, expected: str) -> None:
    known = "115000000000000001"
    (record,) = read(tmp_path, as_lines({"id": known, "content": "a", "url": address.format(known)}))[1]
    assert record.id == expected.format(known)


def test_the_handle_is_found_where_it_is(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "user": {"screen_name": "bob"}},
        {"text": "b", "username": "@bob"},
        {"text": "c", "user": "Bob B."},
    ]
    assert [record.handle for record in read(tmp_path, as_lines(*rows))[1]] == ["bob", "bob", None]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("pages", [1, 2])
def test_of_whom_the_api_names_by_numbers_the_handle_is_found_beside_the_tweets(
    tmp_path: Path, indent: int | None, pages: int
) -> None:
    data = [{"id": "1", "text": "One", "author_id": "7"}, {"id": "2", "text": "Two", "author_id": "8"}]
    users = {"users": [{"id": "7", "username": "mayor", "name": "The Mayor"}, {"id": "9", "username": "bob"}]}
    page = json.dumps({"data": data, "includes": users, "meta": {}}, indent=indent)
    _, records = read(tmp_path, "\n".join([page] * pages))
    assert [(record.text, record.handle) for record in records] == [("One", "mayor"), ("Two", None)] * pages
    streamed = as_lines(*({"data": row, "includes": users} for row in data))
    assert [record.handle for record in read(tmp_path, streamed)[1]] == ["mayor", None]


@pytest.mark.parametrize("held", ["legacy", "core"])
def test_of_what_pages_of_x_load_the_handle_is_found(tmp_path: Path, held: str) -> None:
    core = {"user_results": {"result": {held: {"screen_name": "mayor", "name": "The Mayor"}}}}
    row = {"rest_id": "7", "core": core, "legacy": {"full_text": "One", "id_str": "7"}}
    limited = {"__typename": "TweetWithVisibilityResults", "tweet": row}
    told = [(record.text, record.handle) for record in read(tmp_path, as_lines(row, limited))[1]]
    assert told == [("One", "mayor")] * 2


@pytest.mark.parametrize("rows", ["{row}\n{row}\n", "[{row}, {row}]"])
def test_what_python_prints_is_no_json(tmp_path: Path, rows: str) -> None:
    printed = rows.replace("{row}", str({"id": 7, "text": "It's one, or two"}))
    with pytest.raises(
        ArchiveError, match=r"^archive\.dat begins with .*: so Python prints a dict, and JSON is expected"
    ):
        read(tmp_path, printed)
    assert read(tmp_path, printed, format="text")[0].format == "text"


def test_rows_without_a_text_are_passed_on_as_such(tmp_path: Path) -> None:
    rows = [{"text": None}, {"text": 5}, {"id": 1}, [1], 7, None, {"text": ""}]
    assert texts(tmp_path, json.dumps([{"text": "One"}, *rows])) == ["One", *[None] * 6, ""]


@pytest.mark.parametrize(
    ("content", "byte", "line"),
    [
        ('[{"text": "One"}, {"text": "Two"} {"text": "Three"}]', 34, 1),
        ('[{"text": "One"}, {"text": Two}]', 27, 1),
        ('[{"text": "One"},\n{"text": "Two"},\n', 35, 3),
        ('[{"text": "One"},\n{"text": "Tw', 30, 2),
        ('{"text": "One"}\n{"text": "Two"\n{"text": "Three"}', 31, 2),
        ('{"text": "One"}\n{"text: "Two"}', 25, 2),
        ('{"text": "One"}\nTwo', 16, 2),
        ('[{"text": "é€"}, x]', 20, 1),
    ],
)
def test_broken_json_is_refused_with_its_byte_and_line(tmp_path: Path, content: str, byte: int, line: int) -> None:
    told = rf"^broken JSON in archive\.dat at byte {byte} \(record in line {line}\): .+; nothing was imported$"
    with pytest.raises(ArchiveError, match=told):
        read(tmp_path, content)


def test_what_is_cut_short_is_to_be_fetched_anew_and_what_is_broken_to_be_mended(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="; get the whole file; "):
        read(tmp_path, '{"text": "One"}\n{"text": "Tw')
    with pytest.raises(ArchiveError, match="; mend that place, or take that record out; "):
        read(tmp_path, '{"text": "One"}\n{"text": Two}')


def test_a_line_of_something_else_before_json_lines_is_told(tmp_path: Path) -> None:
    """Read as plain text, each line of JSON would be a card."""
    rows = as_lines({"text": "One"}, {"text": "Two"})
    for first in ("oops\n", "# 2021-03-04, 2 posts\n\n", "oops\n" + "x\n"):
        with pytest.raises(ArchiveError, match=r"^archive\.dat begins with '.+', and objects of JSON follow"):
            read(tmp_path, first + rows)
    assert read(tmp_path, "oops\n" + rows, format="text")[0].format == "text"
    assert read(tmp_path, "One says {a}\n{Two} says b\nThree\n")[0].format == "text"


def test_the_byte_is_told_beyond_the_first_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "HEAD", 300)
    monkeypatch.setattr(source, "PIECE", 7)
    good = as_lines(*({"text": f"é number {number}", "count": 123456789} for number in range(200)))
    with pytest.raises(ArchiveError, match=rf"at byte {len(good.encode()) + 9} \(record in line 201\): "):
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


@pytest.mark.slow
@pytest.mark.parametrize("before", [{}, {"followers": [{"name": "Follower"}] * 30_000}, {"count": 2, "by": {"id": 1}}])
def test_all_tweets_and_what_stands_beside_them_may_be_longer_than_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: dict[str, object]
) -> None:
    monkeypatch.setattr(source, "PIECE", 1 << 14)
    monkeypatch.setattr(json_records, "LONGEST_RECORD", 1 << 17)
    tweets = [{"text": "One"}] * 30_000
    assert texts(tmp_path, json.dumps({**before, "tweets": tweets})) == ["One"] * 30_000


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
    with pytest.raises(ArchiveError, match="write an object for each text"):
        read(tmp_path, '{"id": {"0": 1, "1": 2}, "text": {"0": "One", "1": "Two"}}')


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
