"""Exports of labels: what is in them, what is not, and what a spreadsheet makes of them."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from factories import LONG_AGO, add_archive, add_game, add_generator, add_guess, add_player, add_samples, add_tweets
from sqlalchemy import insert

from app.db import archives
from app.db.exporting import FIELDS, Export
from app.db.session import reading, writing
from app.db.tables import remarks

NASTY = ["=HYPERLINK(1)", "+1 to that", "-2", "@SUM(A1)", "\tindented", '  =1+1 "quoted", comma\nnew line']


@pytest.fixture
def archive(either_engine):
    with writing(either_engine) as connection:
        add_game(connection)
        person, other = add_player(connection), add_player(connection)
        guess_id = add_guess(connection, person, tweet_id=7, sample_id=3, pick=1)
        connection.execute(insert(remarks).values(guess_id=guess_id, reason="repeats", report="x", said_at=LONG_AGO))
        add_guess(connection, person, guessed_at=LONG_AGO + timedelta(days=1, seconds=9.26))
        add_guess(connection, other, status="excluded", reason="too quick", network=b"n" * 16)
        add_guess(connection, add_player(connection, simulated="speller"), status="excluded", reason="simulated")
    with reading(either_engine) as connection:
        return archives.find(connection, "mayor")


def lines(engine, export):
    with reading(engine) as connection:
        return [json.loads(line) for line in export.lines(connection)]


def test_a_line_says_what_its_fields_say(either_engine, archive):
    first, second, third = lines(either_engine, Export(archive))
    assert list(first) == [name for name in FIELDS if name != "tweet_text"]
    assert (first["tweet"], first["tweet_source_id"], first["sample"]) == (7, "1000000006", 3)
    assert (first["verdict"], first["remark"], first["generator"]) == ("fooled", "repeats", "v1")
    assert (first["day"], second["day"]) == ("2026-01-01", "2026-01-02")
    assert (third["status"], third["reason"], third["seconds"]) == ("excluded", "too quick", 9.0)


def test_pseudonyms_join_within_an_export_and_not_between_two(either_engine, archive):
    exports = [lines(either_engine, Export(archive)) for _ in range(2)]
    for made in exports:
        assert made[0]["player"] == made[1]["player"] != made[2]["player"]
    assert not {row["player"] for row in exports[0]} & {row["player"] for row in exports[1]}


def test_simulated_players_are_apart(either_engine, archive):
    assert {row["simulated"] for row in lines(either_engine, Export(archive))} == {None}
    apart = lines(either_engine, Export(archive, crowd="simulated"))
    assert [row["simulated"] for row in apart] == ["speller"]


def test_texts_of_tweets_are_there_where_they_are_asked_for(either_engine, archive):
    assert "tweet_text" not in lines(either_engine, Export(archive))[0]
    assert len(lines(either_engine, Export(archive, with_texts=True))[0]["tweet_text"]) > 50


def test_no_cell_is_a_formula_and_nothing_is_lost(engine):
    with writing(engine) as connection:
        archive_id = add_archive(connection, handle=None)
        tweet_ids = add_tweets(connection, archive_id, NASTY)
        generator_id = add_generator(connection, archive_id)
        sample_ids = add_samples(connection, archive_id, generator_id, NASTY[::-1])
        player_id = add_player(connection)
        for tweet_id, sample_id in zip(tweet_ids, sample_ids, strict=True):
            add_guess(connection, player_id, tweet_id=tweet_id, sample_id=sample_id)
    with reading(engine) as connection:
        found = archives.find(connection, "mayor")
        text = "".join(Export(found, "csv", with_texts=True).lines(connection))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["tweet_text"] for row in rows] == ["'" + text for text in NASTY]
    assert [row["sample_text"] for row in rows] == ["'" + text for text in NASTY[::-1]]
    assert not [
        cell for row in rows for cell in row.values() if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))
    ]


def test_the_data_sheet_says_what_is_there_and_why_not(either_engine, archive):
    with reading(either_engine) as connection:
        sheet = Export(archive, "csv").data_sheet(connection, LONG_AGO)
        apart = Export(archive, "csv", "simulated").data_sheet(connection, LONG_AGO)
    assert "3 guesses." in sheet
    assert "| accepted |  |  | 2 |" in sheet
    assert "| excluded | too quick | nobody reads both cards in that time: 500 ms + 8 ms a character | 1 |" in sheet
    assert "| excluded | simulated | the player is a program | 1 |" in apart
    for words in ("`tweet_source_id`", "Licence", "rules version", "must not be used for", "apostrophe"):
        assert words in sheet
    assert "`tweet_text`" not in sheet
