"""Study agreement, and describe it for its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.colours import GOOD, LIMIT, SERIES, UNKNOWN
from flawline.core.msa.agreement import AgreementResult, Ratings, Share, study_agreement
from flawline.core.msa.agreement_verdict import (
    ALARMED,
    EFFECTIVE,
    MISSED,
    agreement_finding,
    agreement_verdict,
)
from flawline.core.msa.kappa import Agreement, concordance_p
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable
from flawline.report.figure import INK

_MEANING = (
    "A part counts as agreed where all its answers are the same. Kappa is agreement beyond what chance would make: 1 "
    "is perfect, 0 is no better than chance; above 0.75 is good, below 0.4 poor. Effectiveness is the share of parts "
    "on which a rater is right every time (90 % good, 80 % least). A miss is a bad part called good (2 % good, 5 % "
    "most), a false alarm a good part called bad (5 % good, 10 % most), as AIAG has them."
)


@dataclass(frozen=True, slots=True, eq=False)
class AgreementStudy:
    """What raters said of parts, and how well they agree."""

    ratings: Ratings
    result: AgreementResult
    confidence: float
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def finding(self) -> str:
        """What was found, for those who know no statistics."""
        return agreement_finding(self.result, self.confidence)

    @property
    def verdict(self) -> BasisVerdict:
        """Whether they agree well enough."""
        return agreement_verdict(self.result, len(self.ratings.parts))


def studied(
    ratings: Ratings,
    confidence: float,
    skipped: tuple[Skipped, ...] = (),
    notes: tuple[str, ...] = (),
) -> AgreementStudy:
    """Study ratings, with notes of what is too little or not known.

    Raises:
        FlawlineError: nothing to compare.
    """
    result = study_agreement(ratings, confidence)
    more = list(notes)
    if ratings.standard is not None and ratings.bad is None:
        more.append(
            "which answers mean a bad part is not known, so that misses and false alarms are not counted: name them "
            "with `bad_answers`"
        )
    lacking = sum(not trials for rater in ratings.given for trials in rater)
    if lacking:
        more.append(
            f"{lacking} of {len(ratings.raters) * len(ratings.parts)} combinations of rater and part have no answer"
        )
    return AgreementStudy(ratings, result, confidence, skipped, tuple(more))


def agreement_report(found: AgreementStudy) -> Study:
    """Describe a study of agreement."""
    ratings, result = found.ratings, found.result
    answers = sum(len(trials) for rater in ratings.given for trials in rater)
    right = " with the right answers" if ratings.standard is not None else ""
    return Study(
        name="agreement",
        title="Agreement of those who decide",
        subtitle=f"{answers} answers of {len(ratings.raters)} raters on {len(ratings.parts)} parts{right}.",
        finding=found.finding,
        verdict=found.verdict,
        numbers=agreement_as_dict(found),
        facts={
            "parts": f"{len(ratings.parts)}",
            "raters": ", ".join(ratings.raters[:4]) + (" ..." if len(ratings.raters) > 4 else ""),
            "answers": ", ".join(ratings.categories[:6]),
            **_kappa_facts(result),
        },
        tables=_tables(found),
        figures=_figures(ratings, result),
        assumptions=_assumptions(ratings),
        notes=found.notes,
        skipped=found.skipped,
        meaning=_MEANING,
    )


def agreement_as_dict(found: AgreementStudy) -> dict[str, Any]:
    """Build the figures of the JSON document."""
    ratings, result = found.ratings, found.result
    return {
        "parts": len(ratings.parts),
        "answers": list(ratings.categories),
        "ordered": ratings.ordered,
        "confidence": found.confidence,
        "raters": [
            {
                "name": one.name,
                "within": _share(one.within),
                "within_kappa": _kappa(one.within_kappa),
                "within_w": one.within_w,
                "right": _share(one.right),
                "right_kappa": _kappa(one.right_kappa),
                "right_cohen": _kappa(one.right_cohen),
                "right_tau": one.right_tau,
                "missed": _share(one.missed),
                "false_alarms": _share(one.alarmed),
            }
            for one in result.raters
        ],
        "between": {
            "agreed": _share(result.together),
            "kappa": _kappa(result.together_kappa),
            "w": result.together_w,
            "w_p": _w_p(found),
        },
        "all_right": {
            "agreed": _share(result.right),
            "kappa": _kappa(result.right_kappa),
            "cohen": _kappa(result.right_cohen),
        },
        "pairs": [
            {"raters": list(names), "cohen": _kappa(kappa), "table": result.tables[names]}
            for names, kappa in result.pairs.items()
        ],
    }


def _w_p(found: AgreementStudy) -> float | None:
    if found.result.together_w is None:
        return None
    many = sum(len(found.ratings.trials(n)) for n in range(len(found.ratings.raters)))
    return concordance_p(found.result.together_w, many, len(found.ratings.parts))


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    low, high = share.interval
    return {"count": share.count, "of": share.of, "value": share.value, "low": low, "high": high}


def _kappa(kappa: Agreement | None) -> dict[str, Any] | None:
    if kappa is None:
        return None
    low, high = (None, None) if kappa.interval is None else kappa.interval
    return {"value": kappa.value, "low": low, "high": high}


def _kappa_facts(result: AgreementResult) -> dict[str, str]:
    named = {
        "kappa between": result.together_kappa,
        "kappa, right": result.right_kappa,
        "W between": None if result.together_w is None else Agreement(result.together_w, None),
    }
    return {name: _kappa_text(one) for name, one in named.items() if one is not None}


def _kappa_text(one: Agreement | None) -> str:
    if one is None:
        return ""
    if one.interval is None:
        return f"{one.value:.2f}"
    return f"{one.value:.2f} ({one.interval[0]:.2f} to {one.interval[1]:.2f})"


def _percent(share: Share | None) -> str:
    if share is None:
        return ""
    low, high = share.interval
    return f"{100 * share.value:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def _tables(found: AgreementStudy) -> tuple[StudyTable, ...]:
    result = found.result
    columns: dict[str, list[str]] = {"rater": [one.name for one in result.raters]}
    columns["same each time"] = [_percent(one.within) for one in result.raters]
    columns["right"] = [_percent(one.right) for one in result.raters]
    columns["missed"] = [_percent(one.missed) for one in result.raters]
    columns["false alarms"] = [_percent(one.alarmed) for one in result.raters]
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    names = tuple(shown)
    note = f"In brackets the {100 * found.confidence:g} % interval."
    tables = [
        StudyTable(
            "raters",
            names,
            tuple(zip(*shown.values(), strict=True)),
            frozenset(names[1:]),
            printed=len(names) > 1,
            note=note,
        )
    ]
    kappas = {
        "within": [_kappa_text(one.within_kappa) for one in result.raters],
        "right (Fleiss)": [_kappa_text(one.right_kappa) for one in result.raters],
        "right (Cohen)": [_kappa_text(one.right_cohen) for one in result.raters],
        "W within": [
            "" if one.within_w is None else f"{one.within_w:.3f}" for one in result.raters
        ],
        "tau, right": [
            "" if one.right_tau is None else f"{one.right_tau:.3f}" for one in result.raters
        ],
    }
    known = {name: cells for name, cells in kappas.items() if any(cells)}
    if known:
        rows = tuple(zip(columns["rater"], *known.values(), strict=True))
        tables.append(StudyTable("kappa", ("rater", *known), rows, frozenset(known)))
    if result.pairs:
        rows = tuple(
            (f"{one} and {other}", _kappa_text(kappa))
            for (one, other), kappa in result.pairs.items()
        )
        tables.append(
            StudyTable(
                "two raters (Cohen's kappa)", ("raters", "kappa"), rows, frozenset(["kappa"])
            )
        )
    differing = _differing(found.ratings)
    if differing:
        tables.append(differing)
    return tuple(tables)


def _differing(ratings: Ratings, most: int = 20) -> StudyTable | None:
    """List the parts with the most answers that are not the right, or not the usual one."""
    counts = ratings.counts(range(len(ratings.raters)))
    usual = counts.argmax(axis=1) if ratings.standard is None else ratings.standard
    other = counts.sum(axis=1) - counts[np.arange(len(usual)), usual]
    worst = [place for place in np.argsort(-other, kind="stable")[:most] if other[place] > 0]
    if not worst:
        return None
    title = "parts with wrong answers" if ratings.standard is not None else "parts in dispute"
    rows = tuple(
        (
            ratings.parts[place],
            ratings.categories[usual[place]],
            ", ".join(
                f"{ratings.categories[k]} {counts[place, k]:.0f}"
                for k in np.flatnonzero(counts[place])
            ),
        )
        for place in worst
    )
    known = "right" if ratings.standard is not None else "usual"
    return StudyTable(title, ("part", known, "answers"), rows, note="Look at these together.")


def _figures(ratings: Ratings, result: AgreementResult) -> tuple[StudyFigure, ...]:
    figures = []
    for title, caption, shares in (
        (
            "same each time",
            "The share of parts on which all answers of a rater are the same, with its interval.",
            [one.within for one in result.raters],
        ),
        (
            "right each time",
            "The share of parts on which a rater is right every time, with its interval; dashed: the limits of AIAG.",
            [one.right for one in result.raters],
        ),
    ):
        if any(share is not None for share in shares):
            figures.append(_share_figure(title, caption, ratings.raters, shares))
    if any(one.missed is not None for one in result.raters):
        figures.append(
            StudyFigure(
                "misses and false alarms",
                "Bad parts called good, and good parts called bad; dashed: the most that AIAG accepts.",
                lambda axes: _draw_errors(axes, result),
                right=1.15,
            )
        )
    return tuple(figures)


def _share_figure(
    title: str, caption: str, raters: Sequence[str], shares: Sequence[Share | None]
) -> StudyFigure:
    def draw(axes: Any) -> None:
        known = [(place, share) for place, share in enumerate(shares) if share is not None]
        values = np.array([100 * share.value for _, share in known])
        edges = np.array([[100 * edge for edge in share.interval] for _, share in known])
        at = [place for place, _ in known]
        error = np.abs(edges.T - values)
        axes.errorbar(
            at, values, np.maximum(error, 0.0), fmt="o", ms=6, color=GOOD, capsize=4, lw=1.4
        )
        if title.startswith("right"):
            for limit in EFFECTIVE:
                axes.axhline(100 * limit, color=LIMIT, ls=(0, (5, 2)), lw=1.1)
        _name_raters(axes, raters)
        axes.set_ylim(0, 105)
        axes.set_ylabel("parts, %")

    return StudyFigure(title, caption, draw, right=0.3)


def _draw_errors(axes: Any, result: AgreementResult) -> None:
    at = np.arange(len(result.raters))
    kinds = (
        ("missed", [one.missed for one in result.raters], MISSED[1], -0.2),
        ("false alarms", [one.alarmed for one in result.raters], ALARMED[1], 0.2),
    )
    for place, (name, shares, limit, shift) in enumerate(kinds):
        heights = [0.0 if share is None else 100 * share.value for share in shares]
        axes.bar(at + shift, heights, 0.36, color=SERIES[place], label=name)
        axes.axhline(100 * limit, color=SERIES[place], ls=(0, (5, 2)), lw=1.1)
    _name_raters(axes, [one.name for one in result.raters])
    axes.set_ylabel("answers, %")
    axes.legend(
        frameon=False, labelcolor=INK, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0)
    )
    axes.axhline(0, color=UNKNOWN, lw=0.6)


def _name_raters(axes: Any, raters: Sequence[str]) -> None:
    step = -(-len(raters) // 8)
    at = np.arange(0, len(raters), step)
    axes.set_xticks(at, [raters[place][:12] for place in at.tolist()])
    axes.set_xlim(-0.6, len(raters) - 0.4)


def _assumptions(ratings: Ratings) -> tuple[Assumption, ...]:
    counts = ratings.counts(range(len(ratings.raters)))
    usual = counts.argmax(axis=1) if ratings.standard is None else ratings.standard
    shares = np.bincount(usual, minlength=len(ratings.categories)) / len(ratings.parts)
    rarest = float(shares[shares > 0].min()) if (shares > 0).sum() > 1 else 0.0
    what = "the parts show every answer often enough"
    named = f"{ratings.categories[int(shares.argmax())]} is right or usual for {100 * shares.max():.0f} % of the parts"
    mixed = Assumption(what, "holds" if rarest >= 0.1 else "does not", named)
    return (
        mixed,
        Assumption(
            "nobody knew the answers of others or their own earlier ones",
            "not checked",
            "a table does not show it; known answers make agreement look better than it is",
        ),
        Assumption(
            "parts near the limit between good and bad were among them",
            "not checked",
            "clear parts alone make everybody look good",
        ),
    )
