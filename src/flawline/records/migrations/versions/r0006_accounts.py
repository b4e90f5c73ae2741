"""Accounts of a server and what lets them in, who did what, and which recipe judges a product."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables; stored rows stay as they are."""
    _accounts()
    op.create_table(
        "action",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
    )
    op.create_index("action_time", "action", ["time"])
    op.create_table(
        "activation",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("product", sa.Text, nullable=False),
        sa.Column("recipe", NUMBER, sa.ForeignKey("term.id"), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_index("activation_product", "activation", ["product", "id"])
    _refuse_changes()


def _accounts() -> None:
    roles, kinds = "'viewer', 'operator', 'engineer', 'admin'", "'session', 'link', 'token'"
    op.create_table(
        "account",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password", sa.Text),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.CheckConstraint(f"role IN ({roles})", name="account_role"),
    )
    op.create_table(
        "credential",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("account", NUMBER, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger),
        sa.Column("ended", sa.BigInteger),
        sa.CheckConstraint(f"kind IN ({kinds})", name="credential_kind"),
    )
    op.create_index("credential_account", "credential", ["account", "kind"])


def _refuse_changes() -> None:
    """Refuse changes of what was done and activated, as for decisions."""
    for table in ("action", "activation"):
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
