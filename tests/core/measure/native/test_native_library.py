from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from flawline.core.measure.native import library
from flawline.core.measure.native.library import FOLDER, SWITCH, kernel, opened, sources_digest


@pytest.fixture
def compiled() -> Path:
    if opened(library.LIBRARY).library is None:
        pytest.skip(opened(library.LIBRARY).state)
    return library.LIBRARY


def test_it_is_turned_off_by_the_environment(monkeypatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    assert kernel() == library.Kernel(None, "NumPy: turned off by FLAWLINE_NATIVE=0")


def test_it_says_so_where_it_was_not_compiled(tmp_path) -> None:
    found = opened(tmp_path / "measure.so")
    assert found.library is None
    assert found.state == "NumPy: not compiled when Flawline was installed"


def test_what_is_no_library_is_not_used(tmp_path) -> None:
    (tmp_path / "measure.so").write_bytes(b"no library")
    found = opened(tmp_path / "measure.so")
    assert found.library is None
    assert "cannot be used" in found.state


@pytest.mark.parametrize("what", ["INTERFACE", "sources_digest"])
def test_a_library_of_another_version_is_not_used(compiled, tmp_path, monkeypatch, what) -> None:
    other = {"INTERFACE": library.INTERFACE + 1, "sources_digest": lambda: "0123456789abcdef"}
    monkeypatch.setattr(library, what, other[what])
    found = opened(Path(shutil.copy(compiled, tmp_path / "measure.so")))
    assert found.library is None
    assert "another version" in found.state


def test_another_library_is_not_ours() -> None:
    found = opened(Path(find_spec("numpy.random._common").origin))
    assert found.library is None
    assert "cannot be used" in found.state


def test_sources_are_known_by_their_text(tmp_path, monkeypatch) -> None:
    for path in (*FOLDER.glob("*.c"), *FOLDER.glob("*.h")):
        (tmp_path / path.name).write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    expected = sources_digest()
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    assert sources_digest() == expected, "line ends do not count"
    (tmp_path / "hull.c").write_text("int x;\n")
    assert sources_digest() != expected


def test_it_is_loaded_when_something_is_measured_and_not_before() -> None:
    code = (
        "import flawline.core.measure.measure;"
        "from flawline.core.measure.native.library import opened;"
        "print(opened.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
