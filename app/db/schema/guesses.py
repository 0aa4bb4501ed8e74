"""Guesses: what was picked and answered, what players said of it, and what is counted with each."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from app.db.schema.columns import Id, Moment, metadata, partial_index

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

# What a player said of a round after the verdict; the last word counts.
remarks = Table(
    "remarks",
    metadata,
    Column("guess_id", ForeignKey("guesses.id"), primary_key=True),
    Column("reason", String(16)),  # spelling, sense, repeats, style, other
    Column("report", String(500)),
    Column("said_at", Moment, nullable=False),
    Column("settled_at", Moment),  # changes: an admin has read the report
    partial_index("ix_remarks_reported", "guess_id", where="report IS NOT NULL AND settled_at IS NULL"),
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

# How many players came on a day, counted with each guess so that no page scans guesses.
attendance = Table(
    "attendance",
    metadata,
    Column("day", Integer, primary_key=True),  # whole days since 1970, UTC
    Column("crowd", String(64), primary_key=True),  # real, or the name of a simulated player
    Column("players", BigInteger, nullable=False),  # who guessed on that day
    Column("newcomers", BigInteger, nullable=False),  # of them, for the first time
)
