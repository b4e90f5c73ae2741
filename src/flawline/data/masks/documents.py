"""Read untrusted files of annotations: bounded, never executed, errors with their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from flawline.data.bounded_file import read_bounded
from flawline.data.masks.shapes import BrokenShape
from flawline.errors import SourceError

T = TypeVar("T")

MOST_BYTES = 500_000_000
_EXPORT_AGAIN = "Export the annotations again, or correct that place."


def refuse(file: str, place: str, message: str, hint: str = _EXPORT_AGAIN) -> NoReturn:
    """Raise the SourceError of a broken file of annotations."""
    raise SourceError(f"{file}, {place}: {message}", hint=hint, code="annotations")


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a file of at most `most` bytes; raises SourceError."""
    hint = "Split the export into several sets."
    return read_bounded(path, most, SourceError, "annotations", limit=hint)


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """Read a UTF-8 file; raises SourceError."""
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(path.name, f"byte {error.start}", "expected UTF-8 text", "Save it as UTF-8.")


def read_json(path: Path) -> Any:
    """Read a JSON file; raises SourceError."""
    text = read_text(path)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        refuse(
            path.name, f"line {error.lineno}", f"expected JSON, {error.msg} (column {error.colno})"
        )
    except RecursionError:
        refuse(path.name, "a list", "expected annotations, got lists that are nested too deep")
    except ValueError as error:
        refuse(path.name, "a number", f"expected numbers that JSON allows, got {error}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


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
    rows, columns = typed(height, int, file, place), typed(width, int, file, place)
    if rows < 1 or columns < 1 or rows * columns > most_pixels:
        refuse(
            file,
            place,
            f"expected a picture of 1 to {most_pixels} pixels, it states {columns} x {rows}",
            "Correct the size, or raise max_pixels (ImageLimits).",
        )
    return rows, columns


def points_of(flat: Any) -> NDArray[np.float64]:
    """Convert x and y in turn to points (N, 2); raises BrokenShape for anything else."""
    try:
        values = np.asarray(flat)
    except (ValueError, OverflowError) as error:
        raise BrokenShape("expected a list of x and y in turn") from error
    if values.ndim != 1 or values.dtype.kind not in "iuf" or len(values) % 2:
        raise BrokenShape(f"expected a list of x and y in turn, got {str(flat)[:40]}")
    return values.astype(np.float64).reshape(-1, 2)
