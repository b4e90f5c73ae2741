"""Form the points of a chart from records, with the inspections behind each point and what people entered about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flawline.data.times import micros, parse_time
from flawline.errors import StoreError
from flawline.jobs.chart.chart_series import Estimation
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.row_groups import row_keys
from flawline.jobs.chart.series import Series, form_series
from flawline.jobs.chart.series_name import series_name
from flawline.jobs.chart.short_runs import refuse_unknown
from flawline.jobs.chart.usual_chart import form_usual
from flawline.records.chart_entries import ChartEntry

if TYPE_CHECKING:
    from flawline.core.spc.limits import ControlLimits
    from flawline.records.store import Store
    from flawline.records.where import Where

STAGE = "stage of the records"
"""The column of the stages that people began; no measure has a name like it."""
FIRST_STAGE = "start"


@dataclass(frozen=True, slots=True, eq=False)
class StoredSeries:
    """A series of records.

    `ids` (G,) lists the numbers of the inspections of each point, `times` (G,) is when the first of them was captured.
    `name` is that of its alerts and entries, `entries` are what people entered about it, without what they took back.
    """

    name: str
    series: Series
    ids: tuple[tuple[int, ...], ...]
    times: tuple[str, ...]
    entries: tuple[ChartEntry, ...]

    def point_of(self, inspection: int) -> int | None:
        """Find the point of an inspection, from 0; None where it is not among them."""
        return next((place for place, own in enumerate(self.ids) if inspection in own), None)

    def set_aside(self) -> dict[int, ChartEntry]:
        """Return the points that people set aside, from 0, with the last entry that did so."""
        found = {}
        for entry in self.entries:
            if entry.kind == "set aside" and entry.inspection is not None:
                place = self.point_of(entry.inspection)
                if place is not None:
                    found[place] = entry
        return found


def read_stored_series(
    store: Store, measure: str, kind: str, how: Forming, where: Where, *, stages: bool = True
) -> StoredSeries:
    """Read a measure of records as the points of a chart.

    Args:
        store: the records.
        measure: what is charted.
        kind: the chart that the points are formed for; "" for the usual one of the measure, which the series names.
        how: how rows become points.
        where: which records.
        stages: whether the stages that people began part the points; not where `how` names a column of stages.

    Raises:
        StoreError: the records cannot be read, or nothing has such a measure.
        FlawlineError: no row gives a point.
    """
    beside = [name for name in how.columns(measure) if name != measure]
    columns = store.columns(measure, where, ["id", *beside])
    entries = store.charts.of(series_name(measure, how, where.names))
    return stored_series(columns, measure, kind, how, where, entries, store, stages=stages)


def stored_series(
    columns: Mapping[str, Sequence[Any]],
    measure: str,
    kind: str,
    how: Forming,
    where: Where,
    entries: Sequence[ChartEntry],
    store: Store,
    *,
    stages: bool = True,
) -> StoredSeries:
    """Form the points of columns of records, which have `id` and `captured` beside those of the chart."""
    begun = _stages(columns, entries, store) if stages and how.stage is None else None
    if begun is not None:
        columns, how = {**columns, STAGE: begun}, replace(how, stage=STAGE)
    series = form_series(columns, measure, kind, how) if kind else form_usual(columns, measure, how)
    numbers: dict[tuple[int, str], list[int]] = {}
    firsts: dict[int, tuple[int, str]] = {}
    for row, (run, name, _) in enumerate(row_keys(columns, measure, how)):
        own = numbers.setdefault((run, name), [])
        if not own:
            firsts[row] = run, name
        own.append(int(columns["id"][row]))
    return StoredSeries(
        series_name(measure, how, where.names),
        series,
        tuple(tuple(numbers[firsts[row]]) for row in series.rows),
        tuple(columns["captured"][row] for row in series.rows),
        tuple(entries),
    )


def _stages(
    columns: Mapping[str, Sequence[Any]], entries: Sequence[ChartEntry], store: Store
) -> list[str] | None:
    """Name the stage of each row; None where nobody began one."""
    begins = sorted(
        (when, entry.id, entry.text)
        for entry in entries
        if entry.kind == "stage" and (when := _captured(entry, columns, store)) is not None
    )
    if not begins:
        return None
    names, now, left = [], FIRST_STAGE, list(begins)
    for text in columns["captured"]:
        time = micros(parse_time(text))
        while left and left[0][0] <= time:
            now = left.pop(0)[2]
        names.append(now)
    return names


def _captured(entry: ChartEntry, columns: Mapping[str, Sequence[Any]], store: Store) -> int | None:
    """Return when the inspection of an entry was captured, in microseconds; None where it is gone."""
    assert entry.inspection is not None
    try:
        kept = store.get(entry.inspection).record
    except StoreError as error:
        if error.code == "store-unknown":
            return None
        raise
    time: datetime = kept.captured or kept.judged
    return micros(time)


def of_known_products(stored: StoredSeries, limits: ControlLimits) -> StoredSeries:
    """Leave out the points whose product given limits do not have, with their inspections.

    Raises:
        FlawlineError: ("chart-product") there are no others.
    """
    series = refuse_unknown(stored.series, limits)
    if series is stored.series:
        return stored
    behind = dict(zip(stored.series.rows, zip(stored.ids, stored.times, strict=True), strict=True))
    kept = [behind[row] for row in series.rows]
    return replace(
        stored,
        series=series,
        ids=tuple(ids for ids, _ in kept),
        times=tuple(time for _, time in kept),
    )


def with_set_aside(
    stored: StoredSeries, estimation: Estimation, learn: int | None = None
) -> tuple[Series, Estimation]:
    """Set aside what people set aside, of the first `learn` points where limits come from these alone.

    Returns:
        The series with a note for each of these points, and how its limits are to be estimated.
    """
    aside = {
        place: entry
        for place, entry in sorted(stored.set_aside().items())
        if learn is None or place < learn
    }
    names = [stored.series.name(place) for place in aside]
    notes = [
        f"{name} is set aside by {entry.who}: {entry.text}"
        for name, entry in zip(names, aside.values(), strict=True)
    ]
    return (
        replace(stored.series, notes=(*stored.series.notes, *notes)),
        replace(estimation, set_aside=tuple(dict.fromkeys((*estimation.set_aside, *names)))),
    )
