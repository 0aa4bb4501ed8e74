"""The lectern: what the lecturer's buttons do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from app.db import classes, jobs
from app.db.session import reading, writing
from app.game.classroom import ROUNDS, Shun, deal_leg
from app.game.rounds import Round, ShelfEmpty
from app.game.shelf import Arm, Rack
from app.web import problems
from app.web.entries import Entry
from app.web.problems import Problem
from app.web.rooms import Scene
from app.web.services import Services

TRAIN_MINUTES = 2.0  # of training itself; app/jobs/class_training.py sees to it that all of it takes five at most
# What a step of the training is called on the wall; see app/jobs/class_training.py.
DOING = {
    "": "it is about to begin",
    "freeze the labels": "it looks through your picks",
    "write the texts": "it looks through your picks",
    "restock": "it writes its next cards",
}
TRAINING = "it trains"
LEAST_PICKS = 20  # below which there is nothing to learn from


def act(house: Services, scene: Scene, do: str, at: datetime) -> None:
    """Move the class on; what is not possible now changes nothing.

    Raises:
        Problem: there is nothing to deal.
    """
    room, phase = scene.room, scene.phase(at)
    if do == "end" and phase != "ended":
        with writing(house.engine) as connection:
            classes.end(connection, at, room.id)
    elif do == "reveal" and phase == "asking":
        _change(house, scene, is_revealed=True)
    elif do == "next" and phase == "revealed":
        number = _next_number(house, scene)
        _change(house, scene, number=number, asked_at=None if number > ROUNDS else at, is_revealed=False)
    elif do == "next" and (phase == "waiting" or (phase == "over" and room.leg == 1 and room.generator_id)):
        _start_leg(house, scene, at)
    elif do == "train" and can_train(scene, at):
        _train(house, scene, at)


def can_train(scene: Scene, at: datetime) -> bool:
    """Whether the class has played enough to learn from, and has not been learned from yet."""
    has_failed = scene.job is not None and scene.job.state in ("failed", "cancelled", "skipped")
    is_time = scene.phase(at) == "over" and scene.room.leg == 1 and scene.room.generator_id is None
    return is_time and scene.room.teaches and (scene.job is None or has_failed) and len(scene.picks) >= LEAST_PICKS


def _change(house: Services, scene: Scene, **values: object) -> None:
    with writing(house.engine) as connection:
        classes.change(connection, scene.room.id, **values)


def _next_number(house: Services, scene: Scene) -> int:
    """The round that follows. One of which a card was hidden since it was laid down gets another pair, while there is
    one; else it is passed over."""
    room = scene.room
    to_come = {asked.number: asked for asked in scene.rounds if asked.leg == room.leg and asked.number > room.number}
    for number in sorted(to_come):
        if not to_come[number].is_hidden:
            return number
        try:
            made = _deal(house, scene, room.leg, 1)
        except ShelfEmpty:
            continue
        with writing(house.engine) as connection:
            classes.replace_round(connection, room.id, room.leg, number, made[0])
        return number
    return ROUNDS + 1


def _start_leg(house: Services, scene: Scene, at: datetime) -> None:
    room = scene.room
    try:
        dealt = _deal(house, scene, room.leg + 1, ROUNDS)
    except ShelfEmpty:
        raise _too_little(house, room.archive_id) from None
    with writing(house.engine) as connection:
        classes.keep_rounds(connection, room.id, room.leg + 1, dealt)
        classes.change(connection, room.id, leg=room.leg + 1, number=1, asked_at=at, is_revealed=False)


def _too_little(house: Services, archive_id: int) -> Problem:
    """Why no rounds can be made."""
    entry = house.catalogue.by_id(archive_id)
    if entry is None or not entry.is_taught:
        return problems.untaught()
    dealt = entry.deck.dealt(ROUNDS)
    if dealt == ROUNDS and entry.shelf.level() < ROUNDS:
        return problems.shelf_empty()
    return problems.no_class(entry.archive, dealt, ROUNDS)


def _deal(house: Services, scene: Scene, leg: int, count: int) -> list[Round]:
    """Rounds for a leg whose cards are in none of the class's rounds so far.

    Raises:
        ShelfEmpty: there is too little to deal.
    """
    room = scene.room
    entry = house.catalogue.by_id(room.archive_id)
    if entry is None:
        raise ShelfEmpty("the archive is gone")
    arm = _champion(entry.shelf.arms) if leg == 1 else _trained(house, room.generator_id or 0)
    if arm is None:
        raise ShelfEmpty("nobody writes for this archive")
    before = [(asked.tweet_id, asked.sample_id) for asked in scene.rounds]
    with reading(house.engine) as connection:
        shuns = _shuns(connection, entry, room.id)
        return deal_leg(entry.deck, arm, entry.shelf.stamp, room.seed, room.archive_id, before, shuns, count)


def _shuns(connection: Connection, entry: Entry, class_id: int) -> tuple[Shun, Shun]:
    """What the latest dailies keep and what somebody in the room has met; and where that leaves too little, the former.

    Who comes in later may have met a card: their guess is a repeat then, as anywhere.
    """

    def met_samples(ids: Sequence[int]) -> frozenset[int]:
        return entry.kept_samples.intersection(ids) | classes.met(connection, class_id, "sample", ids)

    def met_tweets(ids: Sequence[int]) -> frozenset[int]:
        return entry.kept_tweets.intersection(ids) | classes.met(connection, class_id, "tweet", ids)

    return Shun(met_samples, met_tweets), Shun(entry.kept_samples.intersection, entry.kept_tweets.intersection)


def _champion(arms: tuple[Arm, ...]) -> Arm | None:
    return next((arm for arm in arms if arm.name == "champion"), None)


def _trained(house: Services, generator_id: int) -> Arm:
    with reading(house.engine) as connection:
        found = classes.samples_of(connection, generator_id)
    rack = Rack([each[0] for each in found], [each[1] for each in found], [0] * len(found), [None] * len(found))
    return Arm("class", generator_id, 1.0, rack)


def _train(house: Services, scene: Scene, at: datetime) -> None:
    arguments = {"class": scene.room.id, "minutes": TRAIN_MINUTES}
    with writing(house.engine) as connection:
        job_id = jobs.ask(connection, "class", scene.room.archive_id, arguments, asked_by="lecturer", at=at)
        classes.change(connection, scene.room.id, job_id=job_id)
