"""Inspect every picture of a source, keep what is done, and draw what a person should look at."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import thumbnail
from flawline.data.array_file import npy_bytes
from flawline.data.frame import Frame
from flawline.data.journal import Journal
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.data.whole_file import replacing
from flawline.errors import SourceError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.inspection import SIDE, Inspection
from flawline.inspector.overlay import inspection_overlay
from flawline.recipe import check_ready
from flawline.records.record import Record, record_as_dict, record_from_dict
from flawline.station.inspected import Inspected, InspectionRun
from flawline.types import Picture, Sample, Track, Unjudged, no_track

if TYPE_CHECKING:
    from flawline.station.keep_records import Keeping

OVERLAYS = ("flagged", "all", "none")
LONGEST_NAME = 230


def inspect_source(
    source: Source,
    inspector: Inspector,
    *,
    folder: Path | None = None,
    overlays: str = "flagged",
    unfinished: Path | None = None,
    keeping: Keeping | None = None,
    track: Track = no_track,
) -> InspectionRun:
    """Inspect the pictures of an open source, on all cores, in its order and in bounded memory.

    Args:
        source: where the pictures come from.
        inspector: what judges them.
        folder: where overlays go, as `overlays/NAME.jpg`; none are drawn without it. Those of an earlier run that
            this one did not draw are removed at the end.
        overlays: which pictures get one: those not accepted, all, or none.
        unfinished: a journal that keeps what is done; a rerun with the same recipe and options goes on from it.
        keeping: where every inspection is written to as it comes, whether judged now or by an interrupted run.
        track: shows progress.

    Raises:
        UsageError: `overlays` is none of these.
        StoreError: the records or pictures cannot be written; what was judged is in `unfinished`.
        ManifestError: a captured time cannot be read.
        SourceError: none of the pictures could be judged.
        ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
    """
    if overlays not in OVERLAYS:
        raise UsageError(f"overlays {overlays!r} is not one of {', '.join(OVERLAYS)}")
    check_ready(inspector.recipe)
    work = _Work(inspector, overlays if folder else "none", keeping)
    samples = list(source.samples())
    if keeping is not None:
        keeping.check(samples)
    paths = _Paths(folder, samples)
    journal = None if unfinished is None else Journal(unfinished, work.settings)
    notes: dict[str, tuple[str, ...]] = {}
    done: list[Inspected] = []
    unjudged: list[Unjudged] = []
    resumed = 0
    seen = map_pictures(
        source,
        samples,
        work.inspect,
        value_range=inspector.value_range,
        memory=None if journal is None else _Recall(journal),
        noted=notes.__setitem__,
    )
    try:
        for sample, result in track(seen, title="inspecting", total=len(samples)):
            if isinstance(result, Unjudged):
                unjudged.append(result)
                if keeping is not None:
                    keeping.keep_unjudged(
                        source, sample, result, inspector.recipe.sha256, datetime.now(UTC)
                    )
                continue
            path = paths.of(sample) if work.wants(result.row) else None
            if path and not result.drawn_for(sample.name, path):
                again = work.again(source, sample)
                result = replace(again, recalled=result.recalled, record=result.record)
            if path and result.overlay is not None:
                _write(path, result.overlay)
            if keeping is not None:
                result = _kept(keeping, source, sample, result)
            if journal is not None and not result.recalled:
                journal.keep(result.row["sha256"], result.kept(sample.name))
            resumed += result.recalled
            done.append(
                Inspected(sample, result.row, path, result.notes or notes.get(sample.name, ()))
            )
    finally:
        if journal is not None:
            journal.__exit__(None, None, None)
    _check(done, unjudged)
    paths.clear_others({each.overlay for each in done})
    return InspectionRun(
        source=Path(source.location).name,
        recipe=inspector.recipe.sha256,
        part=inspector.recipe.settings.part,
        settings={**inspector.described(), "overlays": work.overlays},
        inspections=tuple(done),
        unjudged=(*unjudged, *source.unlisted()),
        resumed=resumed,
    )


def _kept(keeping: Keeping, source: Source, sample: Sample, result: _Result) -> _Result:
    """Write an inspection and its files to the records, which know it already if an interrupted run wrote it."""
    if result.map is not None:
        result = replace(result, map_name=keeping.keep_files(source, sample, result.map), map=None)
    assert result.record is not None
    keeping.keep(sample, result.record, result.map_name)
    return result


@dataclass(frozen=True, slots=True)
class _Result:
    """`map` are the bytes of the map of scores where it is to be kept, `map_name` their hash once they are.

    `record` is there where records are kept; it does not know yet which frame it is of.
    """

    row: Mapping[str, Any]
    overlay: bytes | None = None
    notes: tuple[str, ...] = ()
    recalled: bool = False
    image: str = ""
    record: Record | None = None
    map: bytes | None = None
    map_name: str | None = None

    def drawn_for(self, name: str, path: Path) -> bool:
        """Whether there is an overlay, or one was written by the run that kept this: not for a copy of that name."""
        return self.overlay is not None or (self.image == name and path.is_file())

    def kept(self, name: str) -> dict[str, Any]:
        plain = {"row": dict(self.row), "notes": list(self.notes), "image": name}
        if self.record is None:
            return plain
        return {**plain, "record": record_as_dict(self.record), "map": self.map_name}


@dataclass(frozen=True, slots=True)
class _Work:
    """What happens to one picture on a worker thread."""

    inspector: Inspector
    overlays: str
    keeping: Keeping | None = None

    @property
    def settings(self) -> str:
        """Names the computation, so that the journal of another one is not taken for this one's."""
        text = f"{self.inspector.recipe.sha256} {self.inspector.precision} {self.overlays}"
        if self.keeping is not None:
            text += f" {self.keeping.which}, with records"
        return hashlib.sha256(text.encode()).hexdigest()

    def wants(self, row: Mapping[str, Any]) -> bool:
        """Whether a picture gets an overlay."""
        return self.overlays == "all" or (self.overlays == "flagged" and row["verdict"] != "accept")

    def inspect(self, picture: Picture) -> _Result:
        """Judge a picture and draw its overlay."""
        inspection = self.inspector.inspect(picture)
        row = inspection.as_dict()
        del row["image"]  # copies of a picture share what is kept
        drawn = None
        if self.wants(row):
            drawn = _encode(inspection_overlay(thumbnail(picture.pixels, SIDE), inspection))
        kept = self.keeping is not None and self.keeping.wants(row["verdict"])
        return _Result(
            row,
            drawn,
            picture.notes,
            record=None if self.keeping is None else self._record(inspection),
            map=npy_bytes(inspection.map) if kept else None,
        )

    def _record(self, inspection: Inspection) -> Record:
        return Record.of(inspection, Frame(b"", inspection.image), datetime.now(UTC))

    def again(self, source: Source, sample: Sample) -> _Result:
        """Judge a picture whose overlay is missing though its row was kept: a copy under another name."""
        [(_, result)] = map_pictures(
            source, [sample], self.inspect, value_range=self.inspector.value_range
        )
        if isinstance(result, Unjudged):
            raise SourceError(f"{sample.name} can no longer be read: {result.reason}")
        return result


@dataclass(frozen=True, slots=True)
class _Recall:
    """Recalls from a journal; rows are kept by the caller, once their overlays are on disk."""

    journal: Journal

    def recall(self, data: bytes) -> _Result | None:
        key = hashlib.sha256(data).hexdigest()
        # What this run kept itself was not resumed, and whether a copy finds it would depend on the threads.
        kept = self.journal.get(key) if key in self.journal.earlier else None
        if kept is None:
            return None
        return _Result(
            kept["row"],
            None,
            tuple(kept["notes"]),
            recalled=True,
            image=kept["image"],
            record=record_from_dict(kept["record"]) if "record" in kept else None,
            map_name=kept.get("map"),
        )

    def remember(self, data: bytes, result: _Result) -> None:
        """Nothing yet."""


def _encode(pixels: NDArray[np.uint8]) -> bytes:
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return bytes(data.tobytes())


class _Paths:
    """Where overlays go: `overlays/NAME.jpg`, or a name made from a hash where that cannot be or would be another's."""

    def __init__(self, folder: Path | None, samples: Sequence[Sample]) -> None:
        self._folder = folder
        self._parents = {
            parent for sample in samples for parent in PurePosixPath(sample.name).parents
        }

    def of(self, sample: Sample) -> Path | None:
        if self._folder is None:
            return None
        name = PurePosixPath(sample.name)
        drawn = PurePosixPath(f"{name}.jpg")
        plain = not {"/", ".."} & set(name.parts) and drawn not in self._parents
        # File systems take 255 bytes for each part, and a file is written under a longer name first.
        if plain and max(len(part.encode()) for part in drawn.parts) <= LONGEST_NAME:
            return self._folder / "overlays" / drawn
        digest = hashlib.sha256(sample.name.encode()).hexdigest()[:16]
        return self._folder / "overlays" / f"{name.name[:40]}~{digest}.jpg"

    def clear_others(self, drawn: Collection[Path | None]) -> None:
        """Remove the overlays of earlier runs in this folder: next to this run's table they would tell otherwise."""
        if self._folder is None:
            return
        for path in (self._folder / "overlays").rglob("*.jpg"):
            if path not in drawn and path.is_file():
                path.unlink()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(data)


def _check(done: Sequence[Inspected], unjudged: Sequence[Unjudged]) -> None:
    if not done:
        first = f"the first: {unjudged[0].image}: {unjudged[0].reason}" if unjudged else ""
        raise SourceError(f"none of the {len(unjudged)} pictures could be judged", hint=first)
