"""Pack any number of named measures into one value of a row.

A row holds its numbers as 8 bytes each, and the number of the list of their names, which is stored once. At 30 million
defects with 30 measures that takes 7 GB; one row per number would take 25 GB and a billion rows, one column per name a
new schema whenever a recipe measures something new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import nan

import numpy as np
from numpy.typing import NDArray

_TYPE = np.dtype("<f8")


def shape_of(measures: Mapping[str, float]) -> str:
    """Join the names of measures to one text, in a fixed order."""
    return _shape(tuple(sorted(measures)))


@lru_cache(4096)
def _shape(names: tuple[str, ...]) -> str:
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"))


@lru_cache(4096)
def names_of(shape: str) -> tuple[str, ...]:
    """Split the names in the text of `shape_of`."""
    return tuple(json.loads(shape))


def pack(measures: Mapping[str, float], shape: str) -> bytes:
    """Pack numbers in the order of the names of `shape`."""
    return np.array([measures[name] for name in names_of(shape)], dtype=_TYPE).tobytes()


def unpack(shape: str, values: bytes) -> dict[str, float]:
    """Unpack the measures of `pack`, without those that are missing (NaN)."""
    numbers = np.frombuffer(values, dtype=_TYPE).tolist()
    return {n: v for n, v in zip(names_of(shape), numbers, strict=True) if v == v}


def column(name: str, shapes: Sequence[str | None], values: Sequence[bytes | None]) -> list[float]:
    """Unpack one measure of many rows, NaN where a row lacks it."""
    cells: NDArray[np.float64] = np.full(len(shapes), nan)
    for shape in set(shapes):
        if shape is None or name not in names_of(shape):
            continue
        names = names_of(shape)
        rows = [place for place, own in enumerate(shapes) if own == shape]
        table = np.frombuffer(b"".join(values[place] or b"" for place in rows), dtype=_TYPE)
        cells[rows] = table.reshape(len(rows), len(names))[:, names.index(name)]
    numbers: list[float] = cells.tolist()
    return numbers


def all_names(shapes: Iterable[str]) -> list[str]:
    """List every name of any of the shapes, sorted."""
    return sorted({name for shape in shapes for name in names_of(shape)})
