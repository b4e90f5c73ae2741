"""Let PostgreSQL count what waits for review from the index of those not accepted alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the index anew, which takes some seconds for each million inspections; stored rows stay as they are."""
    if op.get_bind().dialect.name == "sqlite":
        return
    op.drop_index("inspection_flagged", "inspection")
    op.create_index(
        "inspection_flagged",
        "inspection",
        ["captured", "key"],
        postgresql_where=sa.text("verdict <> 'accept'"),
        postgresql_include=["id", "verdict"],
    )
