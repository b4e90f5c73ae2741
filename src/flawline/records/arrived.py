"""The inspections that were stored at a moment, so that later ones are recognised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from flawline.records.tables import inspection

# PostgreSQL hands out numbers before rows are visible: a batch that is being written can have lower ones.
BEHIND = 20_000
MOST_GAPS = 200


@dataclass(frozen=True, slots=True)
class Arrived:
    """Numbers of inspections up to `last`, without the gaps (first, last): rows that are perhaps being written."""

    last: int = 0
    gaps: tuple[tuple[int, int], ...] = ()

    def has(self) -> list[ColumnElement[bool]]:
        """Return the conditions that a row of `inspection` was stored."""
        # The sum keeps SQLite from reading in the order of numbers and sorting all rows by time.
        return [inspection.c.id + 0 <= self.last, *(~_between(gap) for gap in self.gaps)]

    def lacks(self) -> ColumnElement[bool]:
        """Return the condition that it was not."""
        return or_(inspection.c.id > self.last, *map(_between, self.gaps))


def arrived(connection: Connection) -> Arrived:
    """Return the state of now."""
    last = connection.execute(select(func.max(inspection.c.id))).scalar() or 0
    if connection.dialect.name == "sqlite":
        return Arrived(last)  # one writer at a time: numbers come in the order of their commits
    recent = select(inspection.c.id).where(inspection.c.id > last - BEHIND)
    found = connection.execute(recent.order_by(inspection.c.id)).scalars().all()
    return Arrived(last, gaps_of(max(last - BEHIND, 0), list(found)))


def gaps_of(before: int, numbers: list[int]) -> tuple[tuple[int, int], ...]:
    """List the latest runs of missing numbers above `before`."""
    steps = zip([before, *numbers], numbers, strict=False)
    return tuple((low + 1, high - 1) for low, high in steps if high - low > 1)[-MOST_GAPS:]


def _between(gap: tuple[int, int]) -> Any:
    return inspection.c.id.between(*gap)
