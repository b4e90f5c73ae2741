"""Find label, split and mask of a picture from the folders of its source."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from flawline.data.labels import label_meaning
from flawline.data.mask_places import MaskPlaces, Tree, find_mask_places
from flawline.data.names import (
    IMAGE_FOLDERS,
    MASK_FOLDERS,
    TWIN,
    Findings,
    mask_ending,
    stem,
    suffix,
)

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
_NO_LABELS = IMAGE_FOLDERS | _SPLITS.keys()

Meaning = Mapping[str, bool | None]


@dataclass(frozen=True, slots=True)
class FolderMeaning:
    """Label and split of the pictures in a folder; `masks` are the folders where their masks lie, the surest first.

    `told`: an empty mask says that a picture without a label is good, and any other one that it is bad;
    `absent_is_good`: so does a missing one.
    """

    label: str | None = None
    split: str | None = None
    masks: tuple[str, ...] = ()
    holds_masks: bool = False
    told: bool = False
    absent_is_good: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """`name` is "flat", "labels", "mvtec" or "pairs"; `folders` counts the pictures directly in each folder.

    `roots` hold train/good and test, `mask_places` are the masks elsewhere; `labelled_bases`: image folders lie in
    folders of several names ("crack/images"). `in_any_case` gives folders by their names in lower case; `places` and
    `defective` keep what was found out of folders and of masks.
    """

    name: str
    folders: Mapping[str, int]
    roots: frozenset[str] = frozenset()
    mask_places: MaskPlaces = field(default_factory=MaskPlaces)
    labelled_bases: bool = False
    places: dict[str, FolderMeaning] = field(default_factory=dict)
    in_any_case: Mapping[str, str] = field(default_factory=dict)
    defective: dict[str, bool | None] = field(default_factory=dict)

    def place(self, folder: str) -> FolderMeaning:
        """Return label, split and masks of the pictures in `folder`."""
        if folder not in self.places:
            self.places[folder] = self._place(folder)
        return self.places[folder]

    def labels_of_roots(self) -> frozenset[str]:
        """Return the labels of the folders in the MVTec layout."""
        own = (folder for folder in self.folders if any(_is_in(folder, r) for r in self.roots))
        return frozenset(filter(None, (self.place(folder).label for folder in own)))

    def _place(self, folder: str) -> FolderMeaning:
        parts = folder.split("/") if folder else []
        root = next((i for i in range(len(parts)) if "/".join(parts[:i]) in self.roots), None)
        if root is not None:
            return self._mvtec_place(parts, root)
        if folder in self.mask_places.folders:
            return FolderMeaning(holds_masks=True)
        at = _image_part(parts) if self.mask_places.folders else None
        label = _label(parts if at is None else parts[at + 1 :])
        if label is None and self.labelled_bases:
            label = _label(parts[:at])
        masks = self.mask_places.of.get(folder, ())
        beside = self.mask_places.beside.get(folder, frozenset())
        # Class1/Train/0576.png, Class1/Train/Label/0576_label.png: only defects have a mask.
        absent = bool(parts) and parts[-1].lower() in _SPLITS and f"{folder}/label" in _lower(masks)
        masks = (*masks, folder) if beside else masks
        told = absent or bool(beside - {"_mask"})
        return FolderMeaning(label, _split(parts), masks, told=told, absent_is_good=absent)

    def _mvtec_place(self, parts: list[str], root: int) -> FolderMeaning:
        kind = parts[root].lower()
        if kind in MASK_FOLDERS:
            return FolderMeaning(holds_masks=True)
        label = parts[-1] if len(parts) > root + 1 else None
        split = _SPLITS.get(kind)
        if label is None or label_meaning(label) is False or split is None:
            return FolderMeaning(label, split)
        names = ("/".join([*parts[:root], word, *parts[root + 1 :]]) for word in MASK_FOLDERS)
        found = (self.in_any_case.get(name.casefold()) for name in names)
        return FolderMeaning(label, split, tuple(name for name in found if name is not None))


def detect(tree: Tree, findings: Findings) -> Layout:
    """Find the layout from the folders, in one pass over all names; memory grows with folders, not with files."""
    folders: Counter[str] = Counter()
    endings: set[str] = set()
    kinds: dict[str, set[str]] = defaultdict(set)
    for name in tree.names(findings, ordered=False):
        folder, _, last = name.rpartition("/")
        folders[folder] += 1
        kinds[folder].add(suffix(last))
        if mask_ending(stem(last)):
            endings.add(folder)
    endings.update(folder for folder, own in kinds.items() if TWIN in own and len(own) > 1)
    in_any_case = {folder.casefold(): folder for folder in sorted(folders, reverse=True)}
    roots = _mvtec_roots(folders)
    others = [f for f in folders if not any(_is_in(f, root) for root in roots)]
    masks = find_mask_places(tree, others, [folder for folder in others if folder in endings])
    name = "pairs" if masks.folders or masks.beside else "labels" if any(folders) else "flat"
    if roots:
        name = "mvtec"
    bases = {_label(base.split("/")) for base in _image_bases(folders)}
    several = name == "pairs" and len(bases) > 1
    return Layout(name, folders, roots, masks, several, in_any_case=in_any_case)


def _is_in(folder: str, root: str) -> bool:
    return not root or folder.startswith(f"{root}/")


def _mvtec_roots(folders: Mapping[str, int]) -> frozenset[str]:
    """Find the folders of train/good and test, or of train/ok and test with masks in ground_truth."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for folder in folders:
        parts = folder.split("/")
        for i, part in enumerate(parts[:-1]):
            kinds["/".join(parts[:i])].add(part.lower())
            if part.lower() == "train" and label_meaning(parts[i + 1]) is False:
                kinds["/".join(parts[:i])].add("/" + parts[i + 1].lower())
    return frozenset(
        root
        for root, found in kinds.items()
        if "test" in found
        and ("/good" in found or ("ground_truth" in found and any("/" in k for k in found)))
    )


def _image_bases(folders: Mapping[str, int]) -> set[str]:
    """Find the folders that hold an image folder."""
    split = ((folder.split("/"), _image_part(folder.split("/"))) for folder in folders)
    return {"/".join(parts[:at]) for parts, at in split if at is not None}


def _image_part(parts: list[str]) -> int | None:
    found = [i for i, part in enumerate(parts) if part.lower() in IMAGE_FOLDERS]
    return found[-1] if found else None


def _lower(folders: tuple[str, ...]) -> list[str]:
    """Return the folders with their last part in lower case."""
    split = (folder.rpartition("/") for folder in folders)
    return [f"{base}{slash}{last.lower()}" for base, slash, last in split]


def folder_label(name: str) -> str | None:
    """Take the label of `name` from its folders where no layout gives one."""
    return _label(name.split("/")[:-1])


def _label(parts: list[str]) -> str | None:
    """Find the innermost folder that is not called "images", "train" or the like."""
    return next((p for p in reversed(parts) if p and p.lower() not in _NO_LABELS), None)


def _split(parts: list[str]) -> str | None:
    return next((_SPLITS[part.lower()] for part in parts if part.lower() in _SPLITS), None)
