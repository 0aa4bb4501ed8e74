"""description: a sentence on whose texts an archive holds, for players who choose one"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("archives", sa.Column("description", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("archives", "description")
