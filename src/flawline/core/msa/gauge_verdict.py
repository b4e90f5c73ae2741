"""Say in plain words whether a gauge is good enough, and what to mend."""

from __future__ import annotations

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.msa.gauge_anova import REPEATS
from flawline.core.msa.gauge_bias import Linearity, TypeOne
from flawline.core.msa.gauge_rr import GAUGE, REPRODUCIBILITY, GaugeRR, Share
from flawline.core.recipe_verdict import Usable
from flawline.core.words import counted

GOOD, MOST = 10.0, 30.0
"""Percent of the tolerance, or of all variation: up to the first good, beyond the second not usable (AIAG)."""
GROUPS = 5
"""Fewest groups of parts that a gauge for controlling a process tells apart (AIAG)."""
CAPABLE = 1.33
"""Least Cg and Cgk."""


def gauge_verdict(found: GaugeRR, parts: int, operators: int, readings: int) -> BasisVerdict:
    """Judge a gauge by percent of the tolerance, or of all variation where there is none, and by its groups."""
    share = judged(found)
    if found.components[GAUGE].variance == 0:
        return BasisVerdict(
            "unknown", "The repeats never differ: the readings were copied, or are too coarse"
        )
    study = (
        f"By {counted(readings, 'reading')} of {counted(parts, 'part')} "
        f"{'by ' + counted(operators, 'operator') if operators > 1 else 'without different operators'}"
    )
    if share.value > MOST:
        return BasisVerdict("no", f"Not usable: beyond {MOST:g} %. {study}")
    few = groups(found)
    usable: Usable = "yes"
    if share.value > GOOD or (few is not None and few < GROUPS):
        usable = "not alone"
    said = "Good enough" if usable == "yes" else f"Between {GOOD:g} and {MOST:g} %"
    if usable == "not alone" and share.value <= GOOD:
        said = (
            f"Good for the tolerance, but it tells fewer than {GROUPS} groups of these parts apart"
        )
    return BasisVerdict(usable, f"{said}. {study}")


def judged(found: GaugeRR) -> Share:
    """Select the figure to judge by: percent of the tolerance, or of all variation."""
    gauge = found.components[GAUGE]
    share = gauge.tolerance if gauge.tolerance is not None else gauge.study
    assert share is not None
    return share


def groups(found: GaugeRR) -> int | None:
    """Count the groups of parts that the gauge tells apart, at least 1; None where that is not known."""
    return None if found.ndc is None else max(int(found.ndc.value), 1)


def gauge_finding(found: GaugeRR) -> str:
    """Summarise a gauge R&R for those who know no statistics."""
    share = judged(found)
    if found.components[GAUGE].variance == 0:
        return (
            "Every repeat reads exactly the same, so that nothing can be said about the gauge: were the readings "
            "copied, or does it show too few digits?"
        )
    against = "the tolerance" if found.tolerance is not None else "the differences between readings"
    sure = interval_text(share, found.confidence, " %")
    verb = "takes up" if found.tolerance is not None else "makes"
    first = f"The gauge {verb} {percent(share.value)} of {against}{sure}: {_use(share.value)}."
    return f"{first} {_source(found)}{_groups(found)}"


def _use(value: float) -> str:
    if value <= GOOD:
        return "good enough to measure by and to control a process"
    if value <= MOST:
        return "usable for sorting with care, not for control"
    return "not usable, improve it before its numbers judge parts"


def _source(found: GaugeRR) -> str:
    """Say whether people or repeats make most of it, and what that points to."""
    gauge = found.components[GAUGE].variance
    between = found.components.get(REPRODUCIBILITY)
    if between is None:
        return "Only repeats were studied: what operators or stations add is not in it."
    share = 100 * found.components[REPEATS].variance / gauge
    if share >= 50:
        return (
            f"{_most(share)} is the same operator reading the same part again: look at how the part is "
            "held, at light and focus, and at the resolution."
        )
    return (
        f"{_most(100 - share)} comes from the operators: agree on how the part is held and read, and train "
        "them."
    )


def _most(share: float) -> str:
    return f"Most of it ({share:.0f} %)" if share < 99.5 else "All of it"


def _groups(found: GaugeRR) -> str:
    count = groups(found)
    if count is None or count >= GROUPS:
        return ""
    if count == 1:
        return f" It cannot tell these parts apart; {GROUPS} groups are wanted."
    return f" It tells {count} groups of these parts apart; {GROUPS} are wanted."


def linearity_finding(found: Linearity, unit: str) -> str:
    """Summarise bias and linearity."""
    tail = f" {unit}" if unit else ""
    if found.straight:
        return "Its readings are right on average, for small and large parts alike, as far as this study can see."
    low, high = found.biases[0], found.biases[-1]
    if found.slope_p is not None and found.slope_p < 0.05:
        return (
            f"It reads {_off(low.value, tail)} at {low.reference:g}{tail} and {_off(high.value, tail)} at "
            f"{high.reference:g}{tail}: the error depends on the size, so adjust it over the whole range."
        )
    return f"It reads {_off(found.mean.value, tail)} on average, alike for all sizes: set its zero."


def type_one_finding(found: TypeOne, unit: str) -> str:
    """Summarise a type 1 study."""
    tail = f" {unit}" if unit else ""
    bias = found.bias
    off = (
        f"On average it reads {_off(bias.value, tail)}, which is more than chance"
        if bias.sure
        else "On average it reads right, as far as these readings can tell"
    )
    if bias.t is None:
        return f"All {bias.count} readings are {bias.mean:g}{tail}: the spread is not known, read with more digits."
    if found.cg is None or found.cgk is None:
        return (
            f"{off}; its readings scatter by {6 * bias.sigma:.3g}{tail} (6 standard deviations). Give the tolerance to "
            "judge that."
        )
    spread = f"Repeats of one part take up {percent(found.repeats or 0.0)} of the tolerance"
    if found.cg >= CAPABLE and found.cgk >= CAPABLE:
        return f"{spread}: the gauge is good enough on one part. {off}; next, let several operators read several parts."
    if found.cg < CAPABLE:
        return f"{spread}, where at most {found.share / CAPABLE:.0f} % are wanted: it scatters too much. {off}."
    return f"{spread}, which is little, but its average is off: {off[0].lower()}{off[1:]}. Set its zero."


def type_one_verdict(found: TypeOne) -> BasisVerdict:
    """Judge a type 1 study by Cg and Cgk."""
    if found.cg is None or found.cgk is None:
        return BasisVerdict("unknown", f"By {counted(found.bias.count, 'reading')} of one part")
    text = f"Cg {found.cg:.2f} and Cgk {found.cgk:.2f}; at least {CAPABLE:g} are wanted"
    return BasisVerdict("yes" if min(found.cg, found.cgk) >= CAPABLE else "no", text)


def _off(value: float, tail: str) -> str:
    if value == 0:
        return "right"
    return f"{abs(value):.3g}{tail} too {'high' if value > 0 else 'low'}"


def percent(value: float) -> str:
    """Format percent: one digit after the point below 10."""
    return f"{value:.1f} %" if value < 9.95 else f"{value:.0f} %"


def interval_text(share: Share, confidence: float, tail: str) -> str:
    """Format the interval of a figure in brackets; "" without one."""
    if share.interval is None:
        return ""
    low, high = (f"{edge:.1f}" if edge < 9.95 else f"{edge:.0f}" for edge in share.interval)
    return f" ({100 * confidence:g} % interval {low} to {high}{tail})"
