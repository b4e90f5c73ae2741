"""Find which pictures must stay together: those of one group, of one lot, and those that look alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flawline.data.names import did_you_mean
from flawline.data.source import Source
from flawline.errors import UsageError
from flawline.types import Sample

_COLUMNS = {
    "group": ("group", "part"),
    "lot": ("lot",),
    "time": ("captured", "time", "timestamp", "datetime", "date"),
}


def column_values(
    source: Source, samples: Sequence[Sample], by: str, column: str | None
) -> dict[str, str]:
    """Return the group, lot or time of each picture that has one, by its name; nothing where `by` needs no column.

    Raises:
        UsageError: ("split-column") the source has no such column.
    """
    if by not in _COLUMNS:
        return {}
    wanted = (column,) if column is not None else _COLUMNS[by]
    for name in wanted:
        values = {sample.name: _value(sample, name) for sample in samples}
        found = {name: value for name, value in values.items() if value is not None}
        if found:
            return found
    known = sorted({key for sample in samples for key in sample.metadata})
    known += ["group"] if any(sample.group for sample in samples) else []
    listed = ", ".join(map(repr, known[:20]))
    raise UsageError(
        f"expected a column {wanted[0]!r} to split by {by}, found {listed or 'none'}",
        hint=_way_out(source, wanted[0], known),
        code="split-column",
    )


def _way_out(source: Source, wanted: str, known: Sequence[str]) -> str:
    if source.kind != "manifest":
        return (
            "a table (CSV, Parquet) that names the pictures holds it, or split with `by=duplicates`"
        )
    return did_you_mean(wanted, list(known)) or "name the column that holds it with `column`"


def _value(sample: Sample, column: str) -> str | None:
    folded = column.casefold()
    if folded in ("group", "label"):
        return sample.group if folded == "group" else sample.label
    value = next((v for k, v in sample.metadata.items() if k.casefold() == folded), None)
    return None if value is None else str(value).strip() or None


def joined(samples: Sequence[Sample], keyings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Name one picture for all that share a key, directly or through others; by the name of each picture.

    `keyings` give keys by the names of pictures; a key of one says nothing about an equal key of another.
    """
    above: dict[str, str] = {}

    def root(name: str) -> str:
        while above.setdefault(name, name) != name:
            above[name] = name = above[above[name]]
        return name

    for keys in keyings:
        first: dict[str, str] = {}
        for sample in samples:
            key = keys.get(sample.name)
            if key is not None:
                low, high = sorted((root(sample.name), root(first.setdefault(key, sample.name))))
                above[high] = low
    return {sample.name: root(sample.name) for sample in samples}


def part_names(
    samples: Sequence[Sample], parts: Mapping[str, str], groups: Mapping[str, str]
) -> dict[str, str]:
    """Name the part of each picture for the column `group`: its group, of several the first, else its first picture.

    A picture that is alone and has no group needs no name and gets none.
    """
    members: dict[str, list[str]] = {}
    for sample in samples:
        members.setdefault(parts[sample.name], []).append(sample.name)
    named = {}
    for part, names in members.items():
        own = sorted(groups[name] for name in names if name in groups)
        if own or len(names) > 1:
            named.update(dict.fromkeys(names, own[0] if own else part))
    return named
