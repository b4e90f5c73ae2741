"""Study the probability of detection of defects of known size, found or missed, and describe it for its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.colours import BAD, GOOD, LIMIT
from flawline.core.intervals import clopper_pearson
from flawline.core.pod import FEWEST, Pod, fit_pod
from flawline.core.words import counted
from flawline.errors import FlawlineError
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.study.cause_words import number
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable
from flawline.jobs.study.study_rows import StudyRows

_GROUPS = 6
_MEANING = (
    "The curve is the share of defects of a size that are found, the line below it the lower bound of 95 % confidence. "
    "Points are groups of defects of like size, with their intervals. Where the curve crosses 90 % is a90, where the "
    "bound does is a90/95, the size that is taken for found."
)


@dataclass(frozen=True, slots=True, eq=False)
class HitMissStudy:
    """Defects of known size: `sizes` (N,) above 0, `found` (N,), the fitted curve, and notes."""

    size: str
    unit: str
    sizes: NDArray[np.float64]
    found: NDArray[np.bool_]
    pod: Pod
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def study_hit_miss(
    rows: StudyRows, size: str, found: str, unit: str = "", notes: Sequence[str] = ()
) -> HitMissStudy:
    """Fit the probability of detection against size.

    Args:
        rows: with the numbers `size` and `found`, 1 for a defect that was found and 0 for one that was missed.
        size, found: names of columns.
        unit: of the sizes.
        notes: what was understood of the table.

    Raises:
        FlawlineError: ("study-empty") no row has a size above 0 and a 0 or 1.
    """
    skipped, kept = list(rows.skipped), []
    for place, (length, hit) in enumerate(
        zip(rows.numbers[size], rows.numbers[found], strict=True)
    ):
        if not length > 0:
            why = f"in {size!r}, a size is above 0, got {length:g}"
        elif hit not in (0, 1):
            why = f"in {found!r}, expected 1 for found or 0 for missed, got {hit:g}"
        else:
            kept.append(place)
            continue
        skipped.append(Skipped(f"row {rows.places[place] + 1}", why))
    if not kept:
        raise FlawlineError(
            f"no row can be used: {skipped[0].label}: {skipped[0].reason}",
            hint="name the columns with `size` and `found`",
            code="study-empty",
        )
    sizes, hits = rows.numbers[size][kept], rows.numbers[found][kept] > 0
    return HitMissStudy(size, unit, sizes, hits, fit_pod(sizes, hits), tuple(skipped), tuple(notes))


def hit_miss_report(found: HitMissStudy) -> Study:
    """Describe a study of detection for its report."""
    pod = found.pod
    return Study(
        name="hit-miss",
        title=f"Detection by {found.size}",
        subtitle=f"{counted(pod.defects, 'defect')}, {pod.found} of them found.",
        finding=_finding(found),
        verdict=_verdict(pod),
        numbers={
            "defects": pod.defects,
            "found": pod.found,
            "smallest": pod.smallest,
            "largest": pod.largest,
            "intercept": pod.intercept,
            "slope": pod.slope,
            "a50": pod.a50,
            "a90": pod.a90,
            "a90_95": pod.a90_95,
            "unit": found.unit,
            "reason": pod.reason,
        },
        facts={"a50": _size(found, pod.a50), "a90": _size(found, pod.a90)}
        | {"a90/95": _size(found, pod.a90_95)},
        tables=(_table(found),),
        figures=(_figure(found),),
        assumptions=_assumptions(found),
        notes=found.notes,
        skipped=found.skipped,
        meaning=_MEANING,
    )


def _size(found: HitMissStudy, value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:.3g} {found.unit}".rstrip()


def _finding(found: HitMissStudy) -> str:
    pod = found.pod
    told = f"{pod.found} of {counted(pod.defects, 'defect')} were found"
    if pod.a90 is None:
        return f"{told}; from which size on 9 of 10 are found is not known: {pod.reason}."
    if pod.a90_95 is None:
        return (
            f"{told}. 9 of 10 are found from {_size(found, pod.a90)} on, but with 95 % confidence no size can be "
            f"named: {pod.reason or 'too few defects were missed or found'}."
        )
    return (
        f"9 of 10 defects of {_size(found, pod.a90)} are found, and with 95 % confidence those of "
        f"{_size(found, pod.a90_95)}: {told}."
    )


def _verdict(pod: Pod) -> BasisVerdict:
    if pod.a90_95 is None:
        return BasisVerdict("unknown", "The defects do not tell from which size on they are found")
    if pod.defects < FEWEST:
        return BasisVerdict("not alone", f"{pod.defects} defects are few, {FEWEST} are usual")
    return BasisVerdict("yes", f"By {pod.defects} defects")


def _groups(found: HitMissStudy) -> list[NDArray[np.int64]]:
    """Cut the defects into up to 6 groups by size; equal sizes stay together."""
    order = np.argsort(found.sizes, kind="stable")
    edges = np.unique(np.quantile(found.sizes, np.linspace(0, 1, _GROUPS + 1)[1:-1]))
    places = np.searchsorted(edges, found.sizes[order], side="left")
    return [order[places == k] for k in range(len(edges) + 1) if (places == k).any()]


def _table(found: HitMissStudy) -> StudyTable:
    columns = (found.size, "defects", "found", "share", "95 % interval")
    rows = []
    for group in _groups(found):
        sizes, hits = found.sizes[group], int(found.found[group].sum())
        low, high = clopper_pearson(hits, len(group))
        rows.append(
            (
                f"{number(sizes.min())} to {number(sizes.max())}",
                str(len(group)),
                str(hits),
                f"{100 * hits / len(group):.0f} %",
                f"{100 * low:.0f} to {100 * high:.0f} %",
            )
        )
    return StudyTable("Found by size", columns, tuple(rows), frozenset(columns[1:]), printed=True)


def _figure(found: HitMissStudy) -> StudyFigure:
    def draw(axes: Any) -> None:
        from matplotlib.ticker import LogLocator, NullLocator

        for group in _groups(found):
            hits, many = int(found.found[group].sum()), len(group)
            low, high = clopper_pearson(hits, many)
            middle = float(np.exp(np.log(found.sizes[group]).mean()))
            axes.plot([middle, middle], [100 * low, 100 * high], color=LIMIT, lw=1.2)
            axes.plot(middle, 100 * hits / many, marker="o", ms=4, color=GOOD)
        if found.pod.curve is not None:
            size, share, bound = found.pod.curve.T
            axes.plot(size, 100 * share, color=GOOD, lw=1.8)
            axes.plot(size, 100 * bound, color=BAD, lw=1.4)
        axes.axhline(90, color=LIMIT, ls=(0, (4, 2)), lw=1)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_locator(NullLocator())
        # Powers of ten would be written in a markup that the report does not draw.
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_ylim(0, 102)
        apart = found.unit not in ("", found.size)
        axes.set_xlabel(f"{found.size}, {found.unit}" if apart else found.size)
        axes.set_ylabel("found, %")

    caption = "Curve: found by size; below it the bound with 95 % confidence; points: groups, with intervals."
    return StudyFigure("Probability of detection", caption, draw, 3.2)


def _assumptions(found: HitMissStudy) -> tuple[Assumption, ...]:
    pod = found.pod
    large = found.sizes > pod.a90_95 if pod.a90_95 is not None else np.zeros(0, bool)
    missed = int((~found.found[large]).sum()) if large.any() else 0
    many = int(large.sum())
    holds = many > 0 and clopper_pearson(missed, many)[0] <= 0.1
    return (
        Assumption(
            "large defects are found whatever they are",
            "not checked" if not many else "holds" if holds else "does not",
            "no defect is larger than a90/95"
            if not many
            else f"{missed} of {counted(many, 'defect')} larger than a90/95 were missed",
        ),
        Assumption(
            "defects do not depend on each other",
            "not checked",
            "several of one part, or one that is inspected several times, make the bound too sure",
        ),
    )
