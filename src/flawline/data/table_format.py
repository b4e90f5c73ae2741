"""How a table of another program is written, where its content does not show it."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from flawline.data.names import did_you_mean
from flawline.errors import UsageError

_CHOICES = {"decimal": ("point", "comma"), "dates": ("day", "month")}
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


@dataclass(frozen=True, slots=True)
class TableFormat:
    """What is stated of a table; None is found from its content.

    `encoding` is a codec of Python, `separator` one character, `decimal` "point" or "comma", `dates` says whether 03/04
    begins with the "day" or the "month", `header` is the row of the names, from 1, and `sheet` that of a spreadsheet.
    """

    encoding: str | None = None
    separator: str | None = None
    decimal: Literal["point", "comma"] | None = None
    dates: Literal["day", "month"] | None = None
    header: int | None = None
    sheet: str | None = None


UNSTATED = TableFormat()
NAMES = tuple(item.name for item in fields(TableFormat))


def stated_format(values: Mapping[str, str | int] | None) -> TableFormat:
    """Make a format of its names and values: {"decimal": "comma", "header": 3}.

    Raises:
        UsageError: an unknown name or value.
    """
    known: dict[str, Any] = {}
    for name, value in (values or {}).items():
        if name not in NAMES:
            raise UsageError(
                f"expected {', '.join(NAMES)} in `table_format`, got {name!r}",
                hint=did_you_mean(name, list(NAMES)),
            )
        known[name] = _value(name, str(value))
    return TableFormat(**known)


def _value(name: str, text: str) -> str | int:
    if name == "header":
        if not text.isdecimal() or int(text) < 1:
            raise _refused(name, "the number of a row from 1", text)
        return int(text)
    if name == "separator":
        text = _SEPARATORS.get(text, text)
        if len(text) != 1 or text in '"\r\n':
            raise _refused(name, f"{', '.join(_SEPARATORS)} or one character", text)
    if name == "encoding":
        try:
            codecs.lookup(text)
        except (LookupError, ValueError):
            raise _refused(name, "an encoding such as cp1252, utf-16 or shift_jis", text) from None
    if name in _CHOICES and text not in _CHOICES[name]:
        raise _refused(name, " or ".join(_CHOICES[name]), text)
    return text


def _refused(name: str, expected: str, came: str) -> UsageError:
    return UsageError(f"`table_format={name}` takes {expected}, got {came!r}")
