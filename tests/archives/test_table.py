"""Tables: any delimiter, with a header or without, however the quotation marks are meant."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from app.archives import ArchiveError
from app.archives.records import Record
from tests.archives.reading import read, texts


def test_line_breaks_and_doubled_quotation_marks_belong_to_the_text(tmp_path: Path) -> None:
    content = (
        'Text,Date,Tweet ID\r\n"One, ""two""\nthree",2017-03-23 06:00:20,844896595179180034\r\nFour,2017-03-24,5\r\n'
    )
    reading, records = read(tmp_path, content)
    assert (reading.format, reading.unit) == ("csv", "tweet")
    assert records == [
        Record('One, "two"\nthree', "844896595179180034", "2017-03-23 06:00:20"),
        Record("Four", "5", "2017-03-24"),
    ]


@pytest.mark.parametrize("longer", ["note_tweet.text", "extended_tweet.full_text"])
def test_a_column_of_whole_texts_comes_before_that_of_cut_ones(tmp_path: Path, longer: str) -> None:
    content = f'id,text,{longer}\n7,One and …,One and all\n8,Two,""\n'
    assert texts(tmp_path, content) == ["One and all", "Two"]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_every_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    rows = [("id", "text", "likes"), ("1", "One", "5"), ("2", "Two", "6")]
    assert texts(tmp_path, "\n".join(delimiter.join(row) for row in rows)) == ["One", "Two"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "text",
            "Text",
            "FULL_TEXT",
            "tweet",
            "Content",
            "body",
            " text ",
            "Tweets",
            "Tweet Content",
            "OriginalTweet",
        ),
        *("text_raw", "Embedded_text", "Post Text"),
    ],
)
def test_a_column_of_texts_has_many_names(tmp_path: Path, name: str) -> None:
    assert texts(tmp_path, f"id,{name}\n1,One") == ["One"]


def test_a_table_in_markdown_has_a_line_below_its_header_that_is_no_row(tmp_path: Path) -> None:
    content = "| id | text |\n| --- | :---: |\n| 7 | One and all |\n| 8 | -- |\n"
    assert [(text or "").strip() for text in texts(tmp_path, content)] == ["One and all", "--"]


def test_whom_a_tweet_answers_is_told_by_get_old_tweets(tmp_path: Path) -> None:
    head = "date,username,to,replies,text,id,permalink\n"
    rows = "2019-01-01 10:00:00,mayor,{},0,{},{},https://twitter.com/mayor/status/{}\n"
    content = head + rows.format("", "One", 10**17, 10**17) + rows.format("ann", "Two", 10**17 + 1, 10**17 + 1)
    assert [record.reply_to for record in read(tmp_path, content)[1]] == [None, "ann"]


def test_a_first_column_may_have_no_name(tmp_path: Path) -> None:
    _, records = read(tmp_path, ",id,text\n0,12,One\n1,13,Two\n")
    assert records == [Record("One", "12"), Record("Two", "13")]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert texts(tmp_path, b"\xef\xbb\xbftext,id\nOne,1\n") == ["One"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_every_encoding_that_a_file_is_marked_by_is_read(tmp_path: Path, encoding: str) -> None:
    mark = "" if encoding in ("utf-16", "utf-32", "utf-8-sig") else "\ufeff"
    assert texts(tmp_path, (mark + "id;text\n1;Café 😀\n").encode(encoding)) == ["Café 😀"]


def test_a_single_column_is_a_table(tmp_path: Path) -> None:
    reading, records = read(tmp_path, "text\nOne, and more\nTwo\n\nThree")
    assert reading.format == "csv"
    assert [record.text for record in records] == ["One, and more", "Two", "Three"]


def test_a_table_without_a_header_is_read_by_what_its_columns_hold(tmp_path: Path) -> None:
    rows = [f"84489659517918{n:04},2017-03-{n + 1:02} 06:00:20,Number {n} is a fine thing,{n}" for n in range(20)]
    _, records = read(tmp_path, "\n".join(rows))
    assert len(records) == 20
    assert records[3] == Record("Number 3 is a fine thing", "844896595179180003", "2017-03-04 06:00:20")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            '"Good morning, world",2020-01-01 10:00:00\n"Good night, moon",2020-01-02 10:00:00\n',
            ["Good morning, world", "Good night, moon"],
        ),
        ('text\nOne\n"Two\nand ""half"""\nThree\n', ["One", 'Two\nand "half"', "Three"]),
        ('"id","text"\r\n"7","One,\r\nand more"\r\n', ["One,\r\nand more"]),
        ('"One"\n"Two\n\nand more"\n"Three"\n', ["One", "Two\n\nand more", "Three"]),
    ],
)
def test_a_quoted_text_stays_whole_in_a_table_however_small(tmp_path: Path, content: str, expected: list[str]) -> None:
    assert texts(tmp_path, content) == expected


def test_ids_that_are_there_twice_are_no_dates_of_a_table_without_a_header(tmp_path: Path) -> None:
    rows = [f"84489659517918{n:04}\tpositive\tSoup on day {n}, they say" for n in range(20)]
    records = read(tmp_path, "\n".join([*rows, rows[-1]]))[1]
    assert records[3] == Record("Soup on day 3, they say")


@pytest.mark.parametrize("first", ["tweet_id", "1212092628029698047"])
def test_ids_alone_are_told_as_such(tmp_path: Path, first: str) -> None:
    ids = "\n".join([first, *(str(1212092628029698048 + n) for n in range(20))])
    with pytest.raises(
        ArchiveError, match=r"^archive\.dat holds ids alone, such as '1212092628029698048', and no texts"
    ):
        read(tmp_path, ids)
    assert read(tmp_path, ids, format="text")[0].format == "text"


def test_links_beside_short_texts_are_not_the_texts_of_a_table_without_a_header(tmp_path: Path) -> None:
    link = "https://twitter.com/mayor/status/1212092628029698048"
    rows = [f'"January {day}, 2020 at 08:00AM",mayor,Soup on day {day},{link}' for day in range(1, 20)]
    reading, records = read(tmp_path, "\n".join(rows))
    assert reading.format == "csv"
    assert records[3] == Record("Soup on day 4", date="January 4, 2020 at 08:00AM")


def test_marks_that_nobody_wrote_around_cells_swallow_no_rows_between_them(tmp_path: Path) -> None:
    quotes = [
        "One",
        '"@bob: I like it',
        '"@eve: Me too"',
        "Two",
        '"Hello," she said',
        '"@dan: So do I!" Thanks',
        "Three",
    ]
    content = "id\ttext\tlikes\n" + "".join(f"{n}\t{text}\t5\n" for n, text in enumerate(quotes))
    assert texts(tmp_path, content) == quotes
    content = 'id\ttext\n1\tOne\n2\t"@eve: Me too"\n'
    assert texts(tmp_path, content) == ["One", '"@eve: Me too"']
    assert texts(tmp_path, '"id"\t"text"\n"1"\t"One"\n"2"\t"Two"\n') == ["One", "Two"]
    assert texts(tmp_path, 'id\ttext\n1\tOne\n2\t"""@eve: Me too"" Yes"\n') == ["One", '"@eve: Me too" Yes']


def test_delimiters_in_a_text_that_was_not_quoted_stay_in_it(tmp_path: Path) -> None:
    _, records = read(tmp_path, "id,text,likes\n1,Well, well, well,5\n2,Two,6\n3,Three,7\n4,Four,8\n")
    assert records[0] == Record("Well, well, well", "1")
    assert [record.text for record in records[1:]] == ["Two", "Three", "Four"]


def test_quotation_marks_that_were_not_escaped_stay_in_the_text(tmp_path: Path) -> None:
    content = 'id\ttext\n1\t"Make it great" he said\n2\t"No end\n3\tThree\n4\tFour "4"\n'
    assert texts(tmp_path, content) == ['"Make it great" he said', '"No end', "Three", 'Four "4"']


def test_quotation_marks_may_be_escaped_by_backslashes(tmp_path: Path) -> None:
    content = 'id,text,n\n1,"He said \\"yes, please\\" to me",5\n2,"Two, too",6\n'
    assert texts(tmp_path, content) == ['He said "yes, please" to me', "Two, too"]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_quotation_marks_escaped_by_backslashes_are_told_beside_empty_cells(tmp_path: Path, delimiter: str) -> None:
    rows = [
        ("id", "text", "place"),
        ("7", '\\"@eve: Me, too\\"', ""),
        ("8", "", "Gannet"),
        ("9", 'So \\"it\\" is', ""),
    ]
    content = "".join(delimiter.join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    assert texts(tmp_path, content) == ['"@eve: Me, too"', "", 'So "it" is']


def test_marks_doubled_beside_a_backslash_are_no_escapes(tmp_path: Path) -> None:
    content = '"id","text"\n"7","He said ""no"" to C:\\"\n"8",""\n"9","""All"" of it"\n'
    assert texts(tmp_path, content) == ['He said "no" to C:\\', "", '"All" of it']


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_rows_that_r_counts_have_a_column_without_a_name(tmp_path: Path, delimiter: str) -> None:
    rows = [("id", "text", "likes"), *((str(n), str(10**17 + n), f"Text {n}", "5") for n in (1, 2, 7, 12))]
    content = "".join(delimiter.join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    _, records = read(tmp_path, content)
    assert records == [Record(f"Text {n}", str(10**17 + n)) for n in (1, 2, 7, 12)]


def test_one_comma_in_each_text_is_no_column_that_r_counts(tmp_path: Path) -> None:
    content = "id,text\n" + "".join(f"{10**17 + n},Well, {n} of them\n" for n in range(9))
    _, records = read(tmp_path, content)
    assert records[0] == Record("Well, 0 of them", str(10**17))


def test_of_columns_with_one_name_the_first_counts(tmp_path: Path) -> None:
    _, records = read(tmp_path, "id,text,text,date,date\n7,One,Other,2020-01-01,x\n8,Two,Other,2020-01-02,x\n")
    assert records == [Record("One", "7", "2020-01-01"), Record("Two", "8", "2020-01-02")]


@pytest.mark.parametrize("before", ["\n\n", "# saved in 2020\n", "My tweets\n\n", "Tweets, of mine\nall of them\n\n"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_lines_before_the_header_are_passed_over(tmp_path: Path, before: str, delimiter: str) -> None:
    rows = [("id", "text"), ("7", "One of them"), ("8", "Another, of two")]
    table = "".join(f'{first}{delimiter}"{second}"\n' for first, second in rows)
    assert texts(tmp_path, before + table) == ["One of them", "Another, of two"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_header_within_a_file_that_was_put_together_is_no_row(tmp_path: Path, mark: str) -> None:
    part = mark + "id,text,likes\n{},{},\n"
    assert texts(tmp_path, part.format(1, "One") + part.format(2, "Two") + "3,text,\n") == ["One", "Two", "text"]


def test_spaces_behind_delimiters_belong_to_no_value(tmp_path: Path) -> None:
    assert read(tmp_path, 'id, text\n1, "One, two"\n2, Three\n')[1] == [Record("One, two", "1"), Record("Three", "2")]


def test_a_line_that_names_the_delimiter_is_obeyed(tmp_path: Path) -> None:
    assert texts(tmp_path, "sep=;\r\nid;text\r\n1;One, two\r\n") == ["One, two"]


def test_line_ends_of_old_machines_end_lines(tmp_path: Path) -> None:
    assert texts(tmp_path, "id,text\r1,One\r2,Two\r") == ["One", "Two"]


@pytest.mark.parametrize("holder", ["data", "legacy", "tweet.data"])
def test_columns_may_be_called_by_paths(tmp_path: Path, holder: str) -> None:
    names = f"quoted.text,{holder}.id_str,{holder}.text,{holder}.created_at"
    assert read(tmp_path, f"{names}\nNo,17,One,2020-11-05\nNo,18,Two,2020-11-05\n")[1] == [
        Record("One", "17", "2020-11-05"),
        Record("Two", "18", "2020-11-05"),
    ]


@pytest.mark.parametrize("header", ["", "tweets\n", '"Tweets"\n'])
def test_lines_that_are_all_enclosed_in_quotation_marks_are_a_column_of_texts(tmp_path: Path, header: str) -> None:
    rows = '"One, and ""more"""\n"Two, of them"\n"Three"\n'
    assert texts(tmp_path, header + rows) == ['One, and "more"', "Two, of them", "Three"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_column_of_tweets_in_which_a_program_enclosed_what_it_must_is_a_table(tmp_path: Path, end: str) -> None:
    expected = ["One", "Two, with more", 'Three "3"', "Four\n\nis long", "Five"]
    written = io.StringIO()
    csv.writer(written, lineterminator=end).writerows([["tweets"], *([text] for text in expected)])
    assert texts(tmp_path, written.getvalue()) == expected
    prose = 'Tweets\nOne, and more\n"Two" he said\n'
    assert read(tmp_path, prose)[0].format == "text"


def test_line_ends_of_every_kind_may_stand_in_one_file(tmp_path: Path) -> None:
    ends = ("\n", "\r\n", "\r")
    rows = [f'{number},"Number {number}, with a comma",2018-05-01{ends[number % 3]}' for number in range(9)]
    read_back = read(tmp_path, "id,text,date\r\n" + "".join(rows))[1]
    assert [record.id for record in read_back] == [str(number) for number in range(9)]
    assert [record.text for record in read_back] == [f"Number {number}, with a comma" for number in range(9)]
    assert {record.date for record in read_back} == {"2018-05-01"}


def test_a_lone_carriage_return_in_a_text_becomes_a_space(tmp_path: Path) -> None:
    assert texts(tmp_path, "id,text\n1,One\rmore\n2,Two\n") == ["One more", "Two"]


def test_date_and_time_may_have_columns_of_their_own(tmp_path: Path) -> None:
    assert read(tmp_path, "Date,Time,Tweet_Text\n16-11-11,15:26:37,One\n")[1][0].date == "16-11-11 15:26:37"


@pytest.mark.parametrize("name", ["tweet_id", "Tweet ID", "status_id"])
def test_a_tweets_own_id_goes_before_what_a_database_counts_by(tmp_path: Path, name: str) -> None:
    _, records = read(tmp_path, f"id,{name},text\n1,844896595179180034,One\n2,844896595179180035,Two\n")
    assert [record.id for record in records] == ["844896595179180034", "844896595179180035"]


def test_ids_that_a_spreadsheet_rounded_are_no_ids(tmp_path: Path) -> None:
    _, records = read(tmp_path, 'id,text\n8.44897E+17,One\n="844896595179180034",Two\n12.0,Three\nnan,Four\n')
    assert [record.id for record in records] == [None, "844896595179180034", "12", None]


def test_an_id_of_thousands_of_digits_is_no_id(tmp_path: Path) -> None:
    _, records = read(tmp_path, f"id,text\n{'9' * 5000}.0,One\n2,Two\n")
    assert [record.id for record in records] == [None, "2"]


@pytest.mark.parametrize("mark", ["x", "tweet_id:"])
def test_ids_that_a_tool_kept_from_being_rounded_are_ids(tmp_path: Path, mark: str) -> None:
    _, records = read(tmp_path, f'"status_id","text"\n"{mark}844896595179180034","One"\n"{mark}-1","Two"\n')
    assert [record.id for record in records] == ["844896595179180034", f"{mark}-1"]


def test_columns_of_a_tool_that_keeps_retweets_and_replies_are_known(tmp_path: Path) -> None:
    content = (
        "id,conversation_id,username,tweet,user_rt,retweet_id,reply_to\n"
        "7,7,mayor,One,,,[]\n8,5,mayor,Two,,,\"[{'screen_name': 'bob'}]\"\n9,9,mayor,Three,bob,6,[]\n"
    )
    records = read(tmp_path, content)[1]
    assert [(record.in_reply, record.reposted) for record in records] == [(False, False), (True, False), (False, True)]


@pytest.mark.parametrize(("column", "kind"), [("tweet_type", "retweet"), ("post_type", "RETWEET")])
def test_a_row_whose_kind_is_a_retweet_holds_the_words_of_others(tmp_path: Path, column: str, kind: str) -> None:
    _, records = read(tmp_path, f"id,text,{column}\n1,One,original\n2,Two,{kind}\n3,Three,quote\n")
    assert [record.reposted for record in records] == [False, True, False]


def test_the_table_that_x_itself_gives_of_an_accounts_posts_is_read(tmp_path: Path) -> None:
    content = (
        "Post id,Date,Post text,Post Link,Impressions\n"
        '1860406400000000001,"Sat, Nov 23, 2024",One,https://x.com/mayor/status/1860406400000000001,"1,234"\n'
    )
    (record,) = read(tmp_path, content)[1]
    assert (record.text, record.id, record.date) == ("One", "1860406400000000001", "Sat, Nov 23, 2024")


def test_statuses_of_mastodon_in_a_table_are_read_as_their_readers_saw_them(tmp_path: Path) -> None:
    rows = [
        ["id", "created_at", "in_reply_to_id", "spoiler_text", "visibility", "url", "content", "reblog", "account"],
        ["7", "", "nan", "", "public", "https://sea.example/@me/7", "<p>One &amp; two</p><p>Three</p>", "", "{}"],
        ["8", "", "", "", "direct", "https://sea.example/@me/8", "<p>For you alone</p>", "", "{}"],
        ["9", "", "", "the end", "public", "https://sea.example/@me/9", "<p>Hidden</p>", "", "{}"],
        ["10", "", "", "", "public", "https://sea.example/@me/10", "<p>Of Bob</p>", "{'id': 6}", "{}"],
    ]
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    records = read(tmp_path, written.getvalue())[1]
    assert [(record.text, record.id) for record in records[:3]] == [
        ("One & two\nThree", "sea.example/7"),
        ("", "sea.example/8"),
        ("", "sea.example/9"),
    ]
    assert [(record.private, record.warned, record.reposted) for record in records] == [
        *((False, False, False), (True, False, False)),
        *((False, True, False), (False, False, True)),
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("caf<U+00E9> <U+0001F600>", "café 😀"),
        ("<U+1F600> and <U+0010FFFF>", "😀 and \U0010ffff"),
        ("<U+> <U+12> <U+FFFFFF> <u+00e9>", "<U+> <U+12> <U+FFFFFF> <u+00e9>"),
        *(("NA", ""), ("NULL", ""), ("\\N", ""), ("Nan", "Nan"), ("NULL, they say", "NULL, they say")),
    ],
)
def test_what_r_and_databases_write_for_characters_and_for_nothing_is_read_as_meant(
    tmp_path: Path, cell: str, expected: str
) -> None:
    assert texts(tmp_path, f'id,text\n1,"{cell}"\n2,"One"\n') == [expected, "One"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (r"b'It\'s caf\xc3\xa9 \xf0\x9f\x98\x80\nand \\o/ https://t.co/a'", "It's café 😀\nand \\o/ https://t.co/a"),
        ('b"It\'s on"', "It's on"),
        (r"b'half a character \xc3'", r"b'half a character \xc3'"),
        ("b'one' and b'two'", "b'one' and b'two'"),
        (r"b'no escape \d'", r"b'no escape \d'"),
    ],
)
def test_bytes_that_python_wrote_down_are_read(tmp_path: Path, cell: str, expected: str) -> None:
    quoted = cell.replace('"', '""')
    assert texts(tmp_path, f'id,text\n1,"{quoted}"\n2,"so, ""it"" is"\n') == [expected, 'so, "it" is']


@pytest.mark.parametrize("name", ["from_user", "from_user_name", "author_handle", "user.screen_name"])
def test_who_posted_has_many_names(tmp_path: Path, name: str) -> None:
    content = f"id,{name},text,in_reply_to_screen_name\n7,mayor,One,\n8,@bob,Two,mayor\n"
    assert [(record.handle, record.reply_to) for record in read(tmp_path, content)[1]] == [
        ("mayor", None),
        ("bob", "mayor"),
    ]


def test_where_a_scraper_calls_names_screen_names_its_user_names_are_handles(tmp_path: Path) -> None:
    content = "UserScreenName,UserName,Timestamp,Text\nOprah,@oprah_w,2020-01-01T08:00:00.000Z,One\n"
    assert [record.handle for record in read(tmp_path, content)[1]] == ["oprah_w"]


@pytest.mark.parametrize("name", ["author", "user", "user_name", "User Name", "user.name"])
def test_a_column_that_may_hold_names_is_not_taken_for_handles(tmp_path: Path, name: str) -> None:
    _, records = read(tmp_path, f"id,{name},text,user_screen_name\n7,@Mayor,One,\n8,Bob,Two,bob_builder\n")
    assert [(record.handle, record.author) for record in records] == [(None, "Mayor"), ("bob_builder", "Bob")]


@pytest.mark.parametrize("null", ["", "nan", "NULL", "None", r"\N", "<NA>"])
def test_what_programs_write_for_nothing_is_nothing(tmp_path: Path, null: str) -> None:
    content = f"id\ttext\tretweeted_status_id\tin_reply_to_status_id\n7\tOne\t{null}\t{null}\n{null}\tTwo\t6\t5\n"
    records = read(tmp_path, content)[1]
    assert [(record.id, record.reposted, record.in_reply) for record in records] == [
        ("7", False, False),
        (None, True, True),
    ]


def test_nothing_is_nothing_where_backslashes_escape(tmp_path: Path) -> None:
    content = 'id,text,retweeted_status_id,in_reply_to_status_id\n7,"So \\"it\\" is\\\nNot",\\N,\\N\n\\N,"Two",6,5\r\n'
    records = read(tmp_path, content)[1]
    assert [(record.id, record.text, record.reposted, record.in_reply) for record in records] == [
        ("7", 'So "it" is\nNot', False, False),
        (None, "Two", True, True),
    ]


def test_rows_that_are_too_short_have_no_text(tmp_path: Path) -> None:
    assert texts(tmp_path, "id,date,text\n1,2020-01-01,One\n2\n3,2020-01-02,Three\n") == ["One", None, "Three"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("id,message\n1,hello\n2,world\n", "id, message"),
        ("id,message\n1,hello\n", "id, message"),
        ("name,city\nAlice,Paris\nBob,Rome\n", "name, city"),
        ("id;date;likes\n1;2020-01-01;5\n", "id, date, likes"),
    ],
)
def test_a_table_without_a_text_column_names_what_was_found(tmp_path: Path, content: str, found: str) -> None:
    with pytest.raises(ArchiveError, match=rf"^no tweets in archive\.dat: expected a column text, .*; found {found} "):
        read(tmp_path, content)


def test_a_header_alone_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no rows in"):
        read(tmp_path, "id,text\n")


def test_a_quotation_mark_that_is_never_closed_is_refused_by_its_place(tmp_path: Path) -> None:
    rows = "".join(f'{number},"Text {number}",5\n' for number in range(300))
    with pytest.raises(ArchiveError, match=r"broken table in archive\.dat near byte \d+: .*quotation mark"):
        read(tmp_path, "id,text,n\n" + rows + '301,"No end,5\n' + "302,Words and words,5\n" * 20_000)


@pytest.mark.parametrize(
    "prose",
    [
        "In the text, content is king.\nTweet, tweet, said the bird.\n",
        "Shall I compare thee, my love,\nto a summer's day?\n",
        "Tweet, tweet, tweet,\nsaid the bird, and flew.\n",
        "One line",
        "\\section{Intro} We, the authors, say so.\n\nSecond, paragraph.\n",
        "[Exit, pursued by a bear]\nENTER, a ghost\n",
        "{\\bf bold} words\nand more",
        "first | second\nthird",
    ],
)
def test_prose_is_no_table(tmp_path: Path, prose: str) -> None:
    assert read(tmp_path, prose)[0].format == "text"


@pytest.mark.parametrize("long", ["x" * 200_000, "word " * 60_000, "<td>one, 'two'</td>\n" * 900])
def test_a_cell_beyond_all_measure_is_read_and_so_are_the_rows_around_it(tmp_path: Path, long: str) -> None:
    content = f'id,text,page\n1,One,short\n2,Two,"{long}"\n3,"{long}",short\n4,Four,\n'
    reading, records = read(tmp_path, content)
    assert (reading.format, len(records)) == ("csv", 4)
    assert [record.text for record in records if record.id != "3"] == ["One", "Two", "Four"]
    assert records[2].text == long
