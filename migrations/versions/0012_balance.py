"""balance: what the drafts of a restock were steered by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("restocks", sa.Column("balance", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("restocks", "balance")
