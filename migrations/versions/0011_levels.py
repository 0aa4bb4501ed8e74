"""levels: the skill that a seat is dealt by, and the strength that a sample is chosen by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0004"
branch_labels = None
depends_on = None

_READ = sa.text("read_stamp IS NOT NULL")


# Plain ALTER TABLE throughout: rebuilding a table (batch mode) would fail on what refers to it, and take long.
def upgrade() -> None:
    op.add_column("samples", sa.Column("read_strength", sa.Float(), nullable=True))
    op.add_column("samples", sa.Column("read_stamp", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_samples_read", "samples", ["archive_id", "read_stamp"], sqlite_where=_READ, postgresql_where=_READ
    )
    op.add_column("seats", sa.Column("skill", sa.Float(), nullable=True))
    op.add_column("seats", sa.Column("next_skill", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("seats", "next_skill")
    op.drop_column("seats", "skill")
    op.drop_index("ix_samples_read", table_name="samples")
    op.drop_column("samples", "read_stamp")
    op.drop_column("samples", "read_strength")
