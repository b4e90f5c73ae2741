"""Alerts, their escalations and acknowledgements; indexes for pages of one tool or operator."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add tables and indexes; stored rows stay as they are."""
    _alerts()
    _entries()
    for name in ("tool", "operator"):
        filled = sa.text(f"{name} IS NOT NULL")
        columns = [name, "captured"]
        op.create_index(
            f"inspection_{name}",
            "inspection",
            columns,
            sqlite_where=filled,
            postgresql_where=filled,
        )
    _refuse_changes()


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("series", sa.Text, nullable=False),
        sa.Column("panel", sa.Text, nullable=False),
        sa.Column("rule", sa.Integer, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("inspection", NUMBER, sa.ForeignKey("inspection.id")),
        sa.Column("point", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("meaning", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("raised", sa.BigInteger, nullable=False),
    )
    op.create_index("alert_digest", "alert", ["digest"], unique=True)


def _entries() -> None:
    op.create_table(
        "alert_entry",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("alert", NUMBER, sa.ForeignKey("alert.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("entered", sa.BigInteger, nullable=False),
        sa.CheckConstraint("kind IN ('escalated', 'acknowledged')", name="alert_entry_kind"),
    )
    op.create_index("alert_entry_alert", "alert_entry", ["alert"])
    escalated = sa.text("kind = 'escalated'")
    op.create_index(
        "alert_escalated",
        "alert_entry",
        ["alert"],
        unique=True,
        sqlite_where=escalated,
        postgresql_where=escalated,
    )


def _refuse_changes() -> None:
    """Refuse changes of alerts and acknowledgements, as for decisions."""
    for table in ("alert", "alert_entry"):
        for change in ("UPDATE", "DELETE"):
            name = f"{table}_{change.lower()}"
            if op.get_bind().dialect.name == "sqlite":
                op.execute(
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'records are never changed'); END"
                )
            else:
                op.execute(
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION flawline_refuse()"
                )
