"""Write a feature table as Parquet or CSV; the same table gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.tables import write_frame
from flawline.features.table import FeatureTable

if TYPE_CHECKING:
    import polars as pl

PREFIX = "source_"
_OWN = ("image", "label", "defective", "group", "split")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A written table: its source columns in order, and the `renamed` ones (old name to new)."""

    path: Path
    source_columns: tuple[str, ...]
    renamed: Mapping[str, str]


def write_table(table: FeatureTable, path: Path) -> TableFile:
    """Write one row per picture, in the table's order.

    First image, label, defective, group, split and every metadata column, then the feature columns as float32. A
    metadata column with the name of another column gets the prefix "source_".

    Raises:
        UsageError: the path ends neither in .parquet nor in .csv.
    """
    names = _metadata_names(table)
    write_frame(_frame(table, names), path)
    renamed = {old: new for old, new in names.items() if old != new}
    return TableFile(path, (*_OWN, *names.values()), renamed)


def features_frame(table: FeatureTable) -> pl.DataFrame:
    """Make the table of `write_table`."""
    return _frame(table, _metadata_names(table))


def _metadata_names(table: FeatureTable) -> dict[str, str]:
    """Choose the name in the file of each metadata column, in their order in the samples."""
    keys = dict.fromkeys(key for sample in table.samples for key in sample.metadata)
    taken = {*_OWN, *(column.name for column in table.columns)}
    names: dict[str, str] = {}
    for key in keys:
        name = key
        while name in taken or (name != key and name in keys):
            name = PREFIX + name
        taken.add(name)
        names[key] = name
    return names


def _frame(table: FeatureTable, names: Mapping[str, str]) -> pl.DataFrame:
    import polars as pl

    own: dict[str, Any] = {
        "image": pl.Series([s.name for s in table.samples], dtype=pl.String),
        "label": pl.Series([s.label for s in table.samples], dtype=pl.String),
        "defective": pl.Series([s.defective for s in table.samples], dtype=pl.Boolean),
        "group": pl.Series([s.group for s in table.samples], dtype=pl.String),
        "split": pl.Series([s.split for s in table.samples], dtype=pl.String),
    }
    metadata = {
        new: _series([sample.metadata.get(old) for sample in table.samples])
        for old, new in names.items()
    }
    features = {
        column.name: pl.Series(table.values[:, index], dtype=pl.Float32)
        for index, column in enumerate(table.columns)
    }
    return pl.DataFrame({**own, **metadata, **features})


def _series(values: Sequence[Any]) -> pl.Series:
    """Make a column of one type: that of its values where they agree, numbers as float, mixed values as text."""
    import polars as pl

    kinds = {type(value) for value in values if value is not None}
    types: dict[frozenset[type], Any] = {
        frozenset({bool}): pl.Boolean,
        frozenset({int}): pl.Int64,
        frozenset({float}): pl.Float64,
        frozenset({int, float}): pl.Float64,
    }
    kind = types.get(frozenset(kinds))
    if kind is pl.Int64 and any(abs(value) >= 2**63 for value in values if value is not None):
        kind = None
    if kind is None:
        return pl.Series([None if v is None else str(v) for v in values], dtype=pl.String)
    return pl.Series(values, dtype=kind, strict=False)
