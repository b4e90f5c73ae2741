"""Read inspections and defects from records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.process import PROCESS
from flawline.errors import FlawlineError
from flawline.jobs.study.inspected_parts import InspectedParts, numbered
from flawline.jobs.study.inspected_tables import SIGNALS
from flawline.records.series import BOX

if TYPE_CHECKING:
    from flawline.jobs.study.inspected_tables import InspectedColumns
    from flawline.records.store import Store
    from flawline.records.where import Where


def inspected_records(store: Store, where: Where, named: InspectedColumns) -> InspectedParts:
    """Read all inspections that `where` chooses, and their defects; places are the centres of the boxes.

    Raises:
        StoreError: the records cannot be read or lack a measure.
        FlawlineError: ("study-empty") there is no inspection.
    """
    dimensions = dict.fromkeys(
        (*PROCESS, *(name for name in (named.step, named.part) if name), *named.further)
    )
    own = store.measures()
    signals = [name for name in SIGNALS if name in own or name in ("score", "recipe")]
    columns = store.columns("defects", where, ["id", "image", *dimensions, *signals])
    if not columns["id"]:
        raise FlawlineError(
            "no inspection is in the records that are asked for",
            hint="ask for more with `where`, `since` and `until`",
            code="study-empty",
        )
    texts = {
        name: tuple(None if cell in (None, "") else str(cell) for cell in columns[name])
        for name in ("captured", "image", *dimensions, *signals)
    }
    given = [name for name in (named.x, named.y) if name]
    measures = [name for name in (named.size or "area",) if name in store.measures("defect")]
    asked = dict.fromkeys((*BOX, *given, *measures, *([named.size] if named.size else [])))
    found = store.columns("class", where, ["id", *asked], level="defect")
    rows = {number: place for place, number in enumerate(columns["id"])}
    kept = [place for place, number in enumerate(found["id"]) if number in rows]
    owner = np.array([rows[found["id"][place]] for place in kept], np.int64)
    kind, classes = numbered([found["class"][place] for place in kept])
    numbers = {name: _numbers(found[name], kept) for name in asked}
    x, y = (
        (numbers[given[0]], numbers[given[1]])
        if len(given) == 2
        else (numbers["left"] + numbers["width"] / 2, numbers["top"] + numbers["height"] / 2)
    )
    part = named.part or ("part" if any(texts["part"]) else "image")
    sizes = numbers[measures[0]] if measures else np.full(len(kept), np.nan)
    return InspectedParts(
        columns={name: cells for name, cells in texts.items() if any(cells)},
        owner=owner,
        classes=classes,
        kind=kind,
        places=np.column_stack([x, y]),
        sizes=sizes,
        part=part,
        complete=True,
        ids=tuple(columns["id"]),
        notes=()
        if any(texts["part"])
        else ("the records name no parts: each picture is taken as a part",),
    )


def _numbers(cells: Sequence[Any], kept: Sequence[int]) -> NDArray[np.float64]:
    values = np.array([np.nan if cells[k] is None else float(cells[k]) for k in kept], np.float64)
    return np.where(np.isfinite(values), values, np.nan)
