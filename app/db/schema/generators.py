"""Generators: the recipes, the samples they wrote, and which of them plays by whose decision."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.db.schema.columns import Id, Moment, hidden_index, metadata, partial_index

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

ON_SHELF = "shelved_stamp IS NOT NULL AND retired_stamp IS NULL AND hidden_at IS NULL"
HELD = "hidden_reason LIKE 'held: %'"
# Word for word as browsing asks for them. Of the column itself SQLite would take its index for every "guesses >= 5".
RATE, GUESSES = text("(CAST(fooled AS FLOAT) / NULLIF(guesses, 0))"), text("(guesses + 0)")

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
    hidden_index("samples"),
    # Of two indexes SQLite, which nobody tells how values lie, takes the one whose columns answer more terms.
    partial_index(
        *("ix_samples_on_shelf", "archive_id", "retired_stamp", "hidden_at", "shelved_stamp", "generator_id"),
        where=ON_SHELF,
    ),
    Index("ix_samples_archive_id", "archive_id", "id"),
    partial_index("ix_samples_held", "id", where=HELD),
    partial_index("ix_samples_rated", "archive_id", "fooled", "id", where="guesses >= 5"),
    partial_index("ix_samples_rate", "archive_id", RATE, "id", where="guesses >= 5"),
    partial_index("ix_samples_guessed", "archive_id", GUESSES, "id", where="guesses >= 5"),
    partial_index("ix_samples_hung", "archive_id", where="hung_at IS NOT NULL"),
    partial_index("ix_samples_read", "archive_id", "read_stamp", where="read_stamp IS NOT NULL"),
    UniqueConstraint("archive_id", "text_hash"),
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
    Column("scorer", Float),  # by how many log odds the scorer believes it more; null: no scorer chose both
    Column("after_guess_id", BigInteger, nullable=False),  # guesses behind this one are evidence
    Column("opened_by", String(64), nullable=False),
    Column("opened_at", Moment, nullable=False),
    # Change with each look.
    Column("looks", JSON, nullable=False, default=list),
    Column("looked", Integer, nullable=False, default=0),  # how many looks there were
    Column("state", String(16), nullable=False),  # open, promoted, no difference, rolled back, stopped
    Column("closed_at", Moment),
    partial_index("uq_canaries_open", "archive_id", where="closed_at IS NULL", unique=True),
)
