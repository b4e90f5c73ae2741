"""What people have drawn on one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flawline.data.json_file import parse_json, write_json_document
from flawline.types import EMPTY

GIVEN = "the folder"
"""Who drew masks that were there before anybody labelled."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A mask as it was saved: `version` counts from 1, `file` holds it, `areas` are pixels by class, background first.

    `done` says that whoever drew it holds it for finished. `pieces` counts the connected regions.
    """

    version: int
    file: str
    who: str
    when: str
    done: bool
    areas: tuple[int, ...]
    pieces: int

    def as_dict(self) -> dict[str, Any]:
        """Convert to plain values, without the name of the file."""
        found = asdict(self)
        del found["file"]
        return {**found, "areas": list(self.areas)}


@dataclass(frozen=True, slots=True)
class PictureLabel:
    """All that people have drawn on one picture.

    `saved` is the mask that counts; `first` is who began it, and `alone` whether nobody else has changed it.
    `opinions` are masks by who drew them without seeing another's; `agreement` is the lowest IoU of any class between
    two finished ones of them, None with fewer than two. `settled` says that somebody has decided between them.
    """

    name: str
    saved: Saved | None = None
    first: str = ""
    alone: bool = True
    opinions: Mapping[str, Saved] = field(default_factory=lambda: EMPTY)
    agreement: float | None = None
    settled: bool = False

    @property
    def version(self) -> int:
        """The version of the mask that counts, 0 where nobody has drawn one."""
        return 0 if self.saved is None else self.saved.version

    @property
    def done(self) -> bool:
        """Whether the mask that counts is finished."""
        return self.saved is not None and self.saved.done

    def files(self) -> set[str]:
        """Name the files that hold its masks."""
        own = {one.file for one in self.opinions.values()}
        return own if self.saved is None else {self.saved.file, *own}


def write_label(label: PictureLabel, path: Path) -> None:
    """Write what was drawn on a picture."""
    document = {**_plain(label), "opinions": {w: asdict(one) for w, one in label.opinions.items()}}
    write_json_document(path, document)


def read_label(path: Path) -> PictureLabel:
    """Read what was drawn on a picture."""
    document = parse_json(path.read_bytes())
    saved = document["saved"]
    opinions = {who: _saved(one) for who, one in document["opinions"].items()}
    return PictureLabel(
        **{**document, "saved": None if saved is None else _saved(saved), "opinions": opinions}
    )


def _plain(label: PictureLabel) -> dict[str, Any]:
    names = ("name", "first", "alone", "agreement", "settled")
    saved = None if label.saved is None else asdict(label.saved)
    return {**{name: getattr(label, name) for name in names}, "saved": saved}


def _saved(document: Mapping[str, Any]) -> Saved:
    return Saved(**{**document, "areas": tuple(document["areas"])})
