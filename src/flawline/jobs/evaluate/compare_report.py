"""Write the report of a comparison: one HTML file that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flawline.core.bootstrap import Difference
from flawline.data.whole_file import write_text
from flawline.jobs.evaluate.compare import Comparison
from flawline.jobs.evaluate.differences import SPEED, Row
from flawline.jobs.evaluate.evaluation_charts import escape_against_overkill
from flawline.jobs.evaluate.evaluation_classes import colours
from flawline.jobs.evaluate.evaluation_report import as_addresses, histogram, operating_point
from flawline.jobs.evaluate.evaluation_tables import counts
from flawline.jobs.evaluate.figures import parts_of, trade_off
from flawline.jobs.evaluate.inspected_pictures import Shown
from flawline.jobs.evaluate.part_rows import MILLISECONDS
from flawline.jobs.evaluate.ranking import Ranked
from flawline.report.template import template

SHOWN = 12


def write_comparison_report(comparison: Comparison, shown: Mapping[str, Shown], path: Path) -> Path:
    """Write the report of a comparison with the pictures that `shown` holds by sample name."""
    first = comparison.evaluations[0]
    html = template("compare.html").render(
        comparison=comparison,
        first=first,
        counts=counts(first),
        rows=[_row(row) for row in comparison.rows],
        messages=list(
            dict.fromkeys(text for one in comparison.evaluations for text in one.messages)
        ),
        finding=finding(comparison),
        cards=_cards(comparison, shown),
        above_cheapest=above_cheapest,
        above_fastest=above_fastest,
        number=number,
        colours=_colours(comparison),
        curve=_curve(comparison),
        histograms={
            name: histogram(one)
            for name, one in zip(comparison.names, comparison.evaluations, strict=True)
        },
    )
    return write_text(path, html)


def finding(comparison: Comparison) -> str:
    """Summarise a comparison: the best recipe by costs, and those better or worse than the first, by metric."""
    texts = [_first(comparison.ranking)] if comparison.ranking else []
    for place, name in enumerate(comparison.names[1:], start=1):
        findings = [(row.finding(place), row.name.split(":")[0]) for row in comparison.rows]
        for word in ("better", "worse"):
            if metrics := [metric for how, metric in findings if how == word]:
                texts.append(f"{name} is {word} than {comparison.names[0]} in {', '.join(metrics)}")
    return "; ".join(texts) or "No recipe can be told apart from the first by these pictures"


def above_cheapest(one: Ranked) -> str:
    """Format the cost of a recipe above the cheapest, with its interval."""
    return _above(one.more, one.as_cheap, "the cheapest", ".4f")


def above_fastest(one: Ranked) -> str:
    """Format the milliseconds of a picture above the fastest of those as cheap, with its interval."""
    return _above(one.slower, one.as_fast, "the fastest", ".1f") if one.as_cheap else ""


def _above(difference: Difference | None, level: bool, best: str, how: str) -> str:
    if difference is None:
        return best if level else "too few parts for an interval"
    value, low, high = (f"{v:+{how}}" for v in (difference.value, difference.low, difference.high))
    return f"{value} ({low} to {high})" + (": not told apart" if level else "")


def listed_differences(comparison: Comparison) -> list[str]:
    """Name the pictures to show: different verdicts first, then defects that only some recipes find."""
    return [*comparison.disagreements, *comparison.found_apart][:SHOWN]


def _colours(comparison: Comparison) -> dict[str, str]:
    by_class: dict[str, str] = {}
    for one in comparison.evaluations:
        by_class |= colours(one.segmentation.classes) if one.segmentation else {}
    return by_class


def _first(ranking: Sequence[Ranked]) -> str:
    best, level = ranking[0], sum(one.as_cheap for one in ranking)
    if level == 1:
        return f"{best.name} costs least"
    if best.more is None:
        return f"{best.name} comes first: {level} recipes cost the same by these parts, and none is surely faster"
    return f"{best.name} comes first: as cheap as the cheapest by these parts, and faster"


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "values": [number(value, row) for value in row.values],
        "differences": [difference_text(row, place) for place in range(1, len(row.values))],
        "findings": [row.finding(place) for place in range(1, len(row.values))],
        "reason": row.reason,
    }


def difference_text(row: Row, place: int) -> str:
    """Format the difference of recipe `place`, from 1, to the first, with its interval; empty without one."""
    one = row.differences[place - 1]
    if one is None:
        return ""
    finding = row.finding(place)
    text = f"{one.value:+.4f} ({one.low:+.4f} to {one.high:+.4f})"
    return f"{text}: {finding}" if finding else text


def number(value: float | None, row: Row) -> str:
    """Format a value of a metric for a table."""
    if value is None:
        return "none"
    return f"{value:.1f}" if row.name in (SPEED, MILLISECONDS) else f"{value:.4f}"


def _cards(comparison: Comparison, shown: Mapping[str, Shown]) -> list[dict[str, Any]]:
    judged = [{p.sample.name: p for p in one.pictures} for one in comparison.evaluations]
    return [
        {"name": name, "judged": [one[name] for one in judged], "shown": as_addresses(shown[name])}
        for name in listed_differences(comparison)
        if name in shown
    ]


def _curve(comparison: Comparison) -> str:
    parts = [parts_of(one.pictures) for one in comparison.evaluations]
    if any(len({part.defective for part in own}) < 2 for own in parts):
        return ""
    curves = {name: trade_off(own) for name, own in zip(comparison.names, parts, strict=True)}
    pairs = list(zip(comparison.names, comparison.evaluations, strict=True))
    return escape_against_overkill(
        curves,
        {name: one.thresholds for name, one in pairs},
        {name: operating_point(one) for name, one in pairs},
    )
