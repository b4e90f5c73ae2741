"""Inspect a source on Ray: a Parquet data set of verdicts, and records, each picture once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flawline.data.source import Source
from flawline.data.tables import write_frame
from flawline.data.work_file import WorkFile
from flawline.errors import SourceError, StoreError, UsageError
from flawline.fleet.cluster import ray_on
from flawline.fleet.inspecting import Judging, outcome_of, packed
from flawline.fleet.parts import Parts, Row
from flawline.records.record import capture_key
from flawline.station.inspect_source import checked_names, resume_repeats
from flawline.station.inspected import Inspected, InspectionRun
from flawline.station.inspection_tables import inspections_frame
from flawline.station.outcome import Outcome
from flawline.station.station import Station
from flawline.station.stored_inspection import stored_as_dict, stored_from_dict
from flawline.types import Sample, Track, Unjudged, no_track

UNFINISHED = ".unfinished"
DATA_SET = "inspections"
_TOLD = 20


@dataclass(frozen=True, slots=True)
class FleetInspection:
    """What was inspected on Ray: counts of verdicts, and the folder of the data set with a row for each picture.

    `told` are the first pictures that could not be judged; all are rows without a verdict. `unlisted` could not even be
    listed. `resumed` pictures were judged by a run that was interrupted.
    """

    source: str
    recipe: str
    settings: Mapping[str, Any]
    data_set: Path
    parts: int
    counts: Mapping[str, int]
    told: tuple[Unjudged, ...]
    unlisted: tuple[Unjudged, ...]
    resumed: int

    @property
    def pictures(self) -> int:
        """Count the pictures, judged or not."""
        return sum(self.counts.values())

    @property
    def exit_code(self) -> int:
        """Return 0 if all were accepted, 1 for a reject or review, 2 if some could not be judged."""
        if self.counts["unjudged"] or self.unlisted:
            return 2
        return 0 if self.counts["accept"] == self.pictures else 1

    def as_dict(self) -> dict[str, Any]:
        """Convert to what JSON can hold."""
        return {
            "source": self.source,
            "recipe": self.recipe,
            "settings": dict(self.settings),
            "data_set": str(self.data_set),
            "parts": self.parts,
            "pictures": self.pictures,
            "counts": dict(self.counts),
            "unjudged": [item.as_dict() for item in (*self.told, *self.unlisted)],
            "resumed": self.resumed,
        }


def inspect_on_ray(
    source: Source,
    station: Station,
    *,
    on: str,
    folder: Path,
    track: Track = no_track,
) -> FleetInspection:
    """Inspect the pictures of an open source on Ray, in bounded memory here.

    A run that was interrupted or killed goes on: what its data set has is not judged again, and records take each
    picture once by its key.

    Args:
        source: where the pictures come from; every machine of the cluster opens it by the same location.
        station: records and sends what the actors judge with its recipe.
        on: as for `ray_on`.
        folder: gets inspections/part-000000.parquet and so on, each with 2048 rows in the order of the source.
        track: shows progress.

    Raises:
        UsageError: the pictures lie in memory; or as for `ray_on`.
        DependencyError: the extra [fleet] is missing.
        FlawlineError: ("fleet-unreachable", "fleet-failed") Ray cannot be reached, or failed several times.
        SourceError, StoreError, ManifestError: as for `inspect_source`.
    """
    if source.opening is None:
        raise UsageError("pictures in memory cannot be spread; give the place of their files")
    for _ in checked_names(source, station) if station.remembers else ():
        pass
    opening = source.opening.anywhere()
    folder.mkdir(parents=True, exist_ok=True)
    inspector = station.inspector
    settings = (
        f"fleet inspect 1 {inspector.recipe.sha256} {inspector.precision} {station.kept} {opening}"
    )
    about: list[Row] = []
    resumed: list[int] = []
    with ray_on(on), WorkFile(folder / UNFINISHED, settings) as work_file:
        resume_repeats(station, work_file)
        writing = _Writing(station)
        parts = Parts(
            folder / DATA_SET,
            work_file,
            Judging(packed(inspector.recipe), inspector.precision, opening, station.kept),
            writing.take,
            writing.write,
        )
        total = source.summary().pictures
        for _ in track(
            parts.run(source.samples(), about, resumed), title="inspecting", total=total
        ):
            pass
        station.flush()
    return _summed(source, station, folder, about, sum(resumed))


@dataclass(frozen=True, slots=True)
class _Writing:
    """Records and rows, in the process that asks."""

    station: Station

    def take(self, sample: Sample, result: Mapping[str, Any]) -> Row:
        """Record and send what came of a picture, and make its row."""
        outcome = outcome_of(sample, result, remembers=self.station.remembers)
        outcome = self.station.give(self._captured(outcome))
        key = capture_key(outcome.record(self.station.inspector.recipe.sha256)).hex()
        if outcome.inspection is None:
            assert outcome.error is not None
            return {"key": key, "code": outcome.error.code, "reason": outcome.error.message}
        return {"key": key, "stored": stored_as_dict(outcome)}

    def _captured(self, outcome: Outcome) -> Outcome:
        """Find out whether the records have the picture under other names; it is not judged then."""
        frame = self.station.named(outcome.frame)
        if outcome.inspection is None:
            return replace(outcome, frame=frame)
        try:
            return replace(outcome, frame=self.station.capture(frame, outcome.inspection.sha256))
        except StoreError as error:
            return Outcome(frame, outcome.judged, error=error, sha256=outcome.inspection.sha256)

    def write(self, path: Path, rows: Sequence[tuple[Sample, Row]]) -> Row:
        """Write a part: what was judged in the order of the source, then what could not be."""
        import polars as pl

        judged = [(sample, row) for sample, row in rows if "stored" in row]
        missed = [(sample, row) for sample, row in rows if "stored" not in row]
        run = InspectionRun(
            source="",
            recipe="",
            part="",
            settings={},
            inspections=tuple(_inspected(sample, row) for sample, row in judged),
            unjudged=tuple(Unjudged(s.name, row["code"], row["reason"]) for s, row in missed),
        )
        ordered = [row for _, row in (*judged, *missed)]
        frame = inspections_frame(run).with_columns(
            pl.Series("key", [row["key"] for row in ordered], dtype=pl.String),
            pl.Series("code", [row.get("code") for row in ordered], dtype=pl.String),
        )
        write_frame(frame, path)
        told = [[s.name, row["code"], row["reason"]] for s, row in missed[:_TOLD]]
        return {"counts": run.counts, "told": told}


def _inspected(sample: Sample, row: Row) -> Inspected:
    stored = stored_from_dict(row["stored"])
    return Inspected(sample, replace(stored.inspection, image=sample.name), None, stored.notes)


def _summed(
    source: Source, station: Station, folder: Path, about: Sequence[Row], resumed: int
) -> FleetInspection:
    counts = Counter[str]()
    for part in about:
        counts.update(part["counts"])
    told = [Unjudged(*item) for part in about for item in part["told"]][:_TOLD]
    inspector = station.inspector
    if about and not sum(counts[name] for name in ("accept", "review", "reject")):
        raise SourceError(
            f"none of the {counts['unjudged']} pictures could be judged",
            hint=f"the first: {told[0].image}: {told[0].reason}",
        )
    return FleetInspection(
        source=source.name,
        recipe=inspector.recipe.sha256,
        settings=dict(inspector.described()),
        data_set=folder / DATA_SET,
        parts=len(about),
        counts={name: counts[name] for name in ("accept", "review", "reject", "unjudged")},
        told=tuple(told),
        unlisted=source.unlisted(),
        resumed=resumed,
    )
