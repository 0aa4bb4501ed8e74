"""Labels as a retraining reads them, and the sets of them that were frozen for one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from app.db.jobs import OPEN
from app.db.rollups import day_of
from app.db.tables import (
    class_members,
    class_rounds,
    classes,
    generators,
    guesses,
    jobs,
    label_sets,
    label_tallies,
    labels,
    players,
    remarks,
    samples,
    set_players,
    tweets,
)

_PAGE = 1000  # rows fetched at once
_ANY = true()
FEWEST_SPEAKERS = 5  # players who must have said what gave samples away before anything is made of it


@dataclass(frozen=True)
class Taught:
    """A guess that teaches, with what a retraining asks of it."""

    guess_id: int
    player_id: int
    simulated: str | None
    tweet_id: int
    sample_id: int
    generator_id: int
    arm: str
    tweet_index: int
    pick: int
    verdict: str
    arm_probability: float
    card_probability: float
    policy_version: int
    guessed_at: datetime
    network: bytes | None  # of the day; None once it was dropped


@dataclass(frozen=True)
class LabelSet:
    """A row of `label_sets`."""

    id: int
    archive_id: int
    cutoff_guess_id: int
    rules_version: int
    counts: Mapping[str, int]
    file_key: str
    sha256: str
    created_at: datetime
    concluded_at: datetime | None  # when a retraining came to an end with them
    amendments: Sequence[Mapping[str, Any]]
    class_id: int | None  # the class whose labels alone these are


@dataclass(frozen=True)
class NewSet:
    """A set of labels that was just frozen."""

    archive_id: int
    cutoff_guess_id: int
    rules_version: int
    counts: Mapping[str, int]
    file_key: str
    sha256: str
    players: Mapping[int, int]  # player -> labels in the set
    class_id: int | None = None  # the class whose labels alone these are


def newest_guess(connection: Connection, archive_id: int) -> int:
    """The id of the archive's last guess; 0 before the first."""
    newest = select(func.max(guesses.c.id)).where(guesses.c.archive_id == archive_id)
    return int(connection.execute(newest).scalar() or 0)


def learned_up_to(connection: Connection, archive_id: int) -> int:
    """The last guess whose label a retraining has come to an end with; 0 before the first one."""
    last = _last_set(connection, archive_id)
    if last is None:
        return 0
    if newest_guess(connection, archive_id) >= last.cutoff_guess_id:
        return int(last.cutoff_guess_id)
    # The newest were removed since (retention, "forget me"): SQLite gives their numbers to those that come after.
    before = select(func.max(guesses.c.id)).where(
        guesses.c.archive_id == archive_id, guesses.c.guessed_at <= last.created_at
    )
    return int(connection.execute(before).scalar() or 0)


def _last_set(connection: Connection, archive_id: int) -> Row[Any, Any, Any] | None:
    """Cutoff, counts and time of the newest set of everybody's labels that a retraining came to an end with."""
    query = select(label_sets.c.cutoff_guess_id, label_sets.c.counts, label_sets.c.created_at)
    query = query.where(*_concluded(archive_id)).order_by(label_sets.c.id.desc())
    return connection.execute(query.limit(1)).first()


def _concluded(archive_id: int) -> tuple[ColumnElement[bool], ...]:
    of_all = label_sets.c.class_id.is_(None)
    return label_sets.c.archive_id == archive_id, of_all, label_sets.c.concluded_at.is_not(None)


def count_accepted(
    connection: Connection, archive_id: int, learn_from: Collection[str], *, after: int, class_id: int | None = None
) -> int:
    """How many labels of guesses after `after` teach; with `class_id` of those made in that class."""
    query = _teaching(select(func.count()), archive_id, learn_from, class_id).where(guesses.c.id > after)
    return int(connection.execute(query).scalar_one())


def count_new(connection: Connection, archive_id: int) -> int:
    """About how many labels were accepted since those that a retraining came to an end with: from counters alone.

    A retraining counts exactly (`count_accepted`); this says when that is worth while.
    """
    accepted = select(func.sum(label_tallies.c.labels)).where(
        label_tallies.c.archive_id == archive_id, label_tallies.c.status == "accepted"
    )
    total = int(connection.execute(accepted).scalar() or 0)
    last = _last_set(connection, archive_id)
    if last is None:
        return total
    # The set counts the labels that were there; of those that were removed by then the tallies still tell.
    since = accepted.where(label_tallies.c.day >= day_of(last.created_at))
    return min(total - int(last.counts.get("accepted", 0)), int(connection.execute(since).scalar() or 0))


def taught(
    connection: Connection,
    archive_id: int,
    learn_from: Collection[str],
    *,
    up_to: int,
    most: int,
    class_id: int | None = None,
) -> Iterator[Taught]:
    """The newest guesses up to `up_to` whose labels teach, in their order, and `most` of them at most; with `class_id`
    those made in that class.
    """
    ids = _teaching(select(guesses.c.id), archive_id, learn_from, class_id).where(guesses.c.id <= up_to)
    first = connection.scalar(ids.order_by(guesses.c.id.desc()).offset(most - 1).limit(1))
    columns = (
        *(guesses.c.id, guesses.c.player_id, players.c.simulated, guesses.c.tweet_id, guesses.c.sample_id),
        *(guesses.c.generator_id, guesses.c.arm, guesses.c.tweet_index, guesses.c.pick, guesses.c.verdict),
        *(guesses.c.arm_probability, guesses.c.card_probability, guesses.c.policy_version),
        *(guesses.c.guessed_at, guesses.c.network),
    )
    query = (
        _teaching(select(*columns), archive_id, learn_from, class_id)
        .where(guesses.c.id.between(first or 0, up_to))
        .order_by(guesses.c.id)
    )
    for row in connection.execute(query, execution_options={"yield_per": _PAGE}):
        yield Taught(*row)


def counts(connection: Connection, archive_id: int, *, up_to: int) -> dict[str, int]:
    """How many labels there are by status, those that do not teach with their reason."""
    query = (
        select(labels.c.status, labels.c.reason, func.count())
        .join(guesses, guesses.c.id == labels.c.guess_id)
        .where(guesses.c.archive_id == archive_id, guesses.c.id <= up_to)
        .group_by(labels.c.status, labels.c.reason)
    )
    found = connection.execute(query)
    return {status if reason is None else f"{status}: {reason}": count for status, reason, count in found}


def sample_texts(connection: Connection, sample_ids: Collection[int], *, shown: bool = False) -> dict[int, str]:
    """The texts of samples; where they must be `shown`, of those that nobody has hidden."""
    return _texts(connection, samples, sample_ids, samples.c.hidden_at.is_(None) if shown else _ANY)


def tweet_texts(connection: Connection, tweet_ids: Collection[int]) -> dict[int, str]:
    """The texts of tweets."""
    return _texts(connection, tweets, tweet_ids)


def _texts(
    connection: Connection, table: Table, ids: Collection[int], which: ColumnElement[bool] = _ANY
) -> dict[int, str]:
    found: dict[int, str] = {}
    wanted = sorted(ids)
    for begin in range(0, len(wanted), _PAGE):
        query = select(table.c.id, table.c.text).where(table.c.id.in_(wanted[begin : begin + _PAGE]), which)
        found |= {row_id: text for row_id, text in connection.execute(query)}
    return found


def said_to_repeat(connection: Connection, archive_id: int, *, up_to: int) -> tuple[set[int], float]:
    """The samples of which a player said that they repeat themselves, and the share of such remarks among all.

    Each player's share counts once, however much they say; 0 where fewer than five players said anything.
    """
    query = (
        select(guesses.c.player_id, guesses.c.sample_id, remarks.c.reason)
        .join(guesses, guesses.c.id == remarks.c.guess_id)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .where(guesses.c.archive_id == archive_id, guesses.c.id <= up_to, labels.c.status == "accepted")
        .where(remarks.c.reason.is_not(None))
    )
    repeating: set[int] = set()
    said: dict[int, list[bool]] = {}
    for player_id, sample_id, reason in connection.execute(query):
        said.setdefault(player_id, []).append(reason == "repeats")
        if reason == "repeats":
            repeating.add(sample_id)
    shares = [sum(each) / len(each) for each in said.values()]
    return repeating, sum(shares) / len(shares) if len(shares) >= FEWEST_SPEAKERS else 0.0


def are_there(connection: Connection, player_ids: Collection[int]) -> bool:
    """Whether all these players are still there; they are, then, until the transaction ends."""
    wanted = sorted(player_ids)
    for begin in range(0, len(wanted), _PAGE):
        some = wanted[begin : begin + _PAGE]
        query = select(players.c.id).where(players.c.id.in_(some)).order_by(players.c.id)
        if len(connection.execute(query.with_for_update(read=True, key_share=True)).all()) < len(some):
            return False
    return True


def keep_set(connection: Connection, frozen: NewSet, at: datetime) -> int:
    """Record a frozen set of labels, or find the one that was frozen from the same labels; its id."""
    known = select(label_sets.c.id).where(
        label_sets.c.archive_id == frozen.archive_id, label_sets.c.sha256 == frozen.sha256
    )
    found = connection.execute(known.where(label_sets.c.cutoff_guess_id == frozen.cutoff_guess_id)).scalar()
    if found is not None:
        return int(found)
    row = {name: value for name, value in vars(frozen).items() if name != "players"}
    row |= {"counts": dict(frozen.counts), "created_at": at, "amendments": []}
    set_id = int(connection.execute(insert(label_sets).values(row).returning(label_sets.c.id)).scalar_one())
    whose = [{"label_set_id": set_id, "player_id": who, "labels": count} for who, count in frozen.players.items()]
    if whose:
        connection.execute(insert(set_players), whose)
    return set_id


def conclude(connection: Connection, label_set_id: int, at: datetime) -> None:
    """Note that a retraining learned from a set, or found nothing to change: its labels are not new any more."""
    connection.execute(update(label_sets).where(label_sets.c.id == label_set_id).values(concluded_at=at))


def drop_unlearned(connection: Connection, archive_id: int, keep: int) -> list[str]:
    """Remove the sets of everybody's labels in which retrainings found nothing to change, but that with the id `keep`;
    the keys of their files."""
    return _drop(connection, *_concluded(archive_id), label_sets.c.id != keep)


def drop_failed(connection: Connection) -> list[str]:
    """Remove the sets of retrainings that failed or were cancelled; the keys of their files.

    Those of an archive are left while a retraining is at work on it, or waits: one may be its own.
    """
    at_work = select(jobs.c.archive_id).where(
        jobs.c.kind.in_(("retrain", "class")), jobs.c.state.in_(OPEN), jobs.c.archive_id.is_not(None)
    )
    return _drop(connection, label_sets.c.concluded_at.is_(None), label_sets.c.archive_id.not_in(at_work))


def _drop(connection: Connection, *which: ColumnElement[bool]) -> list[str]:
    """Remove such sets, but those that a generator learned from; the keys of their files."""
    learned = select(generators.c.label_set_id).where(generators.c.label_set_id.is_not(None))
    query = select(label_sets.c.id, label_sets.c.file_key).where(*which, label_sets.c.id.not_in(learned))
    found = connection.execute(query).all()
    ids = [row.id for row in found]
    connection.execute(delete(set_players).where(set_players.c.label_set_id.in_(ids)))
    connection.execute(delete(label_sets).where(label_sets.c.id.in_(ids)))
    return [row.file_key for row in found]


def file_keys(connection: Connection) -> list[str]:
    """The keys of the files of all sets."""
    return list(connection.scalars(select(label_sets.c.file_key)))


def find_set(connection: Connection, label_set_id: int) -> LabelSet | None:
    """The frozen set with that id."""
    row: Row[Any] | None = connection.execute(select(label_sets).where(label_sets.c.id == label_set_id)).first()
    return None if row is None else LabelSet(**row._asdict())


def _teaching(
    query: Select[Any], archive_id: int, learn_from: Collection[str], class_id: int | None = None
) -> Select[Any]:
    if class_id is not None:
        query = query.where(
            guesses.c.mode == "class",
            guesses.c.sample_id.in_(select(class_rounds.c.sample_id).where(class_rounds.c.class_id == class_id)),
            guesses.c.player_id.in_(select(class_members.c.player_id).where(class_members.c.class_id == class_id)),
            guesses.c.guessed_at >= select(classes.c.created_at).where(classes.c.id == class_id).scalar_subquery(),
        )
    return (
        query.select_from(guesses)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .where(guesses.c.archive_id == archive_id, labels.c.status == "accepted", of_crowds(learn_from))
    )


def of_crowds(learn_from: Collection[str]) -> ColumnElement[bool]:
    """Guesses of those who teach: a label that was accepted under another setting does not count."""
    crowds = {"real": players.c.simulated.is_(None), "simulated": players.c.simulated.is_not(None)}
    return or_(false(), *(crowds[crowd] for crowd in learn_from))
