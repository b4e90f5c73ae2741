"""Read the samples of a CSV or Parquet table."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flawline.data.folder import read_file
from flawline.data.layout import Meaning
from flawline.data.named_files import OUTSIDE, NamedFiles
from flawline.data.names import Findings, did_you_mean, is_unicode
from flawline.data.tables import separator_of
from flawline.errors import ImageError, ManifestError
from flawline.types import EMPTY, Sample

MANIFEST_SUFFIXES = frozenset({".csv", ".tsv", ".parquet"})
_FIELDS = ("image", "label", "mask", "group", "split")
_BATCH = 20_000
_COLUMNS_HINT = (
    "Columns are image, and where known label, mask, group and split; any other is kept."
)


class SourceManifest:
    """The rows of a manifest; names are relative to its folder, and lead no further up than `root`."""

    def __init__(self, path: Path, max_bytes: int, root: Path | None = None) -> None:
        self._path = path
        self._files = NamedFiles(path.parent, root)
        self._max_bytes = max_bytes
        self._columns = _columns(path)

    def samples(self, meaning: Meaning, findings: Findings) -> Iterator[Sample]:
        """List the samples in the order of the rows; rows that name no existing picture are passed over."""
        seen: set[int] = set()
        for number, row in self._rows(findings):
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

    def _rows(self, findings: Findings) -> Iterator[tuple[int, dict[str, Any]]]:
        if self._path.suffix.lower() == ".parquet":
            return _parquet_rows(self._path)
        return _csv_rows(self._path, findings)

    def read(self, name: str) -> bytes:
        """Read one file named by the manifest; raises ImageError."""
        path = None if _why_unwritable(name) else self._files.path(name)
        if path is None:
            raise ImageError(
                f"{name!r} is a {OUTSIDE}",
                hint="Give the folder that holds all of them as `root`, if you trust the table.",
                code="image-unreadable",
            )
        return read_file(path, name, self._max_bytes)

    def close(self) -> None:
        """Do nothing: no file is held open."""


def _why_unwritable(name: str) -> str | None:
    return "name is not valid Unicode" if not is_unicode(name) or "\0" in name else None


def _with_way_out(reason: str) -> str:
    return f"{reason} (`root` allows a wider one)" if reason == OUTSIDE else reason


def _columns(path: Path) -> dict[str, str]:
    """Find the column of each field; raises ManifestError where `image` is missing."""
    if path.suffix.lower() == ".parquet":
        names = _parquet_columns(path)
    else:
        with _open_text(path) as file:
            names = next(_csv_reader(file, path), [])
    names = [name.strip() for name in names]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ManifestError(
            f"the column {twice[0]!r} of {path.name} appears twice", hint="Rename one of them."
        )
    folded = {name.casefold(): name for name in names}
    if "image" not in folded:
        raise ManifestError(
            f"expected a column 'image' in {path.name}, found "
            + (", ".join(map(repr, names[:30])) or "no columns"),
            hint=" ".join(filter(None, (_nearest(names), _COLUMNS_HINT))),
        )
    return {field: folded[field] for field in _FIELDS if field in folded}


def _nearest(names: list[str]) -> str:
    aliases = ("image", "images", "image_path", "filename", "file", "path", "picture", "img")
    found = next((name for alias in aliases for name in names if name.casefold() == alias), None)
    if found:
        return f"Rename the column {found!r} to 'image'."
    return did_you_mean("image", names)


def _open_text(path: Path) -> Any:
    try:
        return open(path, encoding="utf-8-sig", newline="")
    except OSError as error:
        raise ManifestError(
            f"cannot read {path.name}: {error.strerror}", hint="Check that the file may be read."
        ) from error


def _csv_reader(file: Any, path: Path) -> Iterator[list[str]]:
    try:
        head = file.readline()
        file.seek(0)
        yield from csv.reader(file, delimiter=separator_of(head), strict=True)
    except (csv.Error, UnicodeError) as error:
        raise ManifestError(
            f"cannot read {path.name} as a UTF-8 table: {error}",
            hint="Save it as CSV UTF-8.",
        ) from error


def _csv_rows(path: Path, findings: Findings) -> Iterator[tuple[int, dict[str, Any]]]:
    with _open_text(path) as file:
        reader = _csv_reader(file, path)
        header = [name.strip() for name in next(reader, [])]
        for number, row in enumerate(reader, start=2):
            if not row:
                continue
            if len(row) != len(header):
                findings.passed_over["wrong number of columns"] += 1
                findings.problem(f"row {number}: expected {len(header)} columns, found {len(row)}")
                continue
            yield number, dict(zip(header, row, strict=True))


def _parquet_columns(path: Path) -> list[str]:
    import polars as pl

    try:
        return pl.scan_parquet(path, glob=False).collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ManifestError(
            f"cannot read {path.name} as Parquet: {error}", hint="Write the table again."
        ) from error


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import polars as pl

    start = 0
    while True:
        try:
            batch = pl.scan_parquet(path, glob=False).slice(start, _BATCH).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ManifestError(
                f"cannot read {path.name} as Parquet: {error}", hint="Write the table again."
            ) from error
        for number, row in enumerate(batch.iter_rows(named=True), start=start + 1):
            yield number, {key.strip(): value for key, value in row.items()}
        start += _BATCH
        if len(batch) < _BATCH:
            return


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
