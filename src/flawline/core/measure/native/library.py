"""The compiled library: where it is, whether it may be used, and if not why.

Imports nothing but Python itself, so that `hatch_build.py` can read it while Flawline is being built.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "measure.so"  # under this name on every system
INTERFACE = 1  # FLAWLINE_INTERFACE of measure.h
SWITCH = "FLAWLINE_NATIVE"


class Mask(ctypes.Structure):
    """One class mask, and the picture in grey or None."""

    _fields_ = (
        ("pixels", ctypes.c_void_p),
        ("grey", ctypes.c_void_p),
        ("height", ctypes.c_int64),
        ("width", ctypes.c_int64),
    )


class Wishes(ctypes.Structure):
    """What is to be measured."""

    _fields_ = (
        ("wanted", ctypes.c_int64),
        ("smallest", ctypes.c_int64),
        ("merge", ctypes.c_double),
        ("cluster", ctypes.c_double),
    )


class Result(ctypes.Structure):
    """Sizes and addresses of what was measured."""

    _fields_ = (
        ("defects", ctypes.c_int64),
        ("rings", ctypes.c_int64),
        ("points", ctypes.c_int64),
        ("runs", ctypes.c_int64),
        ("table", ctypes.c_void_p),
        ("ring_sizes", ctypes.c_void_p),
        ("ring_points", ctypes.c_void_p),
        ("run_table", ctypes.c_void_p),
    )


@dataclass(frozen=True, slots=True)
class Kernel:
    """The library, or None; `state` says in words which it is and why."""

    library: ctypes.CDLL | None
    state: str


def kernel() -> Kernel:
    """The library where it is there, belongs to this version and is not turned off by FLAWLINE_NATIVE=0."""
    if os.environ.get(SWITCH) == "0":
        return Kernel(None, f"NumPy: turned off by {SWITCH}=0")
    return opened(LIBRARY)


def sources_digest() -> str:
    """Names the C sources beside this file; empty where they were not installed."""
    sources = sorted([*FOLDER.glob("*.c"), *FOLDER.glob("*.h")])
    if not sources:
        return ""
    # Line ends may be rewritten between where it is compiled and where it is installed.
    texts = (path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n") for path in sources)
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]


@cache
def opened(path: Path) -> Kernel:
    """The library in a file, if it was compiled from the sources beside this module."""
    if not path.exists():
        return Kernel(None, "NumPy: not compiled when Flawline was installed")
    try:
        library = ctypes.CDLL(str(path))
        library.flawline_interface.restype = ctypes.c_int64
        library.flawline_sources.restype = ctypes.c_char_p
        interface, built_from = library.flawline_interface(), library.flawline_sources().decode()
    except (OSError, AttributeError, UnicodeDecodeError) as error:
        return Kernel(None, f"NumPy: the compiled library cannot be used: {error}")
    if interface != INTERFACE or (sources_digest() or built_from) != built_from:
        return Kernel(None, "NumPy: compiled for another version; install Flawline again")
    library.flawline_measure.argtypes = (
        ctypes.POINTER(Mask),
        ctypes.c_int64,
        ctypes.POINTER(Wishes),
        ctypes.POINTER(ctypes.POINTER(Result)),
    )
    library.flawline_measure.restype = ctypes.c_int
    library.flawline_free.argtypes = (ctypes.POINTER(Result),)
    library.flawline_free.restype = None
    return Kernel(library, "the compiled library")
