"""Study a gauge: how much of what it reads is the gauge itself, and whether it reads right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.msa.gauge_bias import Linearity, TypeOne, linearity, type_one
from flawline.core.msa.gauge_data import GaugeData, gauge_data
from flawline.core.msa.gauge_rr import GaugeRR, gauge_rr
from flawline.core.msa.gauge_verdict import (
    gauge_finding,
    gauge_verdict,
    linearity_finding,
    type_one_finding,
    type_one_verdict,
)
from flawline.core.spc.chart_points import Subgroups
from flawline.core.spc.stability import Stability, judge_stability
from flawline.core.words import counted
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.finding import place
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.chart.series import form_series
from flawline.jobs.study.study_rows import StudyRows

FEW_PARTS, FEW_OPERATORS = 5, 3


@dataclass(frozen=True, slots=True, eq=False)
class GaugeStudy:
    """What a gauge adds to its readings.

    `rr` and `data` are the gauge R&R of several parts, `linearity` the comparison with references of known size,
    `type1` and `chart` the type 1 study of one part of known size, with the chart of its readings in order.
    """

    measure: str
    unit: str
    data: GaugeData | None
    rr: GaugeRR | None
    linearity: Linearity | None
    type1: TypeOne | None
    chart: ControlChart | None
    stability: Stability | None
    values: NDArray[np.float64]
    references: NDArray[np.float64] | None
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def finding(self) -> str:
        """What was found, for those who know no statistics."""
        texts = []
        if self.rr is not None:
            texts.append(gauge_finding(self.rr))
        if self.type1 is not None:
            texts.append(type_one_finding(self.type1, self.unit))
        if self.linearity is not None:
            texts.append(linearity_finding(self.linearity, self.unit))
        return " ".join(texts)

    @property
    def verdict(self) -> BasisVerdict:
        """Whether the gauge can be used."""
        if self.rr is None:
            assert self.type1 is not None
            found = type_one_verdict(self.type1)
            if self.stability is not None and not self.stability.stable and found.usable == "yes":
                return BasisVerdict("not alone", f"{found.text}; but the readings are not stable")
            return found
        assert self.data is not None
        found = gauge_verdict(
            self.rr, len(self.data.parts), len(self.data.operators), len(self.data.values)
        )
        if self.linearity is not None and not self.linearity.straight and found.usable == "yes":
            return BasisVerdict("not alone", f"{found.text}. It does not read right on average")
        return found


def study_gauge(
    rows: StudyRows,
    measure: str,
    *,
    part: str | None,
    operator: str | None,
    reference: str | float | None,
    nested: bool = False,
    tolerance: float | None = None,
    method: str = "auto",
    share: float = 20.0,
    unit: str = "",
    confidence: float = 0.95,
    notes: tuple[str, ...] = (),
) -> GaugeStudy:
    """Study the readings of a gauge.

    Args:
        rows: the readings in the order in which they were taken, with the columns that are named below.
        measure: the column of readings.
        part: the column of parts; None where all readings are of one part, whose size is `reference`.
        operator: the column of operators, stations or cameras.
        reference: the column of true sizes, or the true size of the one part.
        nested: each part was read by one operator only.
        tolerance: width of the tolerance.
        method: as for `core.msa.gauge_rr.gauge_rr`.
        share: percent of the tolerance to which the spread of a type 1 study is compared.
        unit: of the readings.
        confidence: of the intervals.
        notes: what was understood of the table.

    Raises:
        UsageError: settings that do not go together.
        FlawlineError: readings from which nothing follows.
    """
    values = rows.numbers[measure]
    if part is None:
        if operator is not None or nested:
            raise UsageError("`operator` and `nested` need the column of parts", hint="give `part`")
        if not isinstance(reference, float):
            raise UsageError(
                "expected the column of parts, or the true size of the one part that was read",
                hint="give `part`, or a number as `reference`",
            )
        found_one = _one_part(rows, measure, reference, tolerance, share, unit, confidence)
        return replace(found_one, notes=(*notes, *found_one.notes))
    if isinstance(reference, float):
        raise UsageError(
            f"`reference` is the true size of one part, and `part` names several, got {reference:g}",
            hint="name the column of true sizes",
        )
    by = None if operator is None else rows.names[operator]
    data = gauge_data(values, rows.names[part], by, nested=nested)
    _check_nesting(rows, part, operator, nested)
    if len(data.parts) < 2 and tolerance is None:
        raise UsageError(
            "all readings are of one part, so that there are no differences between parts to compare with",
            hint="give `tolerance`, or readings of more parts",
        )
    found = gauge_rr(data, tolerance=tolerance, method=method, confidence=confidence)
    true = None if reference is None else rows.numbers[reference]
    if true is not None:
        _check_reference(true, data)
    line = None if true is None else linearity(values, true, confidence=confidence)
    return GaugeStudy(
        measure,
        unit,
        data,
        found,
        line,
        None,
        None,
        None,
        values,
        true,
        rows.skipped,
        (*notes, *_notes(data, found)),
    )


def _one_part(
    rows: StudyRows,
    measure: str,
    reference: float,
    tolerance: float | None,
    share: float,
    unit: str,
    confidence: float,
) -> GaugeStudy:
    values = rows.numbers[measure]
    found = type_one(values, reference, tolerance=tolerance, share=share, confidence=confidence)
    chart, stability = None, None
    if found.bias.t is not None:
        series = form_series({measure: values.tolist()}, measure, "i-mr", Forming(unit=unit))
        chart = chart_series(series, "i-mr", estimation=Estimation(transform="none"))
        drawn = chart
        stage = chart.stages[0]
        assert isinstance(series.points, Subgroups)
        stability = judge_stability(
            series.points,
            stage.panels,
            stage.limits.sigma,
            lambda point: place(drawn, point),
        )
    notes: tuple[str, ...] = ()
    if len(values) < 25:
        notes = (f"{counted(len(values), 'reading')} are few: 50 are usual, 25 the least",)
    return GaugeStudy(
        measure, unit, None, None, None, found, chart, stability, values, None, rows.skipped, notes
    )


def _check_nesting(rows: StudyRows, part: str, operator: str | None, nested: bool) -> None:
    """Refuse a crossed study in which no part was read by two operators: it was nested, or parts are misnamed."""
    if operator is None or nested:
        return
    pairs = set(zip(rows.names[part], rows.names[operator], strict=True))
    if len({who for _, who in pairs}) > 1 and len(pairs) == len({one for one, _ in pairs}):
        raise UsageError(
            "no part was read by more than one operator",
            hint="`nested` studies parts that belong to one operator each, as where reading destroys them",
        )


def _check_reference(reference: NDArray[np.float64], data: GaugeData) -> None:
    for place_, name in enumerate(data.parts):
        found = np.unique(reference[data.part == place_])
        if len(found) > 1:
            raise FlawlineError(
                f"part {name} has the references {found[0]:g} and {found[1]:g}",
                hint="a part has one true size: mend the column `reference`",
                code="gauge-reference",
            )


def _notes(data: GaugeData, found: GaugeRR) -> tuple[str, ...]:
    """Say how the variation was split, and what is too little to split it well."""
    notes = []
    crossed = not data.nested and len(data.factors) == 2
    missing = len(data.parts) * len(data.operators) - len(data.cells.means) if crossed else 0
    if missing:
        notes.append(
            f"{counted(missing, 'combination')} of part and operator {'was' if missing == 1 else 'were'} not read"
        )
    if found.method == "reml":
        notes.append(
            "the variation was split by REML"
            + (", as readings are missing or not as many each" if data.trials is None else "")
        )
    if crossed and data.cells.degrees == 0:
        notes.append("no part was read twice by one operator: the interaction counts as repeats")
    elif crossed and found.method != "range":
        p = "" if found.interaction_p is None else f" (p {found.interaction_p:.3g}, against 0.25)"
        done = "is part of the repeats" if found.pooled else "is kept"
        notes.append(f"the interaction of part and operator {done}{p}")
    if 1 < len(data.parts) < FEW_PARTS:
        notes.append(f"{len(data.parts)} parts are few: 10 that span the process are usual")
    if 1 < len(data.operators) < FEW_OPERATORS:
        notes.append(
            f"{len(data.operators)} operators tell little about differences between operators: the interval is wide"
        )
    return tuple(notes)
