"""Turn columns of a table, or of records, into numbers and names, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.errors import FlawlineError
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.chart.series_table import Columns, as_number, as_text


@dataclass(frozen=True, slots=True, eq=False)
class StudyRows:
    """The rows that can be used: numbers float64 (N,) and texts (N,) by column, and the rows that cannot.

    `places` (N,) are the rows of the table, from 0.
    """

    numbers: dict[str, NDArray[np.float64]]
    names: dict[str, tuple[str, ...]]
    places: tuple[int, ...]
    skipped: tuple[Skipped, ...]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.places)


def study_rows(columns: Columns, numbers: Sequence[str], names: Sequence[str]) -> StudyRows:
    """Read the rows in which every cell is there; the others are listed with the reason.

    Args:
        columns: the cells by column.
        numbers: columns of finite numbers.
        names: columns of texts, such as parts and tools.

    Raises:
        FlawlineError: ("study-empty") no row can be used.
    """
    kept: list[int] = []
    skipped: list[Skipped] = []
    read: dict[str, list[float]] = {name: [] for name in numbers}
    for place in range(len(next(iter(columns.values()), []))):
        try:
            row = _row(columns, numbers, names, place)
        except ValueError as error:
            skipped.append(Skipped(f"row {place + 1}", str(error)))
            continue
        kept.append(place)
        for name, value in row.items():
            read[name].append(value)
    if not kept:
        why = f": {skipped[0].label}: {skipped[0].reason}" if skipped else ""
        raise FlawlineError(
            f"no row can be used{why}",
            hint=f"a row needs a cell in {', '.join([*numbers, *names])}",
            code="study-empty",
        )
    texts = {name: tuple(as_text(columns[name][place]) for place in kept) for name in names}
    arrays = {name: np.array(values, dtype=np.float64) for name, values in read.items()}
    return StudyRows(arrays, texts, tuple(kept), tuple(skipped))


def _row(
    columns: Columns, numbers: Sequence[str], names: Sequence[str], place: int
) -> dict[str, float]:
    for name in names:
        if not as_text(columns[name][place]):
            raise ValueError(f"the cell in {name!r} is empty")
    row = {}
    for name in numbers:
        try:
            row[name] = as_number(columns[name][place])
        except ValueError as error:
            raise ValueError(f"in {name!r}, {error}") from None
    return row
