"""The build hook: it compiles where it can, and goes on where it cannot."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from flawline.compiled import LIBRARIES, MEASURE, PACKAGE

ROOT = Path(__file__).parents[1]
SOURCES = ("*.c", "*.h")


@pytest.fixture
def library(tmp_path):
    """The library for measuring, in a folder of its own and not yet compiled."""
    return replace(copied(MEASURE, tmp_path), folder=tmp_path)


def copied(library, folder):
    for pattern in SOURCES:
        for path in library.folder.glob(pattern):
            shutil.copy(path, folder)
    return library


@pytest.fixture
def build(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    return runpy.run_path(str(ROOT / "hatch_build.py"))


def any_compiler() -> None:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("no C compiler")


def hook(build, *found):
    """The hook's answer to a compiler that gives this for one library after the other."""
    made, answers = build["CompiledLibraries"], iter(found)
    made.initialize.__globals__["compile_library"] = lambda _: next(answers)
    data: dict = {"artifacts": [], "pure_python": True}
    made.initialize(SimpleNamespace(), "standard", data)
    return data


@pytest.mark.parametrize("each", LIBRARIES, ids=lambda each: each.name)
def test_it_compiles_once_and_again_when_a_source_has_changed(build, tmp_path, each) -> None:
    any_compiler()
    library = replace(copied(each, tmp_path), folder=tmp_path)
    found, words = build["compile_library"](library)
    assert found == tmp_path / each.name
    assert "compiled with" in words
    assert "up to date" in build["compile_library"](library)[1]
    source = next(tmp_path.glob("*.c"))
    source.write_text(source.read_text() + "\n")
    assert "compiled with" in build["compile_library"](library)[1]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_it_goes_on_without_a_compiler_and_says_so(build, library, monkeypatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    library.path.write_bytes(b"of another version")
    found, words = build["compile_library"](library)
    assert found is None
    assert words.startswith("Defects are measured by NumPy, without the compiled library: no-suc")
    assert "\n" not in words
    assert not library.path.exists(), "an old library must not be installed"


def test_it_goes_on_where_compiling_fails(build, library) -> None:
    any_compiler()
    (library.folder / "hull.c").write_text("this is not C\n")
    found, words = build["compile_library"](library)
    assert found is None
    assert "hull.c" in words
    assert "\n" not in words


def test_a_compiler_that_makes_nothing_is_a_failure(build, library, monkeypatch) -> None:
    monkeypatch.setenv("CC", f"{sys.executable} -c pass")
    assert build["compile_library"](library)[0] is None


def test_a_wheel_with_a_library_is_for_one_system(build, capsys) -> None:
    data = hook(build, (ROOT / "src" / "measure.so", ""), (None, "no norms"))
    assert data["artifacts"] == ["src/measure.so"]
    assert capsys.readouterr().err == "no norms\n"
    assert data["pure_python"] is False
    assert data["tag"].startswith("py3-none-")
    assert "-" not in data["tag"].removeprefix("py3-none-")


def test_a_wheel_without_any_is_for_all(build, capsys) -> None:
    none = [(None, "no compiler")] * len(LIBRARIES)
    assert hook(build, *none) == {"artifacts": [], "pure_python": True}
    assert capsys.readouterr().err == "no compiler\n" * len(LIBRARIES)


def test_by_hand(tmp_path) -> None:
    environment = {**os.environ, "CC": "no-such-compiler"}
    package = tmp_path / "src" / "flawline"
    for library in LIBRARIES:
        folder = package / library.folder.relative_to(PACKAGE)
        folder.mkdir(parents=True)
        copied(library, folder)
    shutil.copy(PACKAGE / "compiled.py", package)
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    command = [sys.executable, str(tmp_path / "hatch_build.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("without the compiled library") == len(LIBRARIES)
