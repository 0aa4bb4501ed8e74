"""Samples and tweets: to be looked through, hidden and shown again; words to be blocked; reports to be read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.db import browsing, reports
from app.db.archives import Archive
from app.db.audit import Change
from app.db.browsing import Kind, Wanted
from app.db.session import now, reading, writing
from app.game.vetting import BlockedWords
from app.web.admin import views
from app.web.admin.choosing import chosen, chosen_with_generator
from app.web.admin.office import Changing, Here, Refused, Viewing, note
from app.wording import fold

router = APIRouter(include_in_schema=False)
PAGE = 50
BATCH = 500


@router.get("/samples")
def list_samples(
    request: Request,
    here: Here,
    admin: Viewing,
    archive: str = "",
    generator: str = "",
    status: str = "",
    words: str = "",
    order: str = "newest",
    before: int | None = None,
) -> Response:
    """Samples, by generator, status, words and fool rate."""
    with reading(here.engine) as connection:
        choice = chosen_with_generator(connection, archive, generator)
        which = choice.which
        wanted = Wanted(which.id if which else 0, choice.generator_id, status, words[:100], order, before, PAGE + 1)
        rows = browsing.sample_page(connection, wanted)
    return views.page(
        *(request, "samples.html", admin),
        archives=choice.archives,
        which=which,
        generators=choice.generators,
        rows=rows[:PAGE],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        statuses=browsing.STATUSES,
        orders=browsing.ORDERS,
    )


@router.get("/tweets")
def list_tweets(
    request: Request,
    here: Here,
    admin: Viewing,
    archive: str = "",
    status: str = "",
    words: str = "",
    before: int | None = None,
) -> Response:
    """Tweets of the deck."""
    with reading(here.engine) as connection:
        listed, which = chosen(connection, archive)
        wanted = Wanted(which.id if which else 0, None, status, words[:100], before_id=before, limit=PAGE + 1)
        rows = browsing.tweet_page(connection, wanted)
    older = rows[PAGE - 1].id if len(rows) > PAGE else None
    return views.page(request, "tweets.html", admin, archives=listed, which=which, rows=rows[:PAGE], older=older)


@router.post("/cards/hide")
def hide_card(
    here: Here,
    admin: Changing,
    kind: Annotated[Kind, Form()],
    card: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=64)] = "",
    hidden: Annotated[bool, Form()] = True,
    back: Annotated[str, Form()] = "/admin/samples",
) -> Response:
    """Take a card out of play, or back in, with a reason."""
    if hidden and not reason.strip():
        raise Refused(422, "Say why", "A card is hidden with a reason: who looks at it later will ask for one.")
    with writing(here.engine) as connection:
        row = browsing.find(connection, kind, card)
        if row is None:
            raise Refused(404, "No such card", f"There is no {kind} {card}.")
        browsing.hide(connection, kind, row.archive_id, [card], now() if hidden else None, reason.strip())
        before, after = {"hidden": row.hidden_at is not None}, {"hidden": hidden}
        what = f"{kind} {'hidden' if hidden else 'shown again'}"
        note(connection, admin, Change(what, f"{kind} {card}", before, after, reason.strip()))
    to = back if back.startswith("/admin/") else "/admin/samples"
    return views.back(to, f"{kind.capitalize()} {card} is {'hidden' if hidden else 'shown again'}.")


@router.get("/words")
def show_words(request: Request, here: Here, admin: Viewing, archive: str = "", words: str = "") -> Response:
    """What words would hide, before they do."""
    with reading(here.engine) as connection:
        listed, which = chosen(connection, archive)
        hit = _hit(connection, which, words)
    return views.page(request, "words.html", admin, archives=listed, which=which, words=words, **hit)


@router.post("/words")
def hide_by_words(
    here: Here, admin: Changing, archive: Annotated[str, Form()], words: Annotated[str, Form(min_length=2)]
) -> Response:
    """Hide every card in play that holds one of the words."""
    with reading(here.engine) as connection:
        _, which = chosen(connection, archive)
        hit = _hit(connection, which, words)
    if which is None:
        raise Refused(404, "No such archive", "There is nothing to look through.")
    kinds: tuple[tuple[Kind, str], ...] = (("sample", "samples"), ("tweet", "tweets"))
    for kind, name in kinds:
        ids = [card_id for card_id, _ in hit[name]]
        for start in range(0, len(ids), BATCH):
            with writing(here.engine) as connection:
                browsing.hide(connection, kind, which.id, ids[start : start + BATCH], now(), "blocked word")
    counts = {name: len(hit[name]) for _, name in kinds}
    with writing(here.engine) as connection:
        note(connection, admin, Change("words blocked", which.slug, {}, counts, ", ".join(words.split("\n"))[:500]))
    return views.back(f"/admin/words?archive={which.slug}", f"Hidden: {views.told(counts)}.")


@router.get("/reports")
def list_reports(request: Request, here: Here, admin: Viewing) -> Response:
    """Reports that wait to be read."""
    with reading(here.engine) as connection:
        rows = reports.listing(connection)
    return views.page(request, "reports.html", admin, rows=rows)


@router.post("/reports/{guess_id}/settle")
def settle_report(here: Here, admin: Changing, guess_id: int) -> Response:
    """Set a report aside."""
    with writing(here.engine) as connection:
        words = reports.find(connection, guess_id)
        if words is None:
            raise Refused(404, "No such report", "It was taken back, or never made.")
        reports.settle(connection, guess_id, now())
        note(connection, admin, Change("report set aside", f"guess {guess_id}", {"report": words[:200]}))
    return views.back("/admin/reports", "Set aside.")


def _hit(connection: Connection, which: Archive | None, words: str) -> dict[str, Any]:
    lines = [line for line in words.replace(",", "\n").splitlines() if line.strip()]
    blocked = BlockedWords.of(lines)
    if which is None or blocked.pattern is None:
        return {"samples": [], "tweets": []}
    begins = {folded.split()[0] for line in lines if (folded := fold(line))}
    on_shelf, deck = browsing.in_play(connection, which.id, begins)
    return {
        "samples": [(card, text) for card, text in on_shelf if blocked.found_in(text)],
        "tweets": [(card, text) for card, text in deck if blocked.found_in(text)],
    }
