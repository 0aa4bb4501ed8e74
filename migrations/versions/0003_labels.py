"""labels that can be taken back, players that are screened, and sets that know whose labels they hold"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("players", sa.Column("retracted_at", sa.BigInteger(), nullable=True))
    op.add_column("labels", sa.Column("ruled_status", sa.String(length=16), nullable=False, server_default="accepted"))
    op.add_column("labels", sa.Column("ruled_reason", sa.String(length=32), nullable=True))
    op.add_column("labels", sa.Column("decided_by", sa.String(length=16), nullable=False, server_default="rules"))
    # What the rules said is lost where an admin has spoken since; such a label counts as accepted by the rules.
    op.execute("UPDATE labels SET decided_by = 'admin' WHERE reason = 'by an admin'")
    op.execute("UPDATE labels SET ruled_status = status, ruled_reason = reason WHERE decided_by = 'rules'")
    op.add_column("label_sets", sa.Column("amendments", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "set_players",
        sa.Column("label_set_id", _ID, nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["label_set_id"], ["label_sets.id"], name=op.f("fk_set_players_label_set_id_label_sets")
        ),
        sa.PrimaryKeyConstraint("label_set_id", "player_id", name=op.f("pk_set_players")),
    )
    op.create_index("ix_set_players_player_id", "set_players", ["player_id"])
    # Sets that are there already: what they hold is, as near as the tables tell, what is accepted up to their cutoff.
    op.execute(
        "INSERT INTO set_players (label_set_id, player_id, labels)"
        " SELECT label_sets.id, guesses.player_id, count(*) FROM label_sets"
        " JOIN guesses ON guesses.archive_id = label_sets.archive_id AND guesses.id <= label_sets.cutoff_guess_id"
        " JOIN labels ON labels.guess_id = guesses.id AND labels.status = 'accepted'"
        " GROUP BY label_sets.id, guesses.player_id"
    )
    op.create_table(
        "screenings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("archive_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cutoff_guess_id", sa.BigInteger(), nullable=False),
        sa.Column("guesses", sa.Integer(), nullable=False),
        sa.Column("players", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(length=200), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name=op.f("fk_screenings_archive_id_archives")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screenings")),
    )
    op.create_index("ix_screenings_archive_id", "screenings", ["archive_id"])
    op.create_table(
        "holds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("player_id", _ID, nullable=False),
        sa.Column("archive_id", _ID, nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name=op.f("fk_holds_archive_id_archives")),
        sa.ForeignKeyConstraint(["player_id"], ["players.id"], name=op.f("fk_holds_player_id_players")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_player_id", "holds", ["player_id"])
    op.create_index("ix_holds_archive_id", "holds", ["archive_id"])


def downgrade() -> None:
    for table in ("holds", "screenings", "set_players"):
        op.drop_table(table)
    op.drop_column("label_sets", "amendments")
    for column in ("decided_by", "ruled_reason", "ruled_status"):
        op.drop_column("labels", column)
    op.drop_column("players", "retracted_at")
