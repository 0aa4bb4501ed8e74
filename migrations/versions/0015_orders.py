"""orders: samples by fool rate and by guesses, from indexes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_RATED = sa.text("guesses >= 5")


def upgrade() -> None:
    for name, key in (
        ("ix_samples_rate", "(CAST(fooled AS FLOAT) / NULLIF(guesses, 0))"),
        ("ix_samples_guessed", "(guesses + 0)"),
    ):
        columns = ["archive_id", sa.text(key), "id"]
        op.create_index(name, "samples", columns, sqlite_where=_RATED, postgresql_where=_RATED)


def downgrade() -> None:
    op.drop_index("ix_samples_guessed", table_name="samples")
    op.drop_index("ix_samples_rate", table_name="samples")
