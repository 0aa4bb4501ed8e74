"""Work: jobs as they run, and trainings to be started, watched, cancelled and resumed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, Response

from app.db import archives, jobs, uploads, workers
from app.db.audit import Change
from app.db.session import now, reading, writing
from app.game.own_settings import OwnSettings
from app.web.admin import bundles, views
from app.web.admin.choosing import found
from app.web.admin.office import Changing, Here, Refused, Viewing, note
from app.web.admin.overview import ALIVE
from app.web.admin.schedule import next_times

router = APIRouter(include_in_schema=False)
CELLS = ("lstm", "gru", "rnn")
UPLOADS = {"preview": "waiting", "import": "imported"}  # what is done with an uploaded file -> its state meanwhile
AGAIN = ("train", "retrain", "restock", "import", "preview", "promote")


@router.get("/training")
def show_training(request: Request, here: Here, admin: Viewing, archive: str = "") -> Response:
    """The form that starts a training, the schedule, and what ran lately."""
    at = now()
    with reading(here.engine) as connection:
        listed = archives.listing(connection)
        recent = jobs.listing(connection, limit=40)
        alive = workers.listing(connection, at - ALIVE)
    return views.page(
        *(request, "training.html", admin),
        archives=listed,
        chosen=archive,
        jobs=recent,
        slugs={each.id: each.slug for each in listed},
        can_train=any(worker.trains for worker in alive),
        alive=alive,
        cron=here.retrain_cron,
        next_times=next_times(here.retrain_cron, OwnSettings(), at),
        least=here.retrain_min_labels,
        minutes=here.train_minutes,
        cells=CELLS,
    )


@router.post("/training")
def start_training(
    here: Here,
    admin: Changing,
    archive: Annotated[str, Form()],
    kind: Annotated[str, Form()] = "train",
    minutes: Annotated[float, Form(gt=0, le=10_000)] = 15,
    layers: Annotated[int, Form(ge=1, le=4)] = 2,
    units: Annotated[int, Form(ge=8, le=2048)] = 512,
    cell: Annotated[str, Form()] = "lstm",
    seed: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    """Ask for a training from chance, or for a retraining on labels."""
    if kind not in ("train", "retrain") or cell not in CELLS:
        raise Refused(422, "No such training", "Pick one of those in the list.")
    arguments: dict[str, Any] = {"minutes": minutes, "seed": seed}
    if kind == "train":
        arguments |= {"layers": layers, "units": units, "cell": cell}
    with writing(here.engine) as connection:
        which = found(connection, archive)
        others = ("train", "retrain")
        asked = jobs.ask_unless_open(
            connection, kind, which.id, arguments, asked_by=admin.name, at=now(), unless=others
        )
        if asked is None:
            raise Refused(409, "One at a time", f"A training of {archive} is queued or running: cancel it, or wait.")
        note(connection, admin, Change(f"{kind}ing asked for", archive, {}, arguments | {"job": asked}))
    return views.back(f"/admin/jobs/{asked}", "The training is asked for.")


@router.get("/jobs/{job_id}.json")
def job_figures(here: Here, _: Viewing, job_id: int) -> Response:
    """How far a job is, for a script."""
    with reading(here.engine) as connection:
        job = jobs.find(connection, job_id)
    if job is None:
        raise Refused(404, "No such job", f"There is no job {job_id}.")
    body = {"id": job.id, "kind": job.kind, "state": job.state, "step": job.step, "outcome": job.outcome}
    return JSONResponse(body | {"progress": dict(job.progress)}, headers=views.NO_STORE)


@router.get("/jobs/{job_id}")
def show_job(request: Request, here: Here, admin: Viewing, job_id: int) -> Response:
    """One job, kept up to date while it runs."""
    with reading(here.engine) as connection:
        job = jobs.find(connection, job_id)
        listed = archives.listing(connection)
        alive = workers.listing(connection, now() - ALIVE)
    if job is None:
        raise Refused(404, "No such job", f"There is no job {job_id}.")
    slugs = {each.id: each.slug for each in listed}
    arguments = {key: value for key, value in job.arguments.items() if key != "path"}
    return views.page(
        *(request, "job.html", admin),
        job=job,
        slugs=slugs,
        arguments=arguments,
        alive=alive,
        names={worker.name for worker in alive},
        again=AGAIN,
    )


@router.post("/jobs/{job_id}/cancel")
def cancel(here: Here, admin: Changing, job_id: int) -> Response:
    """Ask that a job end early."""
    with writing(here.engine) as connection:
        job = jobs.find(connection, job_id)
        if job is None or job.state not in jobs.OPEN:
            raise Refused(409, "It has ended", f"Job {job_id} is not queued or running.")
        jobs.cancel(connection, job_id, now())
        note(connection, admin, Change("job cancelled", f"{job.kind} {job.id}", {"state": job.state}))
        left = jobs.find(connection, job_id)
    if left is not None:
        bundles.forget(left)
    is_over = left is not None and left.state == "cancelled"
    return views.back(f"/admin/jobs/{job_id}", "It is cancelled." if is_over else "It ends within seconds.")


@router.post("/jobs/{job_id}/again")
def ask_again(here: Here, admin: Changing, job_id: int) -> Response:
    """Ask for the same once more; a training goes on from where it stood."""
    with writing(here.engine) as connection:
        job = jobs.find(connection, job_id)
        if job is None or job.state in jobs.OPEN or job.kind not in AGAIN:
            raise Refused(409, "Not now", "Only a job that has ended can be asked for again.")
        asked = jobs.ask(connection, job.kind, job.archive_id, job.arguments, asked_by=admin.name, at=now())
        if asked is not None and job.kind in UPLOADS:
            uploads.follow(connection, job.id, asked, UPLOADS[job.kind])
        note(connection, admin, Change("job asked for again", f"{job.kind} {job.id}", {}, {"job": asked}))
    return views.back(f"/admin/jobs/{asked}", "Asked for again.")
