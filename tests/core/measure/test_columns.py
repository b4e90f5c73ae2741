"""A column does not depend on the other columns, the memory layout of masks, or other threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flawline.core.measure.columns import COLUMNS, NAMES
from flawline.core.measure.measure import measure
from helpers.drawn_masks import coverage, disc, random_masks

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "measurements.md"
GIVEN = {
    "masks": random_masks(6, side=90, seed=2),
    "pictures": [np.random.default_rng(1).integers(0, 256, (90, 90), np.uint8)] * 6,
    "probabilities": [coverage((90, 90), disc(40, 40, 20)).astype(np.float32)] * 6,
}


def same(found, expected) -> None:
    assert len(expected) > 10
    assert list(found.columns) == list(expected.columns)
    for name, values in expected.columns.items():
        assert found[name].tolist() == values.tolist(), name
    for rings, others in zip(found.contours, expected.contours, strict=True):
        assert [ring.tolist() for ring in rings] == [ring.tolist() for ring in others]


def test_all_columns_are_there_where_all_is_given() -> None:
    assert tuple(measure(**GIVEN).columns) == NAMES
    without = {column.name for column in COLUMNS if column.needs}
    assert set(measure(GIVEN["masks"]).columns) == set(NAMES) - without


@pytest.mark.parametrize("name", NAMES)
def test_columns_alone_are_what_they_are_with_others(name: str) -> None:
    found = measure(**GIVEN, columns=[name])
    assert list(found.columns) == [name]
    assert found[name].tolist() == measure(**GIVEN)[name].tolist()


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_the_documentation_has_a_row_for_each_column(column) -> None:
    rows = [
        line.split("|")[1:4]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if "|" in line
    ]
    units = [row[1] for row in rows if len(row) == 3 and f"`{column.name}`" in row[0]]
    assert len(units) == 1
    unit = {"px2": "px²", "deg": "degrees", "grey": "grey levels"}.get(column.unit, column.unit)
    assert unit in units[0] or unit in ("1", "count", "flag")


def test_masks_that_are_views() -> None:
    masks = random_masks(9, side=120, seed=4)
    for view in (lambda m: m[::2], lambda m: m[:, ::-1], lambda m: m.T, lambda m: m[3:, 5:]):
        same(measure([view(m) for m in masks]), measure([view(m).copy() for m in masks]))


def test_many_callers_at_once() -> None:
    batches = [random_masks(4, side=120, seed=seed) for seed in range(8)]
    expected = [measure(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        for found, own in zip(pool.map(measure, batches), expected, strict=True):
            same(found, own)
