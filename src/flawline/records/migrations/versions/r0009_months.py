"""Partition inspections by month in PostgreSQL, where there are none yet; records with inspections stay as they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flawline.records.partition_steps import add_next_index, begin_copy, replace_by_copy

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the empty table; a large one takes long, and has a command of its own."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        return
    if connection.execute(sa.text("SELECT EXISTS (SELECT FROM inspection)")).scalar():
        return
    begin_copy(connection)
    while add_next_index(connection):
        pass
    replace_by_copy(connection)
