from __future__ import annotations

import numpy as np
import pytest

from flawline.core.measure.measure import measure
from flawline.core.measure.parts import (
    count_name,
    former_count_name,
    part_columns,
    part_summary,
    published_columns,
)

STORY = [
    *("NumberOfStains", "LargestStainArea", "LargestStainRadius"),
    *("EnclosingCircleX", "EnclosingCircleY", "TotalStain%"),
]


@pytest.mark.parametrize(
    ("class_name", "name", "former"),
    [
        ("stain", "NumberOfStains", "NumberOfStains"),
        ("Stain", "NumberOfStains", "NumberOfStains"),
        ("scratch", "count_scratch", "NumberOfScratches"),
        ("scratches", "count_scratches", "NumberOfScratcheses"),
        ("paint run", "count_paint_run", "NumberOfPaintRuns"),
        ("paint-run 2", "count_paint_run_2", "NumberOfPaintRun2s"),
        ("anomaly", "count_anomaly", "NumberOfAnomalies"),
        ("?", "count_defect", "NumberOfDefects"),
    ],
)
def test_numbers_of_classes_and_what_they_were_called(class_name, name, former):
    assert count_name(class_name) == name
    assert former_count_name(name) == former
    assert former_count_name(former) == former
    assert former_count_name(f"rim.{name}") == f"rim.{former}"


def test_other_names_stay():
    for name in ("LargestScratchArea", "score", "a.b", "account_x"):
        assert former_count_name(name) == name


def test_the_columns_of_the_published_table_come_first_for_stains():
    mask = np.zeros((20, 30), np.uint8)
    mask[2:6, 3:9], mask[10:12, 10:22] = 2, 1
    found = measure([mask])
    summaries = {
        name: part_summary(found, found.value == value, np.array([600.0]))
        for value, name in ((1, "scratch"), (2, "stain"))
    }
    assert list(published_columns(summaries["stain"], "stain"))[:6] == STORY
    table = part_columns([(name, "", summaries[name]) for name in ("stain", "scratch")])
    assert (table["NumberOfStains"].tolist(), table["count_scratch"].tolist()) == ([1], [1])
    assert table["LargestStainArea"].tolist() == [15]
    assert table["LargestScratchArea"].tolist() == [11]
    zoned = part_columns([("scratch", "rim", summaries["scratch"])])
    assert zoned["rim.count_scratch"].tolist() == [1]
