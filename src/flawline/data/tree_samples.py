"""List the pictures of a folder or archive as samples, with what its layout states of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import lru_cache

from flawline.data.layout import FolderMeaning, Layout, Meaning
from flawline.data.mask_evidence import is_defective
from flawline.data.mask_places import Tree
from flawline.data.names import MASK_ENDINGS, TWIN, Findings, mask_ending, stem, suffix
from flawline.errors import SourceError
from flawline.types import Sample

_GOOD, _BAD = "good", "bad"


def count_labels(tree: Tree, layout: Layout, findings: Findings) -> Counter[str | None]:
    """Count pictures by label, from the folders alone where masks do not tell it; masks are passed over."""
    counts: Counter[str | None] = Counter()
    for folder, count in layout.folders.items():
        place = layout.place(folder)
        masks = count if place.holds_masks else 0
        if endings := layout.mask_places.beside.get(folder):
            names = tree.siblings(folder)
            stems, twins = {stem(name) for name in names}, _twins(names)
            masks = sum(_is_beside(name, endings, stems, twins) for name in names)
        if masks:
            findings.passed_over["mask"] += masks
        if place.told and place.label is None:
            own = (_joined(folder, name) for name in tree.siblings(folder))
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
    def twins(folder: str) -> dict[str, list[str]]:
        return _twins(tree.siblings(folder))

    for name in names:
        folder, _, last = name.rpartition("/")
        place = layout.place(folder)
        if place.holds_masks:
            continue
        endings = layout.mask_places.beside.get(folder, frozenset())
        if endings and _is_beside(last, endings, stems(folder), twins(folder)):
            continue
        mask = _mask(layout, folder, last, stems)
        own = twins(folder).get(stem(last), ()) if place.masks else ()
        if own and mask is not None:
            mask = _of_one(own, folder, last, mask)
        elif own and TWIN in endings:
            mask = next(_joined(folder, name) for name in own if suffix(name) == TWIN)
        label = place.label
        defective = None if label is None else meaning.get(label)
        if place.told and defective is None:
            defective = _told(tree, layout, place, mask)
            if label is None and defective is not None:
                label = _BAD if defective else _GOOD
        yield Sample(name, label, defective, mask, split=place.split)


def _twins(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names that differ in nothing but their extension, by what they share."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found[stem(name)].append(name)
    return {own: others for own, others in found.items() if len(others) > 1}


def _of_one(twins: Sequence[str], folder: str, last: str, mask: str) -> str | None:
    """Return the mask of a picture beside others of its stem: one called like it; None where it is called like another.

    Raises:
        SourceError: the name of the mask fits several pictures.
    """
    called = mask.rpartition("/")[2]
    own = stem(called)
    if last in (called, own, own.removesuffix(mask_ending(own))):
        return mask
    if called in twins:
        return None
    names = [_joined(folder, name) for name in twins]
    raise SourceError(
        f"expected one picture for the mask {mask!r}, it fits {names[0]!r} and {names[1]!r}",
        hint="Call masks by the whole name of their picture: 1.jpg.png for 1.jpg.",
        code="annotations-ambiguous",
    )


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _told(tree: Tree, layout: Layout, place: FolderMeaning, mask: str | None) -> bool | None:
    """Tell from its mask whether a picture shows a defect; each mask is read once."""
    if mask is None:
        return False if place.absent_is_good else None
    if mask not in layout.defective:
        layout.defective[mask] = is_defective(tree.read, mask)
    return layout.defective[mask]


def _is_beside(
    name: str, endings: Container[str], stems: Container[str], twins: Container[str]
) -> bool:
    """Whether a file is the mask of another one in its folder."""
    own = stem(name)
    ending = mask_ending(own)
    if ending.lower() in endings and own[: -len(ending)] in stems:
        return True
    return TWIN in endings and suffix(name) == TWIN and own in twins


def _mask(
    layout: Layout, folder: str, last: str, stems: Callable[[str], dict[str, str]]
) -> str | None:
    own = stem(last)
    for where in layout.place(folder).masks:
        endings = layout.mask_places.beside[folder] if where == folder else MASK_ENDINGS
        ends = [ending for ending in MASK_ENDINGS if ending in endings]
        ends += [""] if where != folder else []
        wanted = [name + ending for name in (last, own) for ending in ends]
        known = stems(where)
        keys = (key for name in wanted for key in (name, name.casefold()) if key in known)
        if found := next(keys, None):
            return _joined(where, known[found])
    return None
