"""baseline: a column of canaries that nobody wrote or read goes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("canaries", "baseline")


def downgrade() -> None:
    op.add_column("canaries", sa.Column("baseline", sa.JSON(), nullable=False, server_default="{}"))
