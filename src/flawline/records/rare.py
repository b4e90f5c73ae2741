"""Find the inspections that a bound of a number chooses, where they are few.

A page reads in the order of time until it is full. Where few inspections meet a bound it would read all of them: then
they are looked up by an index of the number first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, text

from flawline.records.tables import UNUSUAL, class_count, inspection

FEW = 4000
"""Up to so many inspections are looked up; where there are more, a page is soon full."""
_INDEXED = ("score", *UNUSUAL)


def few_by_number(
    connection: Connection, name: str, least: float | None, most: float | None
) -> Sequence[int] | None:
    """Return the numbers of the inspections whose `name` lies between bounds; None where they are many.

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
    query = select(inspection.c.id).where(*met).order_by(column).limit(FEW + 1)
    return _few(connection, query)


def few_of_class(
    connection: Connection, label: int, met: ColumnElement[bool], column: Any
) -> Sequence[int] | None:
    """Return the numbers of the inspections with a row of a class that meets a condition; None where they are many."""
    query = select(class_count.c.inspection).where(class_count.c.label == label, met)
    return _few(connection, query.order_by(column).limit(FEW + 1))


def _served(name: str, least: float | None, most: float | None) -> bool:
    if name == "p_value":
        return most is not None and most < 0.05
    if name == "defects":
        return least is not None and least > 1
    return name == "score" or (least is not None and least > 0)


def _few(connection: Connection, query: Any) -> Sequence[int] | None:
    found = list(connection.execute(query).scalars())
    return found if len(found) <= FEW else None
