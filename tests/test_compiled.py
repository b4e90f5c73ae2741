"""Compiled libraries are used where they are ours, and only there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from flawline import compiled
from flawline.compiled import LIBRARIES, MEASURE, SWITCH, Library, kernel, opened, sources_digest

pytestmark = pytest.mark.parametrize("library", LIBRARIES, ids=lambda each: each.name)


@pytest.fixture
def copy(library, tmp_path) -> Library:
    """The sources in a folder of their own, without what they are compiled to."""
    for path in (*library.folder.glob("*.c"), *library.folder.glob("*.h")):
        shutil.copy(path, tmp_path)
    return replace(library, folder=tmp_path)


@pytest.fixture
def with_file(library, copy) -> Library:
    """The same with the compiled file."""
    if opened(library).library is None:
        pytest.skip(opened(library).state)
    shutil.copy(library.path, copy.path)
    return copy


def test_it_is_turned_off_by_the_environment(library, monkeypatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    found = kernel(library)
    assert found.library is None
    assert found.state == f"{library.instead}: turned off by FLAWLINE_NATIVE=0"


def test_it_says_so_where_it_was_not_compiled(library, copy) -> None:
    found = opened(copy)
    assert found.library is None
    assert found.state == f"{library.instead}: not compiled when Flawline was installed"


def test_what_is_no_library_is_not_used(copy) -> None:
    copy.path.write_bytes(b"no library")
    found = opened(copy)
    assert found.library is None
    assert "cannot be used" in found.state


def test_it_is_used_with_its_sources_and_without_any(with_file) -> None:
    assert opened(with_file).state == "the compiled library"
    bare = replace(with_file, folder=with_file.folder / "bare")
    bare.folder.mkdir()
    shutil.copy(with_file.path, bare.path)
    assert opened(bare).library is not None


def test_a_library_of_another_version_is_not_used(with_file) -> None:
    newer = replace(with_file, interface=with_file.interface + 1)
    assert "another version" in opened(newer).state
    source = next(with_file.folder.glob("*.c"))
    source.write_text(source.read_text(encoding="utf-8") + "\nint x;\n", encoding="utf-8")
    changed = replace(with_file, work="otherwise it is remembered")
    assert opened(changed).library is None
    assert "another version" in opened(changed).state


def test_another_library_is_not_ours(library) -> None:
    path = Path(find_spec("numpy.random._common").origin)
    found = opened(replace(library, folder=path.parent, name=path.name))
    assert found.library is None
    assert "cannot be used" in found.state


def test_sources_are_known_by_their_text(library, copy) -> None:
    expected = sources_digest(library.folder)
    for path in (*copy.folder.glob("*.c"), *copy.folder.glob("*.h")):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert sources_digest(copy.folder) == expected, "line ends do not count"
    next(copy.folder.glob("*.c")).write_text("int x;\n")
    assert sources_digest(copy.folder) != expected


def test_it_is_loaded_when_it_is_needed_and_not_before(library) -> None:
    code = (
        "import flawline.core.measure.measure, flawline.networks.machine;"
        "from flawline.compiled import opened;"
        "print(opened.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_each_has_a_folder_of_its_own(library) -> None:
    assert [other for other in LIBRARIES if other.folder == library.folder] == [library]
    assert MEASURE in LIBRARIES
    assert library.folder.is_relative_to(compiled.PACKAGE)
