"""Describe a study of a gauge for its report."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from flawline.core.msa.gauge_anova import INTERACTION, REPEATS
from flawline.core.msa.gauge_bias import Bias, Linearity, TypeOne
from flawline.core.msa.gauge_data import GaugeData
from flawline.core.msa.gauge_rr import GAUGE, REPRODUCIBILITY, SIGMAS, Component, GaugeRR, Share
from flawline.core.msa.gauge_verdict import GROUPS, groups
from flawline.core.spc.chart_constants import d2, d3, per_size, range_exceeds
from flawline.jobs.study.gauge_figure import (
    gauge_figures,
    histogram_figure,
    linearity_figure,
    run_figure,
)
from flawline.jobs.study.gauge_study import GaugeStudy
from flawline.jobs.study.study import Assumption, Study, StudyTable

NAMES = {
    "gauge": "gauge",
    "repeatability": "repeats",
    "reproducibility": "operators in all",
    "operator": "operators",
    "interaction": "part x operator",
    "part": "parts",
    "total": "total",
}
_MEANING = (
    "Every reading is the part plus what the gauge adds. The gauge's part comes from repeats (the same operator "
    "reads the same part again) and from operators (each reads otherwise). Up to 10 % of the tolerance, or of all "
    "variation, is good, beyond 30 % is not usable, in between depends on what a wrong decision costs (AIAG). The "
    "number of groups says how finely the gauge tells the parts of this study apart; it needs parts that span the "
    "process."
)
_MEANING_ONE = (
    "One part of known size is read again and again. Cg compares the spread of the readings with a share of the "
    "tolerance, Cgk counts the bias as well; both should be 1.33 or more before several operators read several parts."
)


def gauge_report(found: GaugeStudy) -> Study:
    """Describe a study of a gauge."""
    return Study(
        name="gauge",
        title=f"Gauge study of {found.measure}",
        subtitle=_subtitle(found),
        finding=found.finding,
        verdict=found.verdict,
        numbers=gauge_as_dict(found),
        facts=_facts(found),
        tables=_tables(found),
        figures=_figures(found),
        assumptions=_assumptions(found),
        notes=found.notes,
        skipped=found.skipped,
        meaning=_MEANING if found.rr is not None else _MEANING_ONE,
    )


def gauge_as_dict(found: GaugeStudy) -> dict[str, Any]:
    """Build the figures of the JSON document."""
    document: dict[str, Any] = {
        "measure": found.measure,
        "unit": found.unit,
        "count": len(found.values),
    }
    if found.rr is not None and found.data is not None:
        document |= _rr_dict(found.rr, found.data)
    if found.linearity is not None:
        document["linearity"] = _line_dict(found.linearity)
    if found.type1 is not None:
        one = found.type1
        document["type1"] = {
            "bias": _bias_dict(one.bias),
            "tolerance": one.tolerance,
            "share": one.share,
            "cg": one.cg,
            "cgk": one.cgk,
            "percent_repeats": one.repeats,
            "percent_repeats_and_bias": one.whole,
            "stable": None if found.stability is None else found.stability.stable,
        }
    return document


def _rr_dict(rr: GaugeRR, data: GaugeData) -> dict[str, Any]:
    return {
        "design": "nested" if data.nested else "crossed",
        "method": rr.method,
        "parts": len(data.parts),
        "operators": len(data.operators),
        "trials": data.trials,
        "tolerance": rr.tolerance,
        "confidence": rr.confidence,
        "anova": [{**asdict(row), "mean": row.mean} for row in rr.rows],
        "interaction": {"p": rr.interaction_p, "pooled": rr.pooled},
        "components": {name: _component_dict(one) for name, one in rr.components.items()},
        "ndc": None if rr.ndc is None else {**(_share(rr.ndc) or {}), "groups": groups(rr)},
    }


def _component_dict(one: Component) -> dict[str, Any]:
    return {
        "variance": one.variance,
        "sigma": _share(one.sigma),
        "percent_contribution": _share(one.contribution),
        "percent_study": _share(one.study),
        "percent_tolerance": _share(one.tolerance),
    }


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    low, high = (None, None) if share.interval is None else share.interval
    return {"value": share.value, "low": low, "high": high}


def _bias_dict(one: Bias) -> dict[str, Any]:
    return {"value": one.value, **asdict(one)}


def _line_dict(line: Linearity) -> dict[str, Any]:
    return {
        "slope": line.slope,
        "slope_p": line.slope_p,
        "intercept": line.intercept,
        "intercept_p": line.intercept_p,
        "r_squared": line.r_squared,
        "sigma": line.sigma,
        "right": line.straight,
        "mean": _bias_dict(line.mean) | {"reference": None},
        "biases": [_bias_dict(one) for one in line.biases],
    }


def _subtitle(found: GaugeStudy) -> str:
    if found.data is None:
        return f"{len(found.values)} readings of one part."
    data = found.data
    operators = f" by {len(data.operators)} operators" if len(data.operators) > 1 else ""
    kind = ", each part read by one operator" if data.nested else ""
    each = "" if data.trials is None else f", {data.trials} times each"
    return f"{len(data.values)} readings of {len(data.parts)} parts{operators}{each}{kind}."


def _facts(found: GaugeStudy) -> dict[str, str]:
    tail = f" {found.unit}" if found.unit else ""
    facts = {"readings": f"{len(found.values)}"}
    rr, data = found.rr, found.data
    if rr is not None and data is not None:
        facts |= {
            "parts": f"{len(data.parts)}",
            "operators": f"{len(data.operators)}",
            "method": {"anova": "analysis of variance", "reml": "REML", "range": "ranges"}[
                rr.method
            ],
            "gauge, sigma": f"{rr.components[GAUGE].sigma.value:.4g}{tail}",
            "repeats, sigma": f"{rr.components[REPEATS].sigma.value:.4g}{tail}",
            "tolerance": "none" if rr.tolerance is None else f"{rr.tolerance:g}{tail}",
            "groups": "not known" if rr.ndc is None else f"{groups(rr)} ({rr.ndc.value:.2f})",
        }
    one = found.type1
    if one is not None:
        none = "no tolerance given"
        facts |= {
            "true size": f"{one.bias.reference:g}{tail}",
            "mean": f"{one.bias.mean:.6g}{tail}",
            "sigma": f"{one.bias.sigma:.4g}{tail}",
            "bias": f"{one.bias.value:.4g}{tail} ({one.bias.low:.4g} to {one.bias.high:.4g})",
            "Cg": none if one.cg is None else f"{one.cg:.2f}",
            "Cgk": none if one.cgk is None else f"{one.cgk:.2f}",
        }
    if found.linearity is not None:
        line = found.linearity
        facts |= {
            "slope": f"{line.slope:.4g}",
            "intercept": f"{line.intercept:.4g}{tail}",
            "R²": f"{line.r_squared:.3f}",
        }
    return facts


def _tables(found: GaugeStudy) -> tuple[StudyTable, ...]:
    tables = []
    if found.rr is not None:
        tables.append(_component_table(found.rr))
        if found.rr.rows:
            tables.append(_anova_table(found.rr))
    biases = found.linearity.biases if found.linearity is not None else ()
    if found.type1 is not None:
        tables.append(_type_one_table(found.type1))
    if biases:
        names = ("true size", "readings", "bias", "interval", "p")
        rows = tuple(
            (f"{b.reference:g}", f"{b.count}", f"{b.value:.4g}", _span(b), _p(b.p)) for b in biases
        )
        tables.append(StudyTable("bias", names, rows, frozenset(names), printed=True))
    return tuple(tables)


def _component_table(rr: GaugeRR) -> StudyTable:
    """Tabulate sigma and percentages of each source; the interval is that of the figure judged by."""
    names = ["source", "sigma"]
    varied = rr.components[GAUGE].study is not None
    if varied:
        names += ["% variance", "% variation"]
    if rr.tolerance is not None:
        names.append("% tolerance")
    names.append("interval")
    rows = []
    for name, one in rr.components.items():
        if name == REPRODUCIBILITY and INTERACTION not in rr.components:
            continue  # It is the next row.
        shares = [one.contribution, one.study] if varied else []
        shares += [one.tolerance] if rr.tolerance is not None else []
        texts = ["" if share is None else f"{share.value:.2f}" for share in shares]
        last = shares[-1]
        span = last.interval if last is not None else None
        between = "" if span is None else f"{span[0]:.1f} to {span[1]:.1f}"
        rows.append((NAMES[name], f"{one.sigma.value:.4g}", *texts, between))
    note = (
        f"Variation: {SIGMAS:g} standard deviations. The interval is that of the column before it."
    )
    return StudyTable(
        "variation", tuple(names), tuple(rows), frozenset(names[1:]), printed=True, note=note
    )


def _anova_table(rr: GaugeRR) -> StudyTable:
    names = ("source", "DF", "SS", "MS", "F", "p")
    rows = tuple(
        (
            NAMES.get(row.source, row.source),
            f"{row.degrees}",
            f"{row.squares:.5g}",
            f"{row.mean:.5g}",
            "" if row.f is None else f"{row.f:.4g}",
            _p(row.p),
        )
        for row in rr.rows
    )
    note = "The interaction was then added to the repeats." if rr.pooled else ""
    return StudyTable("analysis of variance", names, rows, frozenset(names[1:]), note=note)


def _type_one_table(one: TypeOne) -> StudyTable:
    names = ("figure", "value")
    rows = [("bias", f"{one.bias.value:.4g} ({_span(one.bias)})"), ("p of no bias", _p(one.bias.p))]
    if one.cg is not None and one.cgk is not None:
        rows += [
            ("Cg", f"{one.cg:.2f}"),
            ("Cgk", f"{one.cgk:.2f}"),
            ("repeats, % of tolerance", f"{one.repeats:.2f}"),
            (
                "repeats and bias, % of tolerance",
                "no end" if one.whole is None else f"{one.whole:.2f}",
            ),
        ]
    return StudyTable("one part", names, tuple(rows), frozenset(["value"]), printed=True)


def _p(p: float | None) -> str:
    return "" if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def _span(one: Bias) -> str:
    return f"{one.low:.4g} to {one.high:.4g}"


def _figures(found: GaugeStudy) -> Any:
    figures: tuple[Any, ...] = ()
    if found.rr is not None and found.data is not None:
        figures = gauge_figures(found.data, found.rr, found.measure)
    if found.type1 is not None:
        figures = (
            run_figure(found.type1, found.values, found.measure),
            histogram_figure(found.type1, found.values, found.measure),
        )
    if found.linearity is not None and found.references is not None:
        drawn = linearity_figure(found.linearity, found.values, found.references, found.unit)
        figures = (*figures, drawn)
    return figures


def _assumptions(found: GaugeStudy) -> tuple[Assumption, ...]:
    rest: list[Assumption] = []
    tolerance = None
    if found.rr is not None and found.data is not None:
        rest += [_even_spread(found.data), _span_of_parts(found.rr)]
        tolerance, sigma = found.rr.tolerance, found.rr.components[GAUGE].sigma.value
    else:
        assert found.type1 is not None
        tolerance, sigma = found.type1.tolerance, found.type1.bias.sigma
        rest.append(_stable(found))
    return (
        *rest,
        _fine(found.values, sigma, tolerance),
        Assumption(
            "the readings were taken in random order, without a look at the earlier ones",
            "not checked",
            "a table does not show it; readings in a row of one part agree better than the gauge is",
        ),
    )


def _even_spread(data: GaugeData) -> Assumption:
    """Compare the ranges of all cells with their limit: about 1 in 100 lies above it by chance."""
    what = "every part and operator repeats alike"
    cells = data.cells
    several = cells.counts > 1
    if several.sum() < 5:
        return Assumption(what, "not checked", "there are too few repeats")
    sizes = cells.counts[several]
    ranges = cells.ranges()[several]
    sigma = float(np.mean(ranges / per_size(d2, sizes)))
    limit = sigma * (per_size(d2, sizes) + 3 * per_size(d3, sizes))
    over = int((ranges > limit).sum())
    # One far range, or too many above the limit, which about 1 in 100 exceeds by chance.
    farthest = len(ranges) * float(range_exceeds(ranges / max(sigma, 1e-300), sizes).min())
    if over and min(farthest, float(bdtrc(over - 1, len(ranges), 0.01))) < 0.02:
        named = _cell_names(data, np.flatnonzero(several)[ranges > limit])
        why = f"the repeats differ far more for part {', '.join(named[:4])}: read it again"
        return Assumption(what, "does not", why)
    return Assumption(what, "holds", f"{over} of {len(ranges)} ranges lie above the limit")


def _cell_names(data: GaugeData, places: NDArray[np.int64]) -> list[str]:
    several = len(data.operators) > 1 and not data.nested
    named = zip(data.cells.part[places], data.cells.operator[places], strict=True)
    return [
        f"{data.parts[part]}{f' by {data.operators[who]}' if several else ''}"
        for part, who in named
    ]


def _span_of_parts(rr: GaugeRR) -> Assumption:
    what = "the parts span what the process makes"
    if rr.ndc is None:
        return Assumption(what, "not checked", "there is one part, or no spread to compare with")
    why = "a table does not show it; % of variation and groups hold for parts like these only"
    few = groups(rr)
    if few is not None and few < GROUPS:
        why += ", and these parts hardly differ"
    return Assumption(what, "not checked", why)


def _stable(found: GaugeStudy) -> Assumption:
    what = "the gauge is stable: its readings do not drift"
    if found.stability is None:
        return Assumption(what, "not checked", "the readings do not vary")
    if found.stability.stable:
        return Assumption(what, "holds", "no more signals on the control chart than chance makes")
    return Assumption(what, "does not", "; ".join(found.stability.reasons))


def _fine(values: Any, sigma: float, tolerance: float | None) -> Assumption:
    """Compare the smallest step between readings with a tenth of the tolerance, or with the gauge's sigma."""
    what = "the gauge shows enough digits"
    gaps = np.diff(np.unique(values))
    gaps = gaps[gaps > 1e-9 * float(np.ptp(values))]
    if not len(gaps):
        return Assumption(what, "not checked", "the readings do not vary")
    step = float(gaps.min())
    room, than = (tolerance / 10, "a tenth of the tolerance") if tolerance else (sigma, "its sigma")
    fits = step <= room * (1 + 1e-9)
    compared = "at most" if fits else "above"
    return Assumption(
        what, "holds" if fits else "does not", f"its smallest step is {step:.3g}, {compared} {than}"
    )
