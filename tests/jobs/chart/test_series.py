import polars as pl
import pytest

from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.jobs.chart.series import Forming, form_series
from flawline.jobs.chart.series_table import as_number, read_columns

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
    threes = form_series(ROWS, "area", "xbar-s", Forming(every=3))
    assert threes.points.sizes.tolist() == [3, 1]
    assert threes.labels == ("1", "2")
    assert "the last subgroup has 1 instead of 3 rows" in threes.notes


def test_counts_are_added_up():
    counted = {**ROWS, "area": ["1", "0", "2", "0", "3", "1"]}
    lots = form_series(counted, "area", "u", Forming(by="lot", size="units"))
    assert lots.points.counts.tolist() == [3, 4]
    assert lots.points.sizes.tolist() == [40, 30]
    single = form_series(counted, "area", "c", Forming())
    assert single.points.sizes.tolist() == [1] * 6
    with pytest.raises(FlawlineError, match="whole number"):
        form_series(ROWS, "area", "c", Forming())


def test_nothing_to_chart():
    with pytest.raises(
        FlawlineError, match="no row has a number in the column 'lot': 'a' is not a number"
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
        columns = read_columns(tmp_path / name, ["area", "lot"])
        series = form_series(columns, "area", "i-mr", Forming(label="lot"))
        assert series.points.values.tolist() == [0.5, 1.5]
        assert series.labels == ("a", "c")
    with pytest.raises(SourceError, match="no column 'aera'") as caught:
        read_columns(tmp_path / "t.csv", ["aera"])
    assert "'area'" in caught.value.hint
