"""Generators: the family tree, one generator's card, two side by side, and who plays."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.db import archives, browsing, canaries, evidence, generators, jobs, labels, rollups, samples, tallies
from app.db.admins import Admin
from app.db.audit import Change
from app.db.browsing import Wanted
from app.db.canaries import Opening
from app.db.generators import Decided, Generator
from app.db.rollups import day_of
from app.db.session import now, reading, writing
from app.db.tallies import Count
from app.game.canary import plan_for
from app.web.admin import views
from app.web.admin.bundles import MOST_BYTES
from app.web.admin.choosing import chosen
from app.web.admin.office import Changing, Here, Office, Refused, Viewing, note

router = APIRouter(include_in_schema=False)
SHOWN = 6
DAYS = 90  # that a generator's chart of fool rates shows
Reason = Annotated[str, Form(min_length=3, max_length=500)]


@router.get("/generators")
def show_tree(request: Request, here: Here, admin: Viewing, archive: str = "") -> Response:
    """The generators of an archive as a family, with their fool rates."""
    with reading(here.engine) as connection:
        listed, which = chosen(connection, archive)
        made = generators.listing(connection, which.id) if which else []
        parts = {arm.generator_id: (name, arm.share) for name, arm in _arms(connection, which.id if which else 0)}
        counts = tallies.by_generator(connection, which.id) if which else {}
        decided = generators.decisions_on(connection, which.id)[:20] if which else []
        tried = canaries.find_open(connection, which.id) if which else None
    children: dict[int | None, list[Generator]] = {}
    for each in made:
        children.setdefault(each.parent_id, []).append(each)
    return views.page(
        *(request, "generators.html", admin),
        archives=listed,
        which=which,
        made=made,
        roots=children.get(None, []),
        children=children,
        parts=parts,
        counts={key: crowds.get("real", Count()) for key, crowds in counts.items()},
        decisions=decided,
        tried=tried,
        names={each.id: each.name for each in made},
        most=MOST_BYTES,
    )


@router.get("/generators/compare")
def compare(request: Request, here: Here, admin: Viewing, left: int, right: int) -> Response:
    """Two generators side by side: figures with intervals, and samples from the same seeds."""
    with reading(here.engine) as connection:
        sides = [_facts(connection, each) for each in (left, right)]
    seeds = {row.seed for row in sides[0]["samples"]} & {row.seed for row in sides[1]["samples"]}
    pairs = [
        [next(row for row in side["samples"] if row.seed == seed) for side in sides] for seed in sorted(seeds)[:SHOWN]
    ]
    return views.page(request, "compare.html", admin, sides=sides, pairs=pairs)


@router.get("/generators/{generator_id}")
def show_generator(request: Request, here: Here, admin: Viewing, generator_id: int) -> Response:
    """One generator's card."""
    with reading(here.engine) as connection:
        facts = _facts(connection, generator_id)
        one: Generator = facts["generator"]
        label_set = labels.find_set(connection, one.label_set_id) if one.label_set_id else None
        others = [each for each in generators.listing(connection, one.archive_id) if each.id != one.id]
        decided = [d for d in generators.decisions_on(connection, one.archive_id) if d.generator_id == one.id]
        tried = canaries.listing(connection, one.archive_id, one.id)
        names = {each.id: each.name for each in (one, *others)}
        still = canaries.find_open(connection, one.archive_id)
        played = rollups.played(connection, day_of(now()) - DAYS + 1, one.archive_id)
    return views.page(
        *(request, "generator.html", admin),
        by_day=[(row, one.name) for row in reversed(played) if row.generator_id == one.id],
        days=DAYS,
        **facts,
        label_set=label_set,
        others=others,
        decisions=decided,
        canaries=tried,
        names=names,
        other_tried=names.get(still.generator_id) if still and still.generator_id != one.id else None,
        canary_share=here.canary_share,
    )


@router.post("/generators/{generator_id}/promote")
def promote(here: Here, admin: Changing, generator_id: int, reason: Reason) -> Response:
    """Ask that a generator become the champion, as soon as its shelf is full enough."""
    return _ask(here, admin, generator_id, {"generator": generator_id}, "promotion asked for", reason)


@router.post("/generators/{generator_id}/roll-back")
def roll_back(here: Here, admin: Changing, generator_id: int, reason: Reason) -> Response:
    """Ask that the champion before this one play again."""
    return _ask(here, admin, generator_id, {}, "rollback asked for", reason)


@router.post("/generators/{generator_id}/canary")
def set_canary(
    here: Here, admin: Changing, generator_id: int, share: Annotated[float, Form(ge=0, le=80)], reason: Reason
) -> Response:
    """Try a generator beside the champion in a share (in percent) of the rounds; 0 stops that."""
    with writing(here.engine) as connection:
        one = found(connection, generator_id)
        before = {name: round(arm.share, 3) for name, arm in _arms(connection, one.archive_id)}
        if share:
            _open(connection, here, admin, one, share / 100, reason)
        else:
            _stop(connection, admin, one, reason)
        after = {name: round(arm.share, 3) for name, arm in _arms(connection, one.archive_id)}
        what = "canary opened" if share else "canary stopped"
        note(connection, admin, Change(what, f"generator {one.id} {one.name}", before, after, reason))
    done = f"plays {100 * after['candidate']:.0f} % of the rounds" if share else "is not tried any more"
    return views.back(f"/admin/generators/{generator_id}", f"{one.name} {done}.")


def _open(connection: Connection, here: Office, admin: Admin, one: Generator, share: float, reason: str) -> None:
    if not samples.level(connection, one.archive_id, one.id):
        raise Refused(409, "Its shelf is empty", f"{one.name} has no samples to play with: restock it first.")
    active = evidence.active_players(connection, one.archive_id, here.learn_from, now() - timedelta(days=7))
    try:
        # As the admin says it, and not half of the rounds on a small site.
        plan = plan_for(active, share, here.anchor_share, as_said=True, kept_days=here.guesses_kept_days)
        opening = Opening(plan, admin.name, figures={"reason": reason})
        canaries.open_canary(connection, one.archive_id, one.id, opening, now())
    except ValueError as error:
        raise Refused(409, "Not that canary", f"{error}.") from None


def _stop(connection: Connection, admin: Admin, one: Generator, reason: str) -> None:
    tried = canaries.find_open(connection, one.archive_id)
    if tried is None or tried.generator_id != one.id:
        raise Refused(409, "Nothing to stop", f"{one.name} is not tried now.")
    decided = Decided("canary stopped", admin.name, {"reason": reason, "looks before": list(tried.looks)})
    canaries.close(connection, tried, canaries.STOPPED, decided, now(), None)


def _ask(here: Here, admin: Changing, generator_id: int, arguments: dict[str, Any], what: str, reason: str) -> Response:
    with writing(here.engine) as connection:
        one = found(connection, generator_id)
        champion = generators.in_arm(connection, one.archive_id, generators.CHAMPION)
        plays = champion is not None and champion.id == one.id
        if plays == bool(arguments):  # the page that was sent from may be older than what another admin did
            words = f"{one.name} {'is the champion already' if plays else 'is not the champion any more'}."
            raise Refused(409, "Changed meanwhile", f"{words} Look at the generators anew.")
        asked = jobs.ask_unless_open(
            *(connection, "promote", one.archive_id, arguments | {"reason": reason}),
            asked_by=admin.name,
            at=now(),
        )
        if asked is None:
            raise Refused(409, "One at a time", "A promotion of this archive is under way.")
        before = {"champion": champion.name if champion else None}
        after = {"champion": one.name if arguments else "the one before", "job": asked}
        note(connection, admin, Change(what, f"generator {one.id} {one.name}", before, after, reason))
    return views.back(f"/admin/jobs/{asked}", "Asked for.")


def _facts(connection: Connection, generator_id: int) -> dict[str, Any]:
    one = found(connection, generator_id)
    counts = tallies.by_generator(connection, one.archive_id).get(one.id, {})
    archive = next((each for each in archives.listing(connection) if each.id == one.archive_id), None)
    return {
        "generator": one,
        "archive": archive,
        "part": dict((arm.generator_id, (name, arm.share)) for name, arm in _arms(connection, one.archive_id)).get(
            one.id
        ),
        "crowds": counts,
        "real": counts.get("real", Count()),
        "level": samples.level(connection, one.archive_id, one.id),
        "samples": browsing.sample_page(connection, Wanted(one.archive_id, one.id, limit=200)).rows,
    }


def found(connection: Connection, generator_id: int) -> Generator:
    """The generator with that id.

    Raises:
        Refused: there is none.
    """
    one = generators.find(connection, generator_id)
    if one is None:
        raise Refused(404, "No such generator", f"There is no generator with the id {generator_id}.")
    return one


def _arms(connection: Connection, archive_id: int) -> list[tuple[str, generators.Arm]]:
    # The anchor is often the champion as well: what matters more is named last, and wins.
    order = {"anchor": 0, "candidate": 1, "champion": 2}
    return sorted(generators.arms_of(connection, archive_id).items(), key=lambda item: order.get(item[0], 0))
