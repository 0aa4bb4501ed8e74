"""Labels: our reading of guesses, what generators learned from, and whose labels wait in quarantine."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table

from app.db.schema.columns import Id, Moment, metadata

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

# The labels that a retraining looked at, frozen: those that a generator learned from, and the last ones besides.
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
    # Changes, once: a retraining learned from them, or found nothing to change; null: it failed, or is at work.
    Column("concluded_at", Moment),
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
