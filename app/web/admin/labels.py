"""Labels: looked through, read anew, and exported; and the page of one player."""

from __future__ import annotations

from statistics import median
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from app.db import labelling, overruling, retractions, rollups, screenings, tables
from app.db.audit import Change
from app.db.exporting import Crowd, Export, Format
from app.db.labelling import Wanted
from app.db.session import now, reading, writing
from app.web.admin import views
from app.web.admin.choosing import chosen_with_generator, found
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
        choice = chosen_with_generator(connection, archive, generator)
        # Unasked, the page is about all archives; but the generators that it offers are those of the first.
        which = choice.which if archive or choice.generator_id else None
        archive_id = which.id if which else None
        wanted = Wanted(archive_id, choice.generator_id, status, reason, verdict, before, PAGE)
        page = labelling.page(connection, wanted)
        totals: dict[tuple[str, str], int] = {}
        for (_, each, why), count in rollups.labels_by_status(connection, 0, archive_id).items():
            totals[each, why] = totals.get((each, why), 0) + count
    return views.page(
        *(request, "labels.html", admin),
        archives=choice.archives,
        which=which,
        generators=choice.generators,
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
def read_anew(
    here: Here,
    admin: Changing,
    guess_id: int,
    status: Annotated[Status, Form()],
    back: Annotated[str, Form()] = "/admin/labels",
) -> Response:
    """Accept, quarantine or exclude one label."""
    with writing(here.engine) as connection:
        before = labelling.reading_of(connection, guess_id)
        if before is None:
            raise Refused(404, "No such label", f"Guess {guess_id} was forgotten, or never made.")
        changed = labelling.relabel(connection, [guess_id], status, now())
        if changed:
            note(connection, admin, Change("label read anew", f"guess {guess_id}", before, {"status": status}))
    to = back if back.startswith("/admin/") else "/admin/labels"
    return views.back(to, f"Guess {guess_id}: {status}." if changed else "Nothing to change.")


@router.post("/players/{player_id}/labels")
def read_all_anew(
    here: Here,
    admin: Changing,
    player_id: int,
    status: Annotated[Status, Form()],
    reason: Annotated[str, Form(min_length=3, max_length=500)],
) -> Response:
    """Read all labels of a player anew: the next retraining goes by it."""
    with writing(here.engine) as connection:  # first: what follows takes many transactions, and may be cut short
        change = Change("player's labels read anew", f"player {player_id}", {}, {"status": status}, reason)
        note(connection, admin, change)
    changed = _read_anew(here, player_id, status)
    with writing(here.engine) as connection:
        note(connection, admin, Change("labels moved", f"player {player_id}", {}, {"labels": changed}))
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


@router.get("/labels.{kind}")
def export(here: Here, admin: Viewing, kind: Format, archive: str, crowd: Crowd = "real") -> Response:
    """Every label of an archive: pseudonyms of this export alone, dates by day, tweets by id."""
    with reading(here.engine) as connection:
        made = Export(found(connection, archive), kind, crowd)
    with writing(here.engine) as connection:
        note(connection, admin, Change("labels exported", archive, {}, {"format": kind, "players": crowd}))
    name = f"{archive}-labels{'-simulated' if crowd == 'simulated' else ''}.{kind}"
    headers = views.NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    media = "application/x-ndjson" if kind == "jsonl" else "text/csv; charset=utf-8"
    return StreamingResponse(made.lines_in_pages(here.engine), headers=headers, media_type=media)


@router.get("/labels/data-sheet.md")
def data_sheet(here: Here, _: Viewing, archive: str, kind: Format = "jsonl", crowd: Crowd = "real") -> Response:
    """What the export holds, how it came to be, and what it must not be used for."""
    with reading(here.engine) as connection:
        sheet = Export(found(connection, archive), kind, crowd).data_sheet(connection, now())
    headers = views.NO_STORE | {"Content-Disposition": f'attachment; filename="{archive}-data-sheet.md"'}
    return PlainTextResponse(sheet, headers=headers, media_type="text/markdown; charset=utf-8")
