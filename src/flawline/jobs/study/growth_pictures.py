"""Measure the shots of a source for a study of growth: defects by a recipe, or the change since the first shots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from flawline.core.causes.picture_change import FirstLook, first_look
from flawline.core.words import counted
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.types import Picture, Sample, Track, Unjudged

if TYPE_CHECKING:
    from flawline.inspector.inspector import Inspector

FIRST_SHOTS, FEWEST_FIRST = 12, 3
PICTURE_SIZE = "picture size"
"""The framing of a shot where no column names it."""
_GROUPS = ("part", "group")
# A shot, the size of its picture, and what was measured; None where it cannot be read or measured.
_Measured = tuple[Sample, str, float | None]


@dataclass(frozen=True, slots=True)
class ShotNames:
    """Names of the columns of a study of growth."""

    place: str
    time: str
    area: str
    framing: str | None = None


@dataclass(frozen=True, slots=True)
class MeasuredShots:
    """Shots as columns of `names` for `study_growth`, the unit of the areas, and notes."""

    columns: dict[str, list[Any]]
    names: ShotNames
    unit: str
    notes: tuple[str, ...]


def defect_shots(
    source: Source, inspector: Inspector, names: ShotNames, track: Track
) -> MeasuredShots:
    """Measure the largest defect that a recipe finds on every shot, in square pixels of the picture.

    Raises:
        UsageError: pictures without a place or time.
        SourceError: none of them can be inspected.
    """
    refused: list[str] = []

    def largest(picture: Picture) -> tuple[str, float | None]:
        try:
            found = inspector.inspect(picture)
        except FlawlineError as error:
            refused.append(error.message)
            return _size(picture), None
        return _size(picture), max((region.area for region in found.regions), default=0.0)

    samples = _ordered(source, names)
    shots = map_pictures(source, samples, largest)
    measured: list[_Measured] = []
    for sample, result in track(shots, title="Shots", total=len(samples)):
        if isinstance(result, Unjudged):
            refused.append(result.reason)
            measured.append((sample, "", None))
        else:
            measured.append((sample, *result))
    return _columns(measured, names, "px", refused, ())


def changed_shots(
    source: Source, names: ShotNames, track: Track, first_shots: int = FIRST_SHOTS
) -> MeasuredShots:
    """Measure by how many percent each shot differs from the first shots of its place, which are left out.

    Raises:
        UsageError: pictures without a place or time, or too few shots of a place.
        SourceError: none of them can be read.
    """
    if first_shots < FEWEST_FIRST:
        raise UsageError(f"`first_shots` takes at least {FEWEST_FIRST}, got {first_shots}")
    places: dict[str, list[Sample]] = {}
    for sample in _ordered(source, names):
        places.setdefault(_cell(sample, names.place), []).append(sample)
    few = [name for name, shots in places.items() if len(shots) <= first_shots]
    if few:
        raise UsageError(
            f"{len(few)} of {counted(len(places), 'place')} have no shots beyond the first {first_shots}, such as "
            f"{few[0]}",
            hint="take fewer `first_shots`, or leave these places out",
        )
    refused: list[str] = []
    measured: list[_Measured] = []
    total = sum(len(shots) - first_shots for shots in places.values())
    changes = _changes(source, places, first_shots, refused)
    for one in track(changes, title="Shots", total=total):
        measured.append(one)
    note = (
        f"nothing is labelled: measured is by how much a picture differs from the first {first_shots} shots of its "
        "place, which are taken to be good; look at the pictures of an alarm to see what changed"
    )
    return _columns(measured, names, "%", refused, (note,))


def _changes(
    source: Source, places: dict[str, list[Sample]], first_shots: int, refused: list[str]
) -> Iterable[_Measured]:
    for name, shots in places.items():
        look = _look(source, name, shots[:first_shots])
        later = map_pictures(source, shots[first_shots:], partial(_changed, look))
        for sample, result in later:
            if isinstance(result, Unjudged):
                refused.append(result.reason)
                yield sample, "", None
            else:
                yield sample, *result


def _changed(look: FirstLook, picture: Picture) -> tuple[str, float]:
    return _size(picture), look.change(picture.pixels)


def _look(source: Source, place: str, shots: Sequence[Sample]) -> FirstLook:
    read = map_pictures(source, shots, lambda picture: picture)
    pictures = [picture.pixels for _, picture in read if isinstance(picture, Picture)]
    # Where the camera was moved among them, those after it.
    alike = [pixels for pixels in pictures if pixels.shape == pictures[-1].shape]
    try:
        return first_look(alike)
    except UsageError as error:
        raise UsageError(
            f"the first {counted(len(shots), 'shot')} of {place} give no reference: {error.message}",
            hint="check the columns of the place and the time",
        ) from error


def _ordered(source: Source, names: ShotNames) -> list[Sample]:
    """List the shots by place and time."""
    samples = list(source.samples())
    for name in (names.place, names.time):
        lacking = [sample.name for sample in samples if not _cell(sample, name)]
        if lacking:
            raise UsageError(
                f"{len(lacking)} of {counted(len(samples), 'picture')} say nothing of {name!r}, {lacking[0]} first",
                hint="give a manifest with columns of the place and the time; `flawline groups` makes one of names by "
                "`part_from`",
            )
    return sorted(
        samples, key=lambda one: (_cell(one, names.place), _cell(one, names.time), one.name)
    )


def _cell(sample: Sample, column: str) -> str:
    """Return what a column says of a picture, "" where it says nothing."""
    value = sample.metadata.get(column)
    if value is None and column in _GROUPS:
        value = sample.group
    return "" if value is None else str(value).strip()


def _size(picture: Picture) -> str:
    return f"{picture.width} x {picture.height} px"


def _columns(
    measured: Sequence[_Measured],
    names: ShotNames,
    unit: str,
    refused: Sequence[str],
    notes: tuple[str, ...],
) -> MeasuredShots:
    if not any(value is not None for _, _, value in measured):
        raise SourceError(
            f"none of {counted(len(measured), 'shot')} can be measured",
            hint=f"the first: {refused[0]}" if refused else "give pictures",
        )
    if refused:
        notes = (
            *notes,
            f"{counted(len(refused), 'shot')} could not be measured and say nothing, the first: {refused[0]}",
        )
    framing = names.framing or PICTURE_SIZE
    rows: dict[str, list[Any]] = {
        names.place: [_cell(sample, names.place) for sample, _, _ in measured],
        names.time: [_cell(sample, names.time) for sample, _, _ in measured],
        names.area: ["" if value is None else value for _, _, value in measured],
        framing: [
            _cell(sample, names.framing) if names.framing else size for sample, size, _ in measured
        ],
    }
    own = ShotNames(names.place, names.time, names.area, framing)
    return MeasuredShots(rows, own, unit, notes)
