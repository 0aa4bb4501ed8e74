"""The worker: claims jobs and does them, sees to what is due, and takes up what dead workers left behind."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from app.db import jobs, uploads, workers
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.jobs import drafts, supervising, tasks, workflows
from app.jobs.due import ask_for_what_is_due, ask_for_what_is_learned, due_time
from app.jobs.freezing import drop_failed
from app.jobs.hold import Heartbeat, Hold, worker_name
from app.jobs.judging import ask_for_looks
from app.jobs.removing import ask_for_removals, drop_guesses, drop_networks, drop_old_scores
from app.jobs.screening import ask_for_screenings
from app.jobs.workshop import Interrupted, JobError, Skipped, T, Workshop

LOOK_SECONDS = 1.0  # between two looks for queued jobs
CHORES_SECONDS = 5.0  # between two looks at shelves and the schedule
WATCH_SECONDS = 60.0  # between two looks at canaries, and at how many labels are new
SWEEP_SECONDS = 60.0  # between two looks for stranded jobs
NETWORKS_SECONDS = 60.0  # between two looks for marks of networks that are too old
SILENT_SECONDS = 30.0  # without a heartbeat: that worker is taken for dead
SHUTDOWN_SECONDS = 25.0  # that jobs have to come to a halt
LANES = (tasks.LIGHT, tasks.HEAVY)  # one job of each at a time: restocking goes on while something trains

log = logging.getLogger("whichtweet.work")


class Worker:
    """One worker process."""

    def __init__(self, workshop: Workshop, workflows_url: str) -> None:
        self.name = worker_name("work")
        self._workshop = workshop
        self._workflows_url = workflows_url
        self._stopping = threading.Event()
        self._seen_to = 0  # the guess up to which marks of networks are dropped
        self._at_work: dict[int, str] = {}  # job id -> kind, of jobs in this process
        self._trains = False
        self._due: dict[str, float] = {}  # chore -> when it is next done, by the monotonic clock

    def stop(self) -> None:
        """Ask the worker to stop; from any thread or a signal."""
        self._stopping.set()

    def run(self) -> None:
        """Work until asked to stop; then let jobs come to a halt where they can be taken up again."""
        workflows.launch(self._workflows_url, self.name, self._perform)
        with Heartbeat(self._workshop.engine, self.name, lambda: self._trains):
            log.info("worker %s is ready", self.name)
            while not self._stopping.is_set():
                try:
                    self._look()
                except DBAPIError as error:
                    log.warning("the database does not answer: %s", _first_line(error))
                except Exception:  # a bug must not end the worker: what else is due is done at the next look
                    log.exception("a look went wrong")
                self._stopping.wait(LOOK_SECONDS)
            self._come_to_a_halt()
        workflows.stop(self.name)
        log.info("worker %s has stopped", self.name)

    def _look(self) -> None:
        if self._is_time("sweep", SWEEP_SECONDS):
            self._sweep()
        if self._is_time("chores", CHORES_SECONDS):
            self._notice_tensorflow()
            ask_for_what_is_due(self._workshop, now())
            ask_for_removals(self._workshop, now())
            ask_for_screenings(self._workshop, due_time(self._workshop.screen_cron, now()), now())
        if self._is_time("watch", WATCH_SECONDS):
            ask_for_looks(self._workshop, now())
            ask_for_what_is_learned(self._workshop, now())
        if self._is_time("networks", NETWORKS_SECONDS):
            self._seen_to = drop_networks(self._workshop, self._seen_to, now())
            drop_guesses(self._workshop, now())
        for lane in LANES:
            if set(self._at_work.values()) & set(lane) or (lane == tasks.HEAVY and not self._trains):
                continue
            with writing(self._workshop.engine) as connection:
                job = jobs.claim(connection, self.name, lane, now())
            if job is not None:
                self._at_work[job.id] = job.kind
                log.info("job %d: %s, attempt %d", job.id, job.kind, job.attempts)
                try:
                    workflows.start(job.id, self.name)
                except BaseException:
                    # Not at work after all: the next sweep frees it, and the lane is not held for ever.
                    del self._at_work[job.id]
                    raise

    def _is_time(self, chore: str, seconds: float) -> bool:
        if time.monotonic() < self._due.get(chore, 0.0):
            return False
        self._due[chore] = time.monotonic() + seconds
        return True

    def _notice_tensorflow(self) -> None:
        before, self._trains = self._trains, self._trains or supervising.trains()
        if self._trains and not before:
            log.info("TensorFlow is there: this worker trains")
        elif not self._trains and self._is_time("say that training waits", 600):
            log.info("training waits for TensorFlow: make setup-train")

    def _perform(self, job_id: int) -> None:
        """Do a job that this worker holds; called by its workflow, in a thread of its own."""
        structlog.contextvars.bind_contextvars(job=job_id)
        try:
            with reading(self._workshop.engine) as connection:
                job = jobs.find(connection, job_id)
            if job is None or job.state != "running" or job.worker != self.name:
                raise workflows.Left  # taken over, or closed, since it was put on our queue
            hold = Hold(self._workshop.engine, job.claim, self._stopping.is_set)
            with self._ending(job, hold):

                def step(name: str, do: Callable[[], T]) -> T:
                    hold.step(name)

                    def done() -> T:
                        result = do()
                        hold.stored()
                        return result

                    return workflows.once(name, done)

                words = tasks.do(self._workshop, job, hold, step)
                self._close(job, "done", words)
        finally:
            self._at_work.pop(job_id, None)
            structlog.contextvars.unbind_contextvars("job")

    @contextmanager
    def _ending(self, job: Job, hold: Hold) -> Iterator[None]:
        """Close the job as it ends; leave its workflow open where it is to go on another time."""
        try:
            yield
        except Interrupted:
            if hold.why == "cancelled":
                self._close(job, "cancelled", "cancelled")
            else:
                self._leave(job, "its worker shut down; it goes on from where it stood")
        except supervising.TrainingWaits as error:
            self._trains = False
            self._leave(job, str(error))
        except Skipped as reason:
            self._close(job, "skipped", str(reason))
        except DBAPIError as error:
            self._try_again(job, error)
        except JobError as error:
            self._close(job, "failed", str(error))
        except Exception as error:  # a bug must not take the worker down with it
            log.exception("job %d failed", job.id)
            self._close(job, "failed", f"{type(error).__name__}: {_first_line(error)}")

    def _close(self, job: Job, state: str, words: str) -> None:
        log.info("job %d: %s: %s", job.id, state, words)
        if state in ("failed", "cancelled") and self._holds(job):
            tasks.clear_up(self._workshop, job)
        with writing(self._workshop.engine) as connection:
            jobs.finish(connection, job.claim, state, words, now())

    def _holds(self, job: Job) -> bool:
        """Whether nobody has taken the job over: what it left in files is then ours to remove."""
        with reading(self._workshop.engine) as connection:
            return jobs.wanted(connection, job.claim) is not None

    def _try_again(self, job: Job, error: DBAPIError) -> None:
        """Leave a job under which the database went away, as soon as that is there again; or give it up."""
        while True:
            try:
                with reading(self._workshop.engine) as connection:
                    stands = jobs.find(connection, job.id) or job
                if stands.is_given_up:
                    self._close(job, "failed", f"the database did not answer: {_first_line(error)}")
                    return
                moment = now()
                until = stands.next_attempt(moment)
                words = f"the database did not answer; it is tried again{_when(until, moment)}"
                self._leave(job, words, lost_until=until)
                return
            except DBAPIError:
                if self._stopping.wait(LOOK_SECONDS):  # then whoever comes next finds that this worker is gone
                    raise workflows.Left from None

    def _leave(self, job: Job, words: str, *, lost_until: datetime | None = None) -> None:
        with writing(self._workshop.engine) as connection:
            is_queued = jobs.requeue(connection, job.claim, words, lost_until=lost_until)
            is_cancelled = not is_queued and jobs.wanted(connection, job.claim) == "cancel"
        if is_cancelled:  # cancelled while it stopped: nobody might ever come to take it up and notice
            self._close(job, "cancelled", "cancelled")
            return
        log.info("job %d: %s", job.id, words)
        raise workflows.Left

    def _sweep(self) -> None:
        """Free the jobs of workers that died, and our own that were lost when the database was away."""
        moment = now()
        with reading(self._workshop.engine) as connection:
            silent = jobs.stranded(connection, moment - timedelta(seconds=SILENT_SECONDS))
            running = jobs.running(connection)
            alive = [worker.name for worker in workers.listing(connection, moment - timedelta(days=1))]
        dead = [job for job in running if job.worker is not None and _died_here(job.worker)]
        lost = [job for job in running if job.worker == self.name and job.id not in self._at_work]
        for job in {job.id: job for job in (*silent, *dead, *lost)}.values():
            free(self._workshop, job, moment)
        with writing(self._workshop.engine) as connection:
            workers.forget(connection, moment - timedelta(days=1))
        workflows.forget({*alive, self.name})
        drop_old_scores(self._workshop, moment)
        drop_failed(self._workshop)
        drafts.sweep(self._workshop.checkpoints, drafts.BUNDLE, moment)
        drafts.sweep(self._workshop.data_dir, drafts.RESTORE, moment)
        drafts.sweep(self._workshop.data_dir / "uploads", uploads.ARRIVING, moment)

    def _come_to_a_halt(self) -> None:
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while self._at_work and time.monotonic() < deadline:
            time.sleep(0.05)


def free(workshop: Workshop, job: Job, moment: datetime) -> None:
    """Take a job from a worker that died, and put it in the queue again or give it up."""
    is_over = False
    with writing(workshop.engine) as connection:
        if job.asked_by == jobs.COMMAND_LINE:
            words = "the command that did it was killed; the same command goes on from there"
            jobs.finish(connection, job.claim, "failed", words, moment)
        elif job.wanted == "cancel":
            is_over = jobs.finish(connection, job.claim, "cancelled", "cancelled", moment)
        elif job.is_given_up:
            words = f"given up: its worker died in {job.lost + 1} attempts in a row, none of which came any further"
            is_over = jobs.finish(connection, job.claim, "failed", words, moment)
        else:
            until = job.next_attempt(moment)
            words = f"its worker died; it is taken up again{_when(until, moment)}"
            if jobs.requeue(connection, job.claim, words, lost_until=until):
                log.info("job %d: %s (%s)", job.id, words, job.worker)
    if is_over:
        tasks.clear_up(workshop, job)


def _when(until: datetime, moment: datetime) -> str:
    """The end of a sentence on a job that rests: when it is taken up."""
    return f" at {until:%H:%M:%S} UTC" if until > moment else ""


def _died_here(worker: str) -> bool:
    """Whether a worker's process on this machine is gone: no need to wait until its silence tells."""
    kind, _, rest = worker.partition("-")
    host, _, tail = rest.rpartition("-")
    host, _, pid = host.rpartition("-")
    if not kind or host != socket.gethostname()[:32] or not pid.isdigit() or not tail:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _first_line(error: Exception) -> str:
    words = str(getattr(error, "orig", None) or error).strip()
    return words.splitlines()[0] if words else type(error).__name__
