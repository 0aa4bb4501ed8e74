"""Recording guesses: a batch in one transaction, each answered exactly once and for good."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from app.db import players, rollups, seats, tallies
from app.db.players import Player
from app.db.rollups import Attending, LabelKey
from app.db.seats import SeatRow
from app.db.tables import archives, generators, guesses, labels, samples, tweets
from app.db.tallies import Count, TallyKey
from app.game import labels as label_rules
from app.game import scoring
from app.game.labels import Label, Sighting

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Guess:
    """A pick in a dealt round, as it arrived.

    Attributes:
        player: the player's key.
        start: the seat's place that the round was dealt from.
        shelf_stamp: the stamp that the player's next deal but one is made with.
        characters: of both cards together.
        simulated: the name of the simulated player, for one that is not recorded yet.
        is_expired: the round is too old to be guessed at; one that was guessed is answered all the same.
    """

    round_id: bytes
    player: bytes
    archive_id: int
    tweet_id: int
    sample_id: int
    generator_id: int
    arm: str
    mode: str
    start: int
    position: int
    repeat: bool
    tweet_index: int
    arm_probability: float
    card_probability: float
    policy: int
    stamp: int
    characters: int
    dealt_at: datetime
    pick: int
    recognised: bool
    shown_ms: int | None
    has_cookie: bool
    simulated: str | None
    network: bytes | None
    guessed_at: datetime
    is_expired: bool
    shelf_stamp: int


@dataclass(frozen=True)
class House:
    """The rules of the house that a guess is recorded by."""

    sample_retires_after: int
    learn_from: tuple[str, ...]


@dataclass(frozen=True)
class Recorded:
    """The answer to a guess, byte for byte as it was first given."""

    answer: str
    is_new: bool


class GuessRefused(Exception):  # noqa: N818  # an answer, not a mistake
    """A guess that is not recorded; the message says why."""


class OtherPick(GuessRefused):
    """This round was guessed before, with the other card."""

    def __init__(self, answer: str) -> None:
        super().__init__("this round was answered before, with the other card")
        self.answer = answer


class Expired(GuessRefused):
    """The round was never guessed at and is too old now."""


class Superseded(GuessRefused):
    """The player has passed this place with another round, or was forgotten."""


class OutOfTurn(GuessRefused):
    """The round before this one is still open."""


Outcome = Recorded | GuessRefused


@dataclass
class _SampleCount:
    guesses: int
    fooled: int
    exposures: int
    is_on_shelf: bool
    archive_id: int


@dataclass
class _Batch:
    """What the database says of everybody and everything in a batch, and what changes with it."""

    players: dict[bytes, Player]
    forgotten: set[bytes]
    answers: dict[bytes, tuple[int, str]]
    seats: dict[tuple[int, int, str], SeatRow]
    samples: dict[int, _SampleCount]
    tweets: dict[int, tuple[datetime | None, str | None]]
    numbers: dict[int, int]
    links: dict[int, str | None]
    rows: list[dict[str, Any]] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    counts: dict[TallyKey, Count] = field(default_factory=lambda: defaultdict(Count))
    attending: dict[tuple[int, str], Attending] = field(default_factory=lambda: defaultdict(Attending))
    label_counts: Counter[LabelKey] = field(default_factory=Counter)
    moved: set[bytes] = field(default_factory=set)
    sat: set[tuple[int, int, str]] = field(default_factory=set)
    exposed: set[int] = field(default_factory=set)


def record(connection: Connection, batch: Sequence[Guess], house: House) -> list[Outcome]:
    """Record guesses in order; for each its answer or why it was refused. All are on disk after the commit."""
    seen = _read(connection, batch)
    outcomes = [_record_one(seen, guess, house) for guess in batch]
    if seen.rows:
        _write(connection, seen, house)
    return outcomes


def _read(connection: Connection, batch: Sequence[Guess]) -> _Batch:
    keys = {guess.player for guess in batch}
    known = players.locked(connection, keys)
    answers = _answers(connection, {guess.round_id for guess in batch})
    strangers = keys - known.keys()
    forgotten = players.were_forgotten(connection, strangers) if strangers else set()
    newcomers = {
        guess.player: guess.simulated
        for guess in batch
        # A row is made only for a guess that will be recorded: a first place, not expired.
        if guess.player in strangers - forgotten and guess.start == 0 and not guess.is_expired
    }
    if newcomers:
        players.add(connection, newcomers, min(guess.guessed_at for guess in batch))
        known |= players.locked(connection, newcomers)
        # Another process may have recorded the same newcomer, and round, a moment ago.
        answers |= _answers(connection, {guess.round_id for guess in batch})
    places = {(known[guess.player].id, guess.archive_id, guess.mode) for guess in batch if guess.player in known}
    return _Batch(
        players=known,
        forgotten=forgotten,
        answers=answers,
        seats=seats.locked(connection, places),
        samples=_samples(connection, {guess.sample_id for guess in batch}),
        tweets=_tweets(connection, {guess.tweet_id for guess in batch}),
        numbers=_numbers(connection, {guess.generator_id for guess in batch}),
        links=_handles(connection, {guess.archive_id for guess in batch}),
    )


def _record_one(seen: _Batch, guess: Guess, house: House) -> Outcome:
    if guess.round_id in seen.answers:
        pick, answer = seen.answers[guess.round_id]
        return Recorded(answer, is_new=False) if pick == guess.pick else OtherPick(answer)
    if guess.is_expired:
        return Expired("this round has expired: ask for a new one")
    player = seen.players.get(guess.player)
    if player is None:
        is_forgotten = guess.player in seen.forgotten
        return Superseded("this round is no longer open") if is_forgotten else OutOfTurn(_FIRST_THINGS)
    place = (player.id, guess.archive_id, guess.mode)
    seat = seen.seats.get(place) or SeatRow(
        *place,
        position=0,
        again=0,
        stamp=guess.stamp,
        next_stamp=guess.stamp,
        guesses=0,
        spotted=0,
        streak=0,
        best_streak=0,
    )
    due = seat.again if guess.repeat else seat.position
    if guess.start != due:
        return OutOfTurn(_FIRST_THINGS) if guess.start > due else Superseded("this round is no longer open")
    verdict = scoring.verdict(guess.pick, guess.tweet_index)
    seat = _moved_on(seat, guess, verdict)
    seen.seats[place] = seat
    seen.sat.add(place)
    label = _label(seen, guess, player, house)
    answer = _answer(seen, guess, verdict, seat.streak, player)
    _note(seen, guess, player, verdict, label, answer)
    return Recorded(answer, is_new=True)


_FIRST_THINGS = "the round before this one is still open: answer it first"


def _moved_on(seat: SeatRow, guess: Guess, verdict: scoring.Verdict) -> SeatRow:
    streak = scoring.streak(seat.streak, verdict)
    return replace(
        seat,
        position=seat.position if guess.repeat else guess.position + 1,
        again=guess.position + 1 if guess.repeat else seat.again,
        # The next deal may be prefetched already, with the stamp that was laid down for it.
        stamp=seat.next_stamp,
        next_stamp=max(seat.next_stamp, guess.shelf_stamp),
        guesses=seat.guesses + 1,
        spotted=seat.spotted + (verdict == "spotted"),
        streak=streak,
        best_streak=max(seat.best_streak, streak),
    )


def _label(seen: _Batch, guess: Guess, player: Player, house: House) -> Label:
    today = _day(guess.guessed_at)
    before = player.last_guess_at
    label = label_rules.judge(
        Sighting(
            shown_at=guess.dealt_at if before is None else max(guess.dealt_at, before),
            guessed_at=guess.guessed_at,
            characters=guess.characters,
            has_cookie=guess.has_cookie,
            is_simulated=player.simulated is not None,
            is_repeat=guess.repeat,
            recognised=guess.recognised,
            accepted_today=player.day_accepted if player.day == today else 0,
        ),
        house.learn_from,
    )
    accepted_before = player.day_accepted if player.day == today else 0
    if player.day != today:
        attending = seen.attending[today, player.crowd]
        attending.players += 1
        attending.newcomers += before is None
    seen.players[guess.player] = replace(
        player,
        last_guess_at=guess.guessed_at,
        day=today,
        day_accepted=accepted_before + (label.status == "accepted"),
    )
    seen.moved.add(guess.player)
    return label


def _answer(seen: _Batch, guess: Guess, verdict: scoring.Verdict, streak: int, player: Player) -> str:
    posted_at, source_id = seen.tweets.get(guess.tweet_id, (None, None))
    sample = seen.samples[guess.sample_id]
    sample.exposures += 1
    if player.simulated is None:
        sample.guesses += 1
        sample.fooled += verdict == "fooled"
    seen.exposed.add(guess.sample_id)
    body = {
        "guess": guess.round_id.hex(),
        "verdict": verdict,
        "tweet": guess.tweet_index,
        "posted_at": posted_at and posted_at.isoformat().replace("+00:00", "Z"),
        "url": link(seen.links[guess.archive_id], source_id),
        "generator": f"v{seen.numbers[guess.generator_id]}",
        "fool_rate": scoring.fool_rate(sample.fooled, sample.guesses),
        "guesses": sample.guesses,
        "streak": streak,
    }
    return json.dumps(body, separators=(",", ":"))


def link(handle: str | None, source_id: str | None) -> str | None:
    """Where a tweet stands at its source, if an account posted it and its id is one of there."""
    if handle is None or source_id is None or not (source_id.isascii() and source_id.isdigit()):
        return None
    return f"https://x.com/{handle}/status/{source_id}"


def _note(seen: _Batch, guess: Guess, player: Player, verdict: scoring.Verdict, label: Label, answer: str) -> None:
    seen.answers[guess.round_id] = (guess.pick, answer)
    as_stored = (
        *("round_id", "archive_id", "tweet_id", "sample_id", "generator_id", "arm", "mode", "position", "repeat"),
        *("tweet_index", "pick", "recognised", "has_cookie", "arm_probability", "card_probability", "network"),
        *("dealt_at", "guessed_at", "shown_ms"),
    )
    row = {name: getattr(guess, name) for name in as_stored}
    seen.rows.append(
        row | {"player_id": player.id, "policy_version": guess.policy, "verdict": verdict, "answer": answer}
    )
    seen.labels.append(label)
    key = TallyKey(guess.archive_id, guess.generator_id, _day(guess.guessed_at), guess.mode, player.crowd)
    count = seen.counts[key]
    count.guesses += 1
    count.fooled += verdict == "fooled"
    count.accepted += label.status == "accepted"
    seen.label_counts[LabelKey(guess.archive_id, key.day, label.status, label.reason or "")] += 1


def _write(connection: Connection, seen: _Batch, house: House) -> None:
    stored = insert(guesses).returning(guesses.c.id, sort_by_parameter_order=True)
    ids = connection.scalars(stored, seen.rows).all()
    connection.execute(
        insert(labels),
        [
            {
                "guess_id": guess_id,
                "status": label.status,
                "reason": label.reason,
                "rules_version": label_rules.RULES_VERSION,
                "decided_at": row["guessed_at"],
            }
            for guess_id, row, label in zip(ids, seen.rows, seen.labels, strict=True)
        ],
    )
    players.keep_pace(connection, [seen.players[key] for key in seen.moved])
    seats.keep(connection, [seen.seats[place] for place in seen.sat])
    _count_samples(connection, seen)
    tallies.add(connection, seen.counts)
    rollups.attend(connection, seen.attending)
    rollups.count_labels(connection, seen.label_counts)
    _retire(connection, seen, house)


def _count_samples(connection: Connection, seen: _Batch) -> None:
    statement = (
        update(samples)
        .where(samples.c.id == bindparam("sample_id"))
        .values(guesses=bindparam("of_players"), fooled=bindparam("of_fooled"), exposures=bindparam("of_anyone"))
    )
    counted = [(sample_id, seen.samples[sample_id]) for sample_id in sorted(seen.exposed)]
    connection.execute(
        statement,
        [
            {"sample_id": i, "of_players": s.guesses, "of_fooled": s.fooled, "of_anyone": s.exposures}
            for i, s in counted
        ],
    )


def _retire(connection: Connection, seen: _Batch, house: House) -> None:
    done: dict[int, list[int]] = defaultdict(list)
    for sample_id in seen.exposed:
        sample = seen.samples[sample_id]
        if sample.is_on_shelf and sample.exposures >= house.sample_retires_after:
            done[sample.archive_id].append(sample_id)
    for archive_id in sorted(done):
        bump = update(archives).where(archives.c.id == archive_id).values(stamp=archives.c.stamp + 1)
        stamp = connection.scalars(bump.returning(archives.c.stamp)).one()
        connection.execute(
            update(samples).where(samples.c.id.in_(sorted(done[archive_id]))).values(retired_stamp=stamp)
        )


def _answers(connection: Connection, rounds: Collection[bytes]) -> dict[bytes, tuple[int, str]]:
    query = select(guesses.c.round_id, guesses.c.pick, guesses.c.answer).where(guesses.c.round_id.in_(rounds))
    return {bytes(round_id): (pick, answer) for round_id, pick, answer in connection.execute(query)}


def _samples(connection: Connection, ids: Collection[int]) -> dict[int, _SampleCount]:
    query = (
        select(
            samples.c.id,
            samples.c.guesses,
            samples.c.fooled,
            samples.c.exposures,
            samples.c.retired_stamp.is_(None),
            samples.c.archive_id,
        )
        .where(samples.c.id.in_(ids))
        .order_by(samples.c.id)
        .with_for_update(key_share=True)
    )
    return {row[0]: _SampleCount(*row[1:]) for row in connection.execute(query)}


def _tweets(connection: Connection, ids: Collection[int]) -> dict[int, tuple[datetime | None, str | None]]:
    query = select(tweets.c.id, tweets.c.posted_at, tweets.c.source_id).where(tweets.c.id.in_(ids))
    return {tweet_id: (posted_at, source_id) for tweet_id, posted_at, source_id in connection.execute(query)}


def _numbers(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    query = select(generators.c.id, generators.c.number).where(generators.c.id.in_(ids))
    return {generator_id: number for generator_id, number in connection.execute(query)}


def _handles(connection: Connection, ids: Collection[int]) -> dict[int, str | None]:
    """Handles of accounts that exist; None for the demo and for texts that no account posted."""
    query = select(archives.c.id, archives.c.handle, archives.c.is_demo).where(archives.c.id.in_(ids))
    return {archive_id: None if is_demo else handle for archive_id, handle, is_demo in connection.execute(query)}


def _day(moment: datetime) -> int:
    return int(moment.timestamp() // SECONDS_PER_DAY)
