"""lost, not_before: attempts of a job in a row that died before they stored anything, and the rest before the next"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("lost", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("not_before", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "not_before")
    op.drop_column("jobs", "lost")
