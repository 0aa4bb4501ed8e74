"""Alembic's entry: runs migrations on the connection that was handed in, or on the URL of alembic.ini."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from app.db.session import open_engine
from app.db.tables import Moment, metadata


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    # A migration is history: it names the stored type, not a class of today's code.
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Moment) else False


def _run(connection: Any) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, render_item=_render, compare_type=True
    )
    with context.begin_transaction():
        context.run_migrations()


handed = context.config.attributes.get("connection")
if handed is not None:
    _run(handed)
else:
    with open_engine(context.config.get_main_option("sqlalchemy.url", "")).connect() as own:
        _run(own)
        own.commit()
