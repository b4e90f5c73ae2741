"""Count the causes that people entered on charts and about alerts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flawline.core.spc.pareto import pareto
from flawline.jobs.chart.pareto_counts import pareto_as_dict

if TYPE_CHECKING:
    from flawline.records.store import Store

WHAT = "cause"


def causes_document(store: Store) -> dict[str, Any]:
    """Build the Pareto document of all causes: of notes, of points set aside, and of acknowledged alerts.

    `bars` is empty where nobody entered one.
    """
    counts = Counter(store.charts.causes())
    for kept in store.alerts.list():
        counts.update(one.note for one in kept.acknowledgements if one.note.strip())
    if not counts:
        return {"measure": WHAT, "finding": "Nobody has entered a cause yet.", "bars": []}
    document = pareto_as_dict(pareto(counts), WHAT, ())
    return {name: document[name] for name in ("measure", "finding", "bars")}
