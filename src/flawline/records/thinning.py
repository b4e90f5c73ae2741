"""Find the stored pictures and maps that rules let go, in one pass over the inspections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Engine, Row, exists, or_, select, tuple_

from flawline.data.times import micros
from flawline.records.engine import reading
from flawline.records.keep_rules import UNJUDGED, KeepRules
from flawline.records.pictures import StoredFile
from flawline.records.tables import alert, chart_entry, decision, inspection

_AT_ONCE = 20_000
_REFERRING = (decision, chart_entry, alert)


@dataclass(frozen=True, slots=True)
class Going:
    """Files that go, of all that are stored."""

    files: tuple[StoredFile, ...]
    stored: int

    @property
    def size(self) -> int:
        """Add up their bytes."""
        return sum(file.size for file in self.files)


def referred() -> ColumnElement[bool]:
    """Return the condition that a decision, a note on a chart, an alert or an open review is about an inspection."""
    own = [exists().where(table.c.inspection == inspection.c.id) for table in _REFERRING]
    return or_(inspection.c.verdict == "review", *own)


def going_files(
    engine: Engine,
    stored: Iterable[StoredFile],
    rules: KeepRules,
    now: datetime,
    protected: frozenset[str] = frozenset(),
) -> Going:
    """Find the files that no inspection needs any more by the rules; only files of inspections are among them.

    A file stays where any of the inspections with its content needs it, where something refers to one of these, or
    where it is `protected` (SHA-256, hex). Memory is about 200 bytes a stored file, whatever the number of inspections.
    """
    files = sorted(stored, key=lambda file: file.name)
    known = np.array([int(file.name[:16], 16) for file in files], dtype=np.uint64)
    seen, needed = np.zeros(len(files), bool), np.zeros(len(files), bool)
    # Two hashes that begin alike are told apart by nobody here: both stay.
    alike = np.flatnonzero(known[1:] == known[:-1])
    needed[alike] = needed[alike + 1] = True
    for rows, about in _inspections(engine) if files else ():
        for places, keeps in _placed(rows, about, known, rules, now):
            seen[places] = True
            needed[places[keeps]] = True
    gone = np.flatnonzero(seen & ~needed)
    return Going(
        tuple(files[place] for place in gone if files[place].name not in protected), len(files)
    )


def _inspections(engine: Engine) -> Iterator[tuple[Sequence[Row[Any]], frozenset[int]]]:
    """Read what the rules need of every inspection, in chunks, each in a transaction of its own.

    With each chunk come the numbers of those of its inspections to which something refers.
    """
    place = tuple_(inspection.c.captured, inspection.c.key)
    columns = [inspection.c[n] for n in ("id", "captured", "key", "verdict", "picture", "map")]
    query: Any = select(*columns)
    query = query.order_by(inspection.c.captured, inspection.c.key).limit(_AT_ONCE)
    after: tuple[int, bytes] | None = None
    while True:
        with reading(engine) as connection:
            some = query if after is None else query.where(place > tuple_(*after))
            rows: Sequence[Row[Any]] = connection.execute(some).all()
            if not rows:
                return
            about = _referred_between(connection, [row.id for row in rows])
        yield rows, about
        after = rows[-1].captured, bytes(rows[-1].key)


def _referred_between(connection: Connection, ids: Sequence[int]) -> frozenset[int]:
    """Read the numbers that something refers to, from the lowest to the highest of some: they lie near each other."""
    found: set[int] = set()
    for table in _REFERRING:
        number = table.c.inspection
        query = select(number).where(number.between(min(ids), max(ids)))
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def _placed(
    rows: Sequence[Row[Any]],
    about: frozenset[int],
    known: NDArray[np.uint64],
    rules: KeepRules,
    now: datetime,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Yield the places of the stored files of inspections, and whether each is needed; pictures, then maps."""
    for name in ("picture", "map"):
        own = [row for row in rows if getattr(row, name) is not None]
        if not own:
            continue
        digests = [bytes(getattr(row, name)) for row in own]
        first = np.array([int.from_bytes(d[:8], "big") for d in digests], dtype=np.uint64)
        places = np.minimum(np.searchsorted(known, first), len(known) - 1)
        found = known[places] == first
        # A map is kept with its picture.
        keeps = [_needs(row, row.id in about, rules, now) for row in own]
        yield places[found], np.array(keeps, dtype=bool)[found]


def _needs(row: Row[Any], referred: bool, rules: KeepRules, now: datetime) -> bool:
    """Tell whether an inspection needs its picture and map."""
    if referred or row.verdict == "review":
        return True
    if rules.inspections is not None and row.captured < micros(now - rules.inspections):
        return False
    rule = rules.pictures.get(row.verdict or UNJUDGED)
    return (
        rule is None
        or row.captured >= micros(now - rule.age)
        or rule.samples(bytes(row.picture or b""))
    )
