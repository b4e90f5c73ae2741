"""Areas of inspections, and number and largest area of each class, as columns that a page can choose by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from flawline.records.packing import unpack

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_AT_ONCE = 2000


def upgrade() -> None:
    """Add columns and a table, and fill them from stored rows, which takes a while in a large store."""
    op.add_column("inspection", sa.Column("largest_area", sa.Double))
    op.add_column("inspection", sa.Column("total_area", sa.Double))
    op.create_table(
        "class_count",
        sa.Column("label", NUMBER, sa.ForeignKey("term.id"), primary_key=True),
        sa.Column("inspection", NUMBER, sa.ForeignKey("inspection.id"), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("largest_area", sa.Double),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    _let_changes(connection, True)
    _fill(connection)
    _let_changes(connection, False)


def _let_changes(connection: sa.Connection, let: bool) -> None:
    """Disable or enable the trigger that refuses changes of inspections, inside this transaction."""
    if connection.dialect.name == "postgresql":
        word = "DISABLE" if let else "ENABLE"
        op.execute(f"ALTER TABLE inspection {word} TRIGGER inspection_update")
    elif let:
        op.execute("DROP TRIGGER inspection_update")
    else:
        op.execute(
            "CREATE TRIGGER inspection_update BEFORE UPDATE ON inspection "
            "BEGIN SELECT RAISE(ABORT, 'records are never changed'); END"
        )


def _fill(connection: sa.Connection) -> None:
    kinds = "SELECT id, text FROM term WHERE kind IN ('measures', 'defect measures')"
    names = {int(row.id): str(row.text) for row in connection.execute(sa.text(kinds))}
    last = 0
    while True:
        query = sa.text(
            "SELECT id, shape, measures FROM inspection WHERE id > :last ORDER BY id LIMIT :most"
        )
        rows = connection.execute(query, {"last": last, "most": _AT_ONCE}).all()
        if not rows:
            return
        last = rows[-1].id
        found = sa.text(
            "SELECT inspection, label, shape, measures FROM defect "
            "WHERE inspection BETWEEN :first AND :last ORDER BY inspection, number"
        )
        defects = connection.execute(found, {"first": rows[0].id, "last": last}).all()
        areas = [_measures(row, names).get("area") for row in defects]
        _fill_classes(connection, defects, areas)
        _fill_areas(connection, rows, defects, areas, names)


def _fill_classes(
    connection: sa.Connection, defects: Sequence[sa.Row[Any]], areas: Sequence[float | None]
) -> None:
    classes: dict[tuple[int, int], list[float | None]] = {}
    for row, area in zip(defects, areas, strict=True):
        classes.setdefault((row.inspection, row.label), []).append(area)
    filled = [
        {"i": owner, "l": label, "n": len(own), "a": _largest(own)}
        for (owner, label), own in classes.items()
    ]
    if filled:
        connection.execute(
            sa.text(
                "INSERT INTO class_count (inspection, label, count, largest_area) "
                "VALUES (:i, :l, :n, :a)"
            ),
            filled,
        )


def _fill_areas(
    connection: sa.Connection,
    rows: Sequence[sa.Row[Any]],
    defects: Sequence[sa.Row[Any]],
    areas: Sequence[float | None],
    names: dict[int, str],
) -> None:
    owned: dict[int, list[float]] = {}
    for row, area in zip(defects, areas, strict=True):
        if area is not None:
            owned.setdefault(row.inspection, []).append(area)
    filled = []
    for row in rows:
        measures, own = _measures(row, names), owned.get(row.id)
        largest = measures.get("largest_area", _largest(own or ()))
        total = measures.get("total_area", sum(own) if own else None)
        if largest is not None or total is not None:
            filled.append({"i": row.id, "a": largest, "t": total})
    if filled:
        update = "UPDATE inspection SET largest_area = :a, total_area = :t WHERE id = :i"
        connection.execute(sa.text(update), filled)


def _measures(row: sa.Row[Any], names: dict[int, str]) -> dict[str, float]:
    return {} if row.shape is None else unpack(names[row.shape], bytes(row.measures))


def _largest(areas: Sequence[float | None]) -> float | None:
    return max((area for area in areas if area is not None), default=None)
