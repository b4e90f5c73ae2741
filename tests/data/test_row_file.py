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
