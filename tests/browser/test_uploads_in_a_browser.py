"""Files as admins send them, in a real Chromium, with a real server and a real worker."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from factories import words
from playwright.sync_api import Browser, FilePayload, Page, expect
from serving import Game
from working import SECOND, done, ended, enter, open_office

pytestmark = [pytest.mark.browser, pytest.mark.process]
LONG = "The council has voted, and here is all of what it means for the harbour and the ferry. " * 5
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Game]:
    with open_office(tmp_path_factory.mktemp("uploads"), migrated) as game:
        yield game


@pytest.fixture(scope="module")
def ada(chromium: Browser, office: Game) -> Iterator[Page]:
    page = enter(chromium, office, "Ada")
    yield page
    page.context.close()


def zipped(files: Mapping[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return held.getvalue()


def rows(first: int, count: int) -> list[dict[str, str]]:
    return [
        {"id_str": str(10**15 + n), "full_text": words(n), "created_at": "Thu Nov 05 12:00:00 +0000 2020"}
        for n in range(first, first + count)
    ]


def export_of_x() -> bytes:
    def part(number: int, held: list[dict[str, str]]) -> str:
        return f"window.YTD.tweets.part{number} = {json.dumps([{'tweet': row} for row in held])}"

    cut = {"id_str": "7", "full_text": LONG[:270] + "… https://t.co/abc", "created_at": rows(0, 1)[0]["created_at"]}
    note = [{"noteTweet": {"noteTweetId": "7", "core": {"text": LONG}}}]
    return zipped(
        {
            "data/account.js": 'window.YTD.account.part0 = [{"account": {"username": "MayorOfGannet"}}]',
            "data/tweets.js": part(0, [cut, *rows(0, 40)]),
            "data/tweets-part1.js": part(1, rows(40, 40)),
            "data/note-tweet.js": f"window.YTD.note_tweet.part0 = {json.dumps(note)}",
            "data/direct-messages.js": "window.YTD.direct_messages.part0 = not even json",
            "data/deleted-tweets.js": "nor this",
        }
    )


def old_table() -> bytes:
    head = '"tweet_id","in_reply_to_status_id","timestamp","source","text","expanded_urls"'
    lines = [f'"{n}","","2013-02-01 10:00:00 +0000","web","{words(n)}",""' for n in range(100, 150)]
    return "\n".join([head, *lines]).encode()


def months() -> bytes:
    def month(name: str, first: int) -> str:
        held = [row | {"text": row["full_text"]} for row in rows(first, 30)]
        return f"Grailbird.data.tweets_{name} =\n{json.dumps(held)}"

    return zipped(
        {
            "data/js/user_details.js": 'var user_details =  {"screen_name": "OldMayor", "id": "1"}',
            "data/js/tweets/2015_06.js": month("2015_06", 200),
            "data/js/tweets/2014_12.js": month("2014_12", 230),
        }
    )


def export_of_mastodon() -> bytes:
    me = "https://sea.example/users/mayor"
    notes = [{"id": f"{me}/statuses/{n}", "content": f"<p>{words(n)}</p>", "to": [PUBLIC]} for n in range(300, 340)]
    held = [{"type": "Create", "actor": me, "object": note} for note in notes]
    held.append({"type": "Announce", "actor": me, "object": "https://other.example/1"})
    return zipped({"outbox.json": json.dumps({"orderedItems": held}), "likes.json": "{}"})


def feed() -> bytes:
    items = "".join(
        f"<item><guid>https://a.example/{n}</guid><description>{words(n)}</description></item>" for n in range(400, 430)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>A</title>{items}</channel></rss>'.encode()


def send(page: Page, name: str, content: bytes) -> None:
    """Send a file, and wait until the page shows what the worker found in it."""
    page.goto("/admin/archives")
    file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label("Drop a file here").set_input_files(file)
    page.get_by_role("button", name="Send and look into it").click()
    expect(page.get_by_role("heading", name="The first")).to_be_visible(timeout=60 * SECOND)


FILES = {
    "x-export.zip": (export_of_x(), ("81 rows", "81 tweets", LONG.strip()), "MayorOfGannet"),
    "tweets.csv": (old_table(), ("50 rows", "50 tweets", words(105)), ""),
    "grailbird.zip": (months(), ("60 rows", "60 tweets", words(230)), "OldMayor"),
    "mastodon.zip": (export_of_mastodon(), ("41 rows", "40 tweets", words(310)), "mayor"),
    "feed.rss": (feed(), ("30 rows", "30 tweets", words(410)), ""),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_looked_into_before_anything_of_it_is_kept(ada: Page, name: str) -> None:
    content, told, handle = FILES[name]
    send(ada, name, content)
    main = ada.locator("main")
    for each in told:
        expect(main).to_contain_text(each)
    expect(ada.get_by_label("Handle of the account")).to_have_value(handle)
    expect(main).to_contain_text("a deck of fewer than 200 cards")
    assert "not even json" not in main.inner_text()
    ada.once("dialog", lambda dialog: dialog.accept())
    ada.get_by_role("button", name="Throw the file away").click()
    expect(ada.get_by_role("status").first).to_have_text("The file is gone.")
    expect(ada.get_by_role("link", name=name)).to_have_count(0)


def test_a_file_is_dropped_where_it_says_so(ada: Page) -> None:
    ada.goto("/admin/archives")
    ada.evaluate(
        """text => {
            const held = new DataTransfer();
            held.items.add(new File([text], "dropped.csv"));
            const drop = document.querySelector(".drop");
            drop.dispatchEvent(new DragEvent("dragover", { dataTransfer: held, bubbles: true, cancelable: true }));
            drop.dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true, cancelable: true }));
        }""",
        old_table().decode(),
    )
    expect(ada.get_by_role("heading", name="dropped.csv")).to_be_visible()
    expect(ada.locator("main")).to_contain_text("50 tweets", timeout=60 * SECOND)


def test_a_table_is_read_in_another_way_and_imported_with_its_right(ada: Page, chromium: Browser, office: Game) -> None:
    send(ada, "tweets.csv", old_table())
    ada.get_by_text("Read it in another way").click()
    ada.get_by_label("Format").select_option("text")
    ada.get_by_label("Plain text: one passage a").select_option("line")
    ada.get_by_role("button", name="Look again").click()
    expect(ada.locator("main")).to_contain_text("51 passages", timeout=60 * SECOND)
    ada.get_by_text("Read it in another way").click()
    ada.get_by_label("Format").select_option("auto")
    ada.get_by_label("Plain text: one passage a").select_option("–")
    ada.get_by_role("button", name="Look again").click()
    expect(ada.locator("main")).to_contain_text("50 tweets", timeout=60 * SECOND)

    # By what right is asked, and must be answered.
    ada.get_by_label("Into the archive").fill("aunt")
    ada.get_by_role("button", name="Import", exact=True).click()
    assert ada.evaluate("document.querySelector('[name=basis]').validity.valueMissing")
    ada.get_by_label("a private person's, who allowed it").check()
    upload = ada.url
    ada.get_by_role("button", name="Import", exact=True).click()
    done(ada)
    expect(ada.locator("main")).to_contain_text("50 tweets added to aunt from 50 rows")
    ada.goto(upload)
    expect(ada.locator("main")).to_contain_text("It was imported")

    # A private person's: nobody sees it who was not given the link.
    ada.goto("/admin/archives/aunt")
    expect(ada.locator(".trouble")).to_contain_text("fewer than 200 cards")
    expect(ada.locator("main")).to_contain_text("a private person's, who allowed it")
    expect(ada.get_by_label("everybody (not what")).to_be_disabled()
    link = ada.locator("dd code").inner_text()
    assert re.fullmatch(re.escape(office.url) + r"/i/[\w-]{16}", link)
    office.refresh()
    guest = chromium.new_context(base_url=office.url).new_page()
    assert guest.request.get("/a/aunt").status == 404
    answer = guest.goto(link)
    assert answer is not None
    assert answer.status != 404
    expect(guest).to_have_url(re.compile(r"/a/aunt$"))
    assert guest.request.get("/a/aunt").status != 404
    guest.context.close()

    # Deleted, it leaves the game at once; and comes back.
    ada.goto("/admin/archives/aunt")
    ada.get_by_text("Delete", exact=True).click()
    expect(ada.locator("form[action$='/delete'] p")).to_contain_text("50 tweets")
    ada.once("dialog", lambda dialog: dialog.accept())
    ada.get_by_role("button", name="Delete aunt").click()
    expect(ada.get_by_role("status").first).to_contain_text("can be taken back for a day")
    assert ada.request.get("/admin/archives/aunt").status == 404
    ada.get_by_role("button", name="Take back").click()
    expect(ada.get_by_role("status").first).to_have_text("aunt is back.")
    expect(ada.locator("dd code")).to_have_text(link)


def test_of_two_admins_at_one_file_the_second_is_told_and_a_long_import_is_cancelled(
    ada: Page, chromium: Browser, office: Game
) -> None:
    many = "".join(
        json.dumps({"id_str": str(10**16 + n), "text": f"{words(n % 5000)} {n}"}) + "\n" for n in range(120_000)
    )
    send(ada, "many.jsonl", many.encode())
    expect(ada.locator("main")).to_contain_text("the whole file is read at import")
    bo = enter(chromium, office, "Bo")
    bo.goto(ada.url)
    for page, slug in ((ada, "many"), (bo, "others")):
        page.get_by_label("Into the archive").fill(slug)
        page.get_by_label("a public figure's public posts").check()
    upload = ada.url
    ada.get_by_role("button", name="Import", exact=True).click()
    expect(ada.get_by_role("progressbar", name="Read")).to_be_visible(timeout=60 * SECOND)
    bo.get_by_role("button", name="Import", exact=True).click()
    expect(bo.locator("main")).to_contain_text("Somebody has asked for its import already")
    ada.get_by_role("button", name="Cancel").click()
    ended(ada, "cancelled", 60)
    bo.goto("/admin/training")
    expect(bo.get_by_role("row").nth(1)).to_contain_text("many")
    assert bo.request.get("/admin/archives/many").status == 404
    bo.goto(upload)
    expect(bo.get_by_role("alert")).to_contain_text("The import came to nothing: cancelled")
    expect(bo.get_by_role("button", name="Import", exact=True)).to_be_visible()
    bo.context.close()
