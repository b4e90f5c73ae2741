"""The report of a comparison: one HTML file that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.source import Source
from flawline.data.whole_file import write_text
from flawline.evaluation.comparison import Comparison
from flawline.evaluation.differences import Row
from flawline.evaluation.figures import parts_of, trade_off
from flawline.evaluation.files import counts, write_compared_scores, write_comparison_json
from flawline.report.evaluation_charts import escape_against_overkill
from flawline.report.evaluation_report import histogram
from flawline.report.inspected_pictures import Shown, show
from flawline.report.template import template

if TYPE_CHECKING:
    from flawline.inspector import Inspector

SHOWN = 12


def write_comparison(
    comparison: Comparison,
    source: Source,
    inspectors: Mapping[str, Inspector],
    folder: Path,
) -> tuple[Path, Path, Path]:
    """Write scores.csv, comparison.json and report.html into `folder`; returns their paths.

    The pictures on which recipes disagree most are read once more from `source` and inspected again.
    """
    by_name = {sample.name: sample for sample in comparison.samples}
    samples = [by_name[name] for name in comparison.disagreements[:SHOWN]]
    shown = show(source, samples, list(inspectors.values()))
    return (
        write_compared_scores(comparison, folder / "scores.csv"),
        write_comparison_json(comparison, folder / "comparison.json"),
        write_comparison_report(comparison, shown, folder / "report.html"),
    )


def write_comparison_report(comparison: Comparison, shown: Mapping[str, Shown], path: Path) -> Path:
    """Write the report of a comparison with the pictures that `shown` holds by sample name."""
    first = comparison.evaluations[0]
    html = template("compare.html").render(
        comparison=comparison,
        first=first,
        counts=counts(first),
        rows=[_row(row) for row in comparison.rows],
        said=list(dict.fromkeys(text for one in comparison.evaluations for text in one.said)),
        finding=finding(comparison),
        cards=_cards(comparison, shown),
        curve=_curve(comparison),
        histograms={
            name: histogram(one)
            for name, one in zip(comparison.names, comparison.evaluations, strict=True)
        },
    )
    return write_text(path, html)


def finding(comparison: Comparison) -> str:
    """Which recipe is surely better or worse than the first, and in what."""
    texts = []
    for place, name in enumerate(comparison.names[1:], start=1):
        found = [(row.finding(place), row.name.split(":")[0]) for row in comparison.rows]
        for word in ("better", "worse"):
            if metrics := [metric for how, metric in found if how == word]:
                texts.append(f"{name} is {word} than {comparison.names[0]} in {', '.join(metrics)}")
    return "; ".join(texts) or "No recipe can be told apart from the first by these pictures"


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "values": [number(value, row) for value in row.values],
        "differences": [told(row, place) for place in range(1, len(row.values))],
        "findings": [row.finding(place) for place in range(1, len(row.values))],
        "reason": row.reason,
    }


def told(row: Row, place: int) -> str:
    """What recipe `place`, from 1, gains over the first, with its interval; empty where there is none."""
    one = row.differences[place - 1]
    if one is None:
        return ""
    finding = row.finding(place)
    text = f"{one.value:+.4f} ({one.low:+.4f} to {one.high:+.4f})"
    return f"{text}: {finding}" if finding else text


def number(value: float | None, row: Row) -> str:
    """A value of a metric as a table shows it."""
    if value is None:
        return "none"
    return f"{value:.1f}" if row.name == "pictures per second" else f"{value:.4f}"


def _cards(comparison: Comparison, shown: Mapping[str, Shown]) -> list[dict[str, Any]]:
    judged = [{p.sample.name: p for p in one.pictures} for one in comparison.evaluations]
    return [
        {"name": name, "judged": [one[name] for one in judged], "shown": shown[name]}
        for name in comparison.disagreements[:SHOWN]
        if name in shown
    ]


def _curve(comparison: Comparison) -> str:
    parts = [parts_of(one.pictures) for one in comparison.evaluations]
    if any(len({part.defective for part in own}) < 2 for own in parts):
        return ""
    curves = {name: trade_off(own) for name, own in zip(comparison.names, parts, strict=True)}
    pairs = zip(comparison.names, comparison.evaluations, strict=True)
    return escape_against_overkill(curves, {name: one.thresholds for name, one in pairs})
