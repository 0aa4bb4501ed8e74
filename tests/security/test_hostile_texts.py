"""Texts that mean harm are shown as texts: in the page, in the API, on the dashboard's files, and in no log."""

from __future__ import annotations

import csv
import html
import io
import json
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from factories import add_archive, add_generator, add_guess, add_player, add_samples, add_tweets, words
from serving import Game, Opener
from sqlalchemy import Engine

from app.archives import ArchiveError
from app.archives.opening import open_archive
from app.archives.sift import TOO_LONG, Sieve, Tweet
from app.db import archives
from app.db.exporting import Export
from app.db.session import reading, writing

HOUSE = Path(__file__).resolve().parents[2]
HARM = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</p></form><form action=//evil.example>",
    "{{ 7 * 7 }} {% include 'secret' %} ${jndi}",
    "javascript:alert(1)",
    "=HYPERLINK('http://evil.example')",
    "z\u0300\u0301\u0302" * 30,
    "word" * 60,
]


RAW = [
    "\u202egnp.exe",
    "nul\x00nul",
    "z" + "\u0351" * 90,
    "\x1b[2Jcleared",
    "<script>alert(1)</script>",
    "w" * 1_000_000,
]


def hostile(connection: Any) -> None:
    archive = add_archive(connection, name="<b>Mayor</b>")
    # As samples: a tweet with markup in it is not dealt in the first place.
    padded = [f"{text} {number:03d}".ljust(120, ".")[:120] for number in range(6) for text in HARM]
    add_tweets(connection, archive, [words(seed, 120) for seed in range(60)])
    add_samples(connection, archive, add_generator(connection, archive), padded)


@pytest.fixture
def harmful(serving: Opener) -> Game:
    return serving(fill=hostile)


@pytest.mark.slow
def test_a_page_shows_hostile_texts_as_texts(harmful: Game) -> None:
    escaped = 0
    with harmful.client() as client:
        for _ in range(43):  # of 48 samples six hold it: so many rounds cannot miss them all
            dealt = client.post("/api/rounds").json()
            page = client.get("/").text
            for card in dealt["cards"]:
                assert card["text"] not in page or not set("<>\"'&") & set(card["text"])
            for bad in ("<script>alert", "<img src=x", "<b>Mayor", "<form action=//evil"):
                assert bad not in page
            assert ">49 " not in page
            form = {"round": dealt["round"], "pick": "0"}
            verdict = client.post("/a/mayor", data=form, follow_redirects=True).text
            for bad in ("<script>alert", "<img src=x", "<b>Mayor", "<form action=//evil"):
                assert bad not in verdict
            escaped += page.count(html.escape("<script>alert(1)</script>"))
    assert escaped, "they were shown, harmless"


@pytest.mark.parametrize(
    "said", ["a\x00b", "\ud83d", "x" * 501, "<script>alert(1)</script>", "\u202egnp.exe", "=1+1", "\x1b[2J"]
)
def test_a_report_of_any_kind_is_kept_or_refused(either_game: Game, said: str) -> None:
    with either_game.client() as client:
        token = client.post("/api/rounds").json()["round"]
        guess = client.post("/api/guesses", json={"round": token, "pick": 0}).json()["guess"]
        body = b'{"report": "%s"}' % said.encode("unicode_escape").replace(b"\\x", b"\\u00")
        response = client.patch(f"/api/guesses/{guess}", content=body)
        assert response.status_code in (204, 422)
        page = client.post(f"/v/{guess}", data={"report": said.encode("utf-8", "replace")})
        assert page.status_code in (303, 422)


@pytest.mark.parametrize("path", ["/a/%00", "/v/%00", "/api/boards/%00", "/static/%00", "/%ff", "/a/..%2f..%2fetc"])
def test_strange_addresses_are_not_found(either_game: Game, path: str) -> None:
    assert either_game.client().get(path).status_code in (404, 422)


PICKLES = {
    "pickle": b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    "numpy": b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(60),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(60),
}


@pytest.mark.parametrize("content", PICKLES.values(), ids=PICKLES.keys())
@pytest.mark.parametrize("name", ["tweets.json", "tweets.csv", "tweets.zip"])
def test_a_file_that_is_no_archive_is_refused_whatever_it_is_called(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ArchiveError), open_archive(file) as found:
        found.reading.check(sum(1 for _ in found.reading.records), 0, ended=True)


ENDLESS = """
import resource, sys
from pathlib import Path
from app.archives import ArchiveError
from app.archives.opening import open_archive
def most(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = most()
try:
    with open_archive(Path(sys.argv[1])) as found:
        for record in found.reading.records:
            pass
    print("read")
except ArchiveError as error:
    print("refused")
print((most() - before) // 1024)
"""


@pytest.mark.process
@pytest.mark.parametrize(
    "begin",
    ['[{"text": "', "id,text\n1,", "{", "Once upon a time ", "<rss><item><title>", "<rss><!--", '<rss version="'],
)
def test_a_line_without_an_end_is_read_in_bounded_memory(tmp_path: Path, begin: str) -> None:
    file = tmp_path / "endless"
    with file.open("wb") as handle:
        handle.write(begin.encode())
        for _ in range(60):
            handle.write(b"a" * 1_000_000)
    done = subprocess.run(
        [sys.executable, "-c", ENDLESS, str(file)], cwd=HOUSE, capture_output=True, text=True, check=True, timeout=120
    )
    megabytes = int(done.stdout.split()[-1])
    assert megabytes < 40, f"{megabytes} MB for a file of 60"


def test_what_comes_in_by_a_file_has_lost_its_controls_and_fits_a_page(tmp_path: Path) -> None:
    file = tmp_path / "hostile.json"
    rows = [{"text": f"{text} is what I wrote on that day in May"} for text in RAW]
    file.write_text(json.dumps(rows), encoding="utf-8")
    with open_archive(file) as found:
        taken = [Sieve(None).sift(record) for record in found.reading.records]
    assert taken.pop() == TOO_LONG
    for sifted in taken:
        assert isinstance(sifted, Tweet)
        assert sifted.text.endswith("is what I wrote on that day in May")
        assert not [mark for mark in sifted.text if unicodedata.category(mark) in ("Cc", "Cf")]
        assert sifted.text.count("\u0351") <= 3


def test_a_file_of_labels_holds_each_hostile_text_in_one_cell(engine: Engine) -> None:
    texts = [*HARM, *RAW, "\r\n=1+1", " \t+1", 'a "quoted", text\nof two lines']
    with writing(engine) as connection:
        archive = add_archive(connection)
        tweets = add_tweets(connection, archive, texts)
        samples = add_samples(connection, archive, add_generator(connection, archive), texts[::-1])
        player = add_player(connection)
        for tweet_id, sample_id in zip(tweets, samples, strict=True):
            add_guess(connection, player, tweet_id=tweet_id, sample_id=sample_id)
    with reading(engine) as connection:
        found = archives.find(connection, "mayor")
        assert found is not None
        content = "".join(Export(found, "csv", with_texts=True).lines(connection))
    csv.field_size_limit(2_000_000)
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["tweet_text"].removeprefix("'") for row in rows] == texts
    assert [row["sample_text"].removeprefix("'") for row in rows] == texts[::-1]
    assert not [cell for row in rows for cell in row.values() if cell.lstrip(" ").startswith(("=", "+", "-", "@"))]


LOGS = """
import json, sys, structlog
from app.cli.logs import write_logs
write_logs("info")
for text in json.loads(sys.argv[1]):
    structlog.get_logger("app.web.errors").error("unforeseen", path=text)
"""


@pytest.mark.process
def test_a_log_holds_each_hostile_text_in_one_line_of_plain_characters() -> None:
    texts = [*HARM, *RAW[:-1], "w" * 100_000, 'line\n{"event": "forged"}\r\u2028']
    done = subprocess.run(
        [sys.executable, "-c", LOGS, json.dumps(texts)], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    lines = done.stderr.split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["path"] for line in lines] == texts
    assert all(" " <= mark <= "~" for line in lines for mark in line)
