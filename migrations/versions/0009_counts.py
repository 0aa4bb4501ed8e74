"""what limits count, shared by web processes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counts",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_counts")),
    )
    op.create_index(op.f("ix_counts_ends_at"), "counts", ["ends_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_counts_ends_at"), table_name="counts")
    op.drop_table("counts")
