"""List the pictures of a folder or archive as samples, with what its layout states of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import lru_cache

from flawline.data.layout import FolderMeaning, Layout, Meaning
from flawline.data.mask_evidence import is_defective
from flawline.data.mask_places import Tree
from flawline.data.names import MASK_ENDINGS, Findings, mask_ending, stem
from flawline.errors import SourceError
from flawline.types import Sample

_GOOD, _BAD = "good", "bad"


def count_labels(tree: Tree, layout: Layout, findings: Findings) -> Counter[str | None]:
    """Count pictures by label, from the folders alone where masks do not tell it; masks are passed over."""
    counts: Counter[str | None] = Counter()
    for folder, count in layout.folders.items():
        place = layout.place(folder)
        masks = count if place.holds_masks else 0
        if folder in layout.mask_places.beside:
            names = tree.siblings(folder)
            stems = {stem(name) for name in names}
            masks = sum(_is_beside(layout, folder, name, stems) for name in names)
        if masks:
            findings.passed_over["mask"] += masks
        if place.told and place.label is None:
            own = (f"{folder}/{name}" if folder else name for name in tree.siblings(folder))
            counts.update(sample.label for sample in _samples(tree, layout, {}, own))
        elif count > masks:
            counts[place.label] += count - masks
    return counts


def tree_samples(tree: Tree, layout: Layout, meaning: Meaning) -> Iterator[Sample]:
    """List the samples of a tree in natural order; the names of a few folders at a time are held for their masks."""
    return _samples(tree, layout, meaning, tree.names(Findings()))


def _samples(
    tree: Tree, layout: Layout, meaning: Meaning, names: Iterable[str]
) -> Iterator[Sample]:
    @lru_cache(maxsize=8)
    def stems(folder: str) -> dict[str, str]:
        own = {stem(name): name for name in reversed(tree.siblings(folder))}
        return {key.casefold(): name for key, name in own.items()} | own

    @lru_cache(maxsize=8)
    def twins(folder: str) -> set[str]:
        return {key for key, n in Counter(map(stem, tree.siblings(folder))).items() if n > 1}

    for name in names:
        folder, _, last = name.rpartition("/")
        place = layout.place(folder)
        if place.holds_masks:
            continue
        if folder in layout.mask_places.beside and _is_beside(layout, folder, last, stems(folder)):
            continue
        mask = _mask(layout, folder, last, stems)
        if mask is not None and stem(last) in twins(folder):
            mask = _of_one(tree.siblings(folder), folder, last, mask)
        label = place.label
        defective = None if label is None else meaning.get(label)
        if place.told and defective is None:
            defective = _told(tree, layout, place, mask)
            if label is None and defective is not None:
                label = _BAD if defective else _GOOD
        yield Sample(name, label, defective, mask, split=place.split)


def _of_one(siblings: Sequence[str], folder: str, last: str, mask: str) -> str | None:
    """Return the mask of a picture beside others of its stem: one called like it; None where it is called like another.

    Raises:
        SourceError: the name of the mask fits several pictures.
    """
    called = mask.rpartition("/")[2]
    own = stem(called)
    if last in (called, own, own.removesuffix(mask_ending(own))):
        return mask
    others = [name for name in siblings if stem(name) == stem(last) and name != last]
    if called in others:
        return None
    names = [f"{folder}/{name}" if folder else name for name in (last, others[0])]
    raise SourceError(
        f"expected one picture for the mask {mask!r}, it fits {names[0]!r} and {names[1]!r}",
        hint="Call masks by the whole name of their picture: 1.jpg.png for 1.jpg.",
        code="annotations-ambiguous",
    )


def _told(tree: Tree, layout: Layout, place: FolderMeaning, mask: str | None) -> bool | None:
    """Tell from its mask whether a picture shows a defect; each mask is read once."""
    if mask is None:
        return False if place.absent_is_good else None
    if mask not in layout.defective:
        layout.defective[mask] = is_defective(tree.read, mask)
    return layout.defective[mask]


def _is_beside(layout: Layout, folder: str, name: str, stems: Container[str]) -> bool:
    """Whether a file is the mask of another one in its folder."""
    own = stem(name)
    ending = mask_ending(own)
    return ending.lower() in layout.mask_places.beside[folder] and own[: -len(ending)] in stems


def _mask(
    layout: Layout, folder: str, last: str, stems: Callable[[str], dict[str, str]]
) -> str | None:
    own = stem(last)
    for where in layout.place(folder).masks:
        endings = layout.mask_places.beside[folder] if where == folder else MASK_ENDINGS
        ends = [*sorted(endings, key=MASK_ENDINGS.index), *([""] if where != folder else [])]
        wanted = [name + ending for name in (last, own) for ending in ends]
        known = stems(where)
        keys = (key for name in wanted for key in (name, name.casefold()) if key in known)
        if found := next(keys, None):
            return f"{where}/{known[found]}" if where else known[found]
    return None
