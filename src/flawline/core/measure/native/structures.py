"""What goes into the compiled library for measuring and comes out of it: the structures of measure.h."""

from __future__ import annotations

import ctypes


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
