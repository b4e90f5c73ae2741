"""Work files."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flawline.data.stored_rows import StoredRows
from flawline.data.work_file import WorkFile, is_resumable
from flawline.errors import UsageError
from helpers.examples import examples

KEYS = [f"key {number}" for number in range(40)]


def value_of(key: str) -> bytes:
    return key.encode() * 300


def kept(path: Path, settings: str = "a") -> dict[str, object]:
    with WorkFile(path, settings) as work:
        found = {key: work.get_json(key) for key in ("one", "two", "three")}
    return {key: value for key, value in found.items() if value is not None}


def write(path: Path, settings: str = "a") -> None:
    with WorkFile(path, settings) as work:
        work.keep_json("one", {"score": 0.1, "name": "é\n\udc80"})
        work.keep_json("two", {"score": 2})


def test_what_was_kept_is_known_later(tmp_path: Path) -> None:
    path = tmp_path / "work"
    write(path)
    assert kept(path) == {"one": {"score": 0.1, "name": "é\n\udc80"}, "two": {"score": 2}}
    with WorkFile(path, "a") as work:
        assert len(work) == 2
        work.keep_json("one", {"score": 9})
        work.keep_json("three", {"score": 3})
    assert kept(path)["one"] == {"score": 0.1, "name": "é\n\udc80"}
    assert kept(path)["three"] == {"score": 3}
    assert [entry.name for entry in tmp_path.iterdir()] == ["work"]


def test_what_this_run_kept_is_told_from_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "work"
    write(path)
    with WorkFile(path, "a") as work:
        work.keep_json("three", {"score": 3})
        assert work.get_json("two", earlier=True) == {"score": 2}
        assert work.get_json("three") == {"score": 3}
        assert work.get_json("three", earlier=True) is None


def test_the_order_stays_and_what_is_removed_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "work"
    with WorkFile(path, "a") as work:
        for key in ("b", "a", "c"):
            work.keep(key, key.encode())
        assert work.items() == [("b", b"b"), ("a", b"a"), ("c", b"c")]
        work.remove(["b", "c", "never there"])
        assert work.items() == [("a", b"a")]
        work.keep("b", b"anew")
    with WorkFile(path, "a") as work:
        assert work.items() == [("a", b"a"), ("b", b"anew")]


def test_a_file_that_is_emptied_again_and_again_does_not_grow(tmp_path: Path) -> None:
    path, sizes = tmp_path / "work", []
    with WorkFile(path, "a") as work:
        for _ in range(5):
            for key in KEYS:
                work.keep(key, value_of(key))
            work.remove(KEYS)
            work.sync()
            sizes.append(path.stat().st_size)
    assert sizes[-1] == sizes[1]


@pytest.mark.parametrize("settings", ["b", ""])
def test_other_settings_start_anew(tmp_path: Path, settings: str) -> None:
    path = tmp_path / "work"
    write(path)
    assert kept(path, settings) == {}
    assert kept(path, "a") == {}


def test_another_format_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "work"
    write(path)
    database = sqlite3.connect(path)
    database.execute("UPDATE work SET format = 2")
    database.commit()
    database.close()
    assert kept(path) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00 something else entirely",
        b'{"computation": "a", "shape": [2], "check": "crc32"}\n' + bytes(28),
        b"SQLite format 3\0",
        b"SQLite format 3\0" + bytes(range(256)) * 64,
    ],
)
def test_a_file_that_is_none_starts_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "work"
    path.write_bytes(content)
    (tmp_path / "work-wal").write_bytes(b"left by something")
    assert is_resumable(path) == (content[:6] in (b"", b"SQLite"))
    assert kept(path) == {}
    write(path)
    assert set(kept(path)) == {"one", "two"}
    assert is_resumable(path)
    assert is_resumable(tmp_path / "none")


def test_a_database_of_something_else_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "work"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE kept (something TEXT)")
    database.close()
    assert kept(path) == {}
    write(path)
    assert set(kept(path)) == {"one", "two"}


@examples(40)
@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 255)), max_size=40),
    st.none() | st.integers(0, 10**9),
)
@example([(753458, 128)], None)
@example([(18, 3)], None)
def test_damage_gives_no_wrong_value_and_no_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int | None
) -> None:
    path = tmp_path_factory.mktemp("work") / "work"
    with WorkFile(path, "a") as work:
        for key in KEYS:
            work.keep(key, value_of(key))
    data = bytearray(path.read_bytes())
    for place, byte in changes:
        data[place % len(data)] = byte
    path.write_bytes(data if cut is None else data[: cut % len(data)])
    with WorkFile(path, "a") as work:
        assert all(value == value_of(key) for key, value in work.items())
        assert all(work.get(key) in (None, value_of(key)) for key in KEYS)
        for key in KEYS:
            work.keep(key, value_of(key))
        len(work)
        work.remove(KEYS[:3])
    with WorkFile(path, "a") as work:
        assert all(work.get(key) in (None, value_of(key)) for key in KEYS)


@examples(40)
@given(st.floats(0, 1), st.binary(max_size=50))
def test_a_log_cut_by_a_power_failure_costs_what_came_last(
    tmp_path_factory: pytest.TempPathFactory, share: float, rest: bytes
) -> None:
    folder = tmp_path_factory.mktemp("work")
    path, copy = folder / "work", folder / "copy"
    with WorkFile(path, "a") as work:
        for key in KEYS[:20]:
            work.keep(key, value_of(key))
        work.sync()
        for key in KEYS[20:]:
            work.keep(key, value_of(key))
        shutil.copy(path, copy)
        log = (folder / "work-wal").read_bytes()
    (folder / "copy-wal").write_bytes(log[: round(share * len(log))] + rest)
    with WorkFile(copy, "a") as work:
        found = work.items()
        assert found == [(key, value_of(key)) for key in KEYS[: len(found)]]
        assert len(found) >= 20
        assert share < 1 or len(found) == 40


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "work"
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from flawline.data.work_file import WorkFile\n"
        "work = WorkFile(Path(sys.argv[1]), 'a')\n"
        "for number in range(100):\n"
        "    work.keep(str(number), b'%d' % number)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    with WorkFile(path, "a") as work:
        assert work.items() == [(str(number), b"%d" % number) for number in range(100)]


def test_a_second_run_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "work"
    with WorkFile(path, "a") as first:
        first.keep("one", b"1")
        for settings in ("a", "another"):
            with pytest.raises(UsageError, match="in use by another run"):
                WorkFile(path, settings)
        first.keep("two", b"2")
        assert first.get("one") == b"1"
    with WorkFile(path, "a") as second:
        assert second.items() == [("one", b"1"), ("two", b"2")]


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from flawline.data.work_file import WorkFile\n"
        "from flawline.errors import UsageError\n"
        "try:\n"
        "    WorkFile(Path(sys.argv[1]), 'b')\n"
        "except UsageError as error:\n"
        "    print(error.message, error.hint)\n"
    )
    path = tmp_path / "work"
    with WorkFile(path, "a") as first:
        first.keep("one", b"1")
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
        )
        assert first.get("one") == b"1"
    assert "in use by another run wait until that one ends" in done.stdout
    with WorkFile(path, "a") as again:
        assert again.get("one") == b"1"


def test_threads_may_keep_and_read_at_once(tmp_path: Path) -> None:
    with WorkFile(tmp_path / "work", "a") as work:

        def one(key: str) -> bytes | None:
            work.keep(key, value_of(key))
            return work.get(key)

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(one, KEYS * 5))
        assert found == [value_of(key) for key in KEYS * 5]
        assert len(work) == len(KEYS)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are those of POSIX")
def test_a_disk_without_room_is_an_error_of_the_system_and_costs_nothing(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from flawline.data.work_file import WorkFile\n"
        "with WorkFile(Path(sys.argv[1]), 'a') as work:\n"
        "    work.keep('one', b'1' * 1000)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        work.keep('two', bytes(2**21))\n"
        "    except OSError as error:\n"
        "        print(type(error).__name__, error.filename)\n"
        "    print(work.get('one') == b'1' * 1000, work.get('two'))\n"
        "    work.keep('three', b'3')\n"
    )
    path = tmp_path / "work"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["OSError", str(path), "True", "None"]
    with WorkFile(path, "a") as work:
        assert work.items() == [("one", b"1" * 1000), ("three", b"3")]


def test_places_that_cannot_be_written_are_errors_of_the_system(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "work"):
        with pytest.raises(OSError, match="directory"):
            WorkFile(path, "a")
    if os.geteuid():
        (tmp_path / "work").touch(mode=0o400)
        with pytest.raises(PermissionError):
            WorkFile(tmp_path / "work", "a")


def test_closing_twice_does_nothing(tmp_path: Path) -> None:
    work = WorkFile(tmp_path / "work", "a")
    work.close()
    work.close()


def test_a_row_of_another_width_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with StoredRows(path, "a", 3) as rows:
        rows.remember(b"one", np.ones(3, np.float32))
        np.testing.assert_array_equal(rows.recall(b"one"), np.ones(3))
        assert rows.recall(b"two") is None
    with StoredRows(path, "a", 3) as rows:
        assert len(rows) == 1
        np.testing.assert_array_equal(rows.recall(b"one"), np.ones(3))
    with StoredRows(path, "a", 4) as rows:
        assert rows.recall(b"one") is None


@examples(40)
@given(st.dictionaries(st.binary(max_size=20), st.floats(width=32, allow_nan=False), max_size=30))
def test_rows_that_are_remembered_are_recalled(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("rows") / "rows"
    for _ in range(2):
        with StoredRows(path, "a", 1) as rows:
            for data, value in values.items():
                rows.remember(data, np.array([value], dtype=np.float32))
    with StoredRows(path, "a", 1) as rows:
        assert {data: float(rows.recall(data)[0]) for data in values} == values
