"""Classes: where each is, its rounds, and who came."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Integer, LargeBinary, String, Table

from app.db.schema.columns import Id, Moment, metadata

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
