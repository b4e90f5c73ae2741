"""Messages for outputs; a sender's own name for a frame."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add a table, a column and its index; stored rows stay as they are."""
    op.add_column("inspection", sa.Column("frame_key", sa.Text))
    _index("inspection_frame", "inspection", ["key"], "frame_key IS NOT NULL", unique=True)
    op.create_table(
        "delivery",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("output", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.Column("done", sa.BigInteger),
    )
    op.create_index("delivery_copy", "delivery", ["output", "digest"], unique=True)
    _index("delivery_waiting", "delivery", ["output", "id"], "done IS NULL")
    _index("delivery_done", "delivery", ["done"], "done IS NOT NULL")


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    met = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=met, postgresql_where=met)
