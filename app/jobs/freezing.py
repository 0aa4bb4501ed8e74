"""Freezing labels: the file of what a generator learned from, written once, checked whenever it is read."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.db import labels
from app.db.archives import Archive
from app.db.labels import LabelSet, NewSet, Taught
from app.db.session import now, reading, writing
from app.game.labels import RULES_VERSION
from app.game.weights import weigh
from app.jobs.screening import hold_newer_labels, in_words, screen_players
from app.jobs.workshop import JobError, ShouldStop, Skipped, Workshop, never

OLD = 7 * 86_400.0  # seconds that a file stays which no set names: a database that was moved away may come back
MOST = 50_000  # labels of a set, the newest: the memory and the time that a scorer takes grow with them


def freeze_labels(
    workshop: Workshop,
    archive: Archive,
    least: int | None = None,
    *,
    class_id: int | None = None,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """Screen the players, then write the labels that teach to a file and record it: id, how many, key of the file.

    Each line carries the weight of its guess, under which no player and no network rules what is learned. With
    `class_id` they are the labels of that class alone, and those of everybody stay as new as they were; then nobody is
    screened, and who is held stays so.

    Raises:
        Skipped: fewer than `least` of them (or than the setting says) are new since the last retraining, be it that it
            found nothing to change.
        Interrupted: `should_stop` said so, while players were screened.
    """
    least = workshop.retrain_min_labels if least is None else least
    _need(workshop, archive, least, class_id)
    if class_id is None:
        screened = in_words(screen_players(workshop, archive, should_stop))
    else:
        # To screen all of an archive's players takes minutes of the few that a class waits; ten rounds show nobody up.
        hold_newer_labels(workshop, archive, should_stop)
        screened = "only who was held before"
    _need(workshop, archive, least, class_id)
    while (frozen := _freeze(workshop, archive, class_id)) is None:
        pass  # somebody was forgotten in between
    return frozen | {"screened": screened}


def _freeze(workshop: Workshop, archive: Archive, class_id: int | None) -> dict[str, Any] | None:
    """Write the file and its row; None where a player whose labels it holds has asked to be forgotten meanwhile."""
    with reading(workshop.engine) as connection:
        cutoff = labels.newest_guess(connection, archive.id)
        given: dict[str, Any] = {"up_to": cutoff, "most": MOST, "class_id": class_id}
        taught = list(labels.taught(connection, archive.id, workshop.learn_from, **given))
        counts = labels.counts(connection, archive.id, up_to=cutoff)
    # A class sits in one network: there it must not count as one voice.
    networks = [guess.network if class_id is None else None for guess in taught]
    weights = weigh([guess.player_id for guess in taught], networks).values
    body = write_lines([_line(guess, float(weight)) for guess, weight in zip(taught, weights, strict=True)])
    digest = sha256(body).hexdigest()
    key = f"{archive.slug}/labels/{cutoff}-{digest[:12]}.jsonl"
    put(workshop.folder(key), body)
    frozen = NewSet(
        archive_id=archive.id,
        cutoff_guess_id=cutoff,
        rules_version=RULES_VERSION,
        counts=counts,
        file_key=key,
        sha256=digest,
        players=Counter(guess.player_id for guess in taught),
        class_id=class_id,
    )
    with writing(workshop.engine) as connection:
        is_whole = labels.are_there(connection, frozen.players)
        set_id = labels.keep_set(connection, frozen, now()) if is_whole else 0
    if not is_whole:
        workshop.folder(key).unlink(missing_ok=True)
        return None
    return {"id": set_id, "labels": len(taught), "key": key, "sha256": digest}


def _need(workshop: Workshop, archive: Archive, least: int, class_id: int | None) -> None:
    with reading(workshop.engine) as connection:
        learned = labels.learned_up_to(connection, archive.id) if class_id is None else 0
        new = labels.count_accepted(connection, archive.id, workshop.learn_from, after=learned, class_id=class_id)
    if new < least:
        raise Skipped(f"{new} new labels teach, {least} are needed (WHICHTWEET_RETRAIN_MIN_LABELS)")


def conclude(workshop: Workshop, archive: Archive, set_id: int) -> None:
    """Note that nothing was found to change by a set: that is asked again when there are as many new labels.

    The files of such sets go, but the last.
    """
    with writing(workshop.engine) as connection:
        labels.conclude(connection, set_id, now())
        keys = labels.drop_unlearned(connection, archive.id, keep=set_id)
    for key in keys:
        workshop.folder(key).unlink(missing_ok=True)


def drop_failed(workshop: Workshop) -> None:
    """Remove what retrainings froze that failed or were cancelled: no generator learned from it, and none will.

    So are files that no set has named for a week, which a worker that was killed left: nobody would amend them.
    """
    with writing(workshop.engine) as connection:
        keys = labels.drop_failed(connection)
    for key in keys:
        workshop.folder(key).unlink(missing_ok=True)
    left = [path for path in workshop.checkpoints.glob("*/labels/*.jsonl") if _is_old(path)]
    with reading(workshop.engine) as connection:
        named = {workshop.folder(key) for key in labels.file_keys(connection)} if left else set()
    for path in set(left) - named:
        path.unlink(missing_ok=True)


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > OLD
    except FileNotFoundError:  # another worker was quicker
        return False


def read_set(workshop: Workshop, set_id: int) -> list[dict[str, Any]]:
    """The lines of a frozen set, as `freeze_labels` wrote them.

    A set may have been amended since it was frozen (somebody asked to be forgotten): its row says where the file lies
    now, and what its SHA-256 is.

    Raises:
        JobError: there is no such set, or its file is gone or damaged.
    """
    found = _set(workshop, set_id)
    while True:
        try:
            return read_lines(body_of(workshop, found))
        except JobError:
            # Amended between the two looks, its former file goes: only one that still is where its row says is lost.
            before, found = found, _set(workshop, set_id)
            if found.file_key == before.file_key:
                raise


def _set(workshop: Workshop, set_id: int) -> LabelSet:
    with reading(workshop.engine) as connection:
        found = labels.find_set(connection, set_id)
    if found is None:
        raise JobError(f"there is no set of labels {set_id} any more")
    return found


def body_of(workshop: Workshop, found: LabelSet) -> bytes:
    """The file of a set, as it must be.

    Raises:
        JobError: it is gone or damaged.
    """
    path = workshop.folder(found.file_key)
    try:
        body = path.read_bytes()
    except FileNotFoundError:
        raise JobError(f"{path}: gone; it holds the labels of set {found.id}: bring it back from a backup") from None
    if sha256(body).hexdigest() != found.sha256:
        raise JobError(f"{path}: damaged: its SHA-256 is not the one of label set {found.id}")
    return body


def write_lines(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Lines of a set as its file holds them."""
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def read_lines(body: bytes) -> list[dict[str, Any]]:
    """The lines of a set's file."""
    return [json.loads(line) for line in body.splitlines()]


def put(path: Path, body: bytes) -> None:
    """Write a file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _line(guess: Taught, weight: float) -> dict[str, Any]:
    return {
        **{"guess": guess.guess_id, "player": guess.player_id, "simulated": guess.simulated},
        **{"tweet": guess.tweet_id, "sample": guess.sample_id, "generator": guess.generator_id},
        **{"arm": guess.arm, "tweet_index": guess.tweet_index, "pick": guess.pick, "verdict": guess.verdict},
        **{"arm_probability": guess.arm_probability, "card_probability": guess.card_probability},
        **{"policy": guess.policy_version},
        **{"weight": round(weight, 6), "guessed_at": guess.guessed_at.isoformat()},
    }
