"""Hold what every study says: a finding, whether it can be used, figures, drawings, and what was assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from flawline.core.basis_verdict import BasisVerdict
from flawline.jobs.chart.row_groups import Skipped

Holds = Literal["holds", "does not", "not checked"]
Draw = Callable[[Any], None]
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Assumption:
    """What a study rests on, whether it holds, and why: "the spread of the readings is alike for all parts"."""

    what: str
    holds: Holds
    why: str


@dataclass(frozen=True, slots=True)
class StudyTable:
    """A table of texts: the title above it, its columns, its rows, and which columns hold numbers.

    `printed` ones also stand on the terminal. `note` says below it what a reader must know.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = frozenset()
    printed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class StudyFigure:
    """A drawing: its title, a caption, and a function that draws it on matplotlib axes.

    `height` is that of the whole drawing; `left` and `right` are the room beside the axes for names; all in inches.
    """

    title: str
    caption: str
    draw: Draw
    height: float = 2.5
    left: float = 0.8
    right: float = 0.85


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What a study found, ready to be printed, written as a page or shown by the server.

    `name` names the files and is `study` in the document. `finding` is for those who know no statistics: one to three
    sentences with the figure, its interval and what follows. `verdict` says whether it can be used (`--strict`).
    `numbers` are all figures as JSON can hold them, without NaN. `facts` are named figures as texts. `meaning` says how
    to read the page. `next_step` is the command to type next, if there is one.

    A job computes its own result and describes it in one function:

        def as_study(found: Shifted) -> Study:
            return Study(
                name="shift",
                title=f"Shift of {found.measure}",
                finding=f"The level moved by {found.step:.3g} mm (95 % interval {found.low:.3g} to {found.high:.3g}).",
                verdict=BasisVerdict("yes", "By 120 measurements"),
                numbers={"step": found.step, "low": found.low, "high": found.high},
                figures=(StudyFigure("values", "Each value in order.", lambda axes: axes.plot(found.values)),),
                assumptions=(Assumption("readings do not depend on each other", "holds", "autocorrelation 0.02"),),
            )

    `study_files.write_study(study, folder)` then writes shift.html, .svg, .png and .json, and the command ends with
    `study_output.show_study`.
    """

    name: str
    title: str
    finding: str
    verdict: BasisVerdict
    numbers: Mapping[str, Any]
    subtitle: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[StudyTable, ...] = ()
    figures: tuple[StudyFigure, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    meaning: str = ""
    next_step: str = ""

    @property
    def broken(self) -> tuple[Assumption, ...]:
        """Select what does not hold."""
        return tuple(one for one in self.assumptions if one.holds == "does not")


def study_document(study: Study) -> dict[str, Any]:
    """Build the JSON document of a study; numbers have 10 digits, so that each machine writes the same."""
    return {
        "study": study.name,
        "finding": study.finding,
        "verdict": study.verdict.text,
        "usable": study.verdict.usable,
        **rounded(study.numbers),
        "assumptions": [
            {"what": one.what, "holds": one.holds, "why": one.why} for one in study.assumptions
        ],
        "notes": list(study.notes),
        "skipped": [{"label": row.label, "reason": row.reason} for row in study.skipped],
    }


def rounded(value: Any) -> Any:
    """Round all numbers in a document to 10 digits and turn arrays into lists."""
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return rounded(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [rounded(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.{_DIGITS}g}") + 0.0
    return value.item() if isinstance(value, np.generic) else value
