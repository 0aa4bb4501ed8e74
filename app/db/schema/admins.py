"""Admins: who they are, who is signed in, and what they changed."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, String, Table

from app.db.schema.columns import Id, Moment, metadata

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
    Index("ix_audit_who", "who", "id"),
)
