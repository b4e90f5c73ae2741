"""Find mask files: one for each picture, or one for each class of a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.data.archive import DEFAULT_LIMITS
from flawline.data.folder import Folder
from flawline.data.image import ImageLimits
from flawline.data.masks.matching import match, telling_folders
from flawline.data.masks.pixels import read_mask
from flawline.data.names import Findings, stem
from flawline.errors import FlawlineError, ImageError, SourceError
from flawline.types import Sample

_SEPARATORS = "_-. "


@dataclass(frozen=True, slots=True, eq=False)
class MaskFiles:
    """Masks in a folder: `kind` is "one" (a mask for each picture) or "per class".

    `files` gives for each picture the name of its file by class; the class is "" where one file holds all.
    """

    folder: Folder
    kind: str
    files: Mapping[str, Mapping[str, str]]

    def labels(self) -> tuple[str, ...]:
        """Return the classes that files are named for."""
        return tuple(sorted({label for files in self.files.values() for label in files} - {""}))


def find_masks(path: Path, samples: Sequence[Sample], classes: Sequence[str]) -> MaskFiles:
    """Match masks to pictures by the names below `path`.

    A file with the name of a picture holds all its classes: "1.png" or "1_mask.png". Else the first folder is the class
    ("scratch/1.png"), or the ending after the name of the picture ("1_scratch.png"). `classes` restricts the classes
    that a folder or ending may name.

    Raises:
        SourceError: no file fits a picture.
    """
    folder = Folder(path, None, DEFAULT_LIMITS.max_member_bytes)
    names = tuple(folder.names(Findings()))
    for kind, files in (
        ("one", _whole(samples, names)),
        ("per class", _by_folder(samples, names, classes)),
        ("per class", _by_ending(samples, names, classes)),
    ):
        if files:
            return MaskFiles(folder, kind, files)
    raise SourceError(
        f"expected masks of the pictures below {str(path)!r}, none of {len(names)} files fits "
        f"such as {names[0]!r} for {samples[0].name!r}"
        if names
        else f"expected masks below {str(path)!r}, found no pictures",
        hint="Name masks like their pictures, in one folder, in a folder for each class, or as NAME_CLASS.png.",
        code="annotations",
    )


def read_class_files(
    folder: Folder,
    files: Mapping[str, str],
    values: Mapping[str, int],
    size: tuple[int, int],
    limits: ImageLimits,
) -> NDArray[np.uint8]:
    """Join the files of each class to one mask; every value but 0 is the class.

    Where classes overlap, the one with the higher index wins, and what is to be ignored wins over all.

    Raises:
        ImageError: a file cannot be read, or has not `size` (height, width).
    """
    mask = np.zeros(size, np.uint8)
    for label in sorted(files, key=lambda label: values[label]):
        try:
            own = read_mask(folder.read(files[label]), limits)
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
        mask[own > 0] = values[label]
    return mask


def _whole(samples: Sequence[Sample], names: Sequence[str]) -> dict[str, dict[str, str]]:
    def plain(name: str) -> str:
        return stem(name).removesuffix("_mask")

    wanted = {stem(sample.name) for sample in samples}
    known = [name for name in names if plain(name) in wanted]
    if not _same_folders(samples, known):
        return {}
    found = match(samples, known, also=_without_mask)
    return {picture: {"": name} for picture, name in found.items()}


def _same_folders(samples: Sequence[Sample], names: Sequence[str]) -> bool:
    """Whether the masks lie in folders of the same names as the pictures', or of general names."""
    folders = {part for sample in samples for part in sample.name.split("/")[:-1]}
    return all(set(telling_folders(name)) <= folders for name in names)


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
    wanted = {stem(sample.name) for sample in samples}
    of_class: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        folder, slash, _ = name.rpartition("/")
        whole = stem(name)
        cuts = [n for n, c in enumerate(whole) if c in _SEPARATORS and whole[:n] in wanted]
        # The longest name of a picture: "part_1_scratch" belongs to "part_1" and not to "part".
        for cut in reversed(cuts):
            label = whole[cut + 1 :]
            if label and (not classes or label in classes):
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
    return name.replace("_mask.", ".")
