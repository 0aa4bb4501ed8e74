"""classes that play together"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008b"
down_revision = "0007"
branch_labels = None
depends_on = None


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "classes",
        sa.Column("id", _id(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seed", sa.LargeBinary(length=16), nullable=False),
        sa.Column("archive_id", _id(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("teaches", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("is_revealed", sa.Boolean(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("generator_id", _id(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name=op.f("fk_classes_archive_id_archives")),
        sa.ForeignKeyConstraint(["generator_id"], ["generators.id"], name=op.f("fk_classes_generator_id_generators")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classes")),
        sa.UniqueConstraint("code", name=op.f("uq_classes_code")),
    )
    op.create_table(
        "class_rounds",
        sa.Column("class_id", _id(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tweet_id", _id(), nullable=False),
        sa.Column("sample_id", _id(), nullable=False),
        sa.Column("generator_id", _id(), nullable=False),
        sa.Column("arm", sa.String(length=16), nullable=False),
        sa.Column("card_probability", sa.Float(), nullable=False),
        sa.Column("tweet_index", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_class_rounds_class_id_classes")),
        sa.ForeignKeyConstraint(["tweet_id"], ["tweets.id"], name=op.f("fk_class_rounds_tweet_id_tweets")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_class_rounds_sample_id_samples")),
        sa.ForeignKeyConstraint(
            ["generator_id"], ["generators.id"], name=op.f("fk_class_rounds_generator_id_generators")
        ),
        sa.PrimaryKeyConstraint("class_id", "leg", "number", name=op.f("pk_class_rounds")),
    )
    op.create_index("ix_class_rounds_tweet_id", "class_rounds", ["tweet_id"])
    op.create_index("ix_class_rounds_sample_id", "class_rounds", ["sample_id"])
    op.create_table(
        "class_members",
        sa.Column("class_id", _id(), nullable=False),
        sa.Column("player_id", _id(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=True),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_class_members_class_id_classes")),
        sa.ForeignKeyConstraint(["player_id"], ["players.id"], name=op.f("fk_class_members_player_id_players")),
        sa.PrimaryKeyConstraint("class_id", "player_id", name=op.f("pk_class_members")),
    )
    op.create_index("ix_class_members_player_id", "class_members", ["player_id"])
    op.add_column("label_sets", sa.Column("class_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("label_sets", "class_id")
    op.drop_table("class_members")
    op.drop_table("class_rounds")
    op.drop_table("classes")
