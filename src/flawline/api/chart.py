"""Chart a measure, and study what a process can do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flawline.api.columns import columns_from
from flawline.api.records import StoreLike, Time, opened_records, where_of
from flawline.core.spc.limits import BETWEEN, COUNTED, ControlLimits, check_kind
from flawline.core.spc.pareto import Pareto
from flawline.core.spc.rules import Rule, parse_rules
from flawline.data.table_format import UNSTATED, TableFormat, stated_format
from flawline.errors import UsageError
from flawline.jobs.chart.chart_files import read_limits
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.pareto_counts import count_names
from flawline.jobs.chart.phases import chart_in_phases
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.chart.series import Series, form_series
from flawline.jobs.chart.series_table import read_columns
from flawline.jobs.chart.usual_chart import form_usual, usual_kind

if TYPE_CHECKING:
    from flawline.jobs.study.capability_study import CapabilityStudy
    from flawline.records.store import Store
    from flawline.records.where import Where

Table = str | os.PathLike[str]


def chart(
    measure: str,
    table: Table | None = None,
    *,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    chart: str | None = None,
    by: str | None = None,
    subgroup: int | str | None = None,
    size: str | None = None,
    label: str | None = None,
    stage: str | None = None,
    summary: str | None = None,
    unit: str = "",
    rules: str = "1",
    count_steps: bool = False,
    sigma_from: str = "mean",
    limits: ControlLimits | str | os.PathLike[str] | None = None,
    set_aside: Sequence[str] | None = None,
    transform: str = "auto",
    centre: float | None = None,
    sigma: float | None = None,
    weight: float = 0.2,
    reference: float = 0.5,
    decision: float = 5.0,
    head_start: float = 0.0,
    span: int = 3,
    product: str | None = None,
    product_sigma: str = "by-product",
    phase1: int | None = None,
    table_format: Mapping[str, str | int] | None = None,
) -> ControlChart:
    """Chart a measure of a table or of records, and name what is out of the ordinary.

    Args:
        measure: the column to chart.
        table: CSV, Parquet or spreadsheet, one row per part in time order; or give `store`.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        chart: "i-mr", "xbar-r", "xbar-s", "median", "i-mr-r", "i-mr-s", "ma", "ewma", "cusum", "zone", "z-mr",
            "run", "p", "np", "c", "u", "laney-p", "laney-u", "g" or "t". If not given, that of `limits`, else "z-mr"
            with `product`, "u" or "c" of counts, "i-mr" of everything else; a note says what was taken. `pareto` draws
            names.
        by: make one point of the rows with the same value in this column.
        subgroup: make one point of this many rows in a row, or of the rows of a column.
        size: column of inspected units, for counts.
        label: column that names the points.
        stage: column that names stages: each gets limits of its own.
        summary: what a point is of its rows: "mean", "median", "max", "min" or "sum".
        unit: of the measure.
        rules: "nelson", "we", or numbers such as "1,2,5" or, with another K, "1,2=7".
        count_steps: K of rules 3 and 4 counts the steps between points, as in Minitab: one more point each.
        sigma_from: how sigma comes from subgroups: "mean" of R / d2 or s / c4, "mvlue" or "pooled".
        limits: frozen limits to judge by (Phase II), or their file.
        set_aside: points not to estimate from, by name or, as "#41", by number; "auto" for those beyond limits. Points
            of records that people set aside on the page are left out too, and stages that they began there have
            limits of their own; "none" takes the records without either.
        transform: "auto", "none", "log", "box-cox", "johnson", "weibull", "gamma" or "percentile".
        centre, sigma: a given mean and standard deviation (Phase II).
        weight: the EWMA's lambda.
        reference, decision, head_start: the CUSUM's k, h and first value, in sigmas.
        span: points of a moving average.
        product: column of the product, for "z-mr": short runs of several products on one chart.
        product_sigma: on "z-mr", each product's own sigma ("by-product"), one for all ("constant"), or one for all that
            grows with the size of the measurement ("relative").
        phase1: estimate the limits from the first so many points, and judge the others by them.
        table_format: how the table is written, where its content does not show it: "encoding" (a codec of Python),
            "separator", "decimal" ("point" or "comma"), "dates" ("day" or "month" first), "header" (the row of the
            names, from 1) and "sheet" of a spreadsheet.

    Returns:
        The chart: its points, limits, signals and notes. `flawline.jobs.chart.chart_report.write_chart` draws it.

    Raises:
        UsageError: arguments that do not go together.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: the points cannot be charted.
    """
    if chart == "pareto":
        raise UsageError("a pareto chart has no limits", hint="call `flawline.pareto`")
    wanted = parse_rules(rules, count_steps=count_steps)
    chart = chart or ("z-mr" if product and limits is None else None)
    given, kind = limits_and_kind(limits, chart)
    how = forming(
        by,
        subgroup,
        size=size,
        label=label,
        stage=stage,
        summary=summary,
        unit=unit,
        product=product,
    )
    named = chart or limits is not None or centre is not None or sigma is not None
    own = own_limits(kind, weight, reference, decision, head_start, span, product_sigma)
    given = given or given_standards(own, centre, sigma)
    kind = kind if named or transform != "auto" else ""
    # Without records there is nothing to choose from, and what chooses takes time to load.
    chosen = where_of(where, since, until) if store or where or since or until else None
    estimation = estimation_of(set_aside, transform, own, sigma_from)
    if store is not None and table is None and chosen is not None:
        with opened_records(store) as open_:
            return _chart_records(
                open_, measure, kind, how, chosen, wanted, given, estimation, phase1, set_aside
            )
    stated = stated_format(table_format)
    series = series_of(table, store, measure, kind, how, chosen, stated)
    return charted(series, series.kind, wanted, given, estimation, phase1)


def _chart_records(
    store: Store,
    measure: str,
    kind: str,
    how: Forming,
    where: Where,
    rules: tuple[Rule, ...],
    given: ControlLimits | None,
    estimation: Estimation,
    phase1: int | None,
    set_aside: Sequence[str] | None,
) -> ControlChart:
    """Chart records with what people entered about them."""
    from flawline.jobs.chart.stored_series import read_stored_series, with_set_aside

    as_entered = "none" not in (set_aside or ()) and given is None
    stored = read_stored_series(
        store, measure, kind, how, where, stages=as_entered and phase1 is None
    )
    series = stored.series
    if as_entered:
        series, estimation = with_set_aside(stored, estimation, phase1)
    return charted(series, series.kind, rules, given, estimation, phase1)


def pareto(
    measure: str,
    table: Table,
    *,
    size: str | None = None,
    table_format: Mapping[str, str | int] | None = None,
) -> tuple[Pareto, tuple[Skipped, ...]]:
    """Count which names of a column occur most often, or weigh most, for a Pareto chart.

    Args:
        measure: the column of names.
        table: CSV, Parquet or spreadsheet.
        size: column of weights; rows are counted if not given.
        table_format: as for `chart`.

    Returns:
        The names by how often they are met, and the rows that could not be counted.

    Raises:
        SourceError: the table cannot be read or lacks a column.
        FlawlineError: nothing is left to count.
    """
    counted, skipped, _ = noted_pareto(measure, table, size, stated_format(table_format))
    return counted, skipped


def noted_pareto(
    measure: str, table: Table, size: str | None, stated: TableFormat
) -> tuple[Pareto, tuple[Skipped, ...], tuple[str, ...]]:
    """Count as `pareto` does, with notes of what was understood of the table."""
    weights = [size] if size else []
    columns, notes = read_columns(Path(table), [measure, *weights], weights, stated)
    return *count_names(columns, measure, size), notes


def study_capability(
    measure: str,
    table: Table | None = None,
    *,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    lsl: float | None = None,
    usl: float | None = None,
    target: float | None = None,
    by: str | None = None,
    subgroup: int | str | None = None,
    label: str | None = None,
    unit: str = "",
    transform: str = "auto",
    within: str = "auto",
    confidence: float = 0.95,
    coverage: float = 0.99,
    table_format: Mapping[str, str | int] | None = None,
) -> CapabilityStudy:
    """Study a measure against its specification: Cp, Cpk, Pp, Ppk and parts per million outside, with intervals.

    Args:
        measure: the column.
        table: CSV, Parquet or spreadsheet, one row per part in time order; or give `store`.
        store: open records, or their URL.
        where, since, until: which records, as for `list_records`.
        lsl, usl: lower and upper specification limit, at least one.
        target: what is aimed at, for Cpm.
        by, subgroup, label, unit, table_format: as for `chart`.
        transform: as for `chart`; "auto" takes one only if the process is stable and the values pass its test.
        within: sigma within by "range", "deviation", "pooled" or "moving-range"; "auto" takes the moving range of
            single values, the range of subgroups of up to 10 and the deviation of larger ones.
        confidence: of the intervals.
        coverage: share of the parts in the tolerance interval.

    Returns:
        The series, its capability, its control chart, whether it is stable, and notes.

    Raises:
        UsageError: arguments that do not go together.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: the values cannot be studied.
    """
    from flawline.core.spc.capability_values import SpecLimits
    from flawline.jobs.study import capability_study as studying

    limits = SpecLimits(lsl, usl, target)
    how = forming(by, subgroup, label=label, unit=unit)
    chosen = where_of(where, since, until) if store or where or since or until else None
    stated = stated_format(table_format)
    series = series_of(table, store, measure, "xbar-r", how, chosen, stated)
    return studying.study_capability(
        series, limits, transform=transform, within=within, confidence=confidence, coverage=coverage
    )


def forming(
    by: str | None,
    subgroup: int | str | None,
    *,
    size: str | None = None,
    label: str | None = None,
    stage: str | None = None,
    summary: str | None = None,
    unit: str = "",
    product: str | None = None,
) -> Forming:
    """Gather how rows become points.

    Raises:
        UsageError: both `by` and `subgroup`.
    """
    if by and subgroup:
        raise UsageError("`by` and `subgroup` both form the points", hint="give one of them")
    counted = isinstance(subgroup, int) or (subgroup is not None and subgroup.isdecimal())
    every = int(subgroup) if subgroup is not None and counted else None
    column = None if subgroup is None or counted else str(subgroup)
    return Forming(
        by=by or column,
        every=every,
        size=size,
        label=label,
        stage=stage,
        summary=summary,
        unit=unit,
        product=product,
    )


def series_of(
    table: Table | None,
    store: StoreLike | None,
    measure: str,
    kind: str,
    how: Forming,
    where: Where | None,
    stated: TableFormat = UNSTATED,
) -> Series:
    """Read the series of a table's column, or of a measure of records; `kind` "" is the usual chart of the measure."""
    numbers = [measure, *([how.size] if how.size else [])]
    counts = measure if (kind or usual_kind(measure, how)) in COUNTED else None
    columns, notes = columns_from(
        table, store, measure, how.columns(measure), numbers, where, stated, counts=counts
    )
    series = form_series(columns, measure, kind, how) if kind else form_usual(columns, measure, how)
    return replace(series, notes=(*notes, *series.notes))


def limits_and_kind(
    limits: ControlLimits | str | os.PathLike[str] | None, chart: str | None
) -> tuple[ControlLimits | None, str]:
    """Read given limits, and tell the kind of chart: the one asked for, else that of the limits, else "i-mr"."""
    given = read_limits(Path(limits)) if isinstance(limits, str | os.PathLike) else limits
    return given, check_kind(chart or (given.chart if given else "i-mr"))


def own_limits(
    kind: str,
    weight: float,
    reference: float,
    decision: float,
    head_start: float,
    span: int = 3,
    product_sigma: str = "by-product",
) -> ControlLimits:
    """Gather the chart's own parameters, without an estimate yet.

    Raises:
        UsageError: a parameter out of its range, or `product_sigma` on another chart than z-mr.
    """
    if product_sigma != "by-product" and kind != "z-mr":
        raise UsageError(f"`product_sigma` goes with the chart z-mr, got {kind}")
    return ControlLimits(
        kind,
        0.5,
        1.0,
        weight=weight,
        reference=reference,
        decision=decision,
        head_start=head_start,
        span=span,
        product_sigma=product_sigma,
    )


def given_standards(
    own: ControlLimits, centre: float | None, sigma: float | None
) -> ControlLimits | None:
    """Make limits out of a given mean and standard deviation, if they are given.

    Raises:
        UsageError: one is given without the other, or the chart needs more.
    """
    if centre is None and sigma is None:
        return None
    if own.chart in BETWEEN:
        raise UsageError(
            f"the chart {own.chart} needs sigma within subgroups too: `centre` and `sigma` do not say it",
            hint="give frozen limits with `limits`",
        )
    if own.chart == "z-mr":
        raise UsageError(
            "the chart z-mr has a mean and sigma for each product: `centre` and `sigma` do not say them",
            hint="give frozen limits with `limits`",
        )
    if sigma is None and own.chart in (*COUNTED, "g", "run"):
        sigma = 1.0
    if centre is None or sigma is None:
        raise UsageError("`centre` and `sigma` go together", hint="or give `limits`")
    return replace(own, centre=centre, sigma=sigma)


def estimation_of(
    set_aside: Sequence[str] | None, transform: str, own: ControlLimits, sigma_from: str = "mean"
) -> Estimation:
    """Gather how limits are to be estimated."""
    named = tuple(name for name in set_aside or () if name not in ("auto", "none"))
    return Estimation(named, "auto" in (set_aside or ()), transform, own, sigma_from)


def charted(
    series: Series,
    kind: str,
    rules: tuple[Rule, ...],
    given: ControlLimits | None,
    estimation: Estimation,
    phase1: int | None,
) -> ControlChart:
    """Chart by given limits, by those of all points, or by those of the first `phase1`."""
    if phase1 is None:
        return chart_series(series, kind, rules=rules, limits=given, estimation=estimation)
    if given is not None:
        raise UsageError("`phase1` estimates limits, and these are given")
    return chart_in_phases(series, kind, phase1, rules=rules, estimation=estimation)
