"""Compute features on Ray: a Parquet data set with a row for each picture."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.opening import Opening
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.data.tables import write_frame
from flawline.data.work_file import WorkFile
from flawline.errors import SourceError, UsageError
from flawline.features.compute import (
    DEFAULT,
    FeatureSettings,
    computation,
    describe_network,
    open_features,
)
from flawline.features.feature_set import Column
from flawline.features.files import features_frame
from flawline.features.table import FeatureTable
from flawline.fleet.cluster import ray_on
from flawline.fleet.inspecting import THREADS
from flawline.fleet.parts import Parts, Row
from flawline.types import Sample, Track, Unjudged, no_track

UNFINISHED = ".unfinished"
DATA_SET = "features"
_TOLD = 20


@dataclass(frozen=True, slots=True)
class FleetFeatures:
    """What was computed on Ray, and the folder of the data set with a row for each picture.

    `told` are the first pictures that could not be judged, of `unjudged`. `resumed` pictures were done by a run that
    was interrupted.
    """

    source: str
    settings: Mapping[str, Any]
    data_set: Path
    parts: int
    pictures: int
    columns: tuple[Column, ...]
    unjudged: int
    told: tuple[Unjudged, ...]
    unlisted: tuple[Unjudged, ...]
    resumed: int

    @property
    def exit_code(self) -> int:
        """Return 2 if some pictures could not be judged, else 0."""
        return 2 if self.unjudged or self.unlisted else 0

    def as_dict(self) -> dict[str, Any]:
        """Convert to what JSON can hold."""
        return {
            "source": self.source,
            "settings": dict(self.settings),
            "data_set": str(self.data_set),
            "parts": self.parts,
            "pictures": self.pictures,
            "columns": [{"name": c.name, "text": c.text} for c in self.columns],
            "unjudged": [item.as_dict() for item in (*self.told, *self.unlisted)],
            "resumed": self.resumed,
        }


@dataclass(frozen=True, slots=True)
class Computing:
    """The job that computes features; a file of a network lies where every machine finds it."""

    settings: FeatureSettings
    opening: Opening

    def open(self, stack: ExitStack) -> Callable[[Sequence[Sample]], Sequence[Any]]:
        """Load the network and open the source; see `Job.open`."""
        files = stack.enter_context(self.opening.files())
        chosen, _ = open_features(self.settings)

        def work(samples: Sequence[Sample]) -> list[Row]:
            results = map_pictures(
                files,
                samples,
                chosen.compute,
                value_range=self.settings.value_range,
                workers=THREADS,
            )
            return [_row(result) for _, result in results]

        return work


def features_on_ray(
    source: Source,
    *,
    on: str,
    folder: Path,
    settings: FeatureSettings = DEFAULT,
    track: Track = no_track,
) -> FleetFeatures:
    """Compute the features of every picture of an open source on Ray, in bounded memory here.

    Args:
        source: where the pictures come from; every machine of the cluster opens it by the same location.
        on: as for `ray_on`.
        folder: gets features/part-000000.parquet and so on, each with 2048 rows in the order of the source.
        settings: the features to compute.
        track: shows progress.

    Raises:
        UsageError: the pictures lie in memory, the name of a feature is unknown; or as for `ray_on`.
        DependencyError: the extra [fleet] is missing.
        FlawlineError: ("fleet-unreachable", "fleet-failed") Ray cannot be reached, or failed several times.
        SourceError, ModelError: as for `compute_features`.
    """
    if source.opening is None:
        raise UsageError("pictures in memory cannot be spread; give the place of their files")
    opening = source.opening.anywhere()
    folder.mkdir(parents=True, exist_ok=True)
    chosen, network = open_features(settings)
    facts = computation(network, settings)
    if network is not None:
        settings = replace(settings, precision=network.precision)
    about, resumed = list[Row](), list[int]()
    with (
        ray_on(on),
        WorkFile(
            folder / UNFINISHED, f"fleet features 1 {settings.features} {facts} {opening}"
        ) as file,
    ):
        writing = _Writing(chosen.columns)
        parts = Parts(
            folder / DATA_SET,
            file,
            Computing(settings, opening),
            lambda _, row: row,
            writing.write,
        )
        rows = parts.run(source.samples(), about, resumed)
        for _ in track(rows, title="Features", total=source.summary().pictures):
            pass
    unjudged = sum(part["unjudged"] for part in about)
    pictures = sum(part["pictures"] for part in about)
    told = [Unjudged(*item) for part in about for item in part["told"]][:_TOLD]
    if unjudged == pictures:
        raise SourceError(
            f"none of the {pictures} pictures could be judged",
            hint=f"the first: {told[0].image}: {told[0].reason}",
        )
    return FleetFeatures(
        source=source.name,
        settings={
            "features": ", ".join(settings.features),
            **(describe_network(network) if network else {}),
        },
        data_set=folder / DATA_SET,
        parts=len(about),
        pictures=pictures,
        columns=chosen.columns,
        unjudged=unjudged,
        told=tuple(told),
        unlisted=source.unlisted(),
        resumed=sum(resumed),
    )


@dataclass(frozen=True, slots=True)
class _Writing:
    columns: tuple[Column, ...]

    def write(self, path: Path, rows: Sequence[tuple[Sample, Row]]) -> Row:
        """Write a part in the order of the source; the features of what could not be judged are missing."""
        import polars as pl

        nothing = np.full(len(self.columns), np.nan, np.float32)
        values = [_values(row["row"]) if "row" in row else nothing for _, row in rows]
        samples = tuple(sample for sample, _ in rows)
        table = FeatureTable(samples, self.columns, np.stack(values), ())
        codes = pl.Series("code", [row.get("code") for _, row in rows], dtype=pl.String)
        reasons = pl.Series("reason", [row.get("reason") for _, row in rows], dtype=pl.String)
        frame = features_frame(table).with_columns(codes, reasons)
        own = [column.name for column in self.columns]
        frame = frame.with_columns(pl.when(pl.col("code").is_null()).then(pl.col(own)))
        write_frame(frame, path)
        missed = [(s.name, row["code"], row["reason"]) for s, row in rows if "row" not in row]
        return {
            "pictures": len(rows),
            "unjudged": len(missed),
            "told": [list(item) for item in missed[:_TOLD]],
        }


def _row(result: NDArray[np.float32] | Unjudged) -> Row:
    if isinstance(result, Unjudged):
        return {"code": result.code, "reason": result.reason}
    return {"row": base64.b64encode(result.astype("<f4").tobytes()).decode()}


def _values(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), "<f4")
