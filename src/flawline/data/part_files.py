"""Name files and folders that are being written, lock them, and remove those that a killed process left.

The lock of a process ends with it, on every host and in every container; its number says nothing there.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows; what a killed process leaves stays there
    fcntl = None  # type: ignore[assignment]

_PART = re.compile(r"\..+\.\d+\.part(\.[^.]*)?")
_swept: set[str] = set()
_sweeping = threading.Lock()


def part_name(name: str, ending: str = "", *, own: str = "") -> str:
    """Name the part file of a file or folder; `own` keeps several of one process apart."""
    return f".{name}{own and f'.{own}'}.{os.getpid()}.part{ending}"


@contextmanager
def part_file(path: Path) -> Iterator[Path]:
    """Create and lock a part file for the block, which moves or fills it; one that is left is removed."""
    sweep(path.parent)
    opened = None if fcntl is None else os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    with _locked(opened):
        try:
            yield path
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise


@contextmanager
def part_folder(path: Path, mode: int = 0o777) -> Iterator[Path]:
    """Create and lock an empty part folder for the block, which may move it away; it is removed at the end."""
    sweep(path.parent)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode)
    opened = None if fcntl is None else os.open(path, os.O_RDONLY)
    with _locked(opened):
        try:
            yield path
        finally:
            # Windows removes no file that a runtime still holds open.
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Create a folder for the block in the system's temporary folder."""
    place = Path(tempfile.gettempdir())
    name = part_name("flawline", own=os.urandom(6).hex())
    with part_folder(place / name, mode=0o700) as folder:
        yield folder


def sweep(folder: Path) -> None:
    """Remove the part files and folders that killed processes left in a folder; once in each process."""
    place = os.path.realpath(folder)
    with _sweeping:
        if fcntl is None or place in _swept:
            return
        _swept.add(place)
        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                if _PART.fullmatch(entry.name) and not entry.is_symlink():
                    _remove_unlocked(entry.path)


@contextmanager
def _locked(opened: int | None) -> Iterator[None]:
    if opened is None:
        yield
        return
    try:
        # Some file systems have no locks; nobody removes anything there.
        with suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)


def _remove_unlocked(path: str) -> None:
    with suppress(OSError):
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)
        finally:
            os.close(opened)
