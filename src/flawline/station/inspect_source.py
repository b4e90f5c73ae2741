"""Inspect every picture of a source at a station, resumably, and draw overlays."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from flawline.core.drawing import thumbnail
from flawline.data.files_by_picture import FilesByPicture
from flawline.data.frame import Frame, frame_of
from flawline.data.source import Source
from flawline.data.stream import in_order
from flawline.data.work_file import WorkFile
from flawline.errors import FlawlineError, SourceError, StoreError, UsageError
from flawline.inspector.inspection import SIDE, Inspection
from flawline.inspector.overlay import inspection_overlay
from flawline.records.record import REPEATED
from flawline.station.accepted_scores import drift_notes
from flawline.station.gallery import Gallery
from flawline.station.inspected import Inspected, InspectionRun
from flawline.station.inspected_parts import calibration_notes, parts_of
from flawline.station.outcome import Outcome
from flawline.station.overlay_files import jpeg, write_overlay
from flawline.station.station import Station, unjudged
from flawline.station.stored_inspection import slim, stored_as_dict, stored_from_dict
from flawline.types import Sample, Track, Unjudged, no_track

_REPEATS = "repeats"
OVERLAYS = ("flagged", "all", "none")


def inspect_source(
    source: Source,
    station: Station,
    *,
    folder: Path | None = None,
    overlays: str = "flagged",
    unfinished: Path | None = None,
    gallery: Gallery | None = None,
    track: Track = no_track,
) -> InspectionRun:
    """Inspect the pictures of an open source, on all cores, in its order and in bounded memory.

    Args:
        source: where the pictures come from.
        station: judges, records and sends them; recorded and sent too are those that an interrupted run judged.
        folder: where overlays go, as `overlays/NAME.jpg`; none are drawn without it. Other overlays there, from earlier
            runs, are removed at the end.
        overlays: which pictures get one: "flagged" (those not accepted), "all" or "none".
        unfinished: a work file of finished pictures; a rerun with the same recipe and options resumes from it.
        gallery: gets small copies of the pictures for a report.
        track: shows progress.

    Raises:
        UsageError: an unknown `overlays`, or an output that answers a line while pictures arrive.
        StoreError: the records or pictures cannot be written; judged pictures are in `unfinished`.
        ManifestError: a captured time cannot be read.
        SourceError: none of the pictures could be judged.
    """
    if overlays not in OVERLAYS:
        raise UsageError(f"overlays {overlays!r} is not one of {', '.join(OVERLAYS)}")
    if station.answering is not None:
        raise UsageError(
            "an output answers a line while pictures arrive, and nothing arrives in a batch",
            hint="give it to a watched folder or a station",
        )
    names = checked_names(source, station)
    files = None if folder is None else FilesByPicture(folder / "overlays", names, ".jpg")
    deque(names, maxlen=0)
    drawn = overlays if folder else "none"
    done: list[Inspected] = []
    missed: list[tuple[Sample, Unjudged]] = []
    resumed = 0
    settings = _settings(station, drawn)
    with nullcontext() if unfinished is None else WorkFile(unfinished, settings) as work_file:
        resume_repeats(station, work_file)
        work = _Work(source, station, drawn, files, work_file, gallery)
        total = source.summary().pictures
        for sample, item in track(work.run(), title="inspecting", total=total):
            if item.path is not None and item.overlay is not None:
                write_overlay(item.path, item.overlay)
            outcome = station.give(item.outcome)
            if outcome.inspection is None:
                missed.append((sample, unjudged(outcome)))
                continue
            if work_file is not None and not item.recalled:
                work_file.keep_json(outcome.inspection.sha256, stored_as_dict(outcome))
            resumed += item.recalled
            done.append(Inspected(sample, outcome.inspection, item.path, outcome.notes))
    lost = tuple(item for _, item in missed)
    _check(done, lost)
    if files is not None:
        files.clear_others({each.overlay for each in done})
    inspector, parts = station.inspector, parts_of(done, missed)
    return InspectionRun(
        source=source.name,
        recipe=inspector.recipe.sha256,
        part=inspector.recipe.settings.part,
        settings={**inspector.described(), "overlays": drawn},
        inspections=tuple(done),
        unjudged=(*lost, *source.unlisted()),
        resumed=resumed,
        notes=(*drift_notes(inspector, done), *calibration_notes(inspector.recipe, parts)),
        parts=parts,
    )


@dataclass(frozen=True, slots=True)
class _Item:
    """An outcome whose inspection is slim, and its overlay as a file, to be written to `path`."""

    outcome: Outcome
    path: Path | None = None
    overlay: bytes | None = None
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class _Work:
    """The work on one picture, on a worker thread."""

    source: Source
    station: Station
    overlays: str
    files: FilesByPicture | None
    work_file: WorkFile | None
    gallery: Gallery | None

    def run(self) -> Iterator[tuple[Sample, _Item]]:
        """Judge all samples, in their order."""
        return in_order(self.source.samples(), self.one)

    def one(self, sample: Sample) -> _Item:
        """Judge a picture, or recall its inspection in an interrupted run, and draw its overlay."""
        frame = self._frame(sample)
        recalled = None if self.work_file is None else self._recall(frame, self.work_file)
        if recalled is not None:
            return recalled
        return self._drawn(self.station.look(frame))

    def _frame(self, sample: Sample) -> Frame:
        read = partial(self.source.read, sample.name)
        # Times that cannot be read matter to records alone.
        return frame_of(sample, read) if self.station.remembers else Frame(read, sample.name)

    def _recall(self, frame: Frame, work_file: WorkFile) -> _Item | None:
        try:
            data = self.source.read(frame.name)
        except FlawlineError:
            return None  # the station meets the same error, and records it
        # Results of this run do not count: whether a copy of a picture finds them would depend on the threads.
        plain = work_file.get_json(hashlib.sha256(data).hexdigest(), earlier=True)
        if plain is None:
            return None
        stored = stored_from_dict(plain)
        inspection = replace(stored.inspection, image=frame.name)
        try:
            frame = self.station.capture(frame, inspection.sha256)
        except StoreError:
            return None  # the station refuses it too
        outcome = Outcome(
            frame, stored.judged, inspection, notes=stored.notes, map_name=stored.map_name
        )
        path = self._path(inspection)
        # An overlay of an earlier run is that of the picture of its name, not of a copy.
        if path is None or (stored.image == frame.name and path.is_file()):
            return _Item(outcome, path, recalled=True)
        again = self.station.look(replace(frame, picture=data))
        if again.inspection is None:
            assert again.error is not None
            reason = again.error.message
            raise SourceError(f"{frame.name} can no longer be read: {reason}")
        return replace(self._drawn(again), outcome=outcome, recalled=True)

    def _drawn(self, outcome: Outcome) -> _Item:
        inspection = outcome.inspection
        if inspection is None:
            return _Item(outcome)
        assert inspection.picture is not None
        pixels, path = inspection.picture().pixels, self._path(inspection)
        drawn = None if path is None else inspection_overlay(thumbnail(pixels, SIDE), inspection)
        name = outcome.frame.name
        if self.gallery is not None and self.gallery.wants(name, inspection):
            self.gallery.put(name, inspection, pixels)
        overlay = None if drawn is None else jpeg(drawn)
        return _Item(replace(outcome, inspection=slim(inspection)), path, overlay)

    def _path(self, inspection: Inspection) -> Path | None:
        """Return the path of the overlay of an inspection; None where it gets none."""
        draws = self.overlays == "all" or (
            self.overlays == "flagged" and inspection.verdict != "accept"
        )
        return self.files.path(inspection.image) if draws and self.files is not None else None


def resume_repeats(station: Station, work_file: WorkFile | None) -> None:
    """Let an interrupted run go on with the captures that it began."""
    if station.repeats is None or work_file is None:
        return
    found = work_file.get_json(_REPEATS, earlier=True)
    if found is None:
        work_file.keep_json(_REPEATS, station.repeats.as_dict())
    else:
        station.repeats = station.repeats.resumed(found)


def checked_names(source: Source, station: Station) -> Iterator[str]:
    """List the names of all pictures; validate captured times before the first picture is judged."""
    for sample in source.samples():
        if station.remembers:
            frame_of(sample, b"")
        yield sample.name


def _settings(station: Station, overlays: str) -> str:
    """Name the settings that inspections depend on, by which a work file is resumed or started anew."""
    inspector, repeats = station.inspector, station.repeats
    again = " again" if repeats is not None and repeats.moment else ""
    return f"inspect 2 {inspector.recipe.sha256} {inspector.precision} {overlays} {station.kept}{again}"


def _check(done: Sequence[Inspected], missed: Sequence[Unjudged]) -> None:
    if not done:
        first = f"the first: {missed[0].image}: {missed[0].reason}" if missed else ""
        known = bool(missed) and all(item.code == REPEATED for item in missed)
        said = "was inspected: the records have them" if known else "could be judged"
        raise SourceError(f"none of the {len(missed)} pictures {said}", hint=first)
