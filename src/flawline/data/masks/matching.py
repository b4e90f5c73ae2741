"""Match entries of a file of annotations to the pictures of a source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from flawline.data.names import stem
from flawline.errors import SourceError
from flawline.types import Sample

_WORDS = frozenset(
    ["images", "image", "imgs", "img", "labels", "masks", "mask", "annotations", "ground_truth"]
)
Key = tuple[str, ...]


def match(
    samples: Iterable[Sample],
    names: Iterable[str],
    *,
    also: Callable[[str], str] | None = None,
) -> Mapping[str, str]:
    """Find the entry of each sample that has one, by the sample's name.

    Extensions and folders called images, labels, masks and the like do not count. An entry belongs to a
    picture when one path is the ending of the other: "1.png" to "parts/1.jpg", and "train/1" to "images/train/1.png",
    never to "test/1.png". `also` gives a second name of an entry, taken where the first fits no picture.

    Raises:
        SourceError: several entries fit one picture, or one entry fits several.
    """
    samples, names = tuple(samples), tuple(names)
    found = _matched(samples, {name: name for name in names})
    if also is not None:
        free = {name: also(name) for name in set(names) - set(found.values())}
        rest = [sample for sample in samples if sample.name not in found]
        found |= _matched(rest, {name: other for name, other in free.items() if other != name})
    taken: dict[str, str] = {}
    for picture, entry in found.items():
        if taken.setdefault(entry, picture) != picture:
            raise SourceError(
                f"expected one picture for the annotation {entry!r}, it fits {taken[entry]!r} and {picture!r}",
                hint="Name pictures in the annotations with the folders that tell them apart.",
                code="annotations-ambiguous",
            )
    return found


def _matched(samples: Iterable[Sample], known: Mapping[str, str]) -> dict[str, str]:
    entries: dict[str, list[tuple[Key, str]]] = defaultdict(list)
    exact = {name: entry for entry, name in known.items()}
    for entry in sorted(known):
        key = _key(known[entry])
        entries[key[-1]].append((key, entry))
    found: dict[str, str] = {}
    for sample in samples:
        nearest = exact.get(sample.name) or _nearest(sample.name, entries)
        if nearest is not None:
            found[sample.name] = nearest
    return found


def _nearest(name: str, entries: Mapping[str, list[tuple[Key, str]]]) -> str | None:
    key = _key(name)
    fits = [
        (min(len(key), len(k)), entry) for k, entry in entries.get(key[-1], ()) if _ends(key, k)
    ]
    if not fits:
        return None
    most = max(shared for shared, _ in fits)
    best = [entry for shared, entry in fits if shared == most]
    if len(best) > 1:
        raise SourceError(
            f"expected one annotation for the picture {name!r}, found {best[0]!r} and {best[1]!r}",
            hint="Name pictures in the annotations with the folders that tell them apart.",
            code="annotations-ambiguous",
        )
    return best[0]


def _ends(first: Key, second: Key) -> bool:
    shared = min(len(first), len(second))
    return first[-shared:] == second[-shared:]


def _key(name: str) -> Key:
    """Make the key of a path: the folders that tell pictures apart, and the name without its extension."""
    return (*telling_folders(name), stem(name.replace("\\", "/")))


def telling_folders(name: str) -> list[str]:
    """Return the folders of a path without those called images, labels, masks and the like."""
    folders = name.replace("\\", "/").split("/")[:-1]
    return [part for part in folders if part not in ("", ".") and part.lower() not in _WORDS]
