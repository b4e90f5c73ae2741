"""The first schema: terms, inspections, defects, decisions, files of recipes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
VERDICTS = "verdict IN ('accept', 'review', 'reject')"
DIMENSIONS = ("station", "step", "product", "lot", "operator", "tool", "shift", "recipe", "spec")


def upgrade() -> None:
    """Create the tables, with triggers that refuse changes of verdicts and decisions."""
    _terms_and_inspections()
    _indexes()
    _defects_and_decisions()
    _refuse_changes()


def _terms_and_inspections() -> None:
    op.create_table(
        "term",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("term_digest", "term", ["kind", "digest"], unique=True)
    op.create_table(
        "inspection",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("captured", sa.BigInteger, nullable=False),
        sa.Column("captured_known", sa.Boolean, nullable=False),
        sa.Column("judged", sa.BigInteger, nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("picture", sa.LargeBinary(32)),
        sa.Column("map", sa.LargeBinary(32)),
        sa.Column("height", sa.Integer),
        sa.Column("width", sa.Integer),
        sa.Column("part", sa.Text),
        *(sa.Column(name, NUMBER, sa.ForeignKey("term.id")) for name in DIMENSIONS),
        sa.Column("verdict", sa.Text),
        sa.Column("score", sa.Double),
        sa.Column("p_value", sa.Double),
        sa.Column("defects", sa.Integer, nullable=False),
        sa.Column("shape", NUMBER, sa.ForeignKey("term.id")),
        sa.Column("measures", sa.LargeBinary),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("further", sa.Text),
        sa.CheckConstraint(VERDICTS, name="inspection_verdict"),
    )


def _indexes() -> None:
    capture = ["captured", "key"]
    op.create_index("inspection_capture", "inspection", capture, unique=True)
    untimed = sa.text(
        "captured_known = 0" if op.get_bind().dialect.name == "sqlite" else "captured_known = false"
    )
    _partial("inspection_untimed", ["key"], untimed, unique=True)
    op.create_index("inspection_lot", "inspection", ["lot", "captured"])
    _partial("inspection_part", ["part"], sa.text("part IS NOT NULL"))
    _partial("inspection_flagged", capture, sa.text("verdict <> 'accept'"))


def _partial(name: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(
        name, "inspection", columns, unique=unique, sqlite_where=where, postgresql_where=where
    )


def _defects_and_decisions() -> None:
    op.create_table(
        "defect",
        sa.Column("inspection", NUMBER, sa.ForeignKey("inspection.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("label", NUMBER, sa.ForeignKey("term.id"), nullable=False),
        *(sa.Column(name, sa.Integer) for name in ("left", "top", "width", "height")),
        sa.Column("shape", NUMBER, sa.ForeignKey("term.id")),
        sa.Column("measures", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decision",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("inspection", NUMBER, sa.ForeignKey("inspection.id"), nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("decided", sa.BigInteger, nullable=False),
        sa.CheckConstraint(VERDICTS, name="decision_verdict"),
    )
    op.create_index("decision_inspection", "decision", ["inspection"])
    op.create_table(
        "recipe_file",
        sa.Column("recipe", NUMBER, sa.ForeignKey("term.id"), primary_key=True),
        sa.Column("file", sa.LargeBinary(32), nullable=False),
    )


def _refuse_changes() -> None:
    """Refuse changes of verdicts, the machine's and people's, even from other programs."""
    changes = [("inspection", "UPDATE"), ("decision", "UPDATE"), ("decision", "DELETE")]
    if op.get_bind().dialect.name == "sqlite":
        for table, change in changes:
            op.execute(
                f"CREATE TRIGGER {table}_{change.lower()} BEFORE {change} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'records are never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION flawline_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'records are never changed'; END $$"
    )
    for table, change in changes:
        op.execute(
            f"CREATE TRIGGER {table}_{change.lower()} BEFORE {change} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION flawline_refuse()"
        )
