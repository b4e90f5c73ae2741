"""A set of pictures to label: where they are, which classes there are, and where finished masks go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from flawline.data.json_file import parse_json, write_json_document
from flawline.data.masks.class_names import MOST_CLASSES, checked_names
from flawline.errors import UsageError

SET = "set.json"
Masks = Literal["beside", "replaced", "none"]
"""Where finished PNG masks go: new files beside the pictures, the masks that were there, or nowhere (COCO alone)."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A set of pictures to label.

    `classes` are those of defects, in the order of their keys; `values` their grey levels in the masks that were given,
    empty where there were none. `pictures` is the source, `out` the folder of finished masks, and `masks` says which
    files those are. `folder` is the name under which people chose the pictures, empty for an upload. `notes` tell what
    a person should know of it.
    """

    id: str
    title: str
    classes: tuple[str, ...]
    pictures: str
    out: str
    masks: Masks
    folder: str
    who: str
    created: str
    values: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Convert to plain values, without places on this machine."""
        return {
            "id": self.id,
            "title": self.title,
            "classes": list(self.classes),
            "masks": self.masks,
            "folder": self.folder,
            "who": self.who,
            "created": self.created,
            "notes": list(self.notes),
        }

    def grey_levels(self) -> tuple[int, ...]:
        """Return the grey level of every class in finished masks, background first."""
        levels = list(self.values[: len(self.classes)])
        free = (level for level in range(1, MOST_CLASSES + 1) if level not in self.values)
        levels += [next(free) for _ in range(len(self.classes) - len(levels))]
        return (0, *levels)


def write_set(one: LabelSet, folder: Path) -> None:
    """Write a set into its folder."""
    write_json_document(folder / SET, asdict(one))


def read_set(folder: Path) -> LabelSet:
    """Read the set of a folder."""
    document = parse_json((folder / SET).read_bytes())
    lists = {name: tuple(document[name]) for name in ("classes", "values", "notes")}
    return LabelSet(**{**document, **lists})


def class_names(given: Sequence[str]) -> tuple[str, ...]:
    """Return names of classes as people wrote them, without blanks around.

    Raises:
        UsageError: none, one twice, too many or too long ones.
    """
    names = [name.strip() for name in given if name.strip()]
    if any(len(name) > 80 for name in names):
        raise UsageError("expected names of classes of at most 80 characters, got a longer one")
    found = checked_names(names)
    if len(found) != len(names):
        raise UsageError("expected classes of defects, got 'background'", hint="leave it out")
    return found
