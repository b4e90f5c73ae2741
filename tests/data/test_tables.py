"""Third-party tables, as spreadsheets and databases write them."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from flawline.data.tables import read_table, write_frame
from flawline.errors import SourceError, UsageError

ROWS = {"area": ["0.5", None, "1.5"], "lot": ["a", "b, c", "d"]}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "r[1].csv", "t*.csv", "noext"])
def test_csv_with_any_separator_and_name(tmp_path: Path, separator: str, name: str) -> None:
    (tmp_path / "t1.csv").write_text("area,lot\nwrong,wrong\n")  # what t*.csv would match
    pl.DataFrame(ROWS).write_csv(tmp_path / name, separator=separator)
    assert read_table(tmp_path / name).frame.to_dict(as_series=False) == ROWS


@pytest.mark.parametrize("name", ["t.parquet", "r[1].parquet", "renamed.csv"])
def test_parquet_keeps_its_types(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"area": [0.5, None], "count": [1, 2], "lot": ["a", "b"]})
    frame.write_parquet(tmp_path / name)
    assert read_table(tmp_path / name).frame.equals(frame)


def test_types_are_inferred_from_all_rows_where_wanted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,inside\n" + "1,true\n" * 2000 + "0.5,false\n")
    assert read_table(path).typed().frame.schema == {"n": pl.Float64, "inside": pl.Boolean}
    assert read_table(path).frame.schema == {"n": pl.String, "inside": pl.String}


def test_a_byte_order_mark_and_spaces_are_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffarea ; lot\r\n0,5; a\r\n".encode())
    assert read_table(path).frame.to_dict(as_series=False) == {"area": ["0,5"], "lot": [" a"]}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("broken.parquet", b"PAR1 not", "parquet"),
        ("empty.csv", b"", "empty"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "row 2 has 3 cells for 2 names"),
        ("book.xlsx", b"PK\3\4\x14\0\6\0\x08\0\0\0\x21\0\xff", "xlsx"),
        ("book.csv", b"PK\3\4\x14\0\6\0\x08\0\0\0\x21\0\xff", "office document"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64), r"before 2007, such as \.xls"),
        (
            "open.ods",
            b"PK\3\4" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            r"OpenDocument spreadsheet \(\.ods\)",
        ),
        ("open.csv", b'a,b\n1,"2\n3,4\n', "unexpected end"),
        ("packed.csv", gzip.compress(b"a,b\n1,2\n", mtime=0), "gzip"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        SourceError, match=rf"cannot read the table '{name}'.*(?i:{words})"
    ) as caught:
        read_table(tmp_path / name)
    assert "CSV in UTF-8" in caught.value.hint


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(SourceError, match="cannot read the table"):
            read_table(path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_written_tables_are_read_again_and_have_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame({"name": ["=1+1", None, "a"], "area": [0.1, 2.0, None], "n": [1, 2, 3]})
    one, two = (write_frame(frame, tmp_path / f"{n}.{suffix}") for n in (1, 2))
    assert one.read_bytes() == two.read_bytes()
    expected = (
        frame if suffix == "parquet" else frame.with_columns(name=pl.Series(["'=1+1", None, "a"]))
    )
    assert read_table(one).typed().frame.equals(expected)


def test_other_extensions_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.parquet or \.csv, got 't\.xlsx'"):
        write_frame(pl.DataFrame({"a": [1]}), tmp_path / "t.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_column_of_whole_numbers_with_nan_or_infinity_is_one_of_numbers(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("area,size,count\nnan,inf,1\n5,7,2\n", "utf-8")
    frame = read_table(path).typed().frame
    assert frame["area"].to_list()[1] == 5.0
    assert frame["size"].to_list() == [float("inf"), 7.0]
    assert frame["count"].to_list() == [1, 2]
