"""Samples, tweets, words, reports, labels and generators in the dashboard."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from factories import LONG_AGO, add_generator, add_samples, words
from sqlalchemy import insert, select, update
from sqlalchemy.exc import OperationalError

from app.db import browsing, generators, players, retractions, rollups, samples, tallies
from app.db.rollups import LabelKey, day_of
from app.db.session import now, reading, writing
from app.db.tables import generators as generator_table
from app.db.tables import guesses, label_tallies, labels, remarks
from app.db.tables import samples as sample_table
from app.db.tallies import Count, TallyKey


def guess(desk, number, *, status="accepted", reason=None, verdict="fooled", report=None):
    """A guess of player 1 at sample `number`, with its label."""
    at = now() - timedelta(minutes=number)
    with writing(desk.engine) as connection:
        if number == 1:
            players.add(connection, {b"p" * 16: None}, at)
        row = {"round_id": number.to_bytes(16), "player_id": 1, "archive_id": 1, "tweet_id": number}
        row |= {"sample_id": number, "generator_id": 1, "arm": "champion", "mode": "endless", "position": number}
        row |= {"repeat": False, "tweet_index": 0, "pick": int(verdict == "fooled"), "verdict": verdict}
        row |= {"recognised": False, "has_cookie": True, "policy_version": 1, "arm_probability": 1.0}
        row |= {"card_probability": 0.1, "dealt_at": at - timedelta(seconds=8), "guessed_at": at, "answer": "{}"}
        guess_id = connection.execute(insert(guesses).values(row).returning(guesses.c.id)).scalar_one()
        connection.execute(
            insert(labels).values(guess_id=guess_id, status=status, reason=reason, rules_version=1, decided_at=at)
        )
        rollups.count_labels(connection, {LabelKey(1, day_of(at), status, reason or ""): 1})
        if report:
            connection.execute(insert(remarks).values(guess_id=guess_id, report=report, said_at=at))
    return guess_id


def level(desk):
    with reading(desk.engine) as connection:
        return samples.level(connection, 1)


def test_a_sample_is_hidden_with_a_reason_and_shown_again(desk):
    before = level(desk)
    assert desk.post("/admin/cards/hide", kind="sample", card="3", reason="").status_code == 422
    desk.post("/admin/cards/hide", kind="sample", card="3", reason="names a neighbour")
    assert level(desk) == before - 1
    assert "names a neighbour" in desk.said("/admin/samples?status=hidden")
    assert desk.post("/admin/cards/hide", kind="sample", card="3", hidden="false").status_code == 422
    desk.post("/admin/cards/hide", kind="sample", card="3", hidden="false", reason="it was another one")
    assert "it was another one" in desk.said("/admin/audit")
    assert level(desk) == before


def test_hiding_leads_back_to_the_list_as_it_was_filtered(desk):
    asked = "/admin/samples?archive=mayor-of-gannet&status=on+the+shelf&generator=v1"
    assert f'name="back" value="{asked.replace("&", "&amp;")}"' in desk.said(asked)
    gone = desk.post("/admin/cards/hide", kind="sample", card="3", reason="names a neighbour", back=asked)
    assert gone.headers["location"] == asked


def test_players_are_not_dealt_what_was_hidden(desk):
    """The archive's stamp goes up: web processes read it anew."""
    with reading(desk.engine) as connection:
        before = connection.exec_driver_sql("SELECT stamp FROM archives").scalar()
    desk.post("/admin/cards/hide", kind="tweet", card="3", reason="asked to")
    with reading(desk.engine) as connection:
        assert connection.exec_driver_sql("SELECT stamp FROM archives").scalar() == before + 1
        assert browsing.find(connection, "tweet", 3).hidden_at is not None


def test_samples_are_found_by_words_and_ordered_by_fool_rate(desk):
    with writing(desk.engine) as connection:
        connection.execute(update(sample_table).where(sample_table.c.id == 5).values(guesses=10, fooled=9))
        connection.execute(update(sample_table).where(sample_table.c.id == 6).values(guesses=10, fooled=1))
    page = desk.said("/admin/samples?order=fools+most")
    assert page.index('id="sample-5"') < page.index('id="sample-6"')
    assert desk.said("/admin/samples?words=Note+10004%3A").count('<tr id="sample-') == 1
    assert desk.said("/admin/samples?words=100%25").count('<tr id="sample-') == 0


def test_samples_are_picked_out_by_fool_rate_and_by_reports(desk):
    with writing(desk.engine) as connection:
        for number, fooled in ((5, 9), (6, 5), (7, 1)):
            played = {"guesses": 10, "fooled": fooled}
            connection.execute(update(sample_table).where(sample_table.c.id == number).values(played))

    def shown(asked):
        return [int(number) for number in re.findall(r'<tr id="sample-(\d+)"', desk.said(f"/admin/samples?{asked}"))]

    assert shown("least=50") == [6, 5]
    assert shown("most=50&order=fools+most") == [6, 7]
    assert shown("least=20&most=60") == [6]
    assert 'name="least" min="0" max="100" step="any" value="20"' in desk.said("/admin/samples?least=20")
    assert desk.get("/admin/samples?least=many").status_code == 422
    assert shown("status=reported") == []
    first = guess(desk, 1, report="this is about my aunt")
    assert shown("status=reported") == [1]
    desk.post(f"/admin/reports/{first}/settle")
    assert shown("status=reported") == []
    journal = desk.said("/admin/audit")
    assert f"guess {first}" in journal
    assert "my aunt" not in journal


def linked(page, words):
    """Where the link of these words leads, or None."""
    found = re.search(rf'<a(?: data-further)? href="([^"]*)">{words}</a>', page)
    return found and html.unescape(found[1])


def test_every_sample_comes_once_page_by_page_in_every_order(desk):
    with writing(desk.engine) as connection:
        wanted = set(connection.scalars(select(sample_table.c.id)))
        for number in wanted:  # many of them alike
            played = {"guesses": 5 + number % 3, "fooled": number % 4}
            connection.execute(update(sample_table).where(sample_table.c.id == number).values(played))
    assert len(wanted) == 60
    for order in browsing.ORDERS:
        address, seen = "?" + urlencode({"order": order, "words": "Note"}), []
        while address:
            page = desk.said(f"/admin/samples{address}")
            assert f"<option selected>{order}</option>" in page
            seen += [int(number) for number in re.findall(r'<tr id="sample-(\d+)"', page)]
            address = linked(page, "(?:Older|Further down)")
        assert sorted(seen) == sorted(wanted), order


def test_a_page_says_how_many_tweets_it_looked_through_for_words(desk, monkeypatch):
    monkeypatch.setattr(browsing, "WINDOW", 25)
    page = desk.said("/admin/tweets?words=no+such+words")
    assert "No tweet fits" in page
    assert "(25 tweets were looked through)" in page
    assert linked(page, "More") is not None


def test_further_tweets_are_of_the_kind_that_was_asked_for_and_end_where_they_end(desk):
    asked = "/admin/tweets?status=hidden&words=Note"
    with writing(desk.engine) as connection:
        browsing.hide(connection, "tweet", 1, list(range(1, 52)), now())
    more = linked(desk.said(asked), "More")
    page = desk.said(f"/admin/tweets{more}")
    assert page.count(">Show again<") == 1
    assert page.count('<td class="card-text">') == 1
    desk.post("/admin/cards/hide", kind="tweet", card="1", hidden="false", reason="a trial")
    assert linked(desk.said(asked), "More") is None


def test_labels_of_a_generator_are_those_of_the_archive_that_the_page_names(desk):
    guess(desk, 1)
    assert "<option selected>mayor</option>" not in desk.said("/admin/labels")
    assert "<option selected>mayor</option>" in desk.said("/admin/labels?generator=v1")


def test_words_show_what_they_hide_before_they_do(desk):
    before = level(desk)
    page = desk.said("/admin/words?words=note")
    assert "<b data-sum>60</b> samples" in page
    assert linked(page, "Look through more") is None
    assert level(desk) == before
    desk.post("/admin/words", archive="mayor", words="note")
    assert level(desk) == 0


def test_many_cards_are_looked_through_for_words_in_parts_and_hidden_all_at_once(desk, monkeypatch):
    monkeypatch.setattr(browsing, "LOOK", 25)
    address, seen = "?archive=mayor&words=note", []
    while address:
        page = desk.said(f"/admin/words{address}")
        seen.append(int(re.search(r"<b data-sum>(\d+)</b> samples", page)[1]))
        address = linked(page, "Look through more")
    assert seen == [25, 25, 10]
    desk.post("/admin/words", archive="mayor", words="note")
    assert level(desk) == 0
    assert "samples: 60" in desk.said("/admin/audit")


def test_words_hide_nothing_where_their_archive_is_gone(desk):
    """Another archive is not looked through in its place."""
    assert desk.post("/admin/words", archive="deleted", words="note").status_code == 404
    assert level(desk) == 60


def test_what_is_cut_short_is_in_the_audit_all_the_same(desk, monkeypatch):
    def cut_short(*_):
        raise OperationalError("UPDATE", {}, Exception("disk I/O error"))

    monkeypatch.setattr(browsing, "hide", cut_short)
    monkeypatch.setattr(retractions, "retract", cut_short)
    guess(desk, 1)
    assert desk.post("/admin/words", archive="mayor", words="note").status_code == 503
    assert desk.post("/admin/players/1/labels", status="excluded", reason="a script").status_code == 503
    journal = desk.said("/admin/audit")
    assert "words to be blocked" in journal
    assert "player&#39;s labels read anew" in journal


def test_words_that_hold_no_letter_say_so_and_hide_nothing(desk):
    assert "holds no word" in desk.said("/admin/words?words=%21%21")
    desk.post("/admin/words", archive="mayor", words="!!")
    assert level(desk) == 60


def test_reports_wait_until_they_are_set_aside_or_the_card_is_hidden(desk):
    first = guess(desk, 1, report="this is about my aunt")
    guess(desk, 2, report="not funny at all")
    assert "my aunt" in desk.said("/admin/reports")
    desk.post(f"/admin/reports/{first}/settle")
    assert "my aunt" not in desk.said("/admin/reports")
    desk.post("/admin/cards/hide", kind="sample", card="2", reason="reported")
    assert "No report waits" in desk.said("/admin/reports")


def test_labels_are_picked_out_by_status_and_reason(desk):
    guess(desk, 1)
    quick = guess(desk, 2, status="excluded", reason="too quick")
    page = desk.said("/admin/labels?status=excluded&reason=too+quick")
    assert f'<td class="num">{quick}</td>' in page
    assert page.count('<td class="card-text">') == 1


def test_a_label_read_anew_moves_the_counts_and_leaves_the_guess(desk):
    one = guess(desk, 1)
    desk.post(f"/admin/labels/{one}", status="quarantined")
    with reading(desk.engine) as connection:
        label = connection.execute(select(labels.c.status, labels.c.reason)).one()
        counted = connection.execute(select(label_tallies.c.status, label_tallies.c.labels)).all()
        assert connection.scalar(select(guesses.c.verdict)) == "fooled"
    assert tuple(label) == ("quarantined", "by an admin")
    assert {tuple(row) for row in counted} == {("accepted", 0), ("quarantined", 1)}


def test_a_players_page_tells_speed_side_and_skill(desk):
    for number in range(1, 5):
        guess(desk, number, verdict="spotted" if number < 4 else "fooled")
    page = desk.said("/admin/players/1")
    assert "spots 75.0 %" in page
    assert "first card in 75.0 %" in page
    assert "8 s from deal" in page


def test_all_labels_of_a_player_are_retracted_at_once(desk):
    for number in range(1, 4):
        guess(desk, number)
    desk.post("/admin/players/1/labels", status="excluded", reason="a script")
    with reading(desk.engine) as connection:
        assert set(connection.scalars(select(labels.c.status))) == {"excluded"}
    assert "a script" in desk.said("/admin/audit")


def test_an_export_holds_pseudonyms_days_and_no_texts_of_tweets(desk):
    guess(desk, 1)
    exports = [json.loads(desk.get("/admin/labels.jsonl?archive=mayor").text) for _ in range(2)]
    assert exports[0]["player"] != exports[1]["player"]
    assert exports[0]["day"] == (now() - timedelta(minutes=1)).date().isoformat()
    assert exports[0]["tweet"] == 1
    assert words(0, 60)[:20] not in json.dumps(exports[0])
    assert "| accepted |  |  | 1 |" in desk.get("/admin/labels/data-sheet.md?archive=mayor").text


def test_an_export_is_had_as_csv_too_and_simulated_players_apart(desk):
    guess(desk, 1)
    table = list(csv.DictReader(io.StringIO(desk.get("/admin/labels.csv?archive=mayor").text)))
    assert [(row["tweet"], row["status"]) for row in table] == [("1", "accepted")]
    assert desk.get("/admin/labels.jsonl?archive=mayor&crowd=simulated").text == ""
    assert desk.get("/admin/labels.xlsx?archive=mayor").status_code == 422
    page = desk.said("/admin/labels")
    for link in ("/admin/labels.csv?archive=mayor&amp;crowd=real", "data-sheet.md?archive=mayor&amp;kind=csv"):
        assert link in page


def second_generator(desk):
    with writing(desk.engine) as connection:
        generator_id = add_generator(connection, 1, parent_id=1, created_at=LONG_AGO)
        add_samples(connection, 1, generator_id, [words(50_000 + seed) for seed in range(8)])
    return generator_id


def shares(desk):
    with reading(desk.engine) as connection:
        return {name: round(arm.share, 3) for name, arm in generators.arms_of(connection, 1).items()}


def test_a_canary_takes_its_share_from_the_champion_and_gives_it_back(desk):
    second = second_generator(desk)
    desk.post(f"/admin/generators/{second}/canary", share="20", reason="to see")
    assert shares(desk) == {"anchor": 0.05, "candidate": 0.2, "champion": 0.75}
    assert "Stop the canary" in desk.said(f"/admin/generators/{second}")
    assert "at most 5 looks" in desk.said("/admin/generators")
    again = desk.post(f"/admin/generators/{second}/canary", share="30", reason="more of it")
    assert (again.status_code, "stop it first" in again.text) == (409, True)
    desk.post(f"/admin/generators/{second}/canary", share="0", reason="seen enough")
    assert shares(desk) == {"anchor": 0.05, "champion": 0.95}
    assert desk.post(f"/admin/generators/{second}/canary", share="0", reason="once more").status_code == 409
    page = desk.said(f"/admin/generators/{second}")
    assert "canary stopped" in page
    assert "seen enough" in page


def test_a_page_that_is_older_than_what_another_admin_did_rolls_nothing_back_once_more(desk):
    second = second_generator(desk)
    refused = desk.post(f"/admin/generators/{second}/roll-back", reason="it is worse")
    assert (refused.status_code, "is not the champion any more" in refused.text) == (409, True)
    refused = desk.post("/admin/generators/1/promote", reason="it is better")
    assert (refused.status_code, "is the champion already" in refused.text) == (409, True)
    assert desk.post(f"/admin/generators/{second}/promote", reason="it is newer").status_code == 303
    assert desk.post("/admin/generators/1/roll-back", reason="it is worse").status_code == 409, "one is under way"


def test_two_generators_stand_side_by_side_with_samples_of_the_same_seeds(desk):
    second = second_generator(desk)
    page = desk.said(f"/admin/generators/compare?left=1&right={second}")
    assert "Samples from the same seeds" in page
    assert page.count("<blockquote>") == 12


def test_a_generators_page_has_its_charts_with_their_tables(desk):
    second = second_generator(desk)
    today = day_of(now())
    with writing(desk.engine) as connection:
        for generator_id, fooled in ((1, 3), (second, 7)):
            key = TallyKey(1, generator_id, today, "endless", rollups.REAL)
            tallies.add(connection, {key: Count(10, fooled, 10)})
        points = [{"step": 5, "train_bits": 3.5, "bits_per_character": 3.75}]
        connection.execute(update(generator_table).where(generator_table.c.id == second).values(card={"curve": points}))
    page = desk.said(f"/admin/generators/{second}")
    assert page.count("70.0 %") == 2, "of all guesses, and of the day's"
    assert "3.750" in page
    drawn = [desk.get(html.unescape(address)).text for address in re.findall('data-chart="([^"]*)"', page)]
    assert [chart.count('"v2"') > 0 for chart in drawn] == [True, False]
    assert "0.7" in drawn[0]
    assert '"v1"' not in drawn[0]
    assert "3.75" in drawn[1]
    overview = desk.said("/admin")
    for each in ("mayor v1</td>", "mayor v2</td>"):
        assert each in overview
    assert desk.get("/admin/charts/generators/1.json").text == "null"
    assert desk.get("/admin/charts/generators/99.json").status_code == 404


def test_the_tree_shows_parents_before_children(desk):
    second_generator(desk)
    page = desk.said("/admin/generators")
    assert page.index("<b>v1</b>") < page.index("<ul><li>") < page.index("<b>v2</b>")
    assert "champion" in desk.said("/admin/generators/1")


CHANGES = (
    ("/admin/cards/hide", {"kind": "sample", "card": "3", "reason": "why"}),
    ("/admin/words", {"archive": "mayor", "words": "note"}),
    ("/admin/reports/1/settle", {}),
    ("/admin/labels/1", {"status": "excluded"}),
    ("/admin/players/1/labels", {"status": "excluded", "reason": "why not"}),
    ("/admin/generators/1/promote", {"reason": "why not"}),
    ("/admin/generators/1/roll-back", {"reason": "why not"}),
    ("/admin/generators/1/canary", {"share": "20", "reason": "why not"}),
    ("/admin/uploads/1/drop", {}),
    ("/admin/jobs/1/cancel", {}),
)


@pytest.mark.parametrize(("path", "form"), CHANGES)
def test_a_viewer_changes_nothing_here_either(viewer, path, form):
    assert viewer.post(path, **form).status_code == 403


@pytest.mark.parametrize(("path", "form"), CHANGES)
def test_another_site_changes_nothing_here_either(desk, path, form):
    assert desk.post(path, origin="https://evil.example", **form).status_code == 403


def test_what_is_held_back_is_released_or_refused(desk, viewer):
    with writing(desk.engine) as connection:
        for number in (3, 4):
            held = {"hidden_at": now(), "hidden_reason": "held: crime"}
            connection.execute(update(sample_table).where(sample_table.c.id == number).values(held))
    assert "2 samples held back for a look." in desk.said("/admin")
    assert "a name and crime" in desk.said("/admin/held")
    assert viewer.post("/admin/held/3", ruling="release").status_code == 403
    assert desk.post("/admin/held/3", ruling="release").status_code == 303
    assert desk.post("/admin/held/4", ruling="refuse").status_code == 303
    assert desk.post("/admin/held/4", ruling="release").status_code == 404
    with desk.engine.connect() as connection:
        columns = select(sample_table.c.hidden_reason).order_by(sample_table.c.id)
        reasons = list(connection.scalars(columns.where(sample_table.c.id.in_([3, 4]))))
    assert reasons == [None, "refused"]
    assert "held sample released" in desk.said("/admin/audit")
    assert "Nothing waits." in desk.said("/admin/held")
