import numpy as np
import polars as pl
import pytest

from flawline.errors import UsageError
from flawline.features.feature_set import Column
from flawline.features.files import write_table
from flawline.features.table import FeatureTable
from flawline.types import Sample


@pytest.fixture
def table():
    samples = (
        Sample("b/2.png", "bad", True, None, "g1", "train", {"width": "7", "lot": 3, "mixed": 1}),
        Sample("=a.png", None, None, metadata={"lot": 4, "mixed": "x", "defective": "no"}),
    )
    values = np.array([[0.1, 1 / 3], [1e-20, 16777217]], dtype=np.float32)
    columns = (Column("width", "width in pixels"), Column("height", "height in pixels"))
    return FeatureTable(samples, columns, values, ())


def test_parquet_keeps_order_types_and_every_digit(table, tmp_path):
    written = write_table(table, tmp_path / "t.parquet")
    frame = pl.read_parquet(written.path)
    assert frame.columns == [
        *("image", "label", "defective", "group", "split"),
        *("source_width", "lot", "mixed", "source_defective", "width", "height"),
    ]
    assert frame["image"].to_list() == ["b/2.png", "=a.png"]
    assert frame["defective"].to_list() == [True, None]
    assert frame["lot"].to_list() == [3, 4]
    assert frame["mixed"].to_list() == ["1", "x"]
    assert frame.schema["width"] == pl.Float32
    np.testing.assert_array_equal(frame[["width", "height"]].to_numpy(), table.values)
    assert written.renamed == {"width": "source_width", "defective": "source_defective"}
    assert written.source_columns == tuple(frame.columns[:9])


def test_csv_reads_back_to_the_same_floats_and_runs_no_formula(table, tmp_path):
    path = write_table(table, tmp_path / "t.csv").path
    frame = pl.read_csv(path, schema_overrides={"width": pl.Float32, "height": pl.Float32})
    np.testing.assert_array_equal(frame[["width", "height"]].to_numpy(), table.values)
    assert frame["image"].to_list() == ["b/2.png", "'=a.png"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_same_table_gives_the_same_bytes(table, tmp_path, suffix):
    one = write_table(table, tmp_path / f"1.{suffix}").path.read_bytes()
    two = write_table(table, tmp_path / f"2.{suffix}").path.read_bytes()
    assert one == two
    assert not list(tmp_path.glob(".*"))


def test_another_ending_is_refused(table, tmp_path):
    with pytest.raises(UsageError, match=r"\.parquet or \.csv"):
        write_table(table, tmp_path / "t.xlsx")


def test_a_taken_prefix_is_prefixed_again(table, tmp_path):
    sample = Sample("a.png", metadata={"width": 1, "source_width": 2})
    table = FeatureTable((sample,), table.columns, table.values[:1], ())
    written = write_table(table, tmp_path / "t.parquet")
    assert written.renamed == {"width": "source_source_width"}
    assert pl.read_parquet(written.path)["source_width"].to_list() == [2]
