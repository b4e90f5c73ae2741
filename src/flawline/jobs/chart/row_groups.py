"""Group the rows of a table: each group becomes one point of a chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from flawline.core.spc.charts_attributes import SHARES
from flawline.core.spc.limits import COUNTED
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series_table import Columns, as_label, as_number, as_text


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that gives no point, and the reason; `no_count` where it holds a number that is no count."""

    label: str
    reason: str
    no_count: bool = False


@dataclass(slots=True)
class RowGroup:
    """Rows that form one point: label, stage, place of the first row, and values and units of those that have any.

    `product` is "" where rows are of no product.
    """

    label: str
    stage: str
    row: int
    product: str = ""
    values: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)


class _NoCountError(ValueError):
    """A number that is no count."""


def form_groups(
    columns: Columns, measure: str, kind: str, how: Forming
) -> tuple[list[RowGroup], list[Skipped]]:
    """Group rows in time order; also lists the rows without a usable number, which keep their place in their group.

    A group ends with its stage, and with a change of product. A stage is a run of rows of one name: what comes back
    later is another stage.
    """
    groups: dict[tuple[int, str], RowGroup] = {}
    skipped: list[Skipped] = []
    for place, (run, name, stage) in enumerate(row_keys(columns, measure, how)):
        label = as_label(columns[how.label][place] if how.label else None, place + 1)
        if (run, name) not in groups and name:
            shown = name if how.by else str(len(groups) + 1) if how.every else label
            product = as_text(columns[how.product][place]) if how.product else ""
            groups[run, name] = RowGroup(shown, stage, place, product)
        try:
            value, size = _numbers(columns, place, measure, kind, how)
        except ValueError as error:
            skipped.append(Skipped(label, str(error), isinstance(error, _NoCountError)))
            continue
        groups[run, name].values.append(value)
        groups[run, name].sizes.append(size)
    return list(groups.values()), skipped


def row_keys(columns: Columns, measure: str, how: Forming) -> Iterator[tuple[int, str, str]]:
    """List for each row the number of its run, the name of its group within it ("" for no group), and its stage.

    A run has one stage and one product.
    """
    before, run, at = ("", ""), 0, 0
    for place in range(len(columns[measure])):
        stage = as_text(columns[how.stage][place]) if how.stage else ""
        product = as_text(columns[how.product][place]) if how.product else ""
        if (how.stage and not stage) or (how.product and not product):
            yield run, "", ""
            continue
        if (stage, product) != before:
            before, run, at = (stage, product), run + 1, 0
        name = as_text(columns[how.by][place]) if how.by else str(at // (how.every or 1))
        yield run, name, stage
        at += 1


def _numbers(
    columns: Columns, place: int, measure: str, kind: str, how: Forming
) -> tuple[float, float]:
    """Read value and units of a row.

    Raises:
        ValueError: a cell is empty or holds what the chart cannot take; the message says which.
    """
    for name in (how.stage, how.by, how.product):
        if name and not as_text(columns[name][place]):
            raise ValueError(f"the cell in {name!r} is empty")
    value = as_number(columns[measure][place])
    if how.size is None:
        size = 1.0
    else:
        try:
            size = as_number(columns[how.size][place])
        except ValueError as error:
            raise ValueError(f"in {how.size!r}, {error}") from None
    if kind in COUNTED:
        _check_count(value, size, kind)
    return value, size


def _check_count(value: float, units: float, kind: str) -> None:
    if value < 0 or value != round(value):
        raise _NoCountError(f"a count is a whole number of 0 or more, got {value:g}")
    if units <= 0:
        raise ValueError(f"the number of inspected units must be above 0, got {units:g}")
    if kind in SHARES and value > units:
        raise _NoCountError(f"{value:g} defective of {units:g} units")
