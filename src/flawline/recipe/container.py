"""Read and write the files of a recipe, in a folder or a zip; neither is trusted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flawline.data.archive import ArchiveLimits
from flawline.data.array_file import write_stored_zip
from flawline.data.names import why_passed_over
from flawline.data.part_files import part_folder, part_name
from flawline.data.ziparchive import open_zip
from flawline.errors import UsageError

SUFFIX = ".flaw"
SETTINGS, MODEL, MANIFEST = "recipe.toml", "model.onnx", "manifest.json"
# All of it is held in memory while a recipe is used.
LIMITS = ArchiveLimits(
    max_members=1000, max_member_bytes=2**30, max_total_bytes=3 * 2**29, max_ratio=50.0
)
TEXT_LIMITS = replace(LIMITS, max_member_bytes=64 * 2**20)


@dataclass(frozen=True, slots=True)
class Files:
    """The names of the files of a recipe, without those of file managers, and functions that read one.

    `read_text` is for its settings and manifest, of at most 64 MiB. `read_hashed` is for a file whose hash is checked
    after: it leaves out what a zip checks by itself.
    """

    names: frozenset[str]
    read_text: Callable[[str], bytes]
    read_hashed: Callable[[str], bytes]


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    """Open the files of the folder or zip at `path`.

    Raises:
        ArchiveError: the zip is hostile, encrypted, damaged or over the limits.
        ValueError: the folder holds links or special files, or is over the limits.
        OSError: it cannot be read.
    """
    if path.is_dir():
        names = [name for name in _walk(path) if not _is_hidden(name)]
        _check_total(path, names)
        yield Files(
            frozenset(names),
            lambda name: _read(path / name, TEXT_LIMITS),
            lambda name: _read(path / name, LIMITS),
        )
        return
    with open(path, "rb") as file:
        archive, texts = open_zip(file, LIMITS), open_zip(file, TEXT_LIMITS)
        names = [name for name in archive.files() if not _is_hidden(name)]
        prefix = _prefix(names)
        inner = frozenset(name.removeprefix(prefix) for name in names)
        yield Files(
            inner,
            lambda name: texts.read(prefix + name),
            lambda name: archive.read(prefix + name, checksum=False),
        )


def write_zip(path: Path, contents: Mapping[str, bytes]) -> Path:
    """Write the files as one zip, whole or not at all; the same contents give the same bytes."""
    if path.is_dir():
        raise UsageError(
            f"expected a file at {path}, there is a folder",
            hint=f"Give another name, or one without {SUFFIX} for a recipe as a folder.",
        )
    return write_stored_zip(path, contents)


def write_folder(
    path: Path, contents: Mapping[str, bytes], replaceable: Callable[[str], bool]
) -> Path:
    """Write the files as a folder next to `path` and swap it in.

    A folder that is there already is replaced only if `replaceable` knows each of its files. Should the machine stop
    between the two renames of the swap, the old folder is still there as `.NAME.PROCESS.old`.
    """
    target = Path(os.path.realpath(path))
    _check_target(target, replaceable)
    target.parent.mkdir(parents=True, exist_ok=True)
    with part_folder(target.with_name(part_name(target.name))) as part:
        for name, data in contents.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(data)
        _swap(part, target)
    return path


def _swap(part: Path, target: Path) -> None:
    if not target.exists():
        os.rename(part, target)
        return
    old = part.with_suffix(".old")
    os.rename(target, old)
    try:
        os.rename(part, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _check_target(target: Path, replaceable: Callable[[str], bool]) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(
            f"expected a folder at {target}, there is a file",
            hint=f"Give another name, or one that ends in {SUFFIX} for a recipe as one file.",
        )
    try:
        foreign = [
            n for n in _walk(target) if _is_hidden(n) != "system file" and not replaceable(n)
        ]
    except ValueError as error:
        foreign = [str(error)]
    if foreign:
        raise UsageError(
            f"{target} holds what is no part of a recipe: {min(foreign)}",
            hint="Give a new or empty folder; nothing was changed.",
        )


def _walk(folder: Path) -> Iterator[str]:
    """List the files below `folder` with forward slashes; raises ValueError for links and special files.

    What is hidden is named and not looked into: a recipe may lie under version control.
    """
    pending, count = [""], 0
    while pending:
        inner = pending.pop()
        with os.scandir(folder / inner) as found:
            for entry in found:
                name = f"{inner}/{entry.name}" if inner else entry.name
                if entry.name.startswith("."):
                    yield name
                    continue
                count += 1
                if count > LIMITS.max_members:
                    raise ValueError(f"the folder holds more than {LIMITS.max_members} files")
                if entry.is_dir(follow_symlinks=False):
                    pending.append(name)
                elif entry.is_file(follow_symlinks=False):
                    yield name
                else:
                    raise ValueError(f"{name!r} is a link or no plain file")


def _check_total(folder: Path, names: list[str]) -> None:
    total = sum(os.path.getsize(folder / name) for name in names)
    if total > LIMITS.max_total_bytes:
        raise ValueError(
            f"the folder holds {total} bytes, expected {LIMITS.max_total_bytes} at most"
        )


def _read(path: Path, limits: ArchiveLimits) -> bytes:
    most = limits.max_member_bytes
    with open(path, "rb") as file:
        data = file.read(min(os.fstat(file.fileno()).st_size, most) + 1)
    if len(data) > most:
        raise ValueError(f"{path.name} is larger than {most} bytes")
    return data


def _is_hidden(name: str) -> str:
    why = why_passed_over(name)
    return why if why in ("system file", "hidden file") else ""


def _prefix(names: list[str]) -> str:
    """Find the one folder that holds everything, as file managers pack it, with its slash; else an empty text."""
    top = names[0].partition("/")[0] + "/" if names else ""
    return top if f"{top}{MANIFEST}" in names and all(n.startswith(top) for n in names) else ""
