"""Count inspections by the hour and verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from flawline.data.times import from_micros, micros
from flawline.records.tables import decision, inspection
from flawline.records.terms import Terms
from flawline.records.where import Where, condition

HOUR = 3_600_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class HourCount:
    """One hour, from `begin` on: inspections by verdict, "unjudged" where there is none."""

    begin: datetime
    counts: Mapping[str, int]

    @property
    def end(self) -> datetime:
        """Return the beginning of the next hour."""
        return self.begin + timedelta(hours=1)


def hour_counts(
    connection: Connection, terms: Terms, where: Where, last: datetime, hours: int
) -> tuple[HourCount, ...]:
    """Count the inspections of the hours up to that of `last`, the oldest first.

    A person's last decision counts before the machine's verdict.
    """
    until = micros(last) // HOUR + 1
    since = until - hours
    hour = inspection.c.captured / HOUR
    hour = (
        func.floor(hour) if connection.dialect.name != "sqlite" else inspection.c.captured // HOUR
    )
    inside = (
        condition(connection, terms, where),
        inspection.c.captured >= since * HOUR,
        inspection.c.captured < until * HOUR,
    )
    counts: dict[int, Counter[str]] = {number: Counter() for number in range(since, until)}
    grouped = (
        select(hour, inspection.c.verdict, func.count())
        .where(*inside)
        .group_by(hour, inspection.c.verdict)
    )
    for number, verdict, count in connection.execute(grouped):
        counts[int(number)][verdict or "unjudged"] += count
    decided = (
        select(inspection.c.id, hour, inspection.c.verdict, decision.c.verdict)
        .join(decision, decision.c.inspection == inspection.c.id)
        .where(*inside)
        .order_by(decision.c.id)
    )
    final = {row[0]: row for row in connection.execute(decided)}
    for _, number, machine, person in final.values():
        counts[int(number)][machine or "unjudged"] -= 1
        counts[int(number)][person] += 1
    return tuple(
        HourCount(from_micros(number * HOUR), {name: n for name, n in sorted(found.items()) if n})
        for number, found in counts.items()
    )
