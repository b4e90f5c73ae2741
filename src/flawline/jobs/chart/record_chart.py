"""Chart records as people look at them: the last inspections, with what was entered about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from flawline.core.spc.limits import ControlLimits, limits_from_dict
from flawline.core.spc.rules import Rule, parse_rules
from flawline.core.spc.signal_texts import text_of
from flawline.core.spc.signals import Signal
from flawline.core.words import counted
from flawline.errors import FlawlineError, StoreError, UsageError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.finding import finding
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series_name import series_name
from flawline.jobs.chart.stored_series import (
    StoredSeries,
    of_known_products,
    stored_series,
    with_set_aside,
)
from flawline.jobs.chart.usual_chart import MEASURED
from flawline.records.chart_entries import ChartEntry
from flawline.records.fields import NUMBERS
from flawline.records.where import EVERYTHING, Where

if TYPE_CHECKING:
    from flawline.records.store import Store

LAST = 200
MOST = 20_000
RULES = "1,2"
_LABEL = "part"


@dataclass(frozen=True, slots=True)
class ChartChoice:
    """Which chart of records: kind, how points are formed, which rules, and how many of the last inspections.

    `where` chooses by names and times alone. The kind "" is the usual one of each measure. `span` is of a moving
    average, `product_sigma` of short runs.

    Raises:
        UsageError: fewer than 2 inspections, or more than 20,000; a condition of another kind; a span or sigma that
            makes no sense.
    """

    where: Where = EVERYTHING
    kind: str = ""
    by: str | None = None
    every: int | None = None
    rules: str = RULES
    last: int = LAST
    span: int = 3
    product_sigma: str = "by-product"

    def __post_init__(self) -> None:
        """Validate the choice."""
        # Refuses parameters that make no sense.
        _ = self.own
        if not 2 <= self.last <= MOST:
            raise UsageError(f"expected `last` from 2 to {MOST} inspections, got {self.last}")
        where = self.where
        if where.verdict or where.least or where.most or where.decided is not None:
            raise UsageError(
                "a chart of parts chosen by their verdict or measures would hide what they have in common",
                hint="choose by product, lot, station, step, tool, operator, shift, part, recipe or time",
            )

    @property
    def how(self) -> Forming:
        """How rows become points."""
        grouped = bool(self.by or self.every)
        return Forming(
            by=self.by,
            every=self.every,
            label=None if grouped else _LABEL,
            product="product" if self.kind == "z-mr" else None,
        )

    @property
    def own(self) -> ControlLimits:
        """The chart's own parameters, without an estimate yet."""
        return ControlLimits(
            self.kind or MEASURED, 0.5, 1.0, span=self.span, product_sigma=self.product_sigma
        )

    def name(self, measure: str) -> str:
        """Name the series of a measure."""
        return series_name(measure, self.how, self.where.names)


@dataclass(frozen=True, slots=True, eq=False)
class RecordChart:
    """A chart of records with the inspections behind each point.

    `frozen` is the entry whose limits it is judged by; None where they are estimated. `open` are the signals about
    whose points nobody entered a cause.
    """

    choice: ChartChoice
    stored: StoredSeries
    chart: ControlChart
    frozen: ChartEntry | None
    open: tuple[Signal, ...]

    @property
    def finding(self) -> str:
        """Say what is the matter: signals without a cause first."""
        if self.open or not self.chart.signals:
            return finding(replace(self.chart, signals=self.open))
        count = len(self.chart.signals)
        return f"In control but for {counted(count, 'signal')} with a known cause."

    @property
    def action(self) -> str:
        """Say what to do about the first signal; empty where there is none."""
        first = self.first_open
        return "" if first is None else text_of(first.rule.number, first.panel, first.side).action

    @property
    def first_open(self) -> Signal | None:
        """The signal to look at first: a point beyond a limit of the first panel, the latest one; None without any."""
        first = self.chart.panel_names[0]
        order = sorted(self.open, key=lambda s: (s.panel != first, s.rule.number != 1, -s.last))
        return order[0] if order else None


@dataclass(frozen=True, slots=True)
class Uncharted:
    """A measure that gives no chart, and why."""

    measure: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Charts of all measures of the records, those with open signals first, and measures that give none."""

    charts: tuple[RecordChart, ...] = ()
    uncharted: tuple[Uncharted, ...] = field(default=())

    @property
    def sentence(self) -> str:
        """Say in one sentence what is the matter."""
        if not self.charts:
            return "There is nothing to chart yet."
        odd = [one for one in self.charts if one.open]
        points = max(len(one.stored.ids) for one in self.charts)
        of = counted(len(self.charts), "measure")
        if not odd:
            every = f"All {of} are" if len(self.charts) > 1 else f"The {of} is"
            return f"{every.replace('The 1 ', 'The ')} in control over the last {counted(points, 'point')}."
        first = odd[0]
        shows = "shows signals" if len(odd) == 1 else "show signals"
        begins = first.finding.removesuffix(".").partition("; ")[0]
        return f"{len(odd)} of {of} {shows}, first {first.stored.series.measure}. {begins}."


def read_overview(store: Store, choice: ChartChoice) -> Overview:
    """Chart every measure that the last inspections have, each part on its own.

    Raises:
        StoreError: the records cannot be read.
    """
    columns = _columns(store, choice, store.measures())
    charts, uncharted = [], []
    for measure in _measures(columns, choice):
        try:
            charts.append(_charted(store, choice, measure, columns))
        except FlawlineError as error:
            if isinstance(error, StoreError):
                raise
            uncharted.append(Uncharted(measure, error.message))
    charts.sort(key=lambda one: not one.open)
    return Overview(tuple(charts), tuple(uncharted))


def read_chart(store: Store, choice: ChartChoice, measure: str) -> RecordChart:
    """Chart one measure of the last inspections.

    Raises:
        StoreError: the records cannot be read, or ("store-measure") nothing has such a measure.
        FlawlineError: the points cannot be charted.
    """
    return _charted(store, choice, measure, _columns(store, choice, [measure]))


def estimated_limits(found: RecordChart) -> ControlLimits:
    """Return the limits to freeze: those of the last stage.

    Raises:
        UsageError: the chart has none, or they are frozen already.
    """
    if found.frozen is not None:
        raise UsageError(
            "the limits are frozen already",
            hint="take that back first, and they are estimated anew",
        )
    if found.chart.kind == "run":
        raise UsageError("a run chart has no limits to freeze")
    return found.chart.stages[-1].limits


def _columns(
    store: Store, choice: ChartChoice, measures: Sequence[str]
) -> Mapping[str, Sequence[Any]]:
    """Read the last inspections with some measures; those of others stay empty."""
    since = store.nth_newest(choice.where, choice.last)
    where = choice.where if since is None else replace(choice.where, since=since)
    grouped = [name for name in (choice.by, choice.how.product) if name]
    names = dict.fromkeys(("id", "image", _LABEL, "score", "p_value", *measures, *grouped))
    columns = store.columns("defects", where, [name for name in names if name != "defects"])
    # Not every part has a name, and points without one have that of their picture.
    labels = [
        part or image or str(number)
        for part, image, number in zip(
            columns[_LABEL], columns["image"], columns["id"], strict=True
        )
    ]
    return {**columns, _LABEL: labels}


def _measures(columns: Mapping[str, Sequence[Any]], choice: ChartChoice) -> list[str]:
    """List the measures that any of the rows has, the score first."""
    # The p-value says what the score says.
    no_measure = ("id", "image", "captured", "p_value", _LABEL, choice.by, choice.how.product)
    known = [name for name in columns if name not in no_measure]
    with_numbers = [
        name for name in known if any(isinstance(cell, int | float) for cell in columns[name])
    ]
    return sorted(
        with_numbers, key=lambda name: NUMBERS.index(name) if name in NUMBERS else len(NUMBERS)
    )


def _charted(
    store: Store, choice: ChartChoice, measure: str, columns: Mapping[str, Sequence[Any]]
) -> RecordChart:
    rows = [place for place, cell in enumerate(columns[measure]) if cell is not None]
    own = {name: [cells[place] for place in rows] for name, cells in columns.items()}
    entries = store.charts.of(choice.name(measure))
    frozen = next((one for one in reversed(entries) if _frozen_for(one, choice)), None)
    stored = stored_series(
        own,
        measure,
        choice.kind if frozen is None else _kind_of(frozen),
        choice.how,
        choice.where,
        entries,
        store,
        stages=frozen is None,
    )
    rules, told = _rules(choice, own[measure])
    if frozen is None:
        series, estimation = with_set_aside(stored, Estimation(own=choice.own))
        chart = chart_series(series, series.kind, rules=rules, estimation=estimation)
    else:
        assert frozen.limits is not None
        limits = limits_from_dict(frozen.limits)
        stored = of_known_products(stored, limits)
        chart = chart_series(stored.series, limits.chart, rules=rules, limits=limits)
        marked = np.zeros(len(stored.ids), dtype=bool)
        marked[list(stored.set_aside())] = True
        chart = replace(chart, set_aside=marked)
    chart = replace(chart, signals=_without_echoes(chart), notes=(*chart.notes, *told))
    return RecordChart(choice, stored, chart, frozen, tuple(_open(stored, chart)))


def _rules(choice: ChartChoice, values: Sequence[Any]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Choose the rules, with a note where runs say nothing: of a count that is nearly always 0, for example."""
    rules = parse_rules(choice.rules)
    first = tuple(rule for rule in rules if rule.number == 1)
    most = Counter(values).most_common(1)
    if len(first) == len(rules) or not first or 2 * most[0][1] <= len(values):
        return rules, ()
    return first, (
        "more than half of the values are equal, and runs of them say nothing: rule 1 alone",
    )


def _without_echoes(chart: ControlChart) -> tuple[Signal, ...]:
    """Drop signals of moving ranges beside a point beyond a limit: they report it a second time."""
    name = chart.panel_names[0]
    beyond = {one.triggered for one in chart.signals if one.rule.number == 1 and one.panel == name}
    return tuple(
        one
        for one in chart.signals
        if one.panel != "moving range" or not beyond & {one.triggered, one.triggered - 1}
    )


def _kind_of(entry: ChartEntry) -> str:
    return str((entry.limits or {}).get("chart", ""))


def _frozen_for(entry: ChartEntry, choice: ChartChoice) -> bool:
    """Tell whether an entry freezes limits of the chosen chart; the usual chart takes those of each that it can be."""
    if entry.kind != "limits":
        return False
    limits = entry.limits or {}
    if choice.kind == "ma" and limits.get("span") != choice.span:
        return False
    if choice.kind == "z-mr" and limits.get("product_sigma") != choice.product_sigma:
        return False
    return _kind_of(entry) in ((choice.kind,) if choice.kind else (MEASURED, "c", "u"))


def _open(stored: StoredSeries, chart: ControlChart) -> list[Signal]:
    """Select the signals without a cause: nobody noted anything about their points nor set them aside."""
    noted = {
        stored.point_of(entry.inspection)
        for entry in stored.entries
        if entry.kind in ("note", "set aside") and entry.inspection is not None
    }
    # A moving range belongs to two points.
    near = noted | {point + 1 for point in noted if point is not None}
    return [
        one
        for one in chart.signals
        if not (near if one.panel == "moving range" else noted) & {*one.points, one.first}
    ]
