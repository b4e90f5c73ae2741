"""Tables as spreadsheets of all countries write them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data import spreadsheet
from flawline.data.count_words import counted
from flawline.data.csv_layout import csv_layout
from flawline.data.table_format import stated_format
from flawline.data.tables import Table, read_table
from flawline.errors import SourceError, UsageError
from helpers.examples import examples
from helpers.spreadsheets import Day, write_xlsx

GERMAN = "Teil;Länge [mm]\n1;10,009\n2;9,875\n"


def read(path: Path, content: str | bytes, **stated: str) -> Table:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, stated_format(stated))


def numbers(table: Table, name: str) -> list[float]:
    return [float(cell) for cell in table.with_numbers([name]).frame[name]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (GERMAN, "semicolons"),
        ("sep=;\n" + GERMAN, "semicolons"),
        ("SEP=;\r\n" + GERMAN.replace("\n", "\r\n"), "semicolons"),
        (GERMAN.replace("\n", ";;\n") + ";;;\n;;;\n", "semicolons"),
        (GERMAN.replace("\n", ";;\n").replace("[mm];;", "[mm]"), "semicolons"),
        ("Messung vom 1.3., Linie 3;\n;\n" + GERMAN, "semicolons, 1 title row passed over"),
        ("Messung\n" + GERMAN, "semicolons, 1 title row passed over"),
        ("Prüfer;Müller\nDatum;1.3.2026\n\n" + GERMAN, "semicolons, 2 title rows passed over"),
        ("Soll;10,0\nToleranz;0,5\n" + GERMAN, "semicolons, 2 title rows passed over"),
        ("sep=;\nMessung;\n" + GERMAN, "semicolons, 1 title row passed over"),
        (GERMAN.encode("utf-8-sig"), "semicolons"),
        (GERMAN.encode("cp1252"), "semicolons, in Windows-1252, as it is not UTF-8"),
        (GERMAN.encode("utf-16"), "semicolons, in UTF-16"),
        (GERMAN.replace(";", "\t").replace("9,875", "9,5").encode("utf-16"), "tabs, in UTF-16"),
        (GERMAN.encode("utf-16-le"), "semicolons, in UTF-16-LE"),
        (GERMAN.replace("\n", "\r"), "semicolons"),
        ('Teil,Länge [mm]\n1,"10,009"\n2,"9,5"\n', ""),
    ],
)
def test_one_table_in_many_forms(tmp_path: Path, content: str | bytes, told: str) -> None:
    table = read(tmp_path / "t.csv", content)
    assert table.frame.columns == ["Teil", "Länge [mm]"]
    assert table.frame["Teil"].to_list() == ["1", "2"]
    assert numbers(table, "Länge [mm]")[0] == 10.009
    assert table.notes == ((f"t.csv: separated by {told}",) if told else ())
    assert table.with_numbers(["Länge [mm]"]).notes[-1] == "t.csv: decimal commas in Länge [mm]"


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('Teil;"Länge, außen, mm"\n1;10.009\n', ["Teil", "Länge, außen, mm"]),
        ("Teil;Länge, mm\n1;10,5\n2;11,5\n", ["Teil", "Länge, mm"]),
        ('image,"lot; shift; tool",label\na.png,A,good\n', ["image", "lot; shift; tool", "label"]),
        ("image,reasons\na.png,large; dark\nb.png,small; dark\n", ["image", "reasons"]),
        ("Länge, mm\n10.5\n9.5\n", ["Länge, mm"]),
        ("Länge\n10,5\n9,5\n", ["Länge"]),
        ('"a\nb",c\n1,2\n', ["a\nb", "c"]),
        (",image,label\n0,a.png,good\n1,b.png,bad\n", ["column 1", "image", "label"]),
        (",label\na.png,good\nb.png,bad\n", ["column 1", "label"]),
        ("2020,2021\n1,2\n", ["2020", "2021"]),
        ("image,label,note\na.png,good,\nb.png,bad,\n", ["image", "label", "note"]),
        ("image,label,note\na.png,good,\n\nb.png,bad,x\n", ["image", "label", "note"]),
        ("\n\na,b\n1,2\n", ["a", "b"]),
        ("a|b\n1|2\n", ["a", "b"]),
    ],
)
def test_names_are_found(tmp_path: Path, content: str, names: list[str]) -> None:
    table = read(tmp_path / "t.csv", content)
    assert table.frame.columns == names
    assert not any("title" in note for note in table.notes)


def test_wide_tables_are_read_whole(tmp_path: Path) -> None:
    names = [f"a column with a long name {n}" for n in range(9000)]
    table = read(tmp_path / "t.csv", ";".join(names) + "\n" + ";".join(map(str, range(9000))))
    assert table.frame.columns == names
    assert table.frame[names[-1]].to_list() == ["8999"]
    with pytest.raises(SourceError, match="200001 columns"):
        read(tmp_path / "t.csv", "a;" * 200_000 + "\n1\n")


def test_a_row_of_names_can_be_stated(tmp_path: Path) -> None:
    content = "Prüfer;Müller\nSchicht;früh\nTeil;Länge\n1;10,5\n"
    assert read(tmp_path / "t.csv", content).frame.columns == ["Prüfer", "Müller"]
    table = read(tmp_path / "t.csv", content, header="3")
    assert numbers(table, "Länge") == [10.5]


def test_blank_rows_between_others_keep_their_place(tmp_path: Path) -> None:
    table = read(tmp_path / "t.csv", "a;b\n1;2\n;\n\n3;4\n;\n\n")
    assert table.frame["a"].to_list() == ["1", None, None, "3"]


@pytest.mark.parametrize(
    ("cells", "separator", "expected"),
    [
        (["1.234,5", "999,25"], ";", [1234.5, 999.25]),
        (["1,234.5", "999.25"], ",", [1234.5, 999.25]),
        (["1,234,567", "12,345"], ",", [1234567, 12345]),
        (["1.234.567", "12.345"], ";", [1234567, 12345]),
        (["1 234,5", "1\u00a0000"], ";", [1234.5, 1000]),
        (["12'345.5", "1’000"], ",", [12345.5, 1000]),
        (["10.009", "9.875"], ";", [10.009, 9.875]),
        (["0,250", "1,125"], ",", [0.25, 1.125]),
        (["1,5E-3", "−2"], ";", [0.0015, -2]),
        (["+,5", "5,"], ";", [0.5, 5]),
    ],
)
def test_numbers_of_one_reading(
    tmp_path: Path, cells: list[str], separator: str, expected: list[float]
) -> None:
    rows = "".join(f'p{separator}"{cell}"\n' for cell in cells)
    table = read(tmp_path / "t.csv", f"part{separator}x\n{rows}")
    assert numbers(table, "x") == expected


@pytest.mark.parametrize(
    "content",
    [
        'a,x\n1,"1,234"\n2,"2,999"\n',
        "x\n10,009\n",
        "a\tx\n1\t1,234\n",
        "y;x\n10,5;1.234\n11,5;2.999\n",
        "y;x\n10.5;1,234\n",
        "a;x\n1;10,5\n2;10.5\n",
        "a;x\n1;1,234\n2;1.234\n",
    ],
)
def test_numbers_of_two_readings_are_refused_until_one_is_stated(
    tmp_path: Path, content: str
) -> None:
    table = read(tmp_path / "t.csv", content)
    with pytest.raises(SourceError, match=r"column 'x' of t\.csv has") as caught:
        table.with_numbers(["x"])
    assert "`table_format=decimal=comma`" in caught.value.hint
    read(tmp_path / "t.csv", content, decimal="comma").with_numbers(["x"])
    read(tmp_path / "t.csv", content, decimal="point").with_numbers(["x"])


@examples(60)
@given(
    st.lists(st.decimals(-9999, 9999, places=2), min_size=1, max_size=8),
    st.sampled_from([("point", ",", "."), ("comma", ".", ",")]),
    st.booleans(),
)
def test_any_number_is_read_as_it_was_written(tmp_path_factory, values, notation, grouped) -> None:
    decimal, group, mark = notation
    written = [f"{value:{',' if grouped else ''}}" for value in values]
    swapped = [text.translate(str.maketrans(",.", group + mark)) for text in written]
    path = tmp_path_factory.mktemp("numbers") / "t.csv"
    table = read(path, "x\ty\n" + "".join(f"{text}\t1\n" for text in swapped), decimal=decimal)
    assert numbers(table, "x") == [float(value) for value in values]


def test_words_are_left_as_they_are(tmp_path: Path) -> None:
    table = read(tmp_path / "t.csv", "x;lot\nn/a;1,5\n10,5;2.5\n").with_numbers(["x"])
    assert table.frame.to_dict(as_series=False) == {"x": ["n/a", "10.5"], "lot": ["1,5", "2.5"]}


def test_only_decimal_commas_are_called_so(tmp_path: Path) -> None:
    table = read(tmp_path / "t.csv", "a;x\n1;12.345.678\n").with_numbers(["x"])
    assert table.notes[1:] == ("t.csv: thousands separators in x",)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    for content in ("part,len,len\n1,2,3\n", "len; len\n1;2\n"):
        with pytest.raises(SourceError, match=r"the column 'len' of t\.csv appears twice"):
            read(tmp_path / "t.csv", content)


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "gbk", "utf-16", "cp1252"])
def test_other_encodings_are_stated_or_found(tmp_path: Path, encoding: str) -> None:
    names = {"cp1251": "Длина", "shift_jis": "長さ測定", "gbk": "长度测量"}.get(encoding, "Größe")
    content = f"{names},b\n1,2\n".encode(encoding)
    if encoding in ("utf-16", "cp1252"):
        assert read(tmp_path / "t.csv", content).frame.columns == [names, "b"]
        return
    with pytest.raises(SourceError, match=r"cannot tell the encoding of 't\.csv'") as caught:
        read(tmp_path / "t.csv", content)
    assert "`table_format=encoding=NAME`" in caught.value.hint
    table = read(tmp_path / "t.csv", content, encoding=encoding)
    assert table.frame.columns == [names, "b"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["01.03.2026 06:00", "1.3.2026"], ["2026-03-01T06:00:00", "2026-03-01"]),
        (["3/1/2026 6:30 PM", "3/25/2026"], ["2026-03-01T18:30:00", "2026-03-25"]),
        (["25/3/2026 00:05:01.5", "1/3/2026"], ["2026-03-25T00:05:01.500000", "2026-03-01"]),
        (["5/5/2026 12:00 AM", "31-12-2026"], ["2026-05-05T00:00:00", "2026-12-31"]),
        (["2026/3/1 6:00", "2026-03-01T06:00Z"], ["2026-03-01T06:00:00", "2026-03-01T06:00Z"]),
        (["01.03.2026 06:00 +01:00", "soon"], ["2026-03-01T06:00:00+01:00", "soon"]),
    ],
)
def test_dates(tmp_path: Path, cells: list[str], expected: list[str]) -> None:
    table = read(tmp_path / "t.csv", "t;x\n" + "".join(f"{cell};1\n" for cell in cells))
    assert table.with_times(["t", "absent"]).frame["t"].to_list() == expected


def test_dates_of_two_readings_are_refused_until_one_is_stated(tmp_path: Path) -> None:
    content = "t;x\n03/04/2026;1\n05/06/2026;2\n"
    with pytest.raises(SourceError, match="can be day 3 of month 4, or day 4 of month 3") as caught:
        read(tmp_path / "t.csv", content).with_times(["t"])
    assert "`table_format=dates=day`" in caught.value.hint
    for first, expected in (("day", "2026-04-03"), ("month", "2026-03-04")):
        table = read(tmp_path / "t.csv", content, dates=first).with_times(["t"])
        assert table.frame["t"][0] == expected


@pytest.mark.parametrize(
    ("cells", "expected", "told"),
    [
        (["OK", "NOK", " ok "], [0, 1, 0], "'NOK' counts as 1, 'OK' counts as 0, 'ok' counts as 0"),
        (["i.O.", "n.i.O.", "N.I.O."], [0, 1, 1], "'i.O.' counts as 0"),
        (["True", "False", None], [1, 0, None], "'False' counts as 0, 'True' counts as 1"),
        (["ja", "nein"], [1, 0], "'ja' counts as 1"),
        (["pass", "fail", "?"], [0, 1, "?"], "'fail' counts as 1"),
        (["yes", "no"], [1, 0], "'no' counts as 0"),
        (["OK", "1"], ["OK", "1"], ""),
        (["OK", "True"], ["OK", "True"], ""),
        (["3", "4"], ["3", "4"], ""),
        ([1, 0, None], [1, 0, None], ""),
    ],
)
def test_words_for_counts(cells: list[object], expected: list[object], told: str) -> None:
    found, notes = counted(cells, "result")
    assert found == expected
    assert [told in note for note in notes] == ([True] if told else [])


def test_sheets_of_a_workbook(tmp_path: Path) -> None:
    rows = [
        ["Messprotokoll Linie 3"],
        [],
        ["Teil", " Länge ", "Zeit", "ok", "Menge", "Text"],
        [1, 10 + 1 / 7, Day(46082.25), True, 5, "1,5"],
        [2, 10.5, Day(46082.5), False, "n/a", "2,5"],
        [],
        [3, 1e-12, None, None, "#DIV/0!", None],
    ]
    table = read_table(write_xlsx(tmp_path / "m.xlsx", {"Leer": [], "Messung": rows}))
    assert table.notes == ("m.xlsx: sheet 'Messung', 1 title row passed over",)
    assert table.with_numbers(["Menge", "Text"]).frame.to_dict(as_series=False) == {
        "Teil": [1, 2, None, 3],
        "Länge": [10 + 1 / 7, 10.5, None, 1e-12],
        "Zeit": [datetime(2026, 3, 1, 6), datetime(2026, 3, 1, 12), None, None],
        "ok": [True, False, None, None],
        "Menge": ["5", "n/a", None, None],
        "Text": ["1.5", "2.5", None, None],
    }


def test_a_sheet_is_stated_where_several_have_cells(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "m.xlsx", {"A": [["x"], [1]], "B": [["x"], [2]]})
    with pytest.raises(SourceError, match="several sheets with cells: A, B") as caught:
        read_table(path)
    assert "`table_format=sheet=A`" in caught.value.hint
    assert read_table(path, stated_format({"sheet": "B"})).frame["x"].to_list() == [2]
    with pytest.raises(SourceError, match=r"cannot read the table 'm\.xlsx'"):
        read_table(path, stated_format({"sheet": "C"}))
    with pytest.raises(SourceError, match="no cells"):
        read_table(write_xlsx(tmp_path / "e.xlsx", {"A": []}))
    twice = write_xlsx(tmp_path / "t.xlsx", {"A": [["x", "x"], [1, 2]]})
    with pytest.raises(SourceError, match="appears twice"):
        read_table(twice)


@pytest.mark.parametrize(
    "values",
    [
        {"decimals": "comma"},
        {"decimal": ","},
        {"dates": "first"},
        {"header": "0"},
        {"header": "a"},
        {"separator": "ab"},
        {"encoding": "utf8000"},
    ],
)
def test_formats_that_make_no_sense_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="`table_format"):
        stated_format(values)


def test_separators_have_names(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a:b\n1:2\n")
    assert csv_layout(path, stated_format({"separator": ":"})).names == ("a", "b")
    path.write_text("a;b,c\n1;2,5\n")
    assert csv_layout(path, stated_format({"separator": "comma"})).names == ("a;b", "c")


def with_sheet(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """Write a workbook whose sheet is changed."""
    write_xlsx(path, {"A": [["x"], [1]]})
    with zipfile.ZipFile(path) as book:
        contents = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in contents.items():
            book.writestr(name, change(data) if name.endswith("s1.xml") else data)
    return path


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('<row r="9"><c r="XFD1048576"><v>1</v></c></row>', "span more than 10,000,000 places"),
        ("<row r='1048576'><c r = 'AZ7'><v>1</v></c></row>", "span more than 10,000,000 places"),
        (" " * (2**22 + 1), "unpacks to more than 4 MiB"),
    ],
)
def test_workbooks_that_would_fill_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, told: str
) -> None:
    monkeypatch.setattr(spreadsheet, "_MAX_BYTES", 2**22)
    end = b"</sheetData>"
    path = with_sheet(tmp_path / "m.xlsx", lambda sheet: sheet.replace(end, cell.encode() + end))
    with pytest.raises(SourceError, match=told):
        read_table(path)
    with zipfile.ZipFile(path) as book:
        stated = max(info.file_size for info in book.infolist()).to_bytes(4, "little")
    data = path.read_bytes()
    assert stated in data
    path.write_bytes(data.replace(stated, (100).to_bytes(4, "little")))
    with pytest.raises(SourceError, match=rf"{told}|damaged"):
        read_table(path)
