"""Draw the drawings of a study: each alone for a page, or all on one sheet with the figures."""

from __future__ import annotations

from typing import Any

from flawline.jobs.chart.chart_figure import on_page
from flawline.jobs.study.study import Study, StudyFigure
from flawline.report.figure import INK, as_png, as_svg, own_style, use_ink

# Inches of a drawing, and of the room for the axis below and the title.
_WIDTH = 5.6
_BELOW, _ABOVE = 0.5, 0.28
# What the titles on a sheet take above each drawing.
_TITLE = 0.2
_LINE = 0.19
_ROOM = 2.6


@own_style()
def figure_svg(figure: StudyFigure) -> str:
    """Draw one of the drawings as inline SVG in the colours of a page."""
    paper = _paper(_WIDTH, figure.height)
    figure.draw(_axes(paper, figure, 0, 0))
    return on_page(as_svg(paper, figure.title))


@own_style()
def sheet_svg(study: Study) -> str:
    """Draw all drawings and the facts of a study as one SVG."""
    return as_svg(_sheet(study), study.title)


@own_style()
def sheet_png(study: Study) -> bytes:
    """Draw all drawings and the facts of a study as one PNG."""
    return as_png(_sheet(study))


def _sheet(study: Study) -> Any:
    """Draw two columns, first down the left one, and the facts in the cell that is left, or below."""
    count = len(study.figures)
    half = (count + 1) // 2
    columns = study.figures[:half], study.figures[half:]
    rows = half + (bool(study.facts) and count % 2 == 0)
    at = [
        max([column[row].height for column in columns if row < len(column)], default=0.0)
        for row in range(rows)
    ]
    # The facts have as many lines as they need.
    at = [height or _facts_height(study) for height in at]
    paper = _paper(2 * _WIDTH, sum(at) + rows * _TITLE)
    for column, figures in enumerate(columns):
        for row, figure in enumerate(figures):
            below = sum(at[row + 1 :]) + (rows - row - 1) * _TITLE + at[row] - figure.height
            axes = _axes(paper, figure, column * _WIDTH, below)
            figure.draw(axes)
            capital = f"{figure.title[0].upper()}{figure.title[1:]}"
            axes.set_title(capital, loc="left", size=10, weight="bold", color=INK, y=1.1)
    if study.facts:
        left = _WIDTH if count % 2 else 0.0
        _write(paper, study, left, at[-1])
    return paper


def _facts_height(study: Study) -> float:
    return _LINE * ((len(study.facts) + 1) // 2) + 0.4


def _write(paper: Any, study: Study, left: float, height: float) -> None:
    """Write the facts into the last cell, in two columns."""
    wide, high = paper.get_size_inches()
    lines = list(study.facts.items())
    half = (len(lines) + 1) // 2
    for place, (name, value) in enumerate(lines):
        column, row = divmod(place, half)
        x, y = left + 0.35 + _ROOM * column, height - 0.02 - _LINE * row
        paper.text(x / wide, y / high, name, color=INK, size=8, va="top")
        paper.text((x + 0.98) / wide, y / high, value, color=INK, size=8, va="top")


def _paper(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    paper = Figure(figsize=(width, height))
    paper.patch.set_alpha(0)
    return paper


def _axes(paper: Any, figure: StudyFigure, left: float, below: float) -> Any:
    """Add the axes of one drawing whose lower left corner is at `left` and `below`, in inches."""
    width, height = paper.get_size_inches()
    axes = paper.add_axes(
        (
            (left + figure.left) / width,
            (below + _BELOW) / height,
            (_WIDTH - figure.left - figure.right) / width,
            (figure.height - _BELOW - _ABOVE) / height,
        )
    )
    use_ink(axes)
    axes.margins(y=0.12)
    axes.tick_params(labelsize=9)
    axes.yaxis.set_label_coords(-0.14 if figure.left == 0.8 else -0.05 - 0.12 * figure.left, 0.5)
    axes.yaxis.get_major_formatter().set_powerlimits((-4, 5))
    return axes
