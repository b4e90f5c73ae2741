"""Work that is kept as it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from flawline.data.journal import Journal


def kept(path: Path, computation: str = "a") -> dict[str, object]:
    with Journal(path, computation) as journal:
        return {key: journal.get(key) for key in ("one", "two", "three") if journal.get(key)}


def write(path: Path, computation: str = "a") -> None:
    with Journal(path, computation) as journal:
        journal.keep("one", {"score": 0.1, "name": "é\n"})
        journal.keep("two", {"score": 2})


def test_what_was_kept_is_known_later(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path)
    assert kept(path) == {"one": {"score": 0.1, "name": "é\n"}, "two": {"score": 2}}
    with Journal(path, "a") as journal:
        assert len(journal) == 2
        journal.keep("one", {"score": 9})
        journal.keep("three", {"score": 3})
    assert kept(path)["one"] == {"score": 0.1, "name": "é\n"}
    assert kept(path)["three"] == {"score": 3}


def test_another_computation_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path)
    assert kept(path, "b") == {}
    assert kept(path, "a") == {}


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_line_costs_one_result_and_the_file_goes_on(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal"
    write(path)
    path.write_bytes(path.read_bytes()[:-cut])
    assert set(kept(path)) == {"one"}
    with Journal(path, "a") as journal:
        journal.keep("three", {"score": 3})
    assert set(kept(path)) == {"one", "three"}


def test_an_altered_line_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path)
    path.write_bytes(path.read_bytes().replace(b'"score":2', b'"score":3'))
    assert set(kept(path)) == {"one"}
