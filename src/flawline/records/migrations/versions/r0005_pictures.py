"""An index of pictures without a captured time, to find those that are inspected again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "inspection_picture",
        "inspection",
        ["picture"],
        sqlite_where=sa.text("captured_known = 0"),
        postgresql_where=sa.text("captured_known = false"),
    )
