"""Find the inspections that a bound of a number chooses, where they are few.

A page reads in the order of time until it is full. Where few inspections meet a bound it would read all of them: then
they are looked up by an index of the number first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    bindparam,
    exists,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql

from flawline.records.tables import UNUSUAL, class_count, inspection

FEW = 4000
"""Up to so many inspections are looked up; where there are more, a page is soon full."""
_INDEXED = ("score", *UNUSUAL)


def few_by_number(
    connection: Connection, name: str, least: float | None, most: float | None
) -> ColumnElement[bool] | None:
    """Return the condition that an inspection is one of those whose `name` lies between bounds; None for many.

    Only bounds that an index serves are looked up: of scores, of p-values below 0.05, of areas above 0, of more than
    one defect.
    """
    if name not in _INDEXED or not _served(name, least, most):
        return None
    column = inspection.c[name]
    met: list[Any] = [text(f"inspection.{UNUSUAL[name]}")] if name in UNUSUAL else []
    met += [] if least is None else [column >= least]
    met += [] if most is None else [column <= most]
    # In the order of the index, so that it is used.
    query = select(inspection.c.id, inspection.c.captured).where(*met).order_by(column)
    found = connection.execute(query.limit(FEW + 1)).all()
    if len(found) > FEW:
        return None
    return _one_of(connection, [row.id for row in found], [row.captured for row in found])


def few_of_class(
    connection: Connection, label: int, met: ColumnElement[bool], column: Any
) -> ColumnElement[bool] | None:
    """Return the condition that an inspection has a row of a class that meets a condition; None for many."""
    query = select(class_count.c.inspection).where(class_count.c.label == label, met)
    ids = list(connection.execute(query.order_by(column).limit(FEW + 1)).scalars())
    if len(ids) > FEW:
        return None
    if connection.dialect.name == "sqlite":
        return _one_of(connection, ids, [])
    given = func.unnest(_numbers(ids)).table_valued("id").render_derived()
    timed = select(inspection.c.id, inspection.c.captured).join(
        given, given.c.id == inspection.c.id
    )
    found = connection.execute(timed).all()
    return _one_of(connection, [row.id for row in found], [row.captured for row in found])


def _one_of(
    connection: Connection, ids: Sequence[int], times: Sequence[int]
) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return inspection.c.id.in_(ids)
    # With its time each is looked up in its month alone.
    given = (
        func.unnest(_numbers(ids), _numbers(times)).table_valued("id", "captured").render_derived()
    )
    same = given.c.id == inspection.c.id, given.c.captured == inspection.c.captured
    return exists().where(*same)


def _numbers(values: Sequence[int]) -> ColumnElement[Any]:
    return bindparam(None, list(values), type_=postgresql.ARRAY(BigInteger))


def _served(name: str, least: float | None, most: float | None) -> bool:
    if name == "p_value":
        return most is not None and most < 0.05
    if name == "defects":
        return least is not None and least > 1
    return name == "score" or (least is not None and least > 0)
