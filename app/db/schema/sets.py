"""Fixed sets: their cards, where players stand in them, and how everybody's scores are spread."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from app.db.schema.columns import Id, Moment, metadata

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
