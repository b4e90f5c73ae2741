"""Read one measure of many inspections in time order, a chunk at a time, for charts and studies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Literal

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, select, tuple_

from flawline.core.measure.parts import former_count_name
from flawline.data.names import did_you_mean
from flawline.errors import StoreError, UsageError
from flawline.records.arrived import Arrived
from flawline.records.fields import NUMBERS, TERMS, names_of_kind
from flawline.records.packing import all_names, column, names_of
from flawline.records.tables import defect, inspection
from flawline.records.terms import DEFECT_SHAPE, SHAPE, Terms, of_kind
from flawline.records.where import Where, condition

Level = Literal["inspection", "defect"]
Columns = Mapping[str, list[Any]]
TEXTS = ("id", "captured", "judged", *names_of_kind("text"))
_CLASS = "class"
BOX = ("left", "top", "width", "height")
"""Columns of the place of a defect, px of the upright picture."""
_OF_DEFECT = (_CLASS, *BOX)


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """A measure, further columns, and whether a row is an inspection or a defect."""

    measure: str
    by: tuple[str, ...]
    level: Level = "inspection"

    def __post_init__(self) -> None:
        """Refuse an unknown level.

        Raises:
            UsageError: an unknown level.
        """
        if self.level not in ("inspection", "defect"):
            raise UsageError(f"expected the level inspection or defect, got {self.level!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """Name the columns of a chunk, each once."""
        return tuple(dict.fromkeys(("captured", self.measure, *self.by)))


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What to read: `packed` names are in the values of rows whose shape is one of `shapes`.

    Each has the names under which it was recorded: version 0.1 had another name for the number of a class.
    """

    request: SeriesRequest
    packed: Mapping[str, tuple[str, ...]]
    shapes: tuple[int, ...]

    def met(self) -> list[ColumnElement[bool]]:
        """Return the condition that an inspection has the measure itself."""
        if self.request.level == "inspection" and self.shapes:
            return [inspection.c.shape.in_(self.shapes)]
        return []


def measure_names(connection: Connection, level: Level) -> list[str]:
    """List the names of all measures of inspections, or of defects."""
    return all_names(_shapes(connection, level).values())


def _shapes(connection: Connection, level: Level) -> dict[int, str]:
    return of_kind(connection, SHAPE if level == "inspection" else DEFECT_SHAPE)


def plan(connection: Connection, request: SeriesRequest) -> ReadPlan:
    """Plan how to read the columns of a request.

    Raises:
        StoreError: ("store-measure") there is no column of a name.
    """
    fixed = {*TEXTS, *TERMS, *NUMBERS, *(_OF_DEFECT if request.level == "defect" else ())}
    shapes = _shapes(connection, request.level)
    known = all_names(shapes.values())
    packed = {name: _alike(name, known) for name in request.names if name not in fixed}
    for name, recorded in packed.items():
        if not recorded:
            listed = ", ".join([*NUMBERS, *known][:20])
            raise StoreError(
                f"no {request.level} has a measure or name {name!r}",
                hint=f"{did_you_mean(name, [*fixed, *known])} Measures are {listed}".strip(),
                code="store-measure",
            )
    # Only rows with the measure itself make a point; further columns may be empty.
    needed = set(packed.get(request.measure, ()))
    having = (n for n, text in shapes.items() if not needed.isdisjoint(names_of(text)))
    return ReadPlan(request, packed, tuple(having))


def _alike(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """List the names under which a measure was recorded, its own first."""
    former = former_count_name(name)
    found = [each for each in known if former_count_name(each) == former]
    return tuple(sorted(found, key=lambda each: each != name))


def read_chunk(
    connection: Connection,
    terms: Terms,
    planned: ReadPlan,
    where: Where,
    after: tuple[int, bytes] | None,
    count: int,
    upto: Arrived | None = None,
) -> tuple[Columns, tuple[int, bytes] | None]:
    """Read the columns of the next `count` inspections at most, and the place after them."""
    met = [condition(connection, terms, where), *(() if upto is None else upto.has())]
    if after is not None:
        met.append(tuple_(inspection.c.captured, inspection.c.key) > tuple_(*after))
    met += planned.met()
    query = select(*columns_of(planned)).where(*met)
    query = query.order_by(inspection.c.captured, inspection.c.key).limit(count)
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    place = (rows[-1].captured, bytes(rows[-1].key)) if len(rows) == count else None
    if planned.request.level == "defect":
        return _defects(connection, terms, planned, rows), place
    return columns_from(connection, terms, planned, rows), place


def columns_from(
    connection: Connection, terms: Terms, planned: ReadPlan, rows: Sequence[Row[Any]]
) -> Columns:
    """Convert rows of inspections, read with `columns_of`, to the requested columns."""
    return _columns(connection, terms, planned, _values(rows))


def columns_of(planned: ReadPlan) -> list[ColumnElement[Any]]:
    """List the columns of `inspection` to read."""
    of_defects = planned.request.level == "defect"
    own = {*planned.packed, *(_OF_DEFECT if of_defects else ())}
    fixed = [n for n in planned.request.names if n in inspection.c and n not in own]
    names = ["captured", "key", *fixed]
    if of_defects:
        names.append("id")
    elif planned.packed:
        names += ["shape", "measures"]
    return [inspection.c[name] for name in dict.fromkeys(names)]


def _values(rows: Sequence[Row[Any]]) -> dict[str, Sequence[Any]]:
    if not rows:
        return {}
    return dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))


def _defects(
    connection: Connection, terms: Terms, planned: ReadPlan, rows: Sequence[Row[Any]]
) -> Columns:
    """Read one row per defect of the inspections, in their order."""
    places = {row.id: place for place, row in enumerate(rows)}
    boxes = [name for name in BOX if name in planned.request.names]
    wanted = (defect.c.inspection, defect.c.label, defect.c.shape, defect.c.measures)
    query = select(*wanted, *(defect.c[name] for name in boxes))
    query = query.where(defect.c.inspection.in_(places)).order_by(defect.c.number)
    if planned.shapes:
        query = query.where(defect.c.shape.in_(planned.shapes))
    found = sorted(connection.execute(query), key=lambda row: places[row.inspection])
    owners = _values([rows[places[row.inspection]] for row in found])
    if not found:
        return {}
    own = {"shape": [r.shape for r in found], "measures": [r.measures for r in found]}
    own |= {_CLASS: [row.label for row in found]}
    own |= {name: [getattr(row, name) for row in found] for name in boxes}
    return _columns(connection, terms, planned, {**owners, **own})


def _columns(
    connection: Connection, terms: Terms, planned: ReadPlan, values: Mapping[str, Sequence[Any]]
) -> Columns:
    if not values:
        return {}
    texts = terms.texts(connection, _numbers(planned, values))
    table: dict[str, list[Any]] = {}
    for name in planned.request.names:
        if name in planned.packed:
            shapes = [None if n is None else texts[n] for n in values["shape"]]
            every = [column(n, shapes, values["measures"]) for n in planned.packed[name]]
            table[name] = [_first_number(cells) for cells in zip(*every, strict=True)]
        elif name in (*TERMS, _CLASS):
            table[name] = [None if n is None else texts[n] for n in values[name]]
        elif name in ("captured", "judged"):
            table[name] = _as_text(values[name])
        else:
            table[name] = list(values[name])
    return _with_measure(table, planned.request.measure)


def _first_number(cells: Iterable[float]) -> float | None:
    return next((cell for cell in cells if not isnan(cell)), None)


def _as_text(times: Sequence[int]) -> list[str]:
    """Convert microseconds since 1970 to ISO 8601 in UTC; one call for all, since a chart has many."""
    texts = np.array(times, dtype="datetime64[us]").astype(str).tolist()
    return [f"{text}Z" for text in texts]


def _numbers(planned: ReadPlan, values: Mapping[str, Sequence[Any]]) -> Iterable[int | None]:
    for name in ("shape", *TERMS, _CLASS):
        if name in values and (name == "shape" or name in planned.request.names):
            yield from set(values[name])


def _with_measure(table: dict[str, list[Any]], measure: str) -> Columns:
    """Drop the rows without the measure; another product may lack it."""
    if None not in table[measure]:
        return table
    places = [place for place, value in enumerate(table[measure]) if value is not None]
    return {name: [cells[place] for place in places] for name, cells in table.items()}


def joined(chunks: Iterable[Columns], request: SeriesRequest) -> dict[str, list[Any]]:
    """Join chunks into one table."""
    table: dict[str, list[Any]] = {name: [] for name in request.names}
    for chunk in chunks:
        for name, cells in chunk.items():
            table[name] += cells
    return table


def chunks(
    read: Any,
    planned: ReadPlan,
    terms: Terms,
    where: Where,
    count: int,
    upto: Arrived | None = None,
) -> Iterator[Columns]:
    """Read chunk after chunk, each in a transaction of its own, so that a slow reader blocks nobody."""
    after: tuple[int, bytes] | None = None
    while True:
        with read() as connection:
            table, after = read_chunk(connection, terms, planned, where, after, count, upto)
        if table and table[planned.request.measure]:
            yield table
        if after is None:
            return
