"""Words and drawings that studies of causes share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flawline.core.causes.rates import Rate
from flawline.core.colours import BAD, GOOD
from flawline.report.figure import INK

MOST_BARS = 12
_LONGEST = 18


def interval(rate: Rate, confidence: float) -> str:
    """Format a rate with its interval: "1.8 a part (95 % interval 1.4 to 2.2)"."""
    return f"{number(rate.value)} a part ({between(rate.low, rate.high, confidence)})"


def between(low: float, high: float, confidence: float) -> str:
    """Format an interval: "95 % interval 1.4 to 2.2"."""
    return f"{100 * confidence:g} % interval {number(low)} to {number(high)}"


def ranged(value: float, low: float, high: float) -> str:
    """Format a number with its interval for a table: "1.8 (1.4 to 2.2)"."""
    return f"{number(value)} ({number(low)} to {number(high)})"


def number(value: float) -> str:
    """Format a number with two digits that count, and no more than four behind the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if 0 < abs(value) < 0.01:
        return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 0.00005 else "0"
    return f"{value:.2g}"


def percent(share: float) -> str:
    """Format a share as whole percents: "71 %", "less than 1 %"."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{100 * share:.0f} %"


def chance(p: float) -> str:
    """Say how often chance alone does as much."""
    if p <= 0.0011:
        return "fewer than 1 in 1000 cases"
    return "fewer than 1 in 500 cases" if p <= 0.0021 else f"{100 * p:.2g} % of cases"


def plural(name: str, every: str = "defects") -> str:
    """Name the defects of a class: "stains", "defects of class crack-1"."""
    if name in (every, "defect"):
        return every
    if not name.isalpha():
        return f"defects of class {name}"
    lower = name if name.isupper() else name.lower()
    if lower.endswith(("s", "x", "z", "ch", "sh")):
        return f"{lower}es"
    if lower.endswith("y") and lower[-2:-1] not in tuple("aeiou"):
        return f"{lower[:-1]}ies"
    return f"{lower}s"


def a_defect(name: str | None) -> str:
    """Name one defect of a class: "a stain", "an anomaly", "a defect of class crack-1"."""
    if name is None or name == "defect":
        return "a defect"
    if not name.isalpha():
        return f"a defect of class {name}"
    lower = name if name.isupper() else name.lower()
    return f"{'an' if lower[0] in 'aeiou' else 'a'} {lower}"


def short(text: str) -> str:
    """Cut a long name for an axis."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def draw_rates(
    axes: Any, names: Sequence[str], rates: Sequence[Rate], unit: str, marked: Sequence[bool] = ()
) -> None:
    """Draw rates as bars with their intervals, one line each, the first on top; marked ones stand out."""
    places = range(len(names))
    shown = marked or [False] * len(names)
    colours = [BAD if one else GOOD for one in shown]
    values = [rate.value for rate in rates]
    axes.barh(places, values, color=colours, alpha=0.8, height=0.62)
    axes.hlines(places, [r.low for r in rates], [r.high for r in rates], color=INK, lw=1.3)
    axes.set_yticks(places, [short(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel(unit)
