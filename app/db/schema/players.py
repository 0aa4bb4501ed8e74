"""Players: who they are, where they stand in a deck, and how they did."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table

from app.db.schema.columns import Id, Moment, metadata

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
