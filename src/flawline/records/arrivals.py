"""Read the inspections written since a moment; the cost depends on those alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from flawline.records.arrived import BEHIND, MOST_GAPS, Arrived, arrived, gaps_of
from flawline.records.series import Columns, ReadPlan, columns_from, columns_of
from flawline.records.tables import inspection
from flawline.records.terms import Terms
from flawline.records.where import Where, condition

__all__ = ["Arrived", "arrived", "new_numbers", "of_numbers"]
_AT_ONCE = 500


def new_numbers(
    connection: Connection, than: Arrived, count: int
) -> Iterator[tuple[Arrived, list[int]]]:
    """Yield the numbers of inspections written since `than`, `count` at a time, with the state after each chunk."""
    query = select(inspection.c.id).where(than.lacks()).order_by(inspection.c.id)
    numbers = list(connection.execute(query).scalars())
    for start in range(0, len(numbers), count):
        some = numbers[start : start + count]
        than = arrived_with(than, some, gapless=connection.dialect.name == "sqlite")
        yield than, some


def arrived_with(than: Arrived, numbers: list[int], *, gapless: bool) -> Arrived:
    """Add the numbers of records, rising, to what has arrived; `gapless` where no number is ever left free."""
    last = max(than.last, numbers[-1])
    if gapless:
        return Arrived(last)
    gaps: list[tuple[int, int]] = []
    for low, high in than.gaps:
        inside = [number for number in numbers if low <= number <= high]
        gaps += gaps_of(low - 1, [*inside, high + 1])
    gaps += gaps_of(than.last, [number for number in numbers if number > than.last])
    recent = [gap for gap in gaps if gap[1] > last - BEHIND]
    return Arrived(last, tuple(recent[-MOST_GAPS:]))


def of_numbers(
    connection: Connection, terms: Terms, planned: ReadPlan, where: Where, numbers: Sequence[int]
) -> Columns:
    """Read the columns of those of the numbered inspections that `where` chooses, in the order of time."""
    met = [condition(connection, terms, where), *planned.met()]
    rows: list[Row[Any]] = []
    for start in range(0, len(numbers), _AT_ONCE):
        few = inspection.c.id.in_(numbers[start : start + _AT_ONCE])
        rows += connection.execute(select(*columns_of(planned)).where(few, *met)).all()
    rows.sort(key=lambda row: (row.captured, bytes(row.key)))
    return columns_from(connection, terms, planned, rows)
