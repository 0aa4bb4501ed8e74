"""skill, scores of a day and a week, transfer codes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0001"
branch_labels = None
depends_on = None


# Plain ALTER TABLE throughout: rebuilding a table (batch mode) would fail on what refers to it, and take long.
def _columns() -> dict[str, list[sa.Column]]:
    return {
        "samples": [
            sa.Column("strength", sa.Float(), nullable=False, server_default="0.0"),
            sa.Column("strength_variance", sa.Float(), nullable=False, server_default="0.5"),
        ],
        "players": [
            sa.Column("skill", sa.Float(), nullable=False, server_default="0.5"),
            sa.Column("skill_variance", sa.Float(), nullable=False, server_default="1.0"),
            sa.Column("nickname_key", sa.String(length=32), nullable=True),
        ],
        "guesses": [
            sa.Column("skill", sa.Float(), nullable=True),
            sa.Column("skill_variance", sa.Float(), nullable=True),
        ],
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_players_nickname_key", "players", ["nickname_key"], unique=True)
    op.create_index("ix_guesses_player_id", "guesses", ["player_id", "id"])
    op.create_table(
        "scores",
        sa.Column("span", sa.String(length=4), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("archive_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("player_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guesses", sa.Integer(), nullable=False),
        sa.Column("spotted", sa.Integer(), nullable=False),
        sa.Column("skill", sa.Float(), nullable=False),
        sa.Column("skill_variance", sa.Float(), nullable=False),
        sa.Column("level", sa.Float(), nullable=True),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.Column("best_streak", sa.Integer(), nullable=False),
        sa.Column("last_guess_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name=op.f("fk_scores_archive_id_archives")),
        sa.ForeignKeyConstraint(["player_id"], ["players.id"], name=op.f("fk_scores_player_id_players")),
        sa.PrimaryKeyConstraint("span", "period", "archive_id", "player_id", name=op.f("pk_scores")),
    )
    op.create_index("ix_scores_level", "scores", ["span", "period", "archive_id", "level"])
    op.create_index("ix_scores_player_id", "scores", ["player_id"])
    op.create_table(
        "transfers",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("player_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["player_id"], ["players.id"], name=op.f("fk_transfers_player_id_players")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_transfers")),
        sa.UniqueConstraint("player_id", name=op.f("uq_transfers_player_id")),
    )


def downgrade() -> None:
    op.drop_table("transfers")
    op.drop_table("scores")
    op.drop_index("ix_guesses_player_id", table_name="guesses")
    op.drop_index("ix_players_nickname_key", table_name="players")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
