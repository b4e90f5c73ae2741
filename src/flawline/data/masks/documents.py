"""Read untrusted files of annotations: bounded, never executed, errors with their place."""

from __future__ import annotations

import json
import math
import re
import reprlib
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from flawline.data.bounded_file import read_bounded
from flawline.data.masks.shapes import BrokenShape
from flawline.errors import SourceError

T = TypeVar("T")

MOST_BYTES, MOST_PARTS, MOST_VALUES = 250_000_000, 4_000_000, 20_000_000
_WHOLE = re.compile(r"[+-]?[0-9]{1,40}(\.0*)?")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Whole numbers below this are exact as floats.
_EXACT = 2.0**53
_SPLIT = "Split the export into several sets."
_EXPORT_AGAIN = "Export the annotations again, or correct that place."


def refuse(file: str, place: str, message: str, hint: str = _EXPORT_AGAIN) -> NoReturn:
    """Raise the SourceError of a broken file of annotations."""
    raise SourceError(f"{file}, {place}: {message}", hint=hint, code="annotations")


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a file of at most `most` bytes; raises SourceError."""
    return read_bounded(path, most, SourceError, "annotations", limit=_SPLIT)


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """Read a UTF-8 file; raises SourceError."""
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(path.name, f"byte {error.start}", "expected UTF-8 text", "Save it as UTF-8.")


def read_json(path: Path) -> Any:
    """Read a JSON file; raises SourceError. NaN and Infinity are read: tools write them in fields that nobody needs."""
    text = read_text(path)
    # Two bytes of a file can become 64 of memory as a list, 230 as an object and 32 as a number.
    parts = text.count("[") + text.count("{")
    for what, count, most in (
        ("lists and objects", parts, MOST_PARTS),
        ("values", parts + text.count(","), MOST_VALUES),
    ):
        if count > most:
            message = f"expected at most {most} {what}, it holds {count}"
            refuse(path.name, "the whole file", message, _SPLIT)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        refuse(
            path.name, f"line {error.lineno}", f"expected JSON, {error.msg} (column {error.colno})"
        )
    except RecursionError:
        refuse(path.name, "a list", "expected annotations, got lists that are nested too deep")
    except ValueError as error:
        refuse(path.name, "a number", f"expected numbers that JSON allows, got {error}")


def whole(value: Any) -> int | None:
    """Read a whole number as tools write it, 40, 40.0 or "40"; None for anything else, such as true or "1e9"."""
    if isinstance(value, str):
        return int(value.partition(".")[0]) if _WHOLE.fullmatch(value.strip()) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def real(value: Any) -> float | None:
    """Read a finite number, 0.5, 1 or "0.5"; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and not _REAL.fullmatch(value.strip()):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def key_of(value: Any) -> int | str | None:
    """Read an id: 1, 1.0 and "1" are the same; None for anything that is no text and no whole number."""
    number = whole(value)
    if isinstance(value, str) and (number is None or str(number) != value.strip().split(".")[0]):
        return value
    return number


def short(value: Any) -> str:
    """Show a value of a file in an error: only the head of what may be long."""
    text = "nothing" if value is None else reprlib.repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def typed(value: Any, kind: type[T], file: str, place: str) -> T:
    """Return `value` where it is of `kind`; raises SourceError with the place where it is not."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}
        came = "nothing" if value is None else words.get(type(value), type(value).__name__)
        refuse(file, place, f"expected {words.get(kind, kind.__name__)}, got {came}")
    return value


def stated_size(
    height: Any, width: Any, most_pixels: int, file: str, place: str
) -> tuple[int, int]:
    """Check the (height, width) that a file states; raises SourceError for a size that no picture has."""
    try:
        return size_of(height, width, most_pixels)
    except BrokenShape as error:
        refuse(file, place, str(error), "Correct the size, or raise max_pixels (ImageLimits).")


def size_of(height: Any, width: Any, most_pixels: int) -> tuple[int, int]:
    """Check a stated (height, width); raises BrokenShape for a size that no picture has."""
    rows, columns = whole(height), whole(width)
    if rows is None or columns is None:
        raise BrokenShape(
            f"expected whole numbers as width and height, got {short(width)} and {short(height)}"
        )
    if rows < 1 or columns < 1 or rows * columns > most_pixels:
        raise BrokenShape(
            f"expected a picture of 1 to {most_pixels} pixels, it states {columns} x {rows}"
        )
    return rows, columns


def points_of(flat: Any) -> NDArray[np.float64]:
    """Convert x and y in turn to points (N, 2); raises BrokenShape for anything else."""
    numbers = reals_of(flat, "a list of x and y in turn")
    if len(numbers) % 2:
        raise BrokenShape(f"expected a list of x and y in turn, got {len(numbers)} numbers")
    return numbers.reshape(-1, 2)


def reals_of(values: Any, expected: str) -> NDArray[np.float64]:
    """Convert a list of numbers, or of their texts, to float64; raises BrokenShape with what was `expected`.

    NaN and infinity pass: they lie on no picture.
    """
    kinds = set(map(type, values)) if isinstance(values, list) else {None}
    if kinds <= {int, float}:
        with suppress(OverflowError):
            return np.array(values, np.float64)
    if not kinds <= {int, float, str} or None in (numbers := [real(value) for value in values]):
        raise BrokenShape(f"expected {expected}, got {short(values)}")
    return np.array(numbers, np.float64)


def wholes_of(values: Any, expected: str) -> NDArray[np.int64]:
    """Convert a list of whole numbers, or of their texts, to int64; raises BrokenShape with what was `expected`."""
    if isinstance(values, list):
        plain = set(map(type, values)) <= {int}
        numbers = values if plain else [whole(value) for value in values]
        with suppress(OverflowError, TypeError):
            return np.array(numbers, np.int64)
    raise BrokenShape(f"expected {expected}, got {short(values)}")


def pairs_of(points: Any) -> NDArray[np.float64]:
    """Convert a list of [x, y] to points (N, 2); raises BrokenShape for anything else."""
    pairs = isinstance(points, list) and all(
        isinstance(point, list) and len(point) == 2 for point in points
    )
    if not pairs:
        raise BrokenShape(f"expected a list of points [x, y], got {short(points)}")
    return points_of([number for point in points for number in point])
