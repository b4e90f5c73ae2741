"""Plan acceptance sampling, and decide about lots."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flawline.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flawline.core.sampling.iso2859 import StandardPlan
    from flawline.core.sampling.plans import Plan
    from flawline.core.spc.tolerance import ToleranceInterval
    from flawline.jobs.study.sampling_report import SamplingStudy
    from flawline.jobs.study.study_rows import StudyRows


def study_sampling(
    measure: str | None = None,
    table: str | os.PathLike[str] | None = None,
    *,
    lot: int | None = None,
    aql: float | None = None,
    level: str = "II",
    severity: str = "normal",
    ltpd: float | None = None,
    producer_risk: float = 5.0,
    consumer_risk: float = 10.0,
    sample: int | None = None,
    accept: int | None = None,
    variables: bool = False,
    found: int | None = None,
    lsl: float | None = None,
    usl: float | None = None,
    unit: str = "",
    coverage: float = 0.99,
    confidence: float = 0.95,
    table_format: Mapping[str, str | int] | None = None,
) -> SamplingStudy:
    """Plan how many parts of a lot to check, say what that lets through, and decide about a lot.

    Args:
        measure: the column of measurements of a sample, to decide about its lot by variables.
        table: CSV, Parquet or spreadsheet, one row per part of the sample.
        lot: parts of the lot; with `aql`, the plan of ISO 2859-1 is taken.
        aql: percent of bad parts that should pass.
        level: inspection level of ISO 2859-1: "S-1" to "S-4", "I", "II" or "III".
        severity: "normal" or "tightened".
        ltpd: percent of bad parts that should not pass; with `aql`, the smallest plan for both is computed.
        producer_risk: greatest percentage of lots of the AQL that are rejected.
        consumer_risk: greatest percentage of lots of the LTPD that pass.
        sample, accept: a plan of your own: parts of the sample, and bad parts with which the lot is accepted.
        variables: measure parts instead of counting bad ones (s-method); taken for a `table`.
        found: bad parts in the sample, to decide about its lot.
        lsl, usl: lower and upper specification limit of the measure; each is judged alone.
        unit: of the measure.
        coverage, confidence: of the tolerance interval of the measurements.
        table_format: as for `chart`.

    Returns:
        The plan, what passes, and the decision. `flawline.jobs.study.sampling_report.sampling_report` describes it,
        and `study_files.write_study` writes that.

    Raises:
        UsageError: arguments that do not go together, or that the tables do not have.
        SourceError: the table cannot be read or lacks a column.
        FlawlineError: ("sampling-few") fewer measurements than the plan asks for; ("sampling-large") a plan of more
            than 100,000 parts.
    """
    from flawline.core.sampling import lots
    from flawline.core.sampling.plans import AttributePlan, VariablesPlan
    from flawline.jobs.study.sampling_report import SamplingStudy

    by_values = variables or table is not None
    if table is not None and measure is None:
        raise UsageError("expected the column of measurements", hint="name it with `measure`")
    plan, standard, notes = _plan(
        lot, aql, level, severity, ltpd, producer_risk, consumer_risk, sample, accept, by_values
    )
    decision, rows, tolerance = None, None, None
    if found is not None:
        if not isinstance(plan, AttributePlan):
            raise UsageError("`found` counts bad parts, and the plan is by variables")
        decision = lots.decide_by_count(plan, found)
    if table is not None and measure is not None:
        assert isinstance(plan, VariablesPlan)
        rows, more = _rows(table, measure, table_format)
        notes = (*notes, *more)
        values = rows.numbers[measure]
        decision = lots.decide_by_values(plan.size, plan.k, values, lsl, usl)
        tolerance = _tolerance(values, lsl, usl, coverage, confidence)
    return SamplingStudy(
        plan,
        standard,
        None if aql is None else aql / 100,
        None if ltpd is None else ltpd / 100,
        decision,
        None if rows is None or measure is None else rows.numbers[measure],
        tolerance,
        unit,
        () if rows is None else rows.skipped,
        notes,
    )


def _plan(
    lot: int | None,
    aql: float | None,
    level: str,
    severity: str,
    ltpd: float | None,
    producer_risk: float,
    consumer_risk: float,
    sample: int | None,
    accept: int | None,
    by_values: bool,
) -> tuple[Plan, StandardPlan | None, tuple[str, ...]]:
    """Take the plan that is given, compute that of two qualities, or look that of a lot up."""
    from flawline.core.sampling.iso2859 import standard_plan
    from flawline.core.sampling.plans import AttributePlan, attribute_plan, variables_plan

    if sample is not None or accept is not None:
        if sample is None or accept is None or by_values or ltpd is not None:
            raise UsageError(
                "`sample` and `accept` are a plan by attributes, and go together alone",
                hint="give both, without `ltpd`, `variables` and a table",
            )
        if sample < 1 or not 0 <= accept < sample:
            raise UsageError(f"expected 0 <= `accept` < `sample`, got {accept} and {sample}")
        return AttributePlan(sample, accept), None, ()
    if aql is None or (lot is None and ltpd is None):
        raise UsageError(
            "expected a lot and its AQL, an AQL and an LTPD, or a plan",
            hint="such as `lot=1000` and `aql=1`, or `aql=1` and `ltpd=5`, or `sample=80` and `accept=2`",
        )
    risks = producer_risk / 100, consumer_risk / 100
    if ltpd is not None:
        plan_of = variables_plan if by_values else attribute_plan
        return plan_of(aql / 100, ltpd / 100, *risks), None, ()
    assert lot is not None
    standard = standard_plan(lot, aql, level, severity)
    if not by_values:
        return standard.plan, standard, ()
    if standard.whole:
        raise UsageError(
            f"the tables ask for {standard.plan.size} parts or more, which is the whole lot",
            hint="measure all of them; a plan by variables is for larger lots",
        )
    like = standard.plan
    matched = variables_plan(like.quality(0.95), like.quality(0.10))
    note = (
        f"the plan by variables passes what the plan of ISO 2859-1 passes ({like.size} parts, {like.accept} bad) at 95 "
        "and 10 %; it is computed, and not that of the tables of ISO 3951-1"
    )
    return matched, None, (note,)


def _rows(
    table: str | os.PathLike[str], measure: str, table_format: Mapping[str, str | int] | None
) -> tuple[StudyRows, tuple[str, ...]]:
    from flawline.api.columns import columns_from
    from flawline.data.table_format import stated_format
    from flawline.jobs.study.study_rows import study_rows

    stated = stated_format(table_format)
    columns, notes = columns_from(table, None, measure, [], [measure], None, stated)
    return study_rows(columns, [measure], []), notes


def _tolerance(
    values: NDArray[np.float64],
    lsl: float | None,
    usl: float | None,
    coverage: float,
    confidence: float,
) -> ToleranceInterval | None:
    from flawline.core.spc.tolerance import tolerance_interval
    from flawline.core.spc.transforms import NONE

    sides = (lsl is not None, usl is not None)
    return tolerance_interval(values, NONE, sides=sides, share=coverage, confidence=confidence)
