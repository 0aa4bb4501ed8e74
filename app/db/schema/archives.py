"""Archives: whose texts are played, what was imported of them, and the files that wait for it."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from app.db.schema.columns import Id, Moment, hidden_index, metadata, partial_index

archives = Table(
    "archives",
    metadata,
    Column("id", Id, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("handle", String(64)),  # without @; null for texts that no account posted
    Column("description", String(200)),  # a sentence on whose texts these are, for players who choose; null: none
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
    hidden_index("tweets"),
    partial_index("ix_tweets_doubted", "archive_id", "fooled", "id", where="fooled > 0"),
    Index("ix_tweets_archive_split", "archive_id", "split", "id"),
    Index("ix_tweets_archive_deck_seq", "archive_id", "deck_seq"),
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
