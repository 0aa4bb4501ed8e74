"""Labels: looked through, read anew, and exported; and the page of one player."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterator
from statistics import median
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from app.db import generators, labelling, overruling, retractions, rollups, screenings, tables
from app.db.audit import Change
from app.db.labelling import Wanted
from app.db.session import now, reading, writing
from app.game.labels import RULES_VERSION
from app.web.admin import views
from app.web.admin.cards import chosen
from app.web.admin.collections import found
from app.web.admin.office import Changing, Here, Office, Refused, Viewing, note

router = APIRouter(include_in_schema=False)
PAGE = 50
Status = Literal["accepted", "quarantined", "excluded"]
STATUSES = ("accepted", "quarantined", "excluded")


@router.get("/labels")
def explore(
    request: Request,
    here: Here,
    admin: Viewing,
    archive: str = "",
    generator: str = "",
    status: str = "",
    reason: str = "",
    verdict: str = "",
    before: int | None = None,
) -> Response:
    """Labels by archive, generator, status, reason and verdict."""
    with reading(here.engine) as connection:
        listed, which = chosen(connection, archive)
        made = generators.listing(connection, which.id) if which else []
        generator_id = next((each.id for each in made if each.name == generator), None)
        archive_id = which.id if which and archive else None
        wanted = Wanted(archive_id, generator_id, status, reason, verdict, before, PAGE)
        page = labelling.page(connection, wanted)
        totals: dict[tuple[str, str], int] = {}
        for (_, each, why), count in rollups.labels_by_status(connection, 0, archive_id).items():
            totals[each, why] = totals.get((each, why), 0) + count
    return views.page(
        *(request, "labels.html", admin),
        archives=listed,
        which=which if archive else None,
        generators=made,
        page=page,
        totals=sorted(totals.items()),
        statuses=STATUSES,
    )


@router.get("/players/{player_id}")
def show_player(request: Request, here: Here, admin: Viewing, player_id: int) -> Response:
    """One player: guesses, speed, side bias, skill, and what was made of it."""
    with reading(here.engine) as connection:
        row = labelling.player(connection, player_id)
        if row is None:
            raise Refused(404, "No such player", "That player was forgotten, or never was.")
        rows = labelling.of_player(connection, player_id)
        learned = retractions.learned_from(connection, player_id)
        waited = screenings.of_player(connection, player_id)
    taken = [(each.guessed_at - each.dealt_at).total_seconds() for each in rows]
    by_status: dict[tuple[str, str], int] = {}
    for each in rows:
        key = (each.status, each.reason or "")
        by_status[key] = by_status.get(key, 0) + 1
    return views.page(
        *(request, "player.html", admin),
        player=row,
        rows=rows[:PAGE],
        seen=len(rows),
        first=sum(each.pick == 0 for each in rows),
        spotted=sum(each.verdict == "spotted" for each in rows),
        speed=median(taken) if taken else None,
        by_status=sorted(by_status.items()),
        learned=learned,
        waited=waited,
    )


@router.post("/labels/{guess_id}")
def read_anew(here: Here, admin: Changing, guess_id: int, status: Annotated[Status, Form()]) -> Response:
    """Accept, quarantine or exclude one label."""
    with writing(here.engine) as connection:
        changed = labelling.relabel(connection, [guess_id], status, now())
        note(connection, admin, Change("label read anew", f"guess {guess_id}", {}, {"status": status}))
    return views.back("/admin/labels", f"Guess {guess_id}: {status}." if changed else "Nothing to change.")


@router.post("/players/{player_id}/labels")
def read_all_anew(
    here: Here,
    admin: Changing,
    player_id: int,
    status: Annotated[Status, Form()],
    reason: Annotated[str, Form(min_length=3, max_length=500)],
) -> Response:
    """Read all labels of a player anew: the next retraining goes by it."""
    changed = _read_anew(here, player_id, status)
    with writing(here.engine) as connection:
        after = {"status": status, "labels": changed}
        note(connection, admin, Change("player's labels read anew", f"player {player_id}", {}, after, reason))
    return views.back(f"/admin/players/{player_id}", f"{changed:,} labels are {status} now.")


def _read_anew(here: Office, player_id: int, status: Status) -> int:
    """Exclude: the player's labels are taken back, those to come too. Accept: given back, held ones let out."""
    if status == "excluded":
        return retractions.retract(here.engine, player_id, now())
    changed = retractions.restore(here.engine, player_id, now())
    return changed + overruling.move_all(
        *(here.engine, player_id, tables.labels.c.status != status),
        lambda connection, ids: labelling.relabel(connection, ids, status, now()),
    )


@router.get("/labels.jsonl")
def export(here: Here, admin: Viewing, archive: str) -> Response:
    """Every label of an archive: pseudonyms of this export alone, dates by day, tweets by id."""
    key = secrets.token_bytes(32)
    with reading(here.engine) as connection:
        which = found(connection, archive)
    with writing(here.engine) as connection:
        note(connection, admin, Change("labels exported", archive))

    def lines() -> Iterator[str]:
        with reading(here.engine) as connection:
            for row in labelling.export(connection, which.id):
                yield json.dumps(_exported(row, key), ensure_ascii=False) + "\n"

    headers = views.NO_STORE | {"Content-Disposition": f'attachment; filename="{archive}-labels.jsonl"'}
    return StreamingResponse(lines(), headers=headers, media_type="application/x-ndjson")


@router.get("/labels/data-sheet.md")
def data_sheet(here: Here, _: Viewing, archive: str) -> Response:
    """What the export holds, how it came to be, and what it must not be used for."""
    with reading(here.engine) as connection:
        which = found(connection, archive)
        totals: dict[str, int] = {}
        for (_day, status, reason), count in rollups.labels_by_status(connection, 0, which.id).items():
            name = f"{status}: {reason}" if reason else status
            totals[name] = totals.get(name, 0) + count
    counted = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(totals.items()))
    sheet = f"""# Data sheet: labels of {which.slug}

Made {now():%Y-%m-%d} by "Which tweet is real?", label rules version {RULES_VERSION}.

**What it is.** One line a guess: which of two cards, a tweet and a machine-written sample, a player took for the tweet.
**How it came to be.** Players of a web game guessed in their own time; each guess is a label unless a rule says
otherwise (see `status` and `reason`). Cards are drawn by chance; `arm_probability` and `card_probability` say with what
chance.
**Who is in it.** Anonymous players. `player` is a pseudonym of this export alone: two exports cannot be joined by it.
Simulated players carry their name in `simulated`, and are null for people. There are no addresses, and days, not times.
**What is not in it.** Texts of tweets (they are named by id). Guesses of players who asked to be forgotten carry no
link to who they were.
**Not for.** Finding out who somebody is; showing a sample as if the account had posted it.

| labels | count |
| --- | --- |
{counted}
"""
    headers = views.NO_STORE | {"Content-Disposition": f'attachment; filename="{archive}-data-sheet.md"'}
    return PlainTextResponse(sheet, headers=headers, media_type="text/markdown; charset=utf-8")


def _exported(row: Any, key: bytes) -> dict[str, Any]:
    return {
        "player": hmac.digest(key, str(row.player_id).encode(), "sha256")[:8].hex(),
        "simulated": row.simulated,
        "day": row.guessed_at.date().isoformat(),
        "seconds": round((row.guessed_at - row.dealt_at).total_seconds(), 1),
        "generator": f"v{row.number}",
        "arm": row.arm,
        "mode": row.mode,
        "arm_probability": row.arm_probability,
        "card_probability": row.card_probability,
        "tweet": row.tweet_id,
        "sample": row.sample,
        "tweet_index": row.tweet_index,
        "pick": row.pick,
        "verdict": row.verdict,
        "status": row.status,
        "reason": row.reason,
    }
