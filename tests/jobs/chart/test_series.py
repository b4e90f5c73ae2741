from itertools import groupby

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.spc.chart_constants import d2
from flawline.core.spc.charts_variables import means
from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series import form_series
from flawline.jobs.chart.series_table import as_number, read_columns
from helpers.examples import examples

ROWS = {
    "area": ["0.5", "", "1.5", "x", "2.0", "3.0"],
    "lot": ["a", "a", "a", "b", "b", "b"],
    "units": ["10", "10", "20", "10", "10", "10"],
    "shift": ["early", "early", "late", "late", "late", "late"],
}


def test_rows_without_a_number_are_skipped_and_named():
    series = form_series(ROWS, "area", "i-mr", Forming(label="lot", stage="shift"))
    assert series.points.values.tolist() == [0.5, 1.5, 2.0, 3.0]
    assert [(row.label, row.reason) for row in series.skipped] == [
        ("a", "the cell is empty"),
        ("b", "'x' is not a number"),
    ]
    assert series.stages == ("early", "late", "late", "late")
    assert form_series(ROWS, "area", "i-mr", Forming()).labels == ("1", "3", "5", "6")


def test_rows_become_lots():
    lots = form_series(ROWS, "area", "xbar-r", Forming(by="lot"))
    assert lots.labels == ("a", "b")
    assert lots.points.sizes.tolist() == [2, 2]
    assert lots.what == "lot"
    means = form_series(ROWS, "area", "i-mr", Forming(by="lot"))
    assert means.points.values.tolist() == [1.0, 2.5]
    assert means.notes == ("each point is the mean of area in one lot",)
    largest = form_series(ROWS, "area", "i-mr", Forming(by="lot", summary="max"))
    assert largest.points.values.tolist() == [1.5, 3.0]


def test_every_few_rows_become_a_subgroup():
    sevens = {"area": list(range(7))}
    threes = form_series(sevens, "area", "xbar-s", Forming(every=3))
    assert threes.points.sizes.tolist() == [3, 3, 1]
    assert threes.labels == ("1", "2", "3")
    assert threes.notes == ("the last subgroup has 1 instead of 3 rows",)


def test_a_missing_row_keeps_its_place():
    threes = form_series(ROWS, "area", "xbar-s", Forming(every=3))
    assert threes.points.values.tolist() == [0.5, 1.5, 2.0, 3.0]
    assert threes.points.sizes.tolist() == [2, 2]
    assert threes.points.gaps is None
    (note,) = threes.notes
    assert note.startswith("fewer than 3 rows are in subgroup 1, 2")
    pairs = form_series(
        {"area": [1, 2, None, "n/a", 3, 4, 5, None]}, "area", "xbar-r", Forming(every=2)
    )
    assert pairs.labels == ("1", "3", "4")
    assert pairs.points.sizes.tolist() == [2, 2, 1]
    assert pairs.points.gaps.tolist() == [False, True, False]


def test_no_moving_range_spans_a_missing_row():
    series = form_series({"a": [1, 2, 1, None, 9, 8, 9, "", "", 1]}, "a", "i-mr", Forming())
    assert series.points.gaps.tolist() == [False, False, False, True, False, False, True]
    chart = chart_series(series, "i-mr", estimation=Estimation(transform="none"))
    _, ranges = chart.stages[0].panels
    assert ranges.at.tolist() == [1, 2, 4, 5]
    assert set(ranges.values) == {1.0}
    assert chart.stages[0].limits.sigma == pytest.approx(1 / d2(2))
    lots = {"x": [1, 2, None, None, 9, 9], "lot": list("aabbcc")}
    by_lot = form_series(lots, "x", "i-mr", Forming(by="lot"))
    assert by_lot.labels == ("a", "c")
    assert by_lot.points.gaps.tolist() == [False, True]
    rates = form_series(
        {"d": [1, 3, 0, 9, 9, 5], "n": [9, 9, 0, 9, 9, 9]}, "d", "u", Forming(size="n")
    )
    assert rates.points.gaps.tolist() == [False, False, True, False, False]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 5),
)
@examples(100)
def test_no_subgroup_mixes_stages_or_moves(rows, every):
    """Each row's value is its place: which rows are together can be read from the points."""
    columns = {
        "x": [place if there else "" for place, (_, there) in enumerate(rows)],
        "stage": [stage for stage, _ in rows],
    }
    if not any(there for _, there in rows):
        return
    series = form_series(columns, "x", "xbar-r", Forming(every=every, stage="stage"))
    groups = np.split(series.points.values.astype(int), np.cumsum(series.points.sizes)[:-1])
    start, expected = 0, []
    for _, run in groupby(stage for stage, _ in rows):
        length = len(list(run))
        expected += [
            list(range(first, min(first + every, start + length)))
            for first in range(start, start + length, every)
        ]
        start += length
    kept = [[place for place in group if rows[place][1]] for group in expected]
    assert [group.tolist() for group in groups] == [group for group in kept if group]
    for group, stage in zip(groups, series.stages, strict=True):
        assert {rows[place][0] for place in group} == {stage}


def test_lots_that_restart_in_each_stage_are_lots_of_their_own():
    columns = {"x": [1, 2, 3, 4, 11, 12, 13, 14, 5], "lot": [1, 1, 2, 2, 1, 1, 2, 2, 1]}
    columns["stage"] = ["old"] * 4 + ["new"] * 4 + ["old"]
    series = form_series(columns, "x", "xbar-r", Forming(by="lot", stage="stage"))
    assert series.labels == ("1", "2", "1", "2", "1")
    assert series.stages == ("old", "old", "new", "new", "old")
    assert means(series.points).tolist() == [1.5, 3.5, 11.5, 13.5, 5.0]
    joined = form_series(columns, "x", "xbar-r", Forming(by="lot"))
    assert joined.points.sizes.tolist() == [5, 4]


def test_rows_without_a_lot_or_a_stage_are_listed():
    columns = {"x": [1, 2, 3, 4], "lot": ["a", "", "a", None], "stage": ["s", "s", " ", "s"]}
    series = form_series(columns, "x", "xbar-r", Forming(by="lot", stage="stage"))
    assert series.points.values.tolist() == [1.0]
    assert [row.reason for row in series.skipped] == [
        "the cell in 'lot' is empty",
        "the cell in 'stage' is empty",
        "the cell in 'lot' is empty",
    ]


@pytest.mark.parametrize(
    ("count", "units", "reason"),
    [
        (0, 0, "the number of inspected units must be above 0, got 0"),
        (1, -5, "the number of inspected units must be above 0, got -5"),
        (1, "", "in 'n', the cell is empty"),
        (-1, 50, "a count is a whole number of 0 or more, got -1"),
        (1.5, 50, "a count is a whole number of 0 or more, got 1.5"),
        (51, 50, "51 defective of 50 units"),
        (1e101, 50, "lies beyond"),
    ],
)
@pytest.mark.parametrize("how", [Forming(size="n"), Forming(size="n", by="day")])
def test_a_row_that_is_no_count_does_not_stop_the_chart(count, units, reason, how):
    columns = {"bad": [12, count, 3, 4], "n": [50, units, 50, 50], "day": list("abcd")}
    for kind in ("p", "np", "laney-p"):
        series = form_series(columns, "bad", kind, how)
        assert series.points.counts.tolist() == [12, 3, 4]
        (row,) = series.skipped
        assert row.reason.endswith(reason) or reason in row.reason


def test_counts_are_added_up():
    counted = {**ROWS, "area": ["1", "0", "2", "0", "3", "1"]}
    lots = form_series(counted, "area", "u", Forming(by="lot", size="units"))
    assert lots.points.counts.tolist() == [3, 4]
    assert lots.points.sizes.tolist() == [40, 30]
    single = form_series(counted, "area", "c", Forming())
    assert single.points.sizes.tolist() == [1] * 6
    with pytest.raises(FlawlineError, match=r"2 of 4 rows cannot be charted by c: .* whole number"):
        form_series(ROWS, "area", "c", Forming())
    several = {"area": [3, 2, 0], "units": [1, 1, 1]}
    with pytest.raises(FlawlineError, match="3 defective of 1 units") as caught:
        form_series(several, "area", "p", Forming(size="units"))
    assert "go on the charts c and u" in caught.value.hint


def test_nothing_to_chart():
    with pytest.raises(
        FlawlineError, match="no row can be charted by the column 'lot': 'a' is not a number"
    ):
        form_series(ROWS, "lot", "i-mr", Forming())


@pytest.mark.parametrize("options", [{"by": "lot", "every": 2}, {"every": 0}, {"summary": "mode"}])
def test_options_that_make_no_sense(options):
    with pytest.raises(UsageError):
        Forming(**options)


def test_numbers():
    assert as_number(" 1e-3 ") == 0.001
    assert as_number(2) == 2.0
    for cell, words in (
        ("0,41", "decimals take a point"),
        ("nan", "finite"),
        (None, "empty"),
        ("inf", "finite"),
    ):
        with pytest.raises(ValueError, match=words):
            as_number(cell)


def test_tables(tmp_path):
    frame = pl.DataFrame({"area": [0.5, None, 1.5], "lot": ["a", "b", "c"]})
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_csv(tmp_path / "t.csv")
    frame.write_csv(tmp_path / "semicolon.csv", separator=";")
    for name in ("t.parquet", "t.csv", "semicolon.csv"):
        columns, _ = read_columns(tmp_path / name, ["area", "lot"], ["area"])
        series = form_series(columns, "area", "i-mr", Forming(label="lot"))
        assert series.points.values.tolist() == [0.5, 1.5]
        assert series.labels == ("a", "c")
    with pytest.raises(SourceError, match="no column 'aera'") as caught:
        read_columns(tmp_path / "t.csv", ["aera"], [])
    assert "'area'" in caught.value.hint
