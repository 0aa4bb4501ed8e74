"""concluded: with which frozen labels a retraining came to an end, be it that it found nothing to change"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("label_sets", sa.Column("concluded_at", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE label_sets SET concluded_at = created_at "
        "WHERE id IN (SELECT label_set_id FROM generators WHERE label_set_id IS NOT NULL)"
    )


def downgrade() -> None:
    op.drop_column("label_sets", "concluded_at")
