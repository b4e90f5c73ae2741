import pytest

from flawline.data.csv_file import csv_pieces, spreadsheet_safe, write_csv_rows


@pytest.mark.parametrize("text", ["=1+1", "@cmd", "+a", "-b", "\tx"])
def test_formulas_are_quoted(text):
    assert spreadsheet_safe(text) == "'" + text


@pytest.mark.parametrize(
    ("value", "written"), [("-3.5", "-3.5"), ("", ""), (None, ""), (0.1, 0.1), ("a", "a")]
)
def test_everything_else_stays(value, written):
    assert spreadsheet_safe(value) == written


def test_bytes_are_plain(tmp_path):
    path = write_csv_rows(tmp_path / "t.csv", ["a", "ü"], [["x,y", None], [1, 0.1 + 0.2]])
    assert path.read_bytes() == 'a,ü\n"x,y",\n1,0.30000000000000004\n'.encode()


@pytest.mark.parametrize("count", [0, 1, 500, 1001])
def test_pieces_are_what_a_file_holds(tmp_path, count):
    rows = [["=1", None, number / 3] for number in range(count)]
    path = write_csv_rows(tmp_path / "t.csv", ["a", "b", "c"], rows)
    assert "".join(csv_pieces(["a", "b", "c"], rows)) == path.read_text("utf-8")
