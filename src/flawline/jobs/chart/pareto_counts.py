"""Count the names of a column for a Pareto chart."""

from __future__ import annotations

from typing import Any

from flawline.core.spc.pareto import Pareto, pareto
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.chart.series_table import Columns, as_number

VITAL = 0.8


def count_names(
    columns: Columns, measure: str, weight: str | None
) -> tuple[Pareto, tuple[Skipped, ...]]:
    """Count the rows of each name in the column `measure`, or add up their weights.

    Rows without a name, or whose weight is no number of 0 or more, are skipped and listed.

    Raises:
        FlawlineError: nothing is left to count.
    """
    totals: dict[str, float] = {}
    skipped: list[Skipped] = []
    for place, cell in enumerate(columns[measure]):
        name = "" if cell is None else str(cell).strip()
        try:
            amount = as_number(columns[weight][place]) if weight else 1.0
            if not name or amount < 0:
                raise ValueError("the cell is empty" if not name else f"{amount:g} is below 0")
        except ValueError as error:
            skipped.append(Skipped(str(place + 1), str(error)))
            continue
        totals[name] = totals.get(name, 0.0) + amount
    return pareto(totals), tuple(skipped)


def pareto_finding(counted: Pareto, measure: str) -> str:
    """Summarise the most frequent names that make up 80 % in one sentence."""
    few = next(n for n, share in enumerate(counted.cumulative, start=1) if share >= VITAL)
    names = ", ".join(counted.names[: min(few, 5)]) + (" ..." if few > 5 else "")
    share = 100 * counted.cumulative[few - 1]
    return f"{few} of {len(counted.names)} values of {measure} make {share:.0f} % of it: {names}."


def pareto_as_dict(counted: Pareto, measure: str, skipped: tuple[Skipped, ...]) -> dict[str, Any]:
    """Build the JSON document that `flawline chart` prints."""
    return {
        "measure": measure,
        "finding": pareto_finding(counted, measure),
        "bars": [
            {"name": name, "count": count, "share": share, "cumulative": running}
            for name, count, share, running in zip(
                counted.names, counted.counts, counted.shares, counted.cumulative, strict=True
            )
        ],
        "skipped": [{"label": row.label, "reason": row.reason} for row in skipped],
    }
