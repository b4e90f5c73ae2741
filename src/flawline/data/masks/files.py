"""Find mask files: one for each picture, or one for each class of a picture."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.core.words import counted
from flawline.data.archive import DEFAULT_LIMITS
from flawline.data.folder import Folder
from flawline.data.image import ImageLimits
from flawline.data.masks.matching import file_stem, match, source_below, telling_folders
from flawline.data.masks.pixels import read_class_mask
from flawline.data.names import Findings, mask_ending
from flawline.data.source import Source
from flawline.errors import FlawlineError, ImageError, SourceError
from flawline.types import Sample

_SEPARATORS = "_-. "
_LOOKED_AT = 3


@dataclass(frozen=True, slots=True, eq=False)
class MaskFiles:
    """Masks in a folder: `kind` is "one" (a mask for each picture) or "per class".

    `files` gives for each picture the name of its file by class; the class is "" where one file holds all. `listed` are
    the samples of the source that lie in the folder of masks, and so are none; `notes` lists what was passed over.
    """

    folder: Folder
    kind: str
    files: Mapping[str, Mapping[str, str]]
    listed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def labels(self) -> tuple[str, ...]:
        """Return the classes that files are named for."""
        return tuple(sorted({label for files in self.files.values() for label in files} - {""}))


def find_masks(
    path: Path, source: Source, samples: Sequence[Sample], classes: Sequence[str]
) -> MaskFiles:
    """Match masks to pictures by the names below `path`.

    A file with the name of a picture holds all its classes: "1.png" or "1_mask.png". Else the first folder is the class
    ("scratch/1.png"), or the ending after the name of the picture ("1_scratch.png"). `classes` restricts the classes
    that a folder or ending may name. No picture is its own mask: where `path` is a folder within the source, all
    below it are masks, and else the pictures of the source are none.

    Raises:
        SourceError: no file fits a picture, or only the pictures themselves do.
    """
    folder = Folder(path, None, DEFAULT_LIMITS.max_member_bytes)
    names = tuple(folder.names(Findings()))
    own, listed = _samples_below(path, source, samples), frozenset[str]()
    if own and _is_within(path, source):
        listed = frozenset(own.values())
        samples = [sample for sample in samples if sample.name not in listed]
    else:
        names = tuple(name for name in names if name not in own)
    if own and not (names and samples):
        raise _themselves(path)
    whole = partial(_whole, below=source_below(source, path))
    for kind, find in (("one", whole), ("per class", _by_folder), ("per class", _by_ending)):
        if files := find(samples, names, classes):
            _check_copies(source, folder, files)
            unused = len(names) - len({name for own in files.values() for name in own.values()})
            notes = (f"{counted(unused, 'mask fits', 'masks fit')} no picture",) if unused else ()
            return MaskFiles(folder, kind, files, listed, notes)
    raise SourceError(
        f"expected masks of the pictures below {str(path)!r}, none of {len(names)} files fits "
        f"such as {names[0]!r} for {samples[0].name!r}"
        if names
        else f"expected masks below {str(path)!r}, found no pictures",
        hint="Name masks like their pictures, in one folder, in a folder for each class, or as NAME_CLASS.png.",
        code="annotations",
    )


def _samples_below(path: Path, source: Source, samples: Sequence[Sample]) -> dict[str, str]:
    """Find the samples whose files lie below `path`: their names by those below `path`."""
    base = source.folder()
    if base is None:
        return {}
    root, base = os.path.realpath(path), Path(os.path.realpath(base))
    names = {os.path.relpath(base / sample.name, root): sample.name for sample in samples}
    return {
        below.replace(os.sep, "/"): name
        for below, name in names.items()
        if below.split(os.sep)[0] != os.pardir
    }


def _is_within(path: Path, source: Source) -> bool:
    base = source.folder()
    return base is not None and Path(os.path.realpath(base)) in Path(os.path.realpath(path)).parents


def _check_copies(source: Source, folder: Folder, files: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse copies of the pictures: none is its own mask."""
    looked_at = [(picture, name) for picture, own in files.items() for name in own.values()]
    if all(_are_equal(source, picture, folder, name) for picture, name in looked_at[:_LOOKED_AT]):
        raise _themselves(Path(folder.root))


def _are_equal(source: Source, picture: str, folder: Folder, name: str) -> bool:
    try:
        return source.read(picture) == folder.read(name)
    except FlawlineError:
        # What cannot be read is an error of its own picture, when that is read.
        return False


def _themselves(path: Path) -> SourceError:
    return SourceError(
        f"expected masks below {str(path)!r}, found only the pictures of the source",
        hint="Give the folder of the masks, or what the annotation tool exported.",
        code="annotations",
    )


def read_class_files(
    folder: Folder,
    files: Mapping[str, str],
    values: Mapping[str, int],
    size: tuple[int, int],
    limits: ImageLimits,
    threshold: float | None = None,
) -> NDArray[np.uint8]:
    """Join the files of each class to one mask; every value but 0 is the class, or from `threshold` on.

    Where classes overlap, the one with the higher index wins, and what is to be ignored wins over all.

    Raises:
        ImageError: a file cannot be read, or has not `size` (height, width).
    """
    mask = np.zeros(size, np.uint8)
    for label in sorted(files, key=lambda label: values[label]):
        try:
            own = read_class_mask(folder.read(files[label]), limits, threshold)
        except FlawlineError as error:
            raise ImageError(
                f"{files[label]}: {error.message}", hint=error.hint, code=error.code
            ) from error
        if own.shape != size:
            raise ImageError(
                f"{files[label]}: the mask is {own.shape[1]} x {own.shape[0]} px, its picture {size[1]} x {size[0]}",
                hint="Masks must have the size of their pictures.",
                code="image-mask-size",
            )
        mask[own] = values[label]
    return mask


def _whole(
    samples: Sequence[Sample], names: Sequence[str], _: Sequence[str], below: str
) -> dict[str, dict[str, str]]:
    pictures = [_last(sample.name).casefold() for sample in samples]
    wanted = {*pictures, *map(file_stem, pictures)}
    known = [name for name in names if _last(name).casefold() in wanted or wanted & _stems(name)]
    if below:
        # Masks in the folder of the source come before those of another part of the set.
        known = [name for name in known if _is_in(name, below)] or known
    if not _of_pictures_folders([f"{below}/{sample.name}" for sample in samples], known):
        return {}
    found = match(samples, known, also=_without_mask, below=below)
    return {picture: {"": name} for picture, name in found.items()}


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _stems(name: str) -> set[str]:
    """Return the names that a mask's picture may have but for its extension."""
    own = file_stem(_last(name)).casefold()
    return {own, own.removesuffix(mask_ending(own))}


def _is_in(name: str, below: str) -> bool:
    """Whether a mask lies in the folders that tell a place within the set, such as "train" of "train/images"."""
    folders = telling_folders(f"{below}/")
    return telling_folders(name)[: len(folders)] == folders


def _of_pictures_folders(pictures: Sequence[str], names: Sequence[str]) -> bool:
    """Whether masks lie in no folder, or all in folders of the pictures; others are folders of classes."""
    folders = {part.casefold() for name in pictures for part in name.split("/")[:-1]}
    first = [telling_folders(name)[:1] for name in names]
    return [] in first or all(own[0].casefold() in folders for own in first)


def _by_folder(
    samples: Sequence[Sample], names: Sequence[str], classes: Sequence[str]
) -> dict[str, dict[str, str]]:
    of_class: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        label, *below = (*telling_folders(name), name.rpartition("/")[2])
        if below and (not classes or label in classes):
            of_class[label]["/".join(below)] = name
    return _of_pictures(samples, of_class)


def _by_ending(
    samples: Sequence[Sample], names: Sequence[str], classes: Sequence[str]
) -> dict[str, dict[str, str]]:
    lasts = [_last(sample.name) for sample in samples]
    wanted = {*lasts, *map(file_stem, lasts)}
    of_class: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        folder, slash, _ = name.rpartition("/")
        whole = file_stem(_last(name))
        cuts = [n for n, c in enumerate(whole) if c in _SEPARATORS and whole[:n] in wanted]
        # The longest name of a picture: "part_1_scratch" belongs to "part_1" and not to "part".
        for cut in reversed(cuts):
            label = whole[cut + 1 :]
            # "plate_2.png" is the mask of another plate, no class "2".
            if label in classes or (label and not classes and not label.isdecimal()):
                of_class[label][f"{folder}{slash}{whole[:cut]}.png"] = name
                break
    return _of_pictures(samples, of_class)


def _of_pictures(
    samples: Sequence[Sample], of_class: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Sort files by picture and class; `of_class` gives them by class and the path of their picture."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for label, own in of_class.items():
        for picture, path in match(samples, own, also=_without_mask).items():
            found[picture][label] = own[path]
    return dict(found)


def _without_mask(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    own = file_stem(last)
    return folder + slash + own.removesuffix(mask_ending(own))
