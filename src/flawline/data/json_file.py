"""Write results as one JSON document, the same bytes for the same result; parse JSON of others within bounds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from flawline.data.whole_file import write_text

MOST_VALUES = 5_000_000
MOST_LEVELS = 32
_MOST_DIGITS = 300


def write_json_document(path: Path, document: Any) -> Path:
    """Write UTF-8 JSON (RFC 8259, so a NaN or an infinity raises ValueError), indented; returns `path`."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    return write_text(path, text + "\n")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON that somebody else may have written, within bounds that no file of Flawline reaches.

    Raises:
        ValueError: it is no JSON (RFC 8259), holds more than 5,000,000 values, is nested in more than 32 levels, or has
            a number that is not finite or has more than 300 digits.
    """
    marks: tuple[Any, ...] = (",", "[", "{") if isinstance(text, str) else (b",", b"[", b"{")
    if sum(map(text.count, marks)) > MOST_VALUES:
        raise ValueError(f"it holds more than {MOST_VALUES} values")
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole
        )
    except RecursionError:
        raise _too_deep() from None
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise _too_deep()


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> ValueError:
    return ValueError(f"it is nested in more than {MOST_LEVELS} levels")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"it holds the number {digits[:40]}, which is too large")
    return number


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"it holds a number of {len(digits)} digits")
    return int(digits)
