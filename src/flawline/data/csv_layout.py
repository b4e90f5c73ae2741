"""Find out how a CSV is written: its encoding, its separator and the row of its names."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

from flawline.data.header_row import filled_width, header_row, is_blank, is_full
from flawline.data.sniff import HEAD_BYTES, describe, picture_format
from flawline.data.table_format import UNSTATED, TableFormat
from flawline.data.text_encoding import WESTERN, encoding_of
from flawline.errors import SourceError

_NAMED = {";": "semicolons", "\t": "tabs", "|": "bars"}
# None of these but the comma is part of a number, so they come first.
_SEPARATORS = ("\t", ";", ",", "|")
_NONE = "\x1f"
"""A separator that no text has: the table has one column."""
_HEAD_CHARACTERS = 100_000
_HEAD_ROWS = 200
_MOST_COLUMNS = 100_000
_LONGEST_LINE = 1 << 24
# Cells can hold contours.
csv.field_size_limit(_LONGEST_LINE)


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How a CSV is written: `header` is the row of the names, from 0; `names` has one for each column that has one.

    A column without a name has an empty one. `notes` say in words what is not as usual.
    """

    encoding: str
    separator: str
    header: int
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def csv_layout(path: Path, stated: TableFormat = UNSTATED) -> CsvLayout:
    """Find the layout of a CSV; what is stated of it is taken as it is.

    Raises:
        SourceError: it is no text, its encoding is unknown, it is empty, or a name stands over two columns.
        OSError: it cannot be read.
    """
    encoding = stated.encoding or _encoding(path)
    with _opened(path, encoding) as file:
        head = file.read(_HEAD_CHARACTERS) + file.readline(_LONGEST_LINE)
    own = head[4] if head[:4].lower() == "sep=" and head[5:6] in ("\r", "\n") else None
    separator, header = _separator_and_header(head, stated, own)
    rows = _head_rows(head, separator, header + 1)
    if len(rows) <= header:
        raise unreadable(path, "it has no row of names" if rows else "it is empty")
    names = tuple(name.strip() for name in rows[header])
    if len(names) > _MOST_COLUMNS:
        raise unreadable(path, f"it has {len(names)} columns, and {_MOST_COLUMNS} at most are read")
    refuse_twice(path, names)
    titles = sum(not is_blank(row) for row in rows[:header]) - (own is not None)
    notes = [
        _NAMED.get(separator, "") and f"separated by {_NAMED[separator]}",
        _encoding_note(encoding),
        f"{titles} title row{'s' if titles > 1 else ''} passed over" if titles > 0 else "",
    ]
    told = ", ".join(filter(None, notes))
    return CsvLayout(encoding, separator, header, names, (f"{path.name}: {told}",) if told else ())


def csv_rows(path: Path, layout: CsvLayout) -> Iterator[list[str]]:
    """Yield the rows below the names, cells as they are, without the blank rows at the end.

    Raises:
        SourceError: it cannot be read further.
    """
    blank: list[list[str]] = []
    try:
        with _opened(path, layout.encoding) as file:
            rows = csv.reader(file, delimiter=layout.separator, strict=True)
            for row in islice(rows, layout.header + 1, None):
                if is_blank(row):
                    blank.append(row)
                    continue
                yield from blank
                blank = []
                yield row
    except (csv.Error, UnicodeError) as error:
        raise unreadable(path, str(error)) from error


def refuse_twice(path: Path, names: Sequence[str]) -> None:
    """Refuse a table with two columns of one name."""
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise SourceError(
            f"the column {twice[0]!r} of {path.name} appears twice",
            hint="rename one of them",
            code="table",
        )


def unreadable(path: Path, reason: str) -> SourceError:
    """Make the error for a file that is no table."""
    return SourceError(
        f"cannot read the table {path.name!r}: {reason}",
        hint="give a CSV in UTF-8 with a header, a Parquet file or an .xlsx (save other spreadsheets as one), or say "
        "with `table_format` how it is written",
        code="table",
    )


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise unreadable(path, "it is empty")
    found = encoding_of(path)
    content = picture_format(head) or describe(head)
    utf16 = found is not None and found.startswith(("utf-16", "utf-32"))
    if content != "plain text" and not utf16:
        raise unreadable(path, f"it is {content}")
    if found is None:
        raise SourceError(
            f"cannot tell the encoding of {path.name!r}: it is neither UTF-8 nor Windows-1252",
            hint="save it as CSV UTF-8, or name its encoding: `table_format=encoding=NAME`, such as cp1250, cp1251, "
            "shift_jis or gbk",
            code="table",
        )
    return found


def _opened(path: Path, encoding: str) -> StringIO:
    return open(path, encoding=encoding, newline="")  # type: ignore[return-value]


def _encoding_note(encoding: str) -> str:
    if encoding == WESTERN:
        return "in Windows-1252, as it is not UTF-8"
    return "" if encoding.startswith("utf-8") else f"in {encoding.upper().replace('_', '-')}"


def _separator_and_header(head: str, stated: TableFormat, own: str | None) -> tuple[str, int]:
    """Find the separator whose rows have one width, with the row of the names."""
    start = 0 if own is None else 1
    header = None if stated.header is None else stated.header - 1
    known = stated.separator or own
    if known:
        rows = _head_rows(head, known, _HEAD_ROWS)
        return known, header_row(rows, start) if header is None else header
    best: tuple[tuple[bool, ...], str, int] | None = None
    for separator in _SEPARATORS:
        rows = _head_rows(head, separator, _HEAD_ROWS)
        place = header_row(rows, start) if header is None else header
        fits = _fit(rows, place, start)
        if fits is not None and (best is None or fits > best[0]):
            best = fits, separator, place
    if best is not None:
        return best[1], best[2]
    return _unseparated(head, start if header is None else header)


def _fit(rows: Sequence[list[str]], header: int, start: int) -> tuple[bool, ...] | None:
    """Rate a separator: names without a gap, rows of one width, no titles; None where names and rows differ."""
    first = _first(rows, start)
    table = [row for row in rows[header:] if not is_blank(row)]
    if not table:
        return None
    rows = table[1:] or table
    widths, filled = Counter(map(len, rows)), Counter(map(filled_width, rows))
    width = widths.most_common(1)[0][0]
    named = len(table[0]) == width or filled_width(table[0]) == filled.most_common(1)[0][0]
    if width < 2 or not named:
        return None
    even = widths[width] >= 0.9 * len(rows)
    return is_full(table[0]), even, header == first


def _first(rows: Sequence[list[str]], start: int) -> int:
    return next((n for n in range(start, len(rows)) if not is_blank(rows[n])), start)


def _unseparated(head: str, header: int) -> tuple[str, int]:
    """Take a table of one column; else the separator of its names, whose rows are refused where they are read."""
    for separator in _SEPARATORS:
        rows = _head_rows(head, separator, _HEAD_ROWS)
        place = max(header, _first(rows, header))
        if (
            len(rows) > place
            and len(rows[place]) > 1
            and any(len(r) > 1 for r in rows[place + 1 :])
        ):
            return separator, place
    rows = _head_rows(head, _NONE, _HEAD_ROWS)
    return _NONE, _first(rows, header)


def _head_rows(head: str, separator: str, count: int) -> list[list[str]]:
    try:
        return list(islice(csv.reader(StringIO(head, newline=""), delimiter=separator), count))
    except csv.Error:
        return []
