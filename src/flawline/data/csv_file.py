"""Write tables as CSV for people and spreadsheets; the same rows give the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from flawline.data.whole_file import replacing

_PIECE = 500


def write_csv_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write UTF-8 CSV with a header and line feeds; None is empty, floats keep every digit."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        _write(file, header, rows)
    return path


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a table as `write_csv_rows` writes it."""
    text = io.StringIO()
    _write(text, header, rows)
    return text.getvalue()


def _write(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([spreadsheet_safe(name) for name in header])
    writer.writerows([spreadsheet_safe(value) for value in row] for row in rows)


def csv_pieces(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield what `write_csv_rows` writes, some rows at a time."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([spreadsheet_safe(name) for name in header])
    for number, row in enumerate(rows, start=1):
        writer.writerow([spreadsheet_safe(value) for value in row])
        if number % _PIECE == 0:
            yield file.getvalue()
            file.seek(0)
            file.truncate()
    yield file.getvalue()


def spreadsheet_safe(value: object) -> object:
    """Quote text that a spreadsheet would run as a formula: names of files are untrusted."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return value if _is_number(value) else "'" + value
    return "" if value is None else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def further_names(own: Collection[str], extra: Sequence[str]) -> list[str]:
    """Name the further columns of a table; a name that is taken gets the prefix `source_`."""
    names: list[str] = []
    for key in extra:
        name = key
        while name in own or name in names or (name != key and name in extra):
            name = f"source_{name}"
        names.append(name)
    return names
