"""Samples and tweets: to be looked through, hidden and shown again; words to be blocked; reports to be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.db import browsing, reports
from app.db.archives import Archive
from app.db.audit import Change
from app.db.browsing import Kind, Look, Wanted
from app.db.session import now, reading, writing
from app.game.vetting import BlockedWords
from app.web.admin import views
from app.web.admin.choosing import chosen, chosen_with_generator, found
from app.web.admin.office import Changing, Here, Office, Refused, Viewing, note
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
    least: str = "",
    most: str = "",
    before: int | None = None,
) -> Response:
    """Samples, by generator, status, words and fool rate (in percent)."""
    with reading(here.engine) as connection:
        choice = chosen_with_generator(connection, archive, generator)
        which = choice.which
        wanted = Wanted(
            *(which.id if which else 0, choice.generator_id, status, words[:100], order, before, PAGE),
            least=_share(least),
            most=_share(most),
        )
        page = browsing.sample_page(connection, wanted)
    return views.page(
        *(request, "samples.html", admin),
        archives=choice.archives,
        which=which,
        generators=choice.generators,
        page=page,
        window=browsing.WINDOW,
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
        wanted = Wanted(which.id if which else 0, None, status, words[:100], before_id=before, limit=PAGE)
        page = browsing.tweet_page(connection, wanted)
    return views.page(*(request, "tweets.html", admin), archives=listed, which=which, page=page, window=browsing.WINDOW)


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
    if not reason.strip():
        what = "hidden" if hidden else "shown again"
        raise Refused(422, "Say why", f"A card is {what} with a reason: who looks at it later will ask for one.")
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
def show_words(
    request: Request,
    here: Here,
    admin: Viewing,
    archive: str = "",
    words: str = "",
    samples: int | None = None,
    tweets: int | None = None,
) -> Response:
    """What words would hide, before they do: some of the cards at a time, those before a sample and a tweet."""
    looks: dict[Kind, Look] = {}
    with reading(here.engine) as connection:
        listed, which = chosen(connection, archive)
        blocked = _Blocked.of(words)
        if which is not None and blocked is not None:
            looks = {
                "sample": blocked.found(connection, "sample", which, samples),
                "tweet": blocked.found(connection, "tweet", which, tweets),
            }
    is_over = all(each.before_id is None for each in looks.values())
    further = {f"{kind}s": each.before_id or 0 for kind, each in looks.items()}
    return views.page(
        *(request, "words.html", admin),
        archives=listed,
        which=which,
        words=words,
        found=looks,
        further=None if is_over else {"archive": which.slug if which else "", "words": words, **further},
    )


@router.post("/words")
def hide_by_words(
    here: Here, admin: Changing, archive: Annotated[str, Form()], words: Annotated[str, Form(min_length=2)]
) -> Response:
    """Hide every card in play that holds one of the words."""
    with reading(here.engine) as connection:
        which = found(connection, archive)
    blocked = _Blocked.of(words)
    kinds: tuple[tuple[Kind, str], ...] = (("sample", "samples"), ("tweet", "tweets"))
    why = ", ".join(words.split("\n"))[:500]
    with writing(here.engine) as connection:  # first: what follows takes many transactions, and may be cut short
        note(connection, admin, Change("words to be blocked", which.slug, {}, {}, why))
    counts = {name: 0 if blocked is None else _hide_all(here, blocked, kind, which) for kind, name in kinds}
    with writing(here.engine) as connection:
        note(connection, admin, Change("words blocked", which.slug, {}, counts, why))
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
        # Not its words: the journal outlives whoever wrote them.
        note(connection, admin, Change("report set aside", f"guess {guess_id}", {"characters": len(words)}))
    return views.back("/admin/reports", "Set aside.")


def _share(percent: str) -> float | None:
    """A share that was typed in percent; None where nothing was."""
    if not percent.strip():
        return None
    try:
        return min(100.0, max(0.0, float(percent))) / 100
    except ValueError:
        raise Refused(422, "No number", "Expected percents between 0 and 100 for the fool rate.") from None


def _hide_all(here: Office, blocked: _Blocked, kind: Kind, which: Archive) -> int:
    """Hide all cards of a kind that hold one of the words, look by look; how many."""
    before: int | None = None
    hidden = 0
    while True:
        with reading(here.engine) as connection:
            look = blocked.found(connection, kind, which, before)
        ids = [card_id for card_id, _ in look.cards]
        for start in range(0, len(ids), BATCH):
            with writing(here.engine) as connection:
                hidden += browsing.hide(connection, kind, which.id, ids[start : start + BATCH], now(), "blocked word")
        before = look.before_id
        if before is None:
            return hidden


@dataclass(frozen=True)
class _Blocked:
    """Words that are to be blocked, and what each of them begins with when it is folded."""

    words: BlockedWords
    begins: frozenset[str]

    @classmethod
    def of(cls, typed: str) -> _Blocked | None:
        """Those that somebody typed, one a line or between commas; None where that holds no word."""
        lines = [line for line in typed.replace(",", "\n").splitlines() if line.strip()]
        words = BlockedWords.of(lines)
        if words.pattern is None:
            return None
        return cls(words, frozenset(folded.split()[0] for line in lines if (folded := fold(line))))

    def found(self, connection: Connection, kind: Kind, which: Archive, before: int | None) -> Look:
        """A look at some of the cards in play, with those alone that hold one of the words."""
        look = browsing.look(connection, kind, which.id, self.begins, before)
        return replace(look, cards=[(card, text) for card, text in look.cards if self.words.found_in(text)])
