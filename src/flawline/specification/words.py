"""Parse numbers with units, and conditions, as a specification writes them."""

from __future__ import annotations

import re
from typing import cast, get_args

from flawline.core.measure.columns import BY_NAME
from flawline.specification.model import Comparison, Condition, Unit

UNITS: tuple[str, ...] = get_args(Unit)
ALIASES = {"mm²": "mm2", "px²": "px2", "mm^2": "mm2", "px^2": "px2", "°": "deg", "": "1"}
ALIASES |= {"/mm²": "/mm2", "/cm²": "/cm2", "/px²": "/px2"}
ALLOWED: dict[str, tuple[str, ...]] = {
    "px": ("mm", "px"),
    "px2": ("mm2", "px2"),
    "deg": ("deg", "1"),
}
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")
_CONDITION = re.compile(r"\s*([\w-]+)\s*(<=|>=|<|>)\s*(.+?)\s*")


def parse_number(value: object) -> tuple[float, Unit]:
    """Parse a number and its unit, from 3, 0.2 or "0.2 mm2"; raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f'expected a number or a text such as "0.2 mm2", got {value!r}')
    text = value if isinstance(value, str) else repr(value)
    match = _NUMBER.fullmatch(text)
    unit = ALIASES.get(match[2], match[2]) if match else ""
    if match is None or unit not in UNITS:
        raise ValueError(f'expected a number with one of the units {_listed(UNITS)}, got "{text}"')
    return float(match[1]), cast(Unit, unit)


def parse_condition(text: str) -> Condition:
    """Parse one comparison, from "area > 0.05 mm2"; raises ValueError."""
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ValueError(f'expected a condition such as "area > 0.05 mm2", got {text!r}')
    value, unit = parse_number(match[3])
    return Condition(match[1], cast(Comparison, match[2]), value, unit)


def units_for(column: str) -> tuple[str, ...]:
    """List the units that a limit on a column may have."""
    return ALLOWED.get(BY_NAME[column].unit, ("1",))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(name for name in names if name != "1") + " or none"
