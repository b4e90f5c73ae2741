"""Choose inspections by conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, false, select, text, true

from flawline.data.names import did_you_mean
from flawline.data.times import micros
from flawline.errors import UsageError
from flawline.records.fields import NAMED, NUMBERS
from flawline.records.rare import few_by_number, few_of_class
from flawline.records.record import VERDICTS
from flawline.records.tables import class_count, decision, inspection
from flawline.records.terms import LABEL, Terms
from flawline.types import EMPTY

AMOUNTS = (*NUMBERS, "largest_area", "total_area")
"""Numbers of every inspection that a condition can be on; areas are in px."""
_COUNT, _LARGEST = "count_", "largest_area_"


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on inspections, all of which hold.

    `since` is included and `until` is not; both bound the captured time, or that of judging where it is unknown.
    `verdict` lists verdicts of the machine. `names` are values of `NAMED`, such as lot, part or recipe. `decided`:
    whether a person has decided. `least` and `most` are bounds, both included, of `AMOUNTS` (score, number of defects,
    largest area ...) or of one class: `count_scratch` is how many scratches there are, `largest_area_scratch` the area
    of the largest, 0 where there is none.

    Raises:
        UsageError: an unknown name or verdict, or a time without a zone.
    """

    since: datetime | None = None
    until: datetime | None = None
    verdict: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    decided: bool | None = None
    least: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    most: Mapping[str, float] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        """Refuse a condition that would never be met."""
        for name in self.names:
            if name not in NAMED:
                raise UsageError(
                    f"expected a condition on {', '.join(NAMED)}, got {name!r}",
                    hint=did_you_mean(name, list(NAMED)),
                )
        for name in (*self.least, *self.most):
            if name not in AMOUNTS and not _class_of(name):
                raise UsageError(
                    f"expected a bound of {', '.join(AMOUNTS)}, count_CLASS or largest_area_CLASS, got {name!r}",
                    hint=did_you_mean(name, list(AMOUNTS)),
                )
        for verdict in self.verdict:
            if verdict not in VERDICTS:
                raise UsageError(f"expected a verdict of {', '.join(VERDICTS)}, got {verdict!r}")
        for time in (self.since, self.until):
            if time is not None:
                micros(time)


EVERYTHING = Where()


def condition(connection: Connection, terms: Terms, where: Where) -> ColumnElement[bool]:
    """Build the condition on rows of `inspection`."""
    met: list[Any] = []
    if where.since is not None:
        met.append(inspection.c.captured >= micros(where.since))
    if where.until is not None:
        met.append(inspection.c.captured < micros(where.until))
    if where.verdict:
        met.append(inspection.c.verdict.in_(where.verdict))
        if "accept" not in where.verdict and connection.dialect.name == "sqlite":
            # SQLite uses the index of those not accepted only where the query repeats its condition. PostgreSQL would
            # take the two for independent of each other, and expect far fewer inspections than there are.
            met.append(text("inspection.verdict <> 'accept'"))
    if where.decided is not None:
        about = select(decision.c.inspection)
        # The few decided ones are looked up; the many others are read until a page is full.
        met.append(
            inspection.c.id.in_(about)
            if where.decided
            else ~exists(about.where(decision.c.inspection == inspection.c.id))
        )
    looked_up = [
        few
        for name in dict.fromkeys((*where.least, *where.most))
        if (few := few_by_number(connection, name, where.least.get(name), where.most.get(name)))
        is not None
    ]
    met += looked_up
    met += [
        _named(connection, terms, name, value, indexed=not looked_up)
        for name, value in where.names.items()
    ]
    met += [_at_least(connection, terms, name, bound) for name, bound in where.least.items()]
    met += [_at_most(connection, terms, name, bound) for name, bound in where.most.items()]
    return and_(true(), *met)


def _class_of(name: str) -> str:
    """Return the class in the name of a bound of one class, else an empty text."""
    prefix = _LARGEST if name.startswith(_LARGEST) else _COUNT
    return name[len(prefix) :] if name.startswith(prefix) else ""


def _at_least(connection: Connection, terms: Terms, name: str, bound: float) -> ColumnElement[bool]:
    if name in AMOUNTS:
        return inspection.c[name] >= bound
    # A missing class counts 0, with an area of 0.
    return true() if bound <= 0 else _some(connection, terms, name, lambda column: column >= bound)


def _at_most(connection: Connection, terms: Terms, name: str, bound: float) -> ColumnElement[bool]:
    if name in AMOUNTS:
        return inspection.c[name] <= bound
    if bound < 0:
        return false()
    return ~_some(connection, terms, name, lambda column: column > bound)


def _some(
    connection: Connection,
    terms: Terms,
    name: str,
    met: Callable[[ColumnElement[Any]], ColumnElement[bool]],
) -> ColumnElement[bool]:
    """Return the condition that an inspection has a row of the class of `name` whose number meets a condition."""
    pair = LABEL, _class_of(name)
    number = terms.find(connection, [pair]).get(pair)
    column = class_count.c.largest_area if name.startswith(_LARGEST) else class_count.c.count
    if number is None:
        return false()
    few = few_of_class(connection, number, met(column), column)
    if few is not None:
        return few
    own = class_count.c.inspection == inspection.c.id
    return exists().where(class_count.c.label == number, own, met(column))


def _named(
    connection: Connection, terms: Terms, name: str, value: str, *, indexed: bool
) -> ColumnElement[bool]:
    column = inspection.c[name]
    if name in ("part", "image"):
        return column == value
    number = terms.find(connection, [(name, value)]).get((name, value))
    if number is None:
        return false()
    # An index of a name that many share must not be taken where a few were looked up; a sum has no index.
    return column == number if indexed else column + 0 == number
