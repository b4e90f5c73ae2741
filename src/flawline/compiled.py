"""The compiled libraries: where they are, whether one may be used, and if not why.

Imports nothing but Python itself, so that `hatch_build.py` can read it while Flawline is being built.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
SWITCH = "FLAWLINE_NATIVE"


@dataclass(frozen=True, slots=True)
class Library:
    """C sources in a folder, and the file beside them that they are compiled to, under this `name` on every system.

    `interface` is FLAWLINE_INTERFACE of the sources. `instead` does the `work` where there is no library.
    """

    folder: Path
    name: str
    interface: int
    work: str
    instead: str

    @property
    def path(self) -> Path:
        """The compiled file."""
        return self.folder / self.name


MEASURE = Library(
    PACKAGE / "core" / "measure" / "native", "measure.so", 1, "Defects are measured", "NumPy"
)
NORM = Library(
    PACKAGE / "jobs" / "train" / "segment" / "native",
    "norm.so",
    1,
    "Batch norms are trained",
    "PyTorch",
)
LIBRARIES = (MEASURE, NORM)


@dataclass(frozen=True, slots=True)
class Kernel:
    """The library, or None; `state` says in words which it is and why."""

    library: ctypes.CDLL | None
    state: str


def kernel(library: Library) -> Kernel:
    """A library where it is there, belongs to this version and is not turned off by FLAWLINE_NATIVE=0."""
    if os.environ.get(SWITCH) == "0":
        return Kernel(None, f"{library.instead}: turned off by {SWITCH}=0")
    return opened(library)


def sources_digest(folder: Path) -> str:
    """Names the C sources in a folder; empty where they were not installed."""
    sources = sorted([*folder.glob("*.c"), *folder.glob("*.h")])
    if not sources:
        return ""
    # Line ends may be rewritten between where it is compiled and where it is installed.
    texts = (path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n") for path in sources)
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]


@cache
def opened(library: Library) -> Kernel:
    """A library, if it was compiled from the sources beside it."""
    if not library.path.exists():
        return Kernel(None, f"{library.instead}: not compiled when Flawline was installed")
    try:
        found = ctypes.CDLL(str(library.path))
        found.flawline_interface.restype = ctypes.c_int64
        found.flawline_sources.restype = ctypes.c_char_p
        interface, built_from = found.flawline_interface(), found.flawline_sources().decode()
    except (OSError, AttributeError, UnicodeDecodeError) as error:
        return Kernel(None, f"{library.instead}: the compiled library cannot be used: {error}")
    if (
        interface != library.interface
        or (sources_digest(library.folder) or built_from) != built_from
    ):
        return Kernel(
            None, f"{library.instead}: compiled for another version; install Flawline again"
        )
    return Kernel(found, "the compiled library")
