"""The build hook: it compiles where it can, and goes on where it cannot."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from flawline.core.measure.native.library import FOLDER

ROOT = Path(__file__).parents[1]
SOURCES = ("*.c", "*.h", "library.py")


@pytest.fixture
def native(tmp_path) -> Path:
    """A folder with the sources."""
    for pattern in SOURCES:
        for path in FOLDER.glob(pattern):
            shutil.copy(path, tmp_path)
    return tmp_path


@pytest.fixture
def build(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    return runpy.run_path(str(ROOT / "hatch_build.py"))


def any_compiler() -> None:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("no C compiler")


def hook(build, library, words):
    """The hook's answer to a compiler that gives this."""
    made = build["CompiledMeasuring"]
    made.initialize.__globals__["compile_library"] = lambda: (library, words)
    data: dict = {"artifacts": [], "pure_python": True}
    made.initialize(SimpleNamespace(), "standard", data)
    return data


def test_it_compiles_once_and_again_when_a_source_has_changed(build, native) -> None:
    any_compiler()
    library, words = build["compile_library"](native)
    assert library == native / "measure.so"
    assert "compiled with" in words
    assert "up to date" in build["compile_library"](native)[1]
    (native / "memory.c").write_text((native / "memory.c").read_text() + "\n")
    assert "compiled with" in build["compile_library"](native)[1]
    assert sorted(path.name for path in native.iterdir() if path.name.startswith(".")) == []


def test_it_goes_on_without_a_compiler_and_says_so(build, native, monkeypatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    (native / "measure.so").write_bytes(b"of another version")
    library, words = build["compile_library"](native)
    assert library is None
    assert words.startswith("Defects are measured with NumPy, without the compiled library: no-suc")
    assert "\n" not in words
    assert not (native / "measure.so").exists(), "an old library must not be installed"


def test_it_goes_on_where_compiling_fails(build, native) -> None:
    any_compiler()
    (native / "hull.c").write_text("this is not C\n")
    library, words = build["compile_library"](native)
    assert library is None
    assert "hull.c" in words
    assert "\n" not in words


def test_a_compiler_that_makes_nothing_is_a_failure(build, native, monkeypatch) -> None:
    monkeypatch.setenv("CC", f"{sys.executable} -c pass")
    assert build["compile_library"](native)[0] is None


def test_a_wheel_with_the_library_is_for_one_system(build) -> None:
    data = hook(build, ROOT / "src" / "measure.so", "")
    assert data["artifacts"] == ["src/measure.so"]
    assert data["pure_python"] is False
    assert data["tag"].startswith("py3-none-")
    assert "-" not in data["tag"].removeprefix("py3-none-")


def test_a_wheel_without_it_is_for_all(build, capsys) -> None:
    assert hook(build, None, "no compiler") == {"artifacts": [], "pure_python": True}
    assert capsys.readouterr().err == "no compiler\n"


def test_by_hand(native, tmp_path) -> None:
    environment = {**os.environ, "CC": "no-such-compiler"}
    folder = tmp_path / "copy" / "src" / "flawline" / "core" / "measure" / "native"
    folder.mkdir(parents=True)
    for pattern in SOURCES:
        for path in FOLDER.glob(pattern):
            shutil.copy(path, folder)
    shutil.copy(ROOT / "hatch_build.py", tmp_path / "copy")
    command = [sys.executable, str(tmp_path / "copy" / "hatch_build.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "without the compiled library" in done.stdout
