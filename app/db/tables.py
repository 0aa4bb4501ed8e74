"""The schema: every table, with what a row means. Rows of tweets, samples, guesses and generators never change
what they say; columns that do change (counters, state) are named as such."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, stored as whole milliseconds since 1970: the same on both databases, and cheap to bucket."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Milliseconds of an aware datetime; a naive one is a bug and raises ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return round(value.timestamp() * 1000)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """The aware datetime that was stored."""
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


def _only(name: str, *columns: str, where: str) -> Index:
    """An index of the few rows for which `where` holds."""
    condition = text(where)
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


def _only_hidden(table: str) -> Index:
    """An index of the few rows that were hidden: web processes read all of them whenever something changed."""
    return _only(f"ix_{table}_hidden", "archive_id", where="hidden_at IS NOT NULL")


# SQLite only numbers rows by itself when the key is its own INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")

archives = Table(
    "archives",
    metadata,
    Column("id", Id, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("handle", String(64)),  # without @; null for texts that no account posted
    Column("unit", String(16), nullable=False),  # tweet or passage: what pages call a card
    Column("is_demo", Boolean, nullable=False, default=False),
    Column("created_at", Moment, nullable=False),
    # Changes. Goes up with every change of what may be dealt (import, restock, retirement, hiding).
    Column("stamp", BigInteger, nullable=False, default=0),
    Column("paused", Boolean, nullable=False, default=False),
    Column("basis", String(16)),  # by what right it is played: own, public, permission; null: nobody was asked
    Column("deleted_at", Moment),  # to be removed for good a day later, unless somebody takes it back
    Column("settings", JSON, nullable=False, default=dict, server_default="{}"),  # see app/game/own_settings.py
    Column("invite", String(32)),  # only who followed a link with it may play; null: everybody may
)

# One run of an import. Its tweets are invisible until state is done.
imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False, index=True),
    Column("source", Text, nullable=False),  # the file's name, not its path
    Column("format", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # running, done, failed
    Column("read", BigInteger, nullable=False, default=0),
    Column("added", BigInteger, nullable=False, default=0),
    Column("left_out", JSON, nullable=False, default=dict),  # reason -> rows
    Column("deck_from", BigInteger),  # tweets.deck_seq of its deck cards: a block [deck_from, deck_to)
    Column("deck_to", BigInteger),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
)

tweets = Table(
    "tweets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False),
    Column("import_id", ForeignKey("imports.id"), nullable=False, index=True),
    # What makes it the same tweet at a second import: "id:…" of the source, else "text:" + hash of the text.
    Column("source_key", String(96), nullable=False),
    Column("source_id", String(64)),  # the id at the source, a string: above 2^53 numbers lie
    Column("text", Text, nullable=False),
    Column("text_version", Integer, nullable=False),
    Column("length", Integer, nullable=False),  # characters of text
    Column("split", String(16), nullable=False),  # train, validation, deck
    Column("leaning", String(16)),  # reply, thread or cut: does not stand on its own; null: it does
    Column("deck_seq", BigInteger),  # place in the archive's deck, counted from 0; null outside the deck split
    Column("posted_at", Moment),
    Column("zone", String(16)),  # utc; unknown: the source gave no zone and no id that tells it; null: no date
    Column("hidden_at", Moment),  # changes: an admin took it off the deck
    # Change with each guess of a real player.
    Column("guesses", Integer, nullable=False, server_default="0"),
    Column("fooled", Integer, nullable=False, server_default="0"),  # took it for machine
    UniqueConstraint("archive_id", "source_key"),
    _only_hidden("tweets"),
    _only("ix_tweets_doubted", "archive_id", "fooled", "id", where="fooled > 0"),
    Index("ix_tweets_archive_split", "archive_id", "split", "id"),
    Index("ix_tweets_archive_deck_seq", "archive_id", "deck_seq"),
)

# A recipe: any change of checkpoint or decoding is a new row.
generators = Table(
    "generators",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False),
    Column("number", Integer, nullable=False),  # shown as v1, v2, … within an archive
    Column("parent_id", ForeignKey("generators.id")),
    Column("checkpoint_key", String(200), nullable=False),  # folder relative to the checkpoint folder
    Column("checkpoint_sha256", String(64), nullable=False),
    Column("decoding", JSON, nullable=False),  # temperature, top_p, best_of, names
    Column("scorer_sha256", String(64)),
    Column("vetting_version", Integer, nullable=False),
    Column("alphabet", Text, nullable=False),  # characters it can write: a deck card with another one is not dealt
    Column("bits_per_character", Float),  # on the validation split, when it was registered
    Column("card", JSON, nullable=False, default=dict),  # figures and settings for its model card
    Column("label_set_id", BigInteger),  # the frozen labels that it learned from; null: from none
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("archive_id", "number"),
)

# Changes: which generator plays which part now.
arms = Table(
    "arms",
    metadata,
    Column("archive_id", ForeignKey("archives.id"), primary_key=True),
    Column("arm", String(16), primary_key=True),  # champion, candidate, anchor
    Column("generator_id", ForeignKey("generators.id"), nullable=False),
    Column("share", Float, nullable=False),  # of rounds; the shares of an archive sum to 1
    Column("since", Moment, nullable=False),
)

# One batch of samples: what was written and what vetting turned away.
restocks = Table(
    "restocks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False),
    Column("generator_id", ForeignKey("generators.id"), nullable=False, index=True),
    Column("seed", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # running, done, failed
    Column("written", Integer, nullable=False, default=0),
    Column("shelved", Integer, nullable=False, default=0),
    Column("rejected", JSON, nullable=False, default=dict),  # rule -> samples
    Column("tweets_read", Integer, nullable=False, default=0),  # held-out tweets that the same rules were tried on
    Column("tweets_rejected", JSON, nullable=False, default=dict),  # rule -> held-out tweets
    Column("goal", Integer, nullable=False, default=0),  # samples it is to shelve
    Column("job_id", BigInteger),  # the job it runs in: what takes it up again after a crash
    Column("balance", JSON(none_as_null=True)),  # what its drafts were steered by; null: by nothing, or not known yet
    Column("seconds", Float),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
)

samples = Table(
    "samples",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False),
    Column("generator_id", ForeignKey("generators.id"), nullable=False),
    Column("restock_id", ForeignKey("restocks.id"), nullable=False, index=True),
    Column("seed", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("text_version", Integer, nullable=False),
    Column("length", Integer, nullable=False),
    Column("text_hash", String(32), nullable=False),  # of the text folded for comparison: no sample twice
    Column("score", Float),  # the scorer's, where one chose it
    # Changes. On the shelf for deals whose stamp s has shelved_stamp <= s < retired_stamp.
    Column("shelved_stamp", BigInteger),  # null: its restock is not done
    Column("retired_stamp", BigInteger),  # null: still on the shelf
    Column("hidden_at", Moment),
    Column("hidden_reason", String(64)),
    Column("hung_at", Moment),  # changes, once: it hangs in the hall, and is never dealt again
    Column("guesses", Integer, nullable=False, default=0),  # of real players
    Column("fooled", Integer, nullable=False, default=0),
    Column("exposures", Integer, nullable=False, default=0),  # guesses of anyone: what retires it
    Column("strength", Float, nullable=False, server_default="0.0"),  # how well it fools, in logits: app/game/skill.py
    Column("strength_variance", Float, nullable=False, server_default="0.5"),
    # Change once: the strength as it was when guesses had told it, and the stamp from which deals go by it.
    Column("read_strength", Float),
    Column("read_stamp", BigInteger),
    Index("ix_samples_archive_shelved", "archive_id", "shelved_stamp"),
    Index("ix_samples_archive_retired", "archive_id", "retired_stamp"),
    Index("ix_samples_generator_id", "generator_id", "id"),
    _only_hidden("samples"),
    _only("ix_samples_rated", "archive_id", "fooled", "id", where="guesses >= 5"),
    _only("ix_samples_hung", "archive_id", where="hung_at IS NOT NULL"),
    _only("ix_samples_read", "archive_id", "read_stamp", where="read_stamp IS NOT NULL"),
    UniqueConstraint("archive_id", "text_hash"),
)

players = Table(
    "players",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", LargeBinary(16), nullable=False, unique=True),  # what the cookie carries; replaced by "forget me"
    Column("simulated", String(64)),  # which simulated player; null: a real one
    Column("created_at", Moment, nullable=False),
    Column("nickname", String(32)),
    # Change with each guess: what the label rules need without a look through the player's guesses.
    Column("last_guess_at", Moment),
    Column("day", Integer),  # of last_guess_at: whole days since 1970, UTC
    Column("day_accepted", Integer, nullable=False, default=0),  # labels accepted on that day
    Column("retracted_at", Moment),  # changes: since when this player's labels are taken back; null: they are not
    Column("skill", Float, nullable=False, server_default="0.5"),  # in logits: app/game/skill.py
    Column("skill_variance", Float, nullable=False, server_default="1.0"),
    Column("nickname_key", String(32)),  # the nickname folded: no two that look alike
    Index("ix_players_nickname_key", "nickname_key", unique=True),
)

# Changes with each ranked guess. How a player did on one day or in one week in an archive: what leaderboards show.
scores = Table(
    "scores",
    metadata,
    Column("span", String(4), primary_key=True),  # day, week
    Column("period", Integer, primary_key=True),  # days, or weeks that begin on Monday, since 1970, UTC
    Column("archive_id", ForeignKey("archives.id"), primary_key=True),
    Column("player_id", ForeignKey("players.id"), primary_key=True),
    Column("guesses", Integer, nullable=False),
    Column("spotted", Integer, nullable=False),
    Column("skill", Float, nullable=False),  # from these guesses alone
    Column("skill_variance", Float, nullable=False),
    Column("level", Float),  # what the ranking goes by; null: too few guesses to be ranked
    Column("streak", Integer, nullable=False),
    Column("best_streak", Integer, nullable=False),
    Column("last_guess_at", Moment, nullable=False),
    Index("ix_scores_level", "span", "period", "archive_id", "level"),
    Index("ix_scores_player_id", "player_id"),
)

# A player's way to another device: a code that works once, for a few minutes.
transfers = Table(
    "transfers",
    metadata,
    Column("code_hash", LargeBinary(32), primary_key=True),  # keyed: the table tells nobody the code
    Column("player_id", ForeignKey("players.id"), nullable=False, unique=True),  # a new code replaces the one before
    Column("expires_at", Moment, nullable=False),
)

# Keys that "forget me" dropped, hashed: a cookie or round made before must not bring the player back.
forgotten = Table(
    "forgotten",
    metadata,
    Column("key_hash", LargeBinary(16), primary_key=True),
    Column("forgotten_at", Moment, nullable=False),
)

# Changes. Where a player stands in an archive's deck; written with each guess.
seats = Table(
    "seats",
    metadata,
    Column("player_id", ForeignKey("players.id"), primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), primary_key=True),
    Column("mode", String(16), primary_key=True),
    Column("position", BigInteger, nullable=False),  # the next place in the player's own order of the deck
    Column("again", BigInteger, nullable=False, default=0),  # the same for repeats, once the deck is through
    Column("stamp", BigInteger, nullable=False),  # the archive's stamp that the next deal is made with
    Column("next_stamp", BigInteger, nullable=False),  # and the deal after it, which may be prefetched
    Column("guesses", Integer, nullable=False),
    Column("spotted", Integer, nullable=False),
    Column("streak", Integer, nullable=False),
    Column("best_streak", Integer, nullable=False),
    Column("skill", Float),  # by which the next deal chooses; null: by chance alone
    Column("next_skill", Float),  # and the deal after it
)

# Pairs that are the same for everyone who plays them, and never change: the daily ten, challenges. A set of kind
# "first" has no cards: by it the scores of everybody's own first ten rounds in an archive are counted.
sets = Table(
    "sets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # daily, challenge, first
    Column("name", String(32), nullable=False),  # a daily's UTC date; a challenge's word in its address
    Column("made_by", ForeignKey("players.id"), index=True),  # whose rounds a challenge was made of
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("kind", "name", "archive_id"),
)

set_cards = Table(
    "set_cards",
    metadata,
    Column("set_id", ForeignKey("sets.id"), primary_key=True),
    Column("place", Integer, primary_key=True),  # counted from 0
    Column("tweet_id", ForeignKey("tweets.id"), nullable=False, index=True),
    Column("sample_id", ForeignKey("samples.id"), nullable=False, index=True),
    Column("arm", String(16), nullable=False),
    Column("arm_probability", Float, nullable=False),
    Column("card_probability", Float, nullable=False),
)

# Changes. Where a player stands in a set; written with each guess.
set_seats = Table(
    "set_seats",
    metadata,
    Column("player_id", ForeignKey("players.id"), primary_key=True),
    Column("set_id", ForeignKey("sets.id"), primary_key=True),
    Column("place", Integer, nullable=False),  # the next one
    Column("spotted", Integer, nullable=False),
    Column("verdicts", String(32), nullable=False),  # place by place: s spotted, f fooled, - taken out by an admin
    Column("began_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Index("ix_set_seats_finished", "set_id", "finished_at"),
)

# How many players reached a score, counted when they finish a set, so that no page scans seats.
set_scores = Table(
    "set_scores",
    metadata,
    Column("set_id", ForeignKey("sets.id"), primary_key=True),
    Column("score", Integer, primary_key=True),
    Column("players", BigInteger, nullable=False),
)

# Immutable: what was shown, what was picked, and the answer that was given.
guesses = Table(
    "guesses",
    metadata,
    Column("id", Id, primary_key=True),
    Column("round_id", LargeBinary(16), nullable=False, unique=True),
    Column("player_id", ForeignKey("players.id"), nullable=False),
    Column("archive_id", ForeignKey("archives.id"), nullable=False),
    Column("tweet_id", ForeignKey("tweets.id"), nullable=False, index=True),
    Column("sample_id", ForeignKey("samples.id"), nullable=False, index=True),
    Column("generator_id", ForeignKey("generators.id"), nullable=False),
    Column("arm", String(16), nullable=False),
    Column("mode", String(16), nullable=False),  # endless, daily, challenge, practice, class
    Column("position", BigInteger, nullable=False),
    Column("repeat", Boolean, nullable=False),  # the player had met one of the cards before
    Column("tweet_index", Integer, nullable=False),  # 0 or 1: which card was the tweet
    Column("pick", Integer, nullable=False),  # 0 or 1: which card the player took for it
    Column("verdict", String(8), nullable=False),  # spotted, fooled
    Column("recognised", Boolean, nullable=False),
    Column("has_cookie", Boolean, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("arm_probability", Float, nullable=False),
    Column("card_probability", Float, nullable=False),
    Column("network", LargeBinary(16)),  # HMAC of the address prefix under the day's key; dropped after 30 days
    Column("dealt_at", Moment, nullable=False),
    Column("guessed_at", Moment, nullable=False),
    Column("shown_ms", Integer),  # as the browser says it; untrusted
    Column("answer", Text, nullable=False),  # the body as it was given, byte for byte
    Column("skill", Float),  # the player's after this guess, in logits; null in guesses older than the notion
    Column("skill_variance", Float),
    Index("ix_guesses_player_id", "player_id", "id"),
    Column("set_id", BigInteger),  # the fixed set that it was a place of; null: dealt to this player alone
    Index("ix_guesses_player_sample", "player_id", "sample_id"),
    Index("ix_guesses_player_tweet", "player_id", "tweet_id"),
    Index("ix_guesses_archive_id", "archive_id", "id"),
    Index("ix_guesses_generator_id", "generator_id", "id"),
)

# Changes. Our reading of a guess; reversible.
labels = Table(
    "labels",
    metadata,
    Column("guess_id", ForeignKey("guesses.id"), primary_key=True),
    Column("status", String(16), nullable=False),  # accepted, quarantined, excluded
    Column("reason", String(32)),  # null when accepted
    Column("rules_version", Integer, nullable=False),
    Column("decided_at", Moment, nullable=False),
    # What the rules said of the guess alone: what the label goes back to when what overruled them is taken back.
    Column("ruled_status", String(16), nullable=False, server_default="accepted"),
    Column("ruled_reason", String(32)),
    Column("decided_by", String(16), nullable=False, server_default="rules"),  # rules, screen, admin, retraction
    # Where an admin left the label by hand, null where none did: a retraction of the whole player passes over it.
    Column("admin_status", String(16)),
    Index("ix_labels_status_guess_id", "status", "guess_id"),
)

# What a player said of a round after the verdict; the last word counts.
remarks = Table(
    "remarks",
    metadata,
    Column("guess_id", ForeignKey("guesses.id"), primary_key=True),
    Column("reason", String(16)),  # spelling, sense, repeats, style, other
    Column("report", String(500)),
    Column("said_at", Moment, nullable=False),
    Column("settled_at", Moment),  # changes: an admin has read the report
    Index(
        "ix_remarks_reported",
        "guess_id",
        sqlite_where=text("report IS NOT NULL AND settled_at IS NULL"),
        postgresql_where=text("report IS NOT NULL AND settled_at IS NULL"),
    ),
)

# Counters, kept with each guess so that no page scans guesses.
tallies = Table(
    "tallies",
    metadata,
    Column("archive_id", ForeignKey("archives.id"), primary_key=True),
    Column("generator_id", ForeignKey("generators.id"), primary_key=True),
    Column("day", Integer, primary_key=True),  # whole days since 1970, UTC
    Column("mode", String(16), primary_key=True),
    Column("crowd", String(64), primary_key=True),  # real, or the name of a simulated player
    Column("guesses", BigInteger, nullable=False),
    Column("fooled", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),  # labels accepted at the guess
)

# What somebody wants done, and how far it is. The truth; the workflow engine's own tables can be rebuilt from it.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),  # import, train, restock, retrain
    Column("archive_id", ForeignKey("archives.id")),
    Column("arguments", JSON, nullable=False),
    Column("asked_by", String(64), nullable=False),  # schedule, shelf, command line, or an admin's name
    Column("wanted", String(16), nullable=False),  # run, cancel
    Column("state", String(16), nullable=False),  # queued, running, done, failed, cancelled, skipped
    Column("step", String(64)),
    Column("progress", JSON, nullable=False, default=dict),
    Column("outcome", Text),  # one line: what came of it, or why not
    Column("worker", String(64)),
    Column("attempts", Integer, nullable=False, default=0),
    Column("once", String(128), unique=True),  # what is asked for once only, by whoever is first; null: no limit
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Index("ix_jobs_state_id", "state", "id"),
)

workers = Table(
    "workers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
    Column("trains", Boolean, nullable=False),  # whether TensorFlow is there
)

# The labels that a generator learned from, frozen.
label_sets = Table(
    "label_sets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False),
    Column("cutoff_guess_id", BigInteger, nullable=False),  # labels of guesses up to and including this one
    Column("rules_version", Integer, nullable=False),
    Column("counts", JSON, nullable=False),  # status or reason -> labels
    Column("file_key", String(200), nullable=False),  # relative to the checkpoint folder
    Column("sha256", String(64), nullable=False),
    Column("class_id", BigInteger),  # the class whose labels alone these are; null: everybody's
    Column("created_at", Moment, nullable=False),
    # Changes, together with file_key and sha256, when a player is forgotten: when, why, how many lines, both SHA-256.
    Column("amendments", JSON, nullable=False, server_default="[]"),
)

# Whose labels are in a set: tells which generators learned from a player.
set_players = Table(
    "set_players",
    metadata,
    Column("label_set_id", ForeignKey("label_sets.id"), primary_key=True),
    Column("player_id", BigInteger, primary_key=True),
    Column("labels", Integer, nullable=False),
    Index("ix_set_players_player_id", "player_id"),
)

# Each time the players of an archive were screened, with what was found; never changed.
screenings = Table(
    "screenings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("cutoff_guess_id", BigInteger, nullable=False),  # it looked at guesses up to and including this one
    Column("guesses", Integer, nullable=False),  # that it looked at
    Column("players", Integer, nullable=False),
    Column("trouble", String(200)),  # why the check could not run; null: it ran
    Column("figures", JSON, nullable=False, default=dict),  # of the crowd, and who was held or cleared
)

# Players whose labels wait in quarantine, in one archive, or once did.
holds = Table(
    "holds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("player_id", ForeignKey("players.id"), nullable=False, index=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False, index=True),
    Column("reason", String(32), nullable=False),  # always the same side, outlier
    Column("figures", JSON, nullable=False, default=dict),  # what showed it
    Column("since", Moment, nullable=False),
    Column("cleared_at", Moment),  # changes: later evidence cleared the player; null: still held
)

# Who or what changed which generator plays, or would not, and on what figures. Never changed.
decisions = Table(
    "decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False, index=True),
    Column("generator_id", ForeignKey("generators.id"), nullable=False),
    Column("champion_id", ForeignKey("generators.id")),  # the champion at that moment, whom it replaced or not
    # promoted, held, rolled back, and of a canary: canary opened, canary stopped, no difference
    Column("verdict", String(16), nullable=False),
    Column("taken_by", String(64), nullable=False),  # retrain, canary, command line, or an admin's name
    Column("figures", JSON, nullable=False, default=dict),  # the gates, or the look, and what they found
    Column("taken_at", Moment, nullable=False),
)

# A candidate that is tried beside the champion: by which plan, and what the looks at it found.
canaries = Table(
    "canaries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("archive_id", ForeignKey("archives.id"), nullable=False),
    Column("generator_id", ForeignKey("generators.id"), nullable=False),
    Column("champion_id", ForeignKey("generators.id"), nullable=False),
    Column("plan", JSON, nullable=False),  # what was fixed when it opened: shares, looks, error, days
    Column("gates", JSON, nullable=False),  # what it had to pass before; empty where a person opened it
    Column("scorer", Float),  # by how much the scorer expects it to fool more; null: there is no scorer
    Column("baseline", JSON, nullable=False),  # counts of guesses when it opened: later ones are what came since
    Column("after_guess_id", BigInteger, nullable=False),  # guesses behind this one are evidence
    Column("opened_by", String(64), nullable=False),
    Column("opened_at", Moment, nullable=False),
    # Change with each look.
    Column("looks", JSON, nullable=False, default=list),
    Column("looked", Integer, nullable=False, default=0),  # how many looks there were
    Column("state", String(16), nullable=False),  # open, promoted, no difference, rolled back, stopped
    Column("closed_at", Moment),
    Index(
        "uq_canaries_open",
        "archive_id",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

# How many players came on a day, counted with each guess so that no page scans guesses.
attendance = Table(
    "attendance",
    metadata,
    Column("day", Integer, primary_key=True),  # whole days since 1970, UTC
    Column("crowd", String(64), primary_key=True),  # real, or the name of a simulated player
    Column("players", BigInteger, nullable=False),  # who guessed on that day
    Column("newcomers", BigInteger, nullable=False),  # of them, for the first time
)

# Labels as they stand now, counted by the day of their guess; moved when an admin reads a label anew.
label_tallies = Table(
    "label_tallies",
    metadata,
    Column("archive_id", ForeignKey("archives.id"), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("reason", String(32), primary_key=True),  # "" when accepted
    Column("labels", BigInteger, nullable=False),
)

# A class that plays together: one room, a lecturer who asks, rounds that are the same for all.
classes = Table(
    "classes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(8), nullable=False, unique=True),  # what players type to come in
    Column("key_hash", LargeBinary(32), nullable=False),  # of the lecturer's key
    Column("seed", LargeBinary(16), nullable=False),  # the source of all chance in its rounds
    Column("archive_id", ForeignKey("archives.id"), nullable=False),
    Column("address", String(200), nullable=False),  # where players reach it, as it is projected
    Column("teaches", Boolean, nullable=False),  # whether its guesses may teach
    Column("seconds", Integer, nullable=False),  # that a round is open
    Column("created_at", Moment, nullable=False),
    # Change. Where the class is.
    Column("leg", Integer, nullable=False),  # 0: nothing asked yet; 1: before training; 2: after
    Column("number", Integer, nullable=False),  # of the round within the leg, from 1
    Column("asked_at", Moment),  # when that round was opened
    Column("is_revealed", Boolean, nullable=False),
    Column("job_id", BigInteger),  # the training on this class
    Column("generator_id", ForeignKey("generators.id")),  # what came of it
    Column("ended_at", Moment),
)

class_rounds = Table(
    "class_rounds",
    metadata,
    Column("class_id", ForeignKey("classes.id"), primary_key=True),
    Column("leg", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("tweet_id", ForeignKey("tweets.id"), nullable=False, index=True),
    Column("sample_id", ForeignKey("samples.id"), nullable=False, index=True),
    Column("generator_id", ForeignKey("generators.id"), nullable=False),
    Column("arm", String(16), nullable=False),
    Column("card_probability", Float, nullable=False),
    Column("tweet_index", Integer, nullable=False),
)

class_members = Table(
    "class_members",
    metadata,
    Column("class_id", ForeignKey("classes.id"), primary_key=True),
    Column("player_id", ForeignKey("players.id"), primary_key=True, index=True),
    Column("name", String(32)),  # changes: gone when the class ends
    Column("joined_at", Moment, nullable=False),
)

# Who may see the dashboard (viewer), and who may change things there (admin).
admins = Table(
    "admins",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),  # argon2id
    Column("role", String(16), nullable=False),  # admin, viewer
    Column("created_at", Moment, nullable=False),
)

# Who is signed in. The browser holds the token, we only its hash.
admin_sessions = Table(
    "admin_sessions",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("admin_id", ForeignKey("admins.id"), nullable=False, index=True),
    Column("began_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),  # changes, at most once a minute
)

# Every change that a person made by the dashboard or `whichtweet admin`. Never changed.
audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", String(64), nullable=False),  # the name: it outlives the account
    Column("what", String(64), nullable=False),  # such as "sample hidden"
    Column("subject", String(200), nullable=False),  # such as "mayor sample 12"
    Column("before", JSON, nullable=False, default=dict),
    Column("after", JSON, nullable=False, default=dict),
    Column("reason", String(500)),
)

# A file that an admin sent or had fetched, waiting to be looked at and imported. It lies in the data folder.
uploads = Table(
    "uploads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # the file's name in the folder of uploads
    Column("source", String(500), nullable=False),  # the name that it came with, or the address
    Column("bytes", BigInteger, nullable=False, default=0),
    Column("state", String(16), nullable=False),  # waiting, ready, failed, imported, dropped
    Column("options", JSON, nullable=False, default=dict),  # as the admin chose: slug, name, handle, format, …
    Column("preview", JSON, nullable=False, default=dict),  # what a look at its beginning found
    Column("job_id", BigInteger),  # the job that looks at it or imports it
    Column("asked_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
)

# How often somebody asked within a window of time: what limits are held to, where several web processes share them.
counts = Table(
    "counts",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # a keyed hash: leads to no player and no address
    Column("ends_at", Moment, nullable=False, index=True),
    Column("count", BigInteger, nullable=False),
)
