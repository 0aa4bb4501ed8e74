"""Forgetting a player who asked for it: frozen sets of labels are amended, guesses move to a fresh id or go."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256

from sqlalchemy import Connection

from app.db import forgetting, labels
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.jobs.freezing import body_of, put, read_lines, write_lines
from app.jobs.hold import Hold
from app.jobs.workshop import Interrupted, JobError, Skipped, Steps, Workshop


def forget_player(workshop: Workshop, job: Job, hold: Hold, step: Steps) -> str:
    """Do what is left to do after "forget me"; where it is stopped, it goes on with what still stands under the id."""
    player_id = int(job.arguments["player"])

    def forget() -> str:
        with reading(workshop.engine) as connection:
            is_there, is_free = forgetting.is_there(connection, player_id), forgetting.is_free(connection, player_id)
        if not is_there:
            # Killed behind its last row it has not looked for sets that were frozen meanwhile.
            if is_free:
                _amend_all(workshop, player_id, None)
            raise Skipped("that player is forgotten already")
        fresh = None
        if not workshop.forget_guesses:
            with writing(workshop.engine) as connection:
                fresh = forgetting.fresh_id(connection, player_id, now())
        amended = _amend_all(workshop, player_id, fresh)
        moved = _move(workshop, player_id, fresh, hold)
        # A set that was being frozen meanwhile: whoever freezes later finds that the player is not there any more.
        amended += _amend_all(workshop, player_id, fresh)
        how = "removed" if workshop.forget_guesses else "moved to an id that leads nowhere"
        return f"a player is forgotten: {moved:,} guesses {how}, {amended} frozen sets of labels amended"

    return step("forget", forget)


def amend(workshop: Workshop, set_id: int, player_id: int) -> bool:
    """Take a player out of a frozen set, or give them another name there; whether the set held any of them.

    The amended file is another file with a SHA-256 of its own; the row of the set goes over to it in one transaction,
    and notes the change. A set whose file is gone holds nobody; one that is damaged stays for a person to look at.
    """
    with reading(workshop.engine) as connection:
        found = labels.find_set(connection, set_id)
    if found is None or not workshop.folder(found.file_key).exists():
        return False
    try:
        lines = read_lines(body_of(workshop, found))
    except JobError:
        return False
    theirs = sum(line["player"] == player_id for line in lines)
    if not theirs:
        return False
    # Another name in each file: two of them cannot be joined by it. What the guesses taught can still be traced.
    alias = f"forgotten-{secrets.token_hex(8)}"
    kept = [
        line | {"player": alias} if line["player"] == player_id else line
        for line in lines
        if line["player"] != player_id or not workshop.forget_guesses
    ]
    body = write_lines(kept)
    digest = sha256(body).hexdigest()
    folder = found.file_key.rpartition("/")[0]
    key = f"{folder}/{found.cutoff_guess_id}-{digest[:12]}.jsonl"
    put(workshop.folder(key), body)
    why = "a player was forgotten: " + ("lines removed" if workshop.forget_guesses else "lines under another name")
    with writing(workshop.engine) as connection:
        is_there = forgetting.amend_set(connection, set_id, key, digest, theirs, why, now())
    # Nobody needed it any more, and it went meanwhile: no file of it stays.
    workshop.folder(found.file_key if is_there else key).unlink(missing_ok=True)
    return is_there


def _amend_all(workshop: Workshop, player_id: int, fresh: int | None) -> int:
    with reading(workshop.engine) as connection:
        sets = forgetting.set_ids(connection)
    amended = sum(amend(workshop, set_id, player_id) for set_id in sets)
    with writing(workshop.engine) as connection:
        forgetting.name_in_sets(connection, player_id, fresh)
    return amended


def _move(workshop: Workshop, player_id: int, fresh: int | None, hold: Hold) -> int:
    def some(connection: Connection) -> int:
        if fresh is None:
            return forgetting.drop_some(connection, player_id)
        return forgetting.move_some(connection, player_id, fresh)

    moved = _in_batches(workshop, some, hold)
    with writing(workshop.engine) as connection:
        forgetting.close(connection, player_id, fresh)
    return moved


def _in_batches(workshop: Workshop, some: Callable[[Connection], int], hold: Hold) -> int:
    done = 0
    while True:
        with writing(workshop.engine) as connection:
            count = some(connection)
        if not count:
            return done
        done += count
        hold.on_stored({"guesses": done})
        if hold.should_stop():
            raise Interrupted
