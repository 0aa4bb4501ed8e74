"""Writing a batch of guesses: their rows with their labels, and every row and counter that changes with them."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, bindparam, insert, select, update

from app.db import players, rollups, scores, seats, tallies
from app.db.batch import Batch, House
from app.db.prepared import Prepared
from app.db.tables import archives, guesses, labels, samples, tweets
from app.game import labels as label_rules
from app.game import levels

# Of what a row of a batch holds.
_STORED = (
    *("round_id", "archive_id", "tweet_id", "sample_id", "generator_id", "arm", "mode", "position", "repeat"),
    *("tweet_index", "pick", "recognised", "has_cookie", "arm_probability", "card_probability", "network"),
    *("dealt_at", "guessed_at", "shown_ms", "set_id", "player_id", "policy_version", "verdict", "answer"),
    *("skill", "skill_variance"),
)
_STORE = Prepared(insert(guesses), _STORED)
_RULED = ("status", "reason", "ruled_status", "ruled_reason", "decided_by", "rules_version")
_LABEL = Prepared(
    insert(labels).from_select(
        ["guess_id", "decided_at", *_RULED],
        select(
            guesses.c.id, guesses.c.guessed_at, *(bindparam(name, type_=labels.c[name].type) for name in _RULED)
        ).where(guesses.c.round_id == bindparam("round_id")),
    )
)


def write(connection: Connection, seen: Batch, house: House) -> None:
    """Write the guesses that were noted, and everything that changes with them."""
    _STORE.each(connection, seen.rows)
    _LABEL.each(
        connection,
        [
            {
                "round_id": row["round_id"],
                "status": stands.label.status,
                "reason": stands.label.reason,
                "ruled_status": stands.ruled.status,
                "ruled_reason": stands.ruled.reason,
                "decided_by": stands.by,
                "rules_version": label_rules.RULES_VERSION,
            }
            for row, stands in zip(seen.rows, seen.labels, strict=True)
        ],
    )
    players.keep_pace(connection, [seen.players[key] for key in seen.moved])
    seats.keep(connection, [seen.seats[place] for place in seen.sat])
    scores.keep(connection, {key: seen.scores[key] for key in seen.scored})
    _count_samples(connection, seen)
    _count_tweets(connection, seen)
    tallies.add(connection, seen.counts)
    rollups.attend(connection, seen.attending)
    rollups.count_labels(connection, seen.label_counts)
    _change_shelf(connection, seen, house)


_COUNT_SAMPLES = Prepared(
    update(samples)
    .where(samples.c.id == bindparam("sample_id"))
    .values(
        guesses=bindparam("of_players"),
        fooled=bindparam("of_fooled"),
        exposures=bindparam("of_anyone"),
        strength=bindparam("mean"),
        strength_variance=bindparam("variance"),
    )
)


def _count_samples(connection: Connection, seen: Batch) -> None:
    counted = [(sample_id, seen.samples[sample_id]) for sample_id in sorted(seen.exposed)]
    _COUNT_SAMPLES.each(
        connection,
        [
            {
                **{"sample_id": i, "of_players": s.guesses, "of_fooled": s.fooled, "of_anyone": s.exposures},
                **{"mean": s.strength, "variance": s.strength_variance},
            }
            for i, s in counted
        ],
    )


_COUNT_TWEETS = Prepared(
    update(tweets)
    .where(tweets.c.id == bindparam("tweet_id"))
    .values(guesses=tweets.c.guesses + bindparam("more"), fooled=tweets.c.fooled + bindparam("more_fooled"))
)


def _count_tweets(connection: Connection, seen: Batch) -> None:
    counted = sorted(seen.shown_tweets.items())
    _COUNT_TWEETS.each(connection, [{"tweet_id": i, "more": c.guesses, "more_fooled": c.fooled} for i, c in counted])


def _change_shelf(connection: Connection, seen: Batch, house: House) -> None:
    """Retire samples that enough have met; those whose strength is told are dealt by it from the next stamp on."""
    done: dict[int, list[int]] = defaultdict(list)
    told: dict[int, dict[int, float]] = defaultdict(dict)
    for sample_id in sorted(seen.exposed):
        sample = seen.samples[sample_id]
        strength = levels.read(sample.belief)
        if not sample.is_on_shelf:
            continue
        if sample.exposures >= house.sample_retires_after:
            done[sample.archive_id].append(sample_id)
        elif strength is not None and not sample.is_read:
            told[sample.archive_id][sample_id] = strength
    for archive_id in sorted(done.keys() | told.keys()):
        bump = update(archives).where(archives.c.id == archive_id).values(stamp=archives.c.stamp + 1)
        stamp = connection.scalars(bump.returning(archives.c.stamp)).one()
        if archive_id in done:
            connection.execute(update(samples).where(samples.c.id.in_(done[archive_id])).values(retired_stamp=stamp))
        if archive_id in told:
            read = update(samples).where(samples.c.id == bindparam("sample_id"))
            read = read.values(read_strength=bindparam("told"), read_stamp=stamp)
            rows = [{"sample_id": sample_id, "told": strength} for sample_id, strength in told[archive_id].items()]
            connection.execute(read, rows)
