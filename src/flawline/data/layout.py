"""Find label, split and mask of a picture from the folders of its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from flawline.data.names import Findings, stem
from flawline.types import Sample

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
_IMAGE_FOLDERS = frozenset({"images", "image", "imgs", "img"})
_NO_LABELS = _IMAGE_FOLDERS | _SPLITS.keys()
_MASK_FOLDERS = ("masks", "mask", "ground_truth", "gt")
_MASK_SUFFIX = "_mask"
_TRUTH = "ground_truth"

Meaning = Mapping[str, bool | None]


class Tree(Protocol):
    """The files below a folder or in an archive, by name."""

    def names(self, findings: Findings, *, ordered: bool = True) -> Iterator[str]: ...
    def siblings(self, folder: str) -> list[str]: ...
    def read(self, name: str) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FolderMeaning:
    """Label and split of the pictures in a folder; `mask_folder` is where their masks lie."""

    label: str | None = None
    split: str | None = None
    mask_folder: str | None = None
    holds_masks: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """`name` is "flat", "labels", "mvtec" or "pairs"; `folders` counts the pictures directly in each folder.

    `suffixed` holds the folders with masks next to the pictures ("x.png", "x_mask.png");
    `labelled_bases`: image folders lie in folders of several names ("crack/images").
    """

    name: str
    folders: Mapping[str, int]
    roots: frozenset[str] = frozenset()
    suffixed: frozenset[str] = frozenset()
    mask_folders: frozenset[str] = frozenset()
    labelled_bases: bool = False
    places: dict[str, FolderMeaning] = field(default_factory=dict)

    def place(self, folder: str) -> FolderMeaning:
        """Return label, split and masks of the pictures in `folder`."""
        if folder not in self.places:
            self.places[folder] = self._place(folder)
        return self.places[folder]

    def _place(self, folder: str) -> FolderMeaning:
        parts = folder.split("/") if folder else []
        root = next((i for i in range(len(parts)) if "/".join(parts[:i]) in self.roots), None)
        if root is not None:
            return _mvtec_place(parts, root)
        if folder in self.mask_folders:
            return FolderMeaning(holds_masks=True)
        at = _image_part(parts)
        if self.mask_folders and at is not None:
            masks = (_replaced(parts, at, word) for word in _MASK_FOLDERS)
            found = next((name for name in masks if name in self.mask_folders), None)
            label = _label(parts[at + 1 :])
            if label is None and self.labelled_bases:
                label = _label(parts[:at])
            return FolderMeaning(label, _split(parts), found)
        return FolderMeaning(_label(parts), _split(parts))


def detect(tree: Tree, findings: Findings) -> Layout:
    """Find the layout from the folders, in one pass over all names; memory grows with folders, not with files."""
    folders: Counter[str] = Counter()
    with_masks: set[str] = set()
    for name in tree.names(findings, ordered=False):
        folder, _, last = name.rpartition("/")
        folders[folder] += 1
        if _MASK_SUFFIX in last and stem(last).endswith(_MASK_SUFFIX):
            with_masks.add(folder)
    candidates = {root for root in map(_mvtec_root, folders) if root is not None}
    roots = frozenset(r for r in candidates if any(_below(f, r, "test") for f in folders))
    if roots:
        return Layout("mvtec", folders, roots)
    masks = _paired_mask_folders(folders)
    suffixed = frozenset(f for f in with_masks if f not in masks and _suffix_masks(tree, f))
    if masks or suffixed:
        bases = {_label(base.split("/")) for base in _image_bases(folders)}
        return Layout("pairs", folders, frozenset(), suffixed, masks, len(bases) > 1)
    return Layout("labels" if any(folders) else "flat", folders)


def _mvtec_root(folder: str) -> str | None:
    parts = folder.split("/")
    for i in range(len(parts) - 1):
        if parts[i] == "train" and parts[i + 1] == "good":
            return "/".join(parts[:i])
    return None


def _below(folder: str, root: str, part: str) -> bool:
    return folder.startswith(f"{root}/{part}/" if root else f"{part}/")


def _mvtec_place(parts: list[str], root: int) -> FolderMeaning:
    kind = parts[root]
    if kind == _TRUTH:
        return FolderMeaning(holds_masks=True)
    label = parts[-1] if len(parts) > root + 1 else None
    split = _SPLITS.get(kind)
    if label is None or label == "good" or split is None:
        return FolderMeaning(label, split)
    return FolderMeaning(label, split, "/".join([*parts[:root], _TRUTH, *parts[root + 1 :]]))


def _image_part(parts: list[str]) -> int | None:
    found = [i for i, part in enumerate(parts) if part.lower() in _IMAGE_FOLDERS]
    return found[-1] if found else None


def _replaced(parts: list[str], at: int, word: str) -> str:
    return "/".join([*parts[:at], word, *parts[at + 1 :]])


def _image_bases(folders: Mapping[str, int]) -> set[str]:
    """Find the folders that hold an image folder."""
    split = ((folder.split("/"), _image_part(folder.split("/"))) for folder in folders)
    return {"/".join(parts[:at]) for parts, at in split if at is not None}


def _paired_mask_folders(folders: Mapping[str, int]) -> frozenset[str]:
    """Find every folder at or below a mask folder whose parent holds an image folder too."""
    bases = _image_bases(folders)
    found = set()
    for folder in folders:
        parts = folder.split("/")
        if any(p in _MASK_FOLDERS and "/".join(parts[:i]) in bases for i, p in enumerate(parts)):
            found.add(folder)
    return frozenset(found)


def _suffix_masks(tree: Tree, folder: str) -> int:
    """Count the files in `folder` that are the mask of another file in it."""
    stems = [stem(name) for name in tree.siblings(folder)]
    known = set(stems)
    return sum(_mask_of(name) in known for name in stems)


def _mask_of(name: str) -> str | None:
    return name.removesuffix(_MASK_SUFFIX) if name.endswith(_MASK_SUFFIX) else None


def folder_label(name: str) -> str | None:
    """Take the label of `name` from its folders where no layout gives one."""
    return _label(name.split("/")[:-1])


def _label(parts: list[str]) -> str | None:
    """Find the innermost folder that is not called "images", "train" or the like."""
    return next((p for p in reversed(parts) if p and p.lower() not in _NO_LABELS), None)


def _split(parts: list[str]) -> str | None:
    return next((_SPLITS[part.lower()] for part in parts if part.lower() in _SPLITS), None)


def count_labels(tree: Tree, layout: Layout, findings: Findings) -> Counter[str | None]:
    """Count pictures by label, from the folders alone; masks are counted as passed over."""
    counts: Counter[str | None] = Counter()
    for folder, count in layout.folders.items():
        place = layout.place(folder)
        masks = _suffix_masks(tree, folder) if folder in layout.suffixed else 0
        masks = count if place.holds_masks else masks
        if masks:
            findings.passed_over["mask"] += masks
        if count > masks:
            counts[place.label] += count - masks
    return counts


def tree_samples(tree: Tree, layout: Layout, meaning: Meaning) -> Iterator[Sample]:
    """List the samples of a tree in natural order; the names of a few folders at a time are held for their masks."""

    @lru_cache(maxsize=8)
    def stems(folder: str) -> dict[str, str]:
        return {stem(name): name for name in reversed(tree.siblings(folder))}

    for name in tree.names(Findings()):
        folder, _, last = name.rpartition("/")
        place = layout.place(folder)
        if place.holds_masks:
            continue
        if folder in layout.suffixed and _mask_of(stem(last)) in stems(folder):
            continue
        label = place.label
        yield Sample(
            name=name,
            label=label,
            defective=None if label is None else meaning.get(label),
            mask=_mask(layout, place, folder, stem(last), stems),
            split=place.split,
        )


def _mask(
    layout: Layout,
    place: FolderMeaning,
    folder: str,
    picture: str,
    stems: Callable[[str], dict[str, str]],
) -> str | None:
    where, wanted = place.mask_folder, [picture + _MASK_SUFFIX]
    if where is not None:
        wanted.append(picture)
    elif folder in layout.suffixed:
        where = folder
    else:
        return None
    known = stems(where)
    found = next((known[name] for name in wanted if name in known), None)
    if found is None:
        return None
    return f"{where}/{found}" if where else found
