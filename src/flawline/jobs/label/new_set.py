"""Make a set of pictures to label from a folder or an archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flawline.data.image import ImageLimits
from flawline.data.json_file import parse_json
from flawline.data.masks import open_masks
from flawline.data.names import IMAGE_FOLDERS
from flawline.data.source import Source, open_source
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.label.label_set import LabelSet, Masks, class_names, write_set
from flawline.jobs.label.published import COCO, is_writable, write_bytes
from flawline.types import Sample

USUAL = ("defect",)
PICTURES = "pictures"
_LEVEL = "class "


@dataclass(frozen=True, slots=True)
class NewSet:
    """What a person says of a new set: its title, who makes it when, the classes, and the name of its folder if any."""

    id: str
    title: str
    who: str
    created: str
    classes: Sequence[str] = ()
    folder: str = ""


@dataclass(frozen=True, slots=True)
class _Given:
    """Masks that were there: their grey levels and the names of these, none where they cannot be taken over."""

    values: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def set_of_folder(wish: NewSet, pictures: Path, folder: Path, limits: ImageLimits) -> LabelSet:
    """Make a set of pictures on this machine; finished masks go beside them.

    Args:
        wish: what a person says of it.
        pictures: a folder, archive or table of pictures; masks that a folder has are taken over as finished, and
            replaced when somebody corrects them.
        folder: where the work is kept.
        limits: of pictures.

    Raises:
        SourceError: there are no pictures.
        UsageError: the classes make no sense, or are fewer than those of the masks.
    """
    with open_source(pictures, image_limits=limits) as source:
        masked = any(sample.mask is not None for sample in source.samples())
        given = _given(source, wish.classes) if masked else _Given()
        plain = not masked and source.layout not in ("mvtec", "manifest")
    notes = list(given.notes)
    masks: Masks = "replaced" if given.values else "beside" if plain else "none"
    if masks == "none":
        notes.append(
            "finished masks go into the COCO file alone, as the folders state masks in a way of their own"
        )
    out = pictures if pictures.is_dir() else folder / "finished"
    if not (pictures.is_dir() and is_writable(pictures)):
        out, masks = folder / "finished", "beside" if masks != "none" else "none"
        out.mkdir(parents=True, exist_ok=True)
        notes.append(
            "finished masks are kept by the server, as it cannot write where the pictures are"
        )
    made = LabelSet(
        id=wish.id,
        title=wish.title,
        classes=class_names(given.names or wish.classes or USUAL),
        pictures=str(pictures.resolve()),
        out=str(out.resolve()),
        masks=masks,
        folder=wish.folder,
        who=wish.who,
        created=wish.created,
        values=given.values,
        notes=tuple(notes),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_set(made, folder)
    return made


def set_of_upload(wish: NewSet, sent: Path, folder: Path, limits: ImageLimits) -> LabelSet:
    """Make a set of an upload, a folder or an archive: it is copied into the folder of the set, masks too.

    Errors as for `set_of_folder`, and ArchiveError for a hostile archive.
    """
    place = folder / PICTURES
    with open_source(sent, image_limits=limits) as source:
        samples = list(source.samples())
        # Beside a folder images, a folder masks is what it is called.
        below = "" if any(map(_has_image_folder, samples)) else "images/"
        if any(sample.mask is not None for sample in samples) or source.layout == "mvtec":
            below = ""
        for sample in samples:
            write_bytes(place / f"{below}{sample.name}", source.read(sample.name))
            if sample.mask is not None:
                write_bytes(place / sample.mask, source.read_mask(sample.mask))
    return set_of_folder(wish, place, folder, limits)


def _has_image_folder(sample: Sample) -> bool:
    return any(part.lower() in IMAGE_FOLDERS for part in sample.name.split("/")[:-1])


def _given(source: Source, classes: Sequence[str]) -> _Given:
    """Find the grey levels of the masks of a source, and name them."""
    try:
        with open_masks(source) as masked:
            levels = tuple(int(name.removeprefix(_LEVEL)) for name in masked.classes[1:])
    except FlawlineError as error:
        return _Given(notes=(f"the masks that are there are not taken over: {error.message}",))
    names = tuple(classes) or _written_names(source, len(levels))
    names = names or tuple(f"{_LEVEL}{level}" for level in levels)
    if len(names) < len(levels):
        raise UsageError(
            f"expected the names of {len(levels)} classes, for the grey levels "
            f"{', '.join(map(str, levels))} of the masks that are there, got {len(names)}",
            hint="name them in this order",
        )
    return _Given(levels, names)


def _written_names(source: Source, count: int) -> tuple[str, ...]:
    """Return the names that an earlier set wrote beside the pictures, where they fit."""
    folder = source.folder()
    path = None if folder is None else folder / COCO
    if path is None or not path.is_file():
        return ()
    try:
        names = [str(one["name"]) for one in parse_json(path.read_bytes())["categories"]]
    except (ValueError, TypeError, LookupError):
        return ()
    return tuple(names) if len(names) >= count else ()
