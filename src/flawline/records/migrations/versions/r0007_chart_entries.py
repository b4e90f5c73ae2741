"""What people note on charts and which answers a server gave, and indexes by which pages choose among many records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add tables and indexes; stored rows stay as they are."""
    op.create_table(
        "chart_entry",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("series", NUMBER, sa.ForeignKey("term.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("inspection", NUMBER, sa.ForeignKey("inspection.id")),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("limits", sa.Text),
        sa.Column("undoes", NUMBER, sa.ForeignKey("chart_entry.id")),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("entered", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "kind IN ('note', 'set aside', 'limits', 'stage', 'undo')", name="chart_entry_kind"
        ),
    )
    op.create_index("chart_entry_series", "chart_entry", ["series", "id"])
    met = sa.text("undoes IS NOT NULL")
    op.create_index(
        "chart_entry_undone",
        "chart_entry",
        ["undoes"],
        unique=True,
        sqlite_where=met,
        postgresql_where=met,
    )
    op.create_table(
        "answer",
        sa.Column("key", sa.LargeBinary(32), primary_key=True),
        sa.Column("request", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("body", sa.LargeBinary),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_index("answer_time", "answer", ["time"])
    _refuse_changes()


def _refuse_changes() -> None:
    """Refuse changes of entries, as for decisions."""
    for change in ("UPDATE", "DELETE"):
        name = f"chart_entry_{change.lower()}"
        if op.get_bind().dialect.name == "sqlite":
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {change} ON chart_entry "
                "BEGIN SELECT RAISE(ABORT, 'records are never changed'); END"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {change} ON chart_entry "
                "FOR EACH ROW EXECUTE FUNCTION flawline_refuse()"
            )
