"""by hand: the status that an admin left a label at, which outlives a retraction"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("labels", sa.Column("admin_status", sa.String(length=16), nullable=True))
    op.execute("UPDATE labels SET admin_status = status WHERE decided_by = 'admin'")


def downgrade() -> None:
    op.drop_column("labels", "admin_status")
