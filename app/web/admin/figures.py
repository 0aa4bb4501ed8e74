"""Figures: the charts' JSON, and the script that draws them."""

from __future__ import annotations

import gzip
from functools import cache
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.db import archives, generators, jobs, rollups
from app.db.rollups import day_of
from app.db.session import now, reading
from app.web.admin import charts, views
from app.web.admin.office import Here, Refused, Viewing

router = APIRouter(include_in_schema=False)
NOTHING = "null"  # a chart without figures: an empty box would say less than words


@router.get("/charts/fool-rates.json")
def fool_rates(
    here: Here, _: Viewing, days: int = 30, archive: str = "", generator: int | None = None, dark: bool = False
) -> Response:
    """Fool rates by generator and day; of an archive's alone, or of one."""
    with reading(here.engine) as connection:
        listed = [each for each in archives.listing(connection) if archive in ("", each.slug)]
        names: dict[int, str] = {}
        for each in listed:
            prefix = "" if len(listed) == 1 else f"{each.slug} "
            names |= {found.id: prefix + found.name for found in generators.listing(connection, each.id)}
        played = rollups.played(connection, day_of(now()) - min(max(days, 1), 400) + 1)
    shown = [row for row in played if row.generator_id in names and generator in (None, row.generator_id)]
    return _json(charts.fool_rates(shown, names, dark=dark) if shown else NOTHING)


@router.get("/charts/jobs/{job_id}.json")
def learning_curve(here: Here, _: Viewing, job_id: int, dark: bool = False) -> Response:
    """Bits per character over the steps of a training."""
    with reading(here.engine) as connection:
        job = jobs.find(connection, job_id)
    if job is None:
        raise Refused(404, "No such job", "It may have been asked for in another database.")
    return _curve(job.progress.get("curve"), dark)


@router.get("/charts/generators/{generator_id}.json")
def curve_on_its_card(here: Here, _: Viewing, generator_id: int, dark: bool = False) -> Response:
    """Bits per character over the steps of the training that made a generator."""
    with reading(here.engine) as connection:
        one = generators.find(connection, generator_id)
    if one is None:
        raise Refused(404, "No such generator", f"There is no generator with the id {generator_id}.")
    return _curve(one.card.get("curve"), dark)


def _curve(points: Any, dark: bool) -> Response:
    return _json(charts.curve(points, dark=dark) if points else NOTHING)


@router.get("/bokeh.js")
def bokeh_script(_: Viewing) -> Response:
    """BokehJS from the installed package."""
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "Content-Encoding": "gzip"}
    return Response(_compressed(), headers=headers, media_type="text/javascript; charset=utf-8")


@cache
def _compressed() -> bytes:
    return gzip.compress(charts.script()[1].read_bytes(), 6, mtime=0)


def _json(content: str) -> Response:
    return Response(content, headers=views.NO_STORE, media_type="application/json")
