"""settings of an archive's own, and archives that are entered by an invitation"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("archives", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("archives", sa.Column("invite", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("archives", "invite")
    op.drop_column("archives", "settings")
