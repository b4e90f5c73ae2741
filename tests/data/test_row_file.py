import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.row_file import RowFile


def row(value: float) -> np.ndarray:
    return np.full((2, 3), value, dtype=np.float32)


def test_rows_survive_and_a_cut_record_is_dropped(tmp_path):
    path = tmp_path / "rows"
    with RowFile(path, "a", (2, 3)) as rows:
        rows.remember(b"one", row(1))
        rows.remember(b"two", row(2))
    path.write_bytes(path.read_bytes()[:-5])
    with RowFile(path, "a", (2, 3)) as rows:
        assert len(rows) == 1
        np.testing.assert_array_equal(rows.recall(b"one"), row(1))
        assert rows.recall(b"two") is None
        rows.remember(b"two", row(3))
    with RowFile(path, "a", (2, 3)) as rows:
        np.testing.assert_array_equal(rows.recall(b"two"), row(3))


def test_another_computation_starts_anew(tmp_path):
    path = tmp_path / "rows"
    with RowFile(path, "a", (2, 3)) as rows:
        rows.remember(b"one", row(1))
    for computation, shape in (("b", (2, 3)), ("b", (6,))):
        with RowFile(path, computation, shape) as rows:
            assert len(rows) == 0
            rows.remember(b"one", np.zeros(shape, np.float32))


def test_a_damaged_file_starts_anew(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b"\xff\x00 something else entirely")
    with RowFile(path, "a", (2, 3)) as rows:
        assert rows.recall(b"one") is None


@given(st.dictionaries(st.binary(max_size=20), st.floats(width=32, allow_nan=False), max_size=30))
def test_what_is_remembered_is_recalled(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("rows") / "rows"
    for _ in range(2):
        with RowFile(path, "a", (1,)) as rows:
            for data, value in values.items():
                rows.remember(data, np.array([value], dtype=np.float32))
    with RowFile(path, "a", (1,)) as rows:
        assert {data: float(rows.recall(data)[0]) for data in values} == values


def test_duplicates_and_zeros_at_the_end_cut_no_record(tmp_path):
    path = tmp_path / "rows"
    with RowFile(path, "a", (2, 3)) as rows:
        rows.remember(b"one", row(1))
        size = path.stat().st_size
        rows.remember(b"two", row(2))
    record = path.read_bytes()[size:]
    path.write_bytes(path.read_bytes() + 3 * record + bytes(5 * len(record) + 7))
    with RowFile(path, "a", (2, 3)) as rows:
        rows.remember(b"three", row(3))
    with RowFile(path, "a", (2, 3)) as rows:
        for number, data in enumerate((b"one", b"two", b"three"), start=1):
            np.testing.assert_array_equal(rows.recall(data), row(number))


def test_a_record_that_was_not_written_whole_is_unknown(tmp_path):
    path = tmp_path / "rows"
    with RowFile(path, "a", (2, 3)) as rows:
        rows.remember(b"one", row(1))
        path.write_bytes(path.read_bytes()[:-9])
        assert rows.recall(b"one") is None
    with RowFile(path, "a", (2, 3)) as rows:
        rows.remember(b"one", row(1))
    path.write_bytes(path.read_bytes()[:-9] + bytes(9))
    with RowFile(path, "a", (2, 3)) as rows:
        assert rows.recall(b"one") is None
        rows.remember(b"one", row(4))
        np.testing.assert_array_equal(rows.recall(b"one"), row(4))


def test_two_at_once_give_no_wrong_row(tmp_path):
    path = tmp_path / "rows"
    with RowFile(path, "a", (2, 3)) as first, RowFile(path, "a", (2, 3)) as second:
        for number in range(20):
            first.remember(b"first %d" % number, row(number))
            second.remember(b"second %d" % number, row(100 + number))
            first.remember(b"both %d" % number, row(200 + number))
            second.remember(b"both %d" % number, row(200 + number))
        for number in range(20):
            np.testing.assert_array_equal(first.recall(b"first %d" % number), row(number))
    with RowFile(path, "a", (2, 3)) as rows:
        assert len(rows) == 60
        for number in range(20):
            np.testing.assert_array_equal(rows.recall(b"second %d" % number), row(100 + number))
            np.testing.assert_array_equal(rows.recall(b"both %d" % number), row(200 + number))


def test_another_computation_at_once_gives_no_wrong_row(tmp_path):
    path = tmp_path / "rows"
    with RowFile(path, "a", (2, 3)) as first:
        first.remember(b"one", row(1))
        with RowFile(path, "another", (2, 3)) as second:
            second.remember(b"one", row(2))
            first.remember(b"two", row(3))
            assert first.recall(b"one") is None
            np.testing.assert_array_equal(second.recall(b"one"), row(2))
    with RowFile(path, "another", (2, 3)) as rows:
        np.testing.assert_array_equal(rows.recall(b"one"), row(2))
