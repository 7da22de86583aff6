"""posts that were erased and must not come back"""

from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "erased_posts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_erased_posts_account_id_accounts"
        ),
        sa.PrimaryKeyConstraint("account_id", "digest", name="pk_erased_posts"),
    )
