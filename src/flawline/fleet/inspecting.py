"""Judge pictures on actors; what is recorded and written stays with the process that asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flawline.data.array_file import npy_bytes
from flawline.data.frame import Frame, frame_of
from flawline.data.opening import Opening, SourceFiles
from flawline.data.part_files import scratch_folder
from flawline.data.stream import in_order
from flawline.errors import FlawlineError
from flawline.inspector import Inspector
from flawline.recipe import Recipe, read_recipe, write_recipe
from flawline.station.outcome import Outcome
from flawline.station.station import Station
from flawline.station.stored_inspection import slim, stored_as_dict, stored_from_dict
from flawline.types import Sample

THREADS = 2
"""Threads of an actor: one decodes while the other runs the network."""


@dataclass(frozen=True, slots=True)
class Judging:
    """The job that judges pictures: a recipe as a file, and what it is used with.

    `keep` is which pictures and maps come back with their verdict: "flagged", "all" or "none".
    """

    recipe: bytes
    precision: str
    opening: Opening
    keep: str

    def open(self, stack: ExitStack) -> Callable[[Sequence[Sample]], Sequence[Any]]:
        """Load the recipe and open the source; see `Job.open`."""
        files = stack.enter_context(self.opening.files())
        inspector = Inspector(unpacked(self.recipe), precision=self.precision)
        station = stack.enter_context(Station(inspector, keep="none", limits=files.image_limits))
        judge = _Judge(station, files, self.keep)
        return lambda samples: [found for _, found in in_order(samples, judge.one, workers=THREADS)]


def packed(recipe: Recipe) -> bytes:
    """Write a recipe as one file."""
    with scratch_folder() as folder:
        return write_recipe(recipe, folder / "recipe.flaw").read_bytes()


def unpacked(data: bytes) -> Recipe:
    """Read the recipe of `packed`."""
    with scratch_folder() as folder:
        path = folder / "recipe.flaw"
        path.write_bytes(data)
        return read_recipe(path)


@dataclass(frozen=True, slots=True)
class _Judge:
    station: Station
    files: SourceFiles
    keep: str

    def one(self, sample: Sample) -> Mapping[str, Any]:
        """Judge a picture; what could not be judged is told as an error is."""
        read: list[bytes] = []

        def reading() -> bytes:
            read.append(self.files.read(sample.name))
            return read[0]

        outcome = self.station.look(Frame(reading, sample.name))
        found = outcome.inspection
        if found is None:
            error = outcome.error
            assert error is not None
            return {
                "error": [error.message, error.hint, error.code],
                "kind": type(error),
                "judged": outcome.judged.isoformat(),
                "sha256": outcome.sha256,
            }
        stored = stored_as_dict(replace(outcome, inspection=slim(found)))
        if self.keep == "all" or (self.keep == "flagged" and found.verdict != "accept"):
            return {"stored": stored, "file": read[0], "map": npy_bytes(found.map)}
        return {"stored": stored}


def outcome_of(sample: Sample, result: Mapping[str, Any], *, remembers: bool) -> Outcome:
    """Make the outcome of a sample from the result of the job.

    Args:
        sample: the picture; columns of its source fill the frame where it `remembers`.
        result: as an actor gave it.
        remembers: whether frames are recorded or sent.
    """
    frame = frame_of(sample, b"") if remembers else Frame(b"", sample.name)
    if "stored" not in result:
        message, hint, code = result["error"]
        kind: type[FlawlineError] = result["kind"]
        judged = datetime.fromisoformat(result["judged"])
        error = kind(message, hint=hint, code=code)
        return Outcome(frame, judged, error=error, sha256=result["sha256"])
    stored = stored_from_dict(result["stored"])
    inspection = replace(stored.inspection, image=sample.name)
    file, heat = result.get("file"), result.get("map")
    return Outcome(frame, stored.judged, inspection, notes=stored.notes, file=file, map=heat)
