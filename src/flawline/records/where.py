"""Which inspections are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, false, select, text, true

from flawline.data.names import did_you_mean
from flawline.data.process import DIMENSIONS
from flawline.data.times import micros
from flawline.errors import UsageError
from flawline.records.record import VERDICTS
from flawline.records.tables import decision, inspection
from flawline.records.terms import Terms
from flawline.types import EMPTY

NAMED = ("part", *DIMENSIONS, "recipe", "spec", "image")


@dataclass(frozen=True, slots=True)
class Where:
    """Which inspections: all conditions hold.

    `since` is included and `until` is not; both are about the captured time, or that of judging where it is not known.
    `verdict` are the machine's verdicts. `names` are values of part, station, step, product, lot, operator, tool,
    shift, recipe, spec or image. `decided` is whether a person has decided.

    Raises:
        UsageError: an unknown name or verdict, or a time without a zone.
    """

    since: datetime | None = None
    until: datetime | None = None
    verdict: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    decided: bool | None = None

    def __post_init__(self) -> None:
        """Refuse a condition that would never be met."""
        for name in self.names:
            if name not in NAMED:
                raise UsageError(
                    f"expected a condition on {', '.join(NAMED)}, got {name!r}",
                    hint=did_you_mean(name, list(NAMED)),
                )
        for verdict in self.verdict:
            if verdict not in VERDICTS:
                raise UsageError(f"expected a verdict of {', '.join(VERDICTS)}, got {verdict!r}")
        for time in (self.since, self.until):
            if time is not None:
                micros(time)


EVERYTHING = Where()


def condition(connection: Connection, terms: Terms, where: Where) -> ColumnElement[bool]:
    """The condition on rows of `inspection`."""
    met: list[Any] = []
    if where.since is not None:
        met.append(inspection.c.captured >= micros(where.since))
    if where.until is not None:
        met.append(inspection.c.captured < micros(where.until))
    if where.verdict:
        met.append(inspection.c.verdict.in_(where.verdict))
        if "accept" not in where.verdict:
            # SQLite takes the index of the few that were not accepted only where it reads its very condition.
            met.append(text("inspection.verdict <> 'accept'"))
    if where.decided is not None:
        about = select(decision.c.inspection)
        # The few that were decided are looked up; the many that were not are read until a page is full.
        met.append(
            inspection.c.id.in_(about)
            if where.decided
            else ~exists(about.where(decision.c.inspection == inspection.c.id))
        )
    met += [_named(connection, terms, name, value) for name, value in where.names.items()]
    return and_(true(), *met)


def _named(connection: Connection, terms: Terms, name: str, value: str) -> ColumnElement[bool]:
    column = inspection.c[name]
    if name in ("part", "image"):
        return column == value
    number = terms.find(connection, [(name, value)]).get((name, value))
    return false() if number is None else column == number
