"""Find the folders of masks in a tree of pictures, and whose masks they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flawline.data.mask_evidence import is_mask_of
from flawline.data.names import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    MASK_FOLDERS,
    TWIN,
    Findings,
    mask_ending,
    stem,
    suffix,
)

# A second mask of each picture in the layout of PASCAL VOC, one value for each object.
_OBJECTS = "segmentationobject"
_WORDS = (*MASK_FOLDERS, *LABEL_FOLDERS, _OBJECTS)
_LOOKED_AT = 3


class Tree(Protocol):
    """The files below a folder or in an archive, by name."""

    def names(self, findings: Findings, *, ordered: bool = True) -> Iterator[str]: ...
    def siblings(self, folder: str) -> list[str]: ...
    def read(self, name: str) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class MaskPlaces:
    """`folders` hold masks only, `of` gives the folders of the masks of a folder of pictures, the surest first.

    `beside` gives the endings of masks that lie next to their pictures ("x.png", "x_mask.png"), by folder; that of
    "x.png" next to "x.jpg" is `TWIN`. `photos` are folders and endings that are called like masks and hold none,
    `alone` folders of masks that fit no picture by name.
    """

    folders: frozenset[str] = frozenset()
    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    photos: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


def find_mask_places(tree: Tree, folders: Iterable[str], endings: Iterable[str]) -> MaskPlaces:
    """Find masks by their folders and names, and by their pixels where a name may mean something else.

    `folders` hold pictures, those in `endings` some with an ending such as "_mask", or PNGs next to others. Masks lie

    - in a folder called masks, mask, ground_truth or gt, in any case, next to one called images or the like; names of
      masks and pictures agree, or what lies there looks like masks;
    - in one called labels, label or annotations next to such a folder, or in one of all these names within or next to
      the folder of the pictures, where names agree and the pixels look like masks;
    - next to their pictures, as x_mask.png, or as x_label.png, x_gt.png or x.png next to x.jpg that look like masks.
    """
    found = _Search(tree, frozenset(folders))
    found.search_folders()
    for folder in endings:
        if folder not in found.masks:
            found.search_beside(folder)
    of = {
        pictures: tuple(sorted(own, key=lambda f: (_rank(f), f)))
        for pictures, own in found.of.items()
    }
    return MaskPlaces(
        frozenset(found.masks), of, found.beside, tuple(found.photos), tuple(found.alone)
    )


class _Search:
    def __init__(self, tree: Tree, folders: frozenset[str]) -> None:
        self.masks: set[str] = set()
        self.of: dict[str, set[str]] = defaultdict(set)
        self.beside: dict[str, frozenset[str]] = {}
        self.photos: list[str] = []
        self.alone: list[str] = []
        self._tree, self._folders = tree, folders
        self._in_any_case = {folder.casefold(): folder for folder in sorted(folders)}
        self._children: dict[str, set[str]] = defaultdict(set)
        for folder in folders:
            parts = folder.split("/")
            for i, part in enumerate(parts):
                self._children["/".join(parts[:i])].add(part)

    def search_folders(self) -> None:
        """Find folders of masks; all that lie below one of these names belong together."""
        below: dict[tuple[str, str], list[str]] = defaultdict(list)
        for folder in sorted(self._folders):
            parts = folder.split("/")
            for i in (i for i, part in enumerate(parts) if part.lower() in _WORDS):
                below["/".join(parts[:i]), parts[i]].append("/".join(parts[i + 1 :]))
        for (base, word), rests in below.items():
            root = _joined(base, word)
            pairs = {_joined(root, rest): self._pictures_of(base, rest) for rest in rests}
            if not any(pairs.values()):
                pairs = {
                    _joined(root, rest): self._only_sibling(base, word, rest) for rest in rests
                }
            if self._are_masks(base, word, pairs):
                self.masks.update(pairs)
                for masks, pictures in pairs.items():
                    for folder in pictures:
                        self.of[folder].add(masks)

    def search_beside(self, folder: str) -> None:
        """Find masks next to their pictures in one folder."""
        pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
        by_stem = {stem(name): _joined(folder, name) for name in self._tree.siblings(folder)}
        for own, name in by_stem.items():
            ending = mask_ending(own)
            if ending and own[: -len(ending)] in by_stem:
                pairs[ending.lower()].append((name, by_stem[own[: -len(ending)]]))
        if twins := self._twins(folder):
            pairs[TWIN] = twins
        sure = {
            ending for ending in pairs if ending == "_mask" or self._look_like_masks(pairs[ending])
        }
        if sure:
            self.beside[folder] = frozenset(sure)
        self.photos += [_joined(folder, f"*{ending}") for ending in sorted({*pairs} - sure)]

    def _twins(self, folder: str) -> list[tuple[str, str]]:
        """List the files x.png in a folder with one other file of that stem, such as x.jpg."""
        by_stem: dict[str, list[str]] = defaultdict(list)
        for name in self._tree.siblings(folder):
            by_stem[stem(name)].append(_joined(folder, name))
        two = (own for own in by_stem.values() if len(own) == 2)
        ordered = (sorted(own, key=lambda name: suffix(name) != TWIN) for own in two)
        return [(own[0], own[1]) for own in ordered if suffix(own[0]) == TWIN != suffix(own[1])]

    def _image_folders(self, base: str) -> list[str]:
        return sorted(name for name in self._children[base] if name.lower() in IMAGE_FOLDERS)

    def _pictures_of(self, base: str, rest: str) -> list[str]:
        """Find the folders of pictures whose masks may lie below a folder of masks in `base`."""
        rest = "/".join(part for part in rest.split("/") if part.lower() not in _WORDS)
        folders = (*(_joined(base, image) for image in self._image_folders(base)), base)
        found = (self._in_any_case.get(_joined(folder, rest).casefold()) for folder in folders)
        return [name for name in found if name is not None]

    def _only_sibling(self, base: str, word: str, rest: str) -> list[str]:
        """Find the folder next to a folder of masks whose pictures have their names, where it is the only one."""
        masks = _joined(_joined(base, word), rest)
        names = (_joined(_joined(base, name), rest) for name in sorted(self._children[base]))
        others = [name for name in names if name in self._folders and not _is_word(name, base)]
        found = [folder for folder in others if any(self._named(masks, [folder]))]
        return found if len(found) == 1 else []

    def _are_masks(self, base: str, word: str, pairs: Mapping[str, list[str]]) -> bool:
        named = [pair for masks, pictures in pairs.items() for pair in self._named(masks, pictures)]
        root = _joined(base, word)
        sure = word.lower() not in LABEL_FOLDERS and bool(self._image_folders(base))
        if named and (sure or self._look_like_masks(named)):
            return True
        if sure:
            alone = [(_joined(f, name), None) for f in pairs for name in self._tree.siblings(f)]
            if self._look_like_masks(alone):
                self.alone.append(root)
                return True
        if named or self._image_folders(base):
            self.photos.append(root)
        return False

    def _named(self, masks: str, pictures: list[str]) -> Iterator[tuple[str, str]]:
        """List the masks in a folder, each with the picture in one of the others that it is named for."""
        known = {}
        for folder in pictures:
            for name in self._tree.siblings(folder):
                known[name.casefold()] = known[stem(name).casefold()] = _joined(folder, name)
        for name in self._tree.siblings(masks) if known else ():
            own = stem(name).casefold()
            picture = known.get(own) or known.get(own.removesuffix(mask_ending(own)))
            if picture is not None:
                yield _joined(masks, name), picture

    def _look_like_masks(self, pairs: list[tuple[str, str]] | list[tuple[str, None]]) -> bool:
        """Whether the first, middle and last of them do, as far as they can be read, and at least one can."""
        step = max(1, (len(pairs) - 1) // (_LOOKED_AT - 1))
        seen = [is_mask_of(self._tree.read, *pair) for pair in pairs[::step][:_LOOKED_AT]]
        return True in seen and False not in seen


def _joined(folder: str, name: str) -> str:
    return "/".join(filter(None, (folder, name)))


def _is_word(folder: str, base: str) -> bool:
    """Whether the first folder below `base` is called like one of masks."""
    return folder.removeprefix(f"{base}/" if base else "").split("/")[0].lower() in _WORDS


def _rank(folder: str) -> int:
    """Return the place of the word in a folder's path that says that it holds masks."""
    words = folder.lower().split("/")
    return next(i for i, word in enumerate(_WORDS) if word in words)
