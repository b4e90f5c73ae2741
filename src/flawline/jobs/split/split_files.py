"""Write a split as a manifest that every command reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from flawline.data.csv_file import further_names, write_csv_rows
from flawline.data.labels import meaning
from flawline.data.named_files import name_from
from flawline.data.source import Source
from flawline.data.tables import check_output, write_frame
from flawline.data.whole_file import replacing
from flawline.errors import ImageError, UsageError
from flawline.jobs.split.splitting import Splitting, label_of
from flawline.types import Sample

_OWN = ("image", "mask", "label", "group", "split", "source_group", "source_split")


def write_split(splitting: Splitting, source: Source, path: str | os.PathLike[str]) -> Path:
    """Write one row per picture: image, mask, label, group, split and the source's own columns; returns the path.

    Names are relative to the manifest's folder. The pictures of an archive are unpacked first, into a folder beside the
    manifest that has its name.

    Raises:
        UsageError: the name ends neither in .csv nor in .parquet, the pictures are in memory, or the folder beside the
            manifest holds another file of the same name.
    """
    out = check_output(Path(path))
    if source.kind == "pictures":
        raise UsageError(
            "pictures in memory have no files that a manifest could name",
            hint="save them first, and split their folder",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = source.folder() or _unpacked(splitting.samples, source, out.with_suffix(""))
    columns, rows = _table(splitting, out.parent, folder)
    if out.suffix.lower() == ".csv":
        return write_csv_rows(out, columns, rows)
    import polars as pl

    cells = {name: _one_type([row[k] for row in rows]) for k, name in enumerate(columns)}
    return write_frame(pl.DataFrame(cells, strict=False), out)


def root_of(source: Source, path: Path) -> Path | None:
    """Return the folder that commands need as `root` to read the manifest: None where pictures lie below it."""
    folder = source.folder()
    if folder is None or folder.resolve().is_relative_to(path.parent.resolve()):
        return None
    return folder


def stated_labels(splitting: Splitting) -> tuple[list[str], list[str]]:
    """List the labels whose meaning the words alone do not say, good ones and bad ones."""
    known = {label: s.defective for s in splitting.samples if (label := label_of(s)) is not None}
    plain = meaning(known)
    return (
        [label for label in sorted(known) if known[label] is False and plain[label] is not False],
        [label for label in sorted(known) if known[label] is True and plain[label] is not True],
    )


def _table(splitting: Splitting, place: Path, folder: Path) -> tuple[list[str], list[list[Any]]]:
    stated = {sample.name: sample for sample in splitting.stated}
    extra = list({key: None for sample in splitting.samples for key in sample.metadata})
    rows = []
    for sample in splitting.samples:
        before = stated[sample.name]
        own = {
            "image": name_from(place, folder, sample.name),
            "mask": None if sample.mask is None else name_from(place, folder, sample.mask),
            "label": label_of(sample),
            "group": sample.group,
            "split": sample.split,
            "source_group": before.group,
            "source_split": before.split,
        }
        rows.append([*own.values(), *(sample.metadata.get(key) for key in extra)])
    same = all(s.group == stated[s.name].group for s in splitting.samples)
    empty = {name for k, name in enumerate(_OWN) if all(row[k] is None for row in rows)} | (
        {"source_group"} if same else set()
    )
    kept = [k for k, name in enumerate(_OWN) if name not in empty - {"image", "split"}]
    kept += range(len(_OWN), len(_OWN) + len(extra))
    columns = [*_OWN, *further_names(_OWN, extra)]
    return [columns[k] for k in kept], [[row[k] for k in kept] for row in rows]


def _one_type(cells: Sequence[Any]) -> list[Any]:
    """Write all cells of a column as text where their types differ."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if len(kinds) < 2 or kinds <= {int, float}:
        return list(cells)
    return [None if cell is None else str(cell) for cell in cells]


def _unpacked(samples: Sequence[Sample], source: Source, folder: Path) -> Path:
    """Write the pictures and masks of an archive into a folder, under their names there."""
    for sample in samples:
        for name, read in ((sample.name, source.read), (sample.mask, source.read_mask)):
            # What cannot be read is listed already, and has no split.
            with suppress(ImageError):
                if name is not None:
                    _write(folder, name, read(name))
    return folder


def _write(folder: Path, name: str, content: bytes) -> None:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise UsageError(f"the name {name!r} leads out of the archive", code="archive-path")
    path = folder / inside
    if path.is_file() and path.read_bytes() == content:
        return
    if path.exists():
        raise UsageError(
            f"{path} is there already and holds something else",
            hint="give another name with `out`: the pictures of an archive go into the folder of that name",
            code="split-exists",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(content)
