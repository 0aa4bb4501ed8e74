"""indexes: of what the dashboard counts and lists, so that no page looks through what lies behind a game"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ON_SHELF = sa.text("shelved_stamp IS NOT NULL AND retired_stamp IS NULL AND hidden_at IS NULL")
_HELD = sa.text("hidden_reason LIKE 'held: %'")


def upgrade() -> None:
    op.create_index(
        "ix_samples_on_shelf",
        "samples",
        ["archive_id", "retired_stamp", "hidden_at", "shelved_stamp", "generator_id"],
        sqlite_where=_ON_SHELF,
        postgresql_where=_ON_SHELF,
    )
    op.create_index("ix_samples_archive_id", "samples", ["archive_id", "id"])
    op.create_index("ix_samples_held", "samples", ["id"], sqlite_where=_HELD, postgresql_where=_HELD)
    op.create_index("ix_jobs_archive_id", "jobs", ["archive_id", "id"])
    op.create_index("ix_audit_who", "audit", ["who", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_who", table_name="audit")
    op.drop_index("ix_jobs_archive_id", table_name="jobs")
    op.drop_index("ix_samples_held", table_name="samples")
    op.drop_index("ix_samples_archive_id", table_name="samples")
    op.drop_index("ix_samples_on_shelf", table_name="samples")
