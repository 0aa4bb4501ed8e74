"""the hall: what hangs there, and how often a tweet was taken for machine"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0009"
branch_labels = None
depends_on = None


# Plain ALTER TABLE throughout: rebuilding a table (batch mode) would fail on what refers to it, and take long.
def upgrade() -> None:
    op.add_column("samples", sa.Column("hung_at", sa.BigInteger(), nullable=True))
    for name in ("guesses", "fooled"):
        op.add_column("tweets", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE tweets SET"
        " guesses = (SELECT count(*) FROM guesses JOIN players ON players.id = guesses.player_id"
        " WHERE guesses.tweet_id = tweets.id AND players.simulated IS NULL),"
        " fooled = (SELECT count(*) FROM guesses JOIN players ON players.id = guesses.player_id"
        " WHERE guesses.tweet_id = tweets.id AND players.simulated IS NULL AND guesses.verdict = 'fooled')"
        " WHERE id IN (SELECT tweet_id FROM guesses)"
    )
    for table, name, columns, where in _INDEXES:
        condition = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


_INDEXES = (
    ("samples", "ix_samples_rated", ["archive_id", "fooled", "id"], "guesses >= 5"),
    ("samples", "ix_samples_hung", ["archive_id"], "hung_at IS NOT NULL"),
    ("tweets", "ix_tweets_doubted", ["archive_id", "fooled", "id"], "fooled > 0"),
)


def downgrade() -> None:
    for table, name, _, _ in _INDEXES:
        op.drop_index(name, table_name=table)
    for name in ("guesses", "fooled"):
        op.drop_column("tweets", name)
    op.drop_column("samples", "hung_at")
