"""fixed sets: the daily ten, challenges, first tens"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0008b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("guesses", sa.Column("set_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_guesses_player_tweet", "guesses", ["player_id", "tweet_id"])
    op.create_table(
        "sets",
        sa.Column("id", number, nullable=False),
        sa.Column("archive_id", number, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("made_by", number, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name=op.f("fk_sets_archive_id_archives")),
        sa.ForeignKeyConstraint(["made_by"], ["players.id"], name=op.f("fk_sets_made_by_players")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sets")),
        sa.UniqueConstraint("kind", "name", "archive_id", name=op.f("uq_sets_kind_name_archive_id")),
    )
    op.create_index(op.f("ix_sets_archive_id"), "sets", ["archive_id"])
    op.create_index(op.f("ix_sets_made_by"), "sets", ["made_by"])
    op.create_table(
        "set_cards",
        sa.Column("set_id", number, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("tweet_id", number, nullable=False),
        sa.Column("sample_id", number, nullable=False),
        sa.Column("arm", sa.String(length=16), nullable=False),
        sa.Column("arm_probability", sa.Float(), nullable=False),
        sa.Column("card_probability", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["set_id"], ["sets.id"], name=op.f("fk_set_cards_set_id_sets")),
        sa.ForeignKeyConstraint(["tweet_id"], ["tweets.id"], name=op.f("fk_set_cards_tweet_id_tweets")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_set_cards_sample_id_samples")),
        sa.PrimaryKeyConstraint("set_id", "place", name=op.f("pk_set_cards")),
    )
    op.create_index(op.f("ix_set_cards_tweet_id"), "set_cards", ["tweet_id"])
    op.create_index(op.f("ix_set_cards_sample_id"), "set_cards", ["sample_id"])
    op.create_table(
        "set_seats",
        sa.Column("player_id", number, nullable=False),
        sa.Column("set_id", number, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("spotted", sa.Integer(), nullable=False),
        sa.Column("verdicts", sa.String(length=32), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["player_id"], ["players.id"], name=op.f("fk_set_seats_player_id_players")),
        sa.ForeignKeyConstraint(["set_id"], ["sets.id"], name=op.f("fk_set_seats_set_id_sets")),
        sa.PrimaryKeyConstraint("player_id", "set_id", name=op.f("pk_set_seats")),
    )
    op.create_index("ix_set_seats_finished", "set_seats", ["set_id", "finished_at"])
    op.create_table(
        "set_scores",
        sa.Column("set_id", number, nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("players", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["set_id"], ["sets.id"], name=op.f("fk_set_scores_set_id_sets")),
        sa.PrimaryKeyConstraint("set_id", "score", name=op.f("pk_set_scores")),
    )


def downgrade() -> None:
    for table in ("set_scores", "set_seats", "set_cards", "sets"):
        op.drop_table(table)
    op.drop_index("ix_guesses_player_tweet", table_name="guesses")
    op.drop_column("guesses", "set_id")
