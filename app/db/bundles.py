"""Bundles: what is told about a generator in the file that carries it from one game to another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.db import generators
from app.db.archives import Archive
from app.db.generators import Generator

KIND = "whichtweet generator"


def card_of(connection: Connection, archive: Archive, generator: Generator, at: datetime) -> dict[str, Any]:
    """The card that goes into a bundle beside the checkpoint, as plain values.

    A scorer stays behind: it has learned from the archive's own players.
    """
    parent = generators.find(connection, generator.parent_id) if generator.parent_id else None
    return {
        "kind": KIND,
        "generator": generator.name,
        "archive": {"slug": archive.slug, "name": archive.name, "handle": archive.handle, "unit": archive.unit},
        "parent": parent.name if parent else None,
        "checkpoint_sha256": generator.checkpoint_sha256,
        "decoding": dict(generator.decoding),
        "vetting_version": generator.vetting_version,
        "bits_per_character": generator.bits_per_character,
        "made_at": generator.created_at.isoformat(),
        "exported_at": at.isoformat(),
        "card": dict(generator.card),
    }
