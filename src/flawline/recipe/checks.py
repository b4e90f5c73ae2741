"""Check values of recipe.toml: each check states what it expects and returns the value as it is held in memory."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from flawline.recipe.toml_text import toml_value

# Of a file inside a recipe: fits every file system, never hidden, and reaches nowhere.
FILE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9])?")
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(mm|px)")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MOST_POINTS = 10_000
_MOST_SHOWN = 60

Point = tuple[float, float]
Polygon = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What is `expected`, in words with unit and range; `read` raises ValueError for anything else."""

    expected: str
    read: Callable[[Any], Any]


def shown(value: Any) -> str:
    """Format a value as recipe.toml would have it, cut where it is long."""
    try:
        text = toml_value(value)
    except ValueError:
        text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} ..."


def one_of(*choices: str) -> Check:
    """Check for one of some words."""
    return Check(
        " or ".join(f'"{choice}"' for choice in choices),
        lambda value: _if(isinstance(value, str) and value in choices, value),
    )


def named(known: Container[str], expected: str) -> Check:
    """Check for a name of a registry, which is `expected` in words."""
    return Check(expected, lambda value: _if(isinstance(value, str) and value in known, value))


def integer(low: int, high: int, unit: str = "") -> Check:
    """Check for a whole number from `low` to `high`, both included."""
    expected = " ".join(filter(None, (f"a whole number {low} to {high}", unit)))
    return Check(expected, lambda value: _integer(value, low, high))


def integers(low: int, high: int, unit: str = "") -> Check:
    """Check for a whole number, or a list of them, from `low` to `high`, both included."""
    single = integer(low, high, unit)
    return Check(
        f"{single.expected}, or a list of them",
        lambda value: (
            tuple(_integer(item, low, high) for item in value)
            if isinstance(value, list | tuple)
            else _integer(value, low, high)
        ),
    )


def number(unit: str, low: float = -math.inf, high: float = math.inf) -> Check:
    """Check for a finite number above `low` and at most `high`."""
    above = f"above {low:g}" if math.isfinite(low) else ""
    most = f"at most {high:g}" if math.isfinite(high) else ""
    span = " and ".join(filter(None, (above, most)))
    expected = ", ".join(filter(None, (f"a finite number {span}".rstrip(), unit)))
    return Check(expected, lambda value: _number(value, low, high))


def text(most: int) -> Check:
    """Check for text of one line with at most `most` characters."""
    return Check(
        f"text of one line, at most {most} characters",
        lambda value: _if(_is_line(value, most), value),
    )


def boolean() -> Check:
    """Check for true or false."""
    return Check("true or false", lambda value: _if(isinstance(value, bool), value))


def file_name(*suffixes: str) -> Check:
    """Check for the name of a file at the top of the recipe."""
    return Check(
        f"the name of a file in the recipe that ends in {' or '.join(suffixes)}",
        lambda value: _if(
            isinstance(value, str) and FILE_NAME.fullmatch(value) and value.endswith(suffixes),
            value,
        ),
    )


def optional(check: Check) -> Check:
    """Apply a check, or accept None where the entry is left out."""
    return Check(check.expected, lambda value: None if value is None else check.read(value))


def window() -> Check:
    """Check for the (height, width) of a window."""
    return Check("[height, width], multiples of 16 from 16 to 16384, px", _window)


def size() -> Check:
    """Check for the (height, width) of pictures."""
    return Check("[height, width] of 1 to 1000000 px", lambda value: _sides(value, 1, 1_000_000))


def min_defect() -> Check:
    """Check for the smallest defect that must stay visible, as text."""
    return Check('text such as "0.3 mm" or "3 px"', lambda value: _if(size_of(value), value))


def resolution() -> Check:
    """Check for scaled pixels per pixel of the picture, or "fit"."""
    return Check(
        '"fit" or a number above 0 and at most 16, scaled px per px of the picture',
        lambda value: value if value == "fit" else _number(value, 0, 16),
    )


def polygons() -> Check:
    """Check for a list of polygons, each a list of at least three [x, y]."""
    return Check("a list of polygons, each of at least three [x, y] from 0 on", _polygons)


def names() -> Check:
    """Check for names that differ, each a line of text."""
    return Check("a list of 1 to 254 different names", _names)


def probabilities() -> Check:
    """Check for numbers above 0 and at most 1."""
    return Check(
        "a list of numbers above 0 and at most 1",
        lambda value: tuple(_number(item, 0, 1) for item in _items(value)),
    )


def table() -> Check:
    """Accept a section of any content; its reader checks it."""
    return Check("a section", lambda value: _if(isinstance(value, Mapping), value) or None)


def size_of(value: Any) -> tuple[float, str] | None:
    """Split a size written as text into its number, above 0, and unit ("mm" or "px"); None for anything else."""
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None or float(found[1]) <= 0:
        return None
    return float(found[1]), found[2]


def _if(right: Any, value: Any) -> Any:
    if not right:
        raise ValueError("not as expected")
    return value


def _is_line(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and not _UNWRITABLE.search(value)


def _integer(value: Any, low: int, high: int) -> int:
    right = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    return int(_if(right, value))


def _number(value: Any, low: float, high: float) -> float:
    _if(isinstance(value, int | float) and not isinstance(value, bool), value)
    try:
        real = float(value)
    except OverflowError:
        raise ValueError("too large") from None
    return float(_if(math.isfinite(real) and low < real <= high, real))


def _pair(value: Any) -> tuple[Any, Any]:
    _if(isinstance(value, list | tuple) and len(value) == 2, value)
    return value[0], value[1]


def _sides(value: Any, low: int, high: int) -> tuple[int, int]:
    height, width = _pair(value)
    return _integer(height, low, high), _integer(width, low, high)


def _window(value: Any) -> tuple[int, int]:
    height, width = _sides(value, 16, 16384)
    return _if(height % 16 == 0 and width % 16 == 0, (height, width))  # type: ignore[no-any-return]


def _items(value: Any) -> list[Any]:
    return list(_if(isinstance(value, list | tuple), value))


def _names(value: Any) -> tuple[str, ...]:
    read = tuple(_if(_is_line(item, 200) and item.strip(), item) for item in _items(value))
    return _if(0 < len(read) < 255 and len(set(read)) == len(read), read)  # type: ignore[no-any-return]


def _polygons(value: Any) -> tuple[Polygon, ...]:
    _if(isinstance(value, list | tuple), value)
    read = tuple(_polygon(polygon) for polygon in value)
    return _if(sum(map(len, read)) <= _MOST_POINTS, read)  # type: ignore[no-any-return]


def _polygon(value: Any) -> Polygon:
    _if(isinstance(value, list | tuple) and len(value) >= 3, value)
    return tuple((_coordinate(x), _coordinate(y)) for x, y in map(_pair, value))


def _coordinate(value: Any) -> float:
    return _number(value, -math.ulp(0), 1e6)
