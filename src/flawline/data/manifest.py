"""Read the samples of a CSV, Parquet or spreadsheet table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from flawline.data.layout import Meaning
from flawline.data.manifest_rows import manifest_columns, manifest_rows, open_manifest
from flawline.data.named_files import OUTSIDE, NamedFiles
from flawline.data.names import Findings, is_unicode
from flawline.data.spreadsheet import SPREADSHEETS
from flawline.errors import ImageError
from flawline.types import EMPTY, Sample

MANIFEST_SUFFIXES = frozenset({".csv", ".tsv", ".parquet", *SPREADSHEETS})


class Files(Protocol):
    """The files that a table may name."""

    def why_not(self, name: str) -> str | None: ...
    def read(self, name: str, most: int) -> bytes | None: ...


class SourceManifest:
    """The rows of a manifest; names are relative to its folder, and lead no further up than `root`."""

    def __init__(
        self, path: Path, max_bytes: int, root: Path | None = None, files: Files | None = None
    ) -> None:
        self._path = path
        self._files = files or NamedFiles(path.parent, root)
        self._end: Callable[[], None] = lambda: None
        self._max_bytes = max_bytes
        self._table = open_manifest(path)
        self._columns = manifest_columns(path, self._table)
        self.notes = self._table.notes

    def samples(self, meaning: Meaning, findings: Findings) -> Iterator[Sample]:
        """List the samples in the order of the rows; rows that name no existing picture are passed over."""
        seen: set[int] = set()
        for number, row in manifest_rows(self._path, self._table, findings):
            values = {field: _text(row.get(column)) for field, column in self._columns.items()}
            name = (values.pop("image", None) or "").replace("\\", "/")
            reason = self._why(name, seen)
            if reason is not None:
                findings.passed_over[reason] += 1
                findings.problem(f"row {number}: {_with_way_out(reason)}: {name!r}")
                continue
            seen.add(hash(name))
            yield self._sample(name, values, row, meaning, findings, number)

    def _why(self, name: str, seen: set[int]) -> str | None:
        if not name:
            return "no image named"
        if reason := _why_unwritable(name):
            return reason
        if hash(name) in seen:
            return "listed twice"
        return self._files.why_not(name)

    def _why_mask(self, name: str) -> str | None:
        reason = _why_unwritable(name) or self._files.why_not(name)
        return reason and _with_way_out(reason).replace("file", "mask", 1)

    def _sample(
        self,
        name: str,
        values: dict[str, str | None],
        row: dict[str, Any],
        meaning: Meaning,
        findings: Findings,
        number: int,
    ) -> Sample:
        mask = values.get("mask")
        mask = mask.replace("\\", "/") if mask else None
        if mask == name:
            findings.problem(f"row {number}: the picture is named as its own mask: {mask!r}")
            mask = None
        if mask and (reason := self._why_mask(mask)):
            findings.problem(f"row {number}: {reason}: {mask!r}")
        label = values.get("label")
        known = set(self._columns.values())
        extra = {key: _plain(value) for key, value in row.items() if key not in known}
        return Sample(
            name=name,
            label=label,
            defective=None if label is None else meaning.get(label),
            mask=mask,
            group=values.get("group"),
            split=values.get("split"),
            metadata=MappingProxyType(extra) if extra else EMPTY,
        )

    def read(self, name: str) -> bytes:
        """Read one file named by the manifest; raises ImageError."""
        data = None if _why_unwritable(name) else self._files.read(name, self._max_bytes)
        if data is None:
            raise ImageError(
                f"{name!r} is a {OUTSIDE}",
                hint="Give the folder that holds all of them as `root`, if you trust the table.",
                code="image-unreadable",
            )
        return data

    def at_close(self, end: Callable[[], None]) -> None:
        """Let `close` call `end`, which removes a copy of the table."""
        self._end = end

    def close(self) -> None:
        """Remove the copy of a table that was fetched; no file is held open."""
        self._end()


def _why_unwritable(name: str) -> str | None:
    return "name is not valid Unicode" if not is_unicode(name) or "\0" in name else None


def _with_way_out(reason: str) -> str:
    return f"{reason} (`root` allows a wider one)" if reason == OUTSIDE else reason


def _text(value: Any) -> str | None:
    return None if _is_empty(value) else str(value).strip() or None


def _is_empty(value: Any) -> bool:
    # A table written by pandas has NaN for a missing text.
    return value is None or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """Convert a value to one that JSON can write."""
    if _is_empty(value):
        return None
    if isinstance(value, str | int | float | bool):
        return value
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)
