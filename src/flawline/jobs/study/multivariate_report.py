"""Study several measures together, and describe it for its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.colours import BAD, GOOD, LIMIT, UNKNOWN
from flawline.core.spc.multivariate import Multivariate, contributions, distances
from flawline.core.words import counted
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable
from flawline.report.figure import INK

_FEW = 20
_LISTED = 20
_MEANING = (
    "T2 is how far a point lies from the usual mixture of all measures, counted in standard deviations along their "
    "usual relation: a part may have every measure within its own limits and still not belong to the others. The "
    "contribution of a measure is what it adds to T2 beside the others. The MEWMA averages the points, the latest "
    "most, and so finds small shifts that last. It says that something has changed; the contributions say where to "
    "look first."
)


@dataclass(frozen=True, slots=True, eq=False)
class MultivariateStudy:
    """Measures (N, P) of points with their labels, and their T2 and MEWMA."""

    measures: tuple[str, ...]
    labels: tuple[str, ...]
    values: NDArray[np.float64]
    result: Multivariate
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def off(self) -> NDArray[np.float64]:
        """Deviations (N, P) from the centre."""
        return np.asarray(self.values - self.result.centre)

    @property
    def finding(self) -> str:
        """What is out of the ordinary, for those who know no statistics."""
        found = self.result
        names = " and ".join((", ".join(self.measures[:-1]), self.measures[-1]))
        if not len(found.beyond) and not len(found.drifting):
            return f"{names} together are in control: no point is unlike the others, and nothing drifts."
        texts = []
        if len(found.beyond):
            farthest = int(found.beyond[np.argmax(found.t2[found.beyond])])
            share = contributions(self.off[farthest : farthest + 1], found.covariance)[0]
            texts.append(
                f"{counted(len(found.beyond), 'point')} of {len(self.labels)} "
                f"do{'es' if len(found.beyond) == 1 else ''} not belong to the others, {self.labels[farthest]} the "
                f"least: its {self.measures[int(share.argmax())]} is unusual beside its other measures."
            )
        if len(found.drifting):
            first, last = (self.labels[int(found.drifting[place])] for place in (0, -1))
            goes_on = int(found.drifting[-1]) == len(self.labels) - 1
            texts.append(
                f"{names} together have shifted: the MEWMA lies above its limit since {first}."
                if goes_on and len(found.drifting) > 1
                else f"The MEWMA was above its limit from {first} to {last}."
            )
        return " ".join(texts)

    @property
    def verdict(self) -> BasisVerdict:
        """Whether the process is in control."""
        found = self.result
        if len(found.beyond) or len(found.drifting):
            return BasisVerdict("no", "The process is not in control")
        if found.learnt < _FEW * len(self.measures):
            return BasisVerdict(
                "not alone",
                f"Learnt from {found.learnt} points, {_FEW * len(self.measures)} are usual for "
                f"{len(self.measures)} measures",
            )
        return BasisVerdict("yes", f"In control, by {counted(len(self.labels), 'point')}")


def multivariate_report(found: MultivariateStudy) -> Study:
    """Describe a study of several measures."""
    return Study(
        name="multivariate",
        title=f"{', '.join(found.measures)} together",
        subtitle=f"{len(found.labels)} points, limits learnt from {found.result.learnt}.",
        finding=found.finding,
        verdict=found.verdict,
        numbers=multivariate_as_dict(found),
        facts=_facts(found),
        tables=_tables(found),
        figures=_figures(found),
        assumptions=_assumptions(found),
        notes=found.notes,
        skipped=found.skipped,
        meaning=_MEANING,
    )


def multivariate_as_dict(found: MultivariateStudy) -> dict[str, Any]:
    """Build the figures of the JSON document."""
    result = found.result
    beyond = result.beyond
    shares = contributions(found.off[beyond], result.covariance)
    return {
        "measures": list(found.measures),
        "points": len(found.labels),
        "learnt": result.learnt,
        "alpha": result.alpha,
        "weight": result.weight,
        "centre": result.centre,
        "covariance": result.covariance,
        "t2": {"values": result.t2, "limits": result.limits},
        "mewma": {"values": result.mewma, "limit": result.mewma_limit},
        "beyond": [
            {
                "label": found.labels[place],
                "t2": result.t2[place],
                "contributions": dict(zip(found.measures, share.tolist(), strict=True)),
            }
            for place, share in zip(beyond.tolist(), shares, strict=True)
        ],
        "drifting": [found.labels[place] for place in result.drifting.tolist()],
    }


def _facts(found: MultivariateStudy) -> dict[str, str]:
    result = found.result
    facts = {
        "points": f"{len(found.labels)}",
        "learnt from": f"{result.learnt}",
        "limit of T2": f"{result.limits[0]:.4g}",
    }
    if result.learnt < len(found.labels):
        facts["limit of later points"] = f"{result.limits[-1]:.4g}"
    facts |= {
        "limit of MEWMA": f"{result.mewma_limit:.4g}",
        "false alarms": f"1 in {1 / result.alpha:.0f} points each",
    }
    return facts


def _tables(found: MultivariateStudy) -> tuple[StudyTable, ...]:
    result = found.result
    spread = np.sqrt(np.diag(result.covariance))
    names = ("measure", "mean", "s", *(f"r with {name}" for name in found.measures[:4]))
    rows = tuple(
        (
            name,
            f"{result.centre[place]:.5g}",
            f"{spread[place]:.4g}",
            *(
                f"{result.covariance[place, other] / spread[place] / spread[other]:.2f}"
                for other in range(min(len(found.measures), 4))
            ),
        )
        for place, name in enumerate(found.measures)
    )
    tables = [StudyTable("measures", names, rows, frozenset(names[1:]))]
    if len(result.beyond):
        listed = result.beyond[np.argsort(-result.t2[result.beyond], kind="stable")][:_LISTED]
        shares = contributions(found.off[listed], result.covariance)
        heads = ("point", "T2", *found.measures[:6])
        cells = tuple(
            (
                found.labels[place],
                f"{result.t2[place]:.2f}",
                *(f"{one:.2f}" for one in share[:6]),
            )
            for place, share in zip(listed.tolist(), shares, strict=True)
        )
        note = "Below each measure stands what it adds to T2 beside the others."
        tables.append(
            StudyTable("points that do not belong", heads, cells, frozenset(heads[1:]), True, note)
        )
    return tuple(tables)


def _figures(found: MultivariateStudy) -> tuple[StudyFigure, ...]:
    result = found.result
    figures = [
        StudyFigure(
            "T2",
            "How far each point lies from the usual mixture of measures; squares lie above the limit (dashed).",
            lambda axes: _draw_series(axes, result.t2, result.limits, found.labels, "T2"),
        ),
        StudyFigure(
            "MEWMA",
            "The same of the weighted average of the points: small shifts that last.",
            lambda axes: _draw_series(
                axes,
                result.mewma,
                np.full(len(result.mewma), result.mewma_limit),
                found.labels,
                "MEWMA",
            ),
        ),
    ]
    if len(found.measures) == 2:
        figures.append(
            StudyFigure(
                "both measures",
                "Each point, and the ellipse within which points belong to the others.",
                lambda axes: _draw_ellipse(axes, found),
                right=0.3,
            )
        )
    if len(result.beyond):
        worst = int(result.beyond[np.argmax(result.t2[result.beyond])])
        share = contributions(found.off[worst : worst + 1], result.covariance)[0]
        figures.append(
            StudyFigure(
                f"contributions to {found.labels[worst]}",
                "What each measure adds to T2 of the farthest point beside the others.",
                lambda axes: _draw_bars(axes, found.measures, share),
                right=0.3,
            )
        )
    return tuple(figures)


def _draw_series(
    axes: Any,
    values: NDArray[np.float64],
    limits: NDArray[np.float64],
    labels: Sequence[str],
    name: str,
) -> None:
    at = np.arange(len(values))
    axes.plot(at, values, color=GOOD, lw=0.9, marker="o" if len(at) <= 150 else None, ms=3)
    above = values > limits
    axes.plot(at[above], values[above], ls="", marker="s", ms=4.5, color=BAD)
    axes.step(at, limits, where="mid", color=LIMIT, ls=(0, (5, 2)), lw=1.3)
    axes.annotate(
        f"UCL {limits[-1]:.4g}",
        (1.0, limits[-1]),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        size=8,
        color=INK,
    )
    step = max(-(-len(labels) // 8), 1)
    ticks = np.arange(0, len(labels), step)
    axes.set_xticks(ticks, [labels[place][:8] for place in ticks.tolist()])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("point")
    axes.set_ylabel(name)


def _draw_ellipse(axes: Any, found: MultivariateStudy) -> None:
    result = found.result
    turn = np.linspace(0, 2 * np.pi, 200)
    root = np.linalg.cholesky(result.covariance)
    circle = np.sqrt(result.limits[0]) * np.stack([np.cos(turn), np.sin(turn)])
    axes.plot(*(result.centre[:, None] + root @ circle), color=LIMIT, lw=1.3)
    inside = result.t2 <= result.limits
    axes.plot(*found.values[inside].T, ls="", marker="o", ms=3, color=UNKNOWN)
    axes.plot(*found.values[~inside].T, ls="", marker="s", ms=5, color=BAD)
    axes.set_xlabel(found.measures[0])
    axes.set_ylabel(found.measures[1])


def _draw_bars(axes: Any, names: Sequence[str], share: NDArray[np.float64]) -> None:
    order = np.argsort(-share)[:10][::-1]
    axes.barh(np.arange(len(order)), share[order], color=GOOD)
    axes.set_yticks(np.arange(len(order)), [names[place][:10] for place in order.tolist()])
    axes.set_xlabel("added to T2")


def _assumptions(found: MultivariateStudy) -> tuple[Assumption, ...]:
    """Check that the points are normal together: T2 of learnt points should follow its beta distribution."""
    from scipy.stats import kstest

    result = found.result
    count, measures = result.learnt, len(found.measures)
    rest = []
    what = "the measures are normal together"
    if count < 20:
        rest.append(Assumption(what, "not checked", f"{count} points are too few"))
    else:
        t2 = distances(found.off[:count], result.covariance)
        p = float(
            kstest(
                t2 * count / (count - 1) ** 2, "beta", (measures / 2, (count - measures - 1) / 2)
            ).pvalue
        )
        why = f"Kolmogorov-Smirnov p {p:.2g} of their T2"
        rest.append(Assumption(what, "holds" if p >= 0.01 else "does not", why))
    off = found.off / np.sqrt(np.diag(result.covariance))
    alike = (off[1:count] * off[: count - 1]).mean(axis=0)
    worst = int(np.abs(alike).argmax())
    why = f"autocorrelation at most {alike[worst]:.2f}, of {found.measures[worst]}"
    bound = 3 / np.sqrt(max(count, 1))
    free = abs(alike[worst]) <= bound
    rest.append(
        Assumption("points do not resemble the one before", "holds" if free else "does not", why)
    )
    return tuple(rest)
