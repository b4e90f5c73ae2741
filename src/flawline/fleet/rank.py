"""Rank a source on Ray: references are drawn once, scoring is a map."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from flawline.data.source import Source
from flawline.data.tables import write_frame
from flawline.data.work_file import WorkFile
from flawline.errors import SourceError, UsageError
from flawline.features.compute import DEFAULT, FeatureSettings, check_same_network, expected_network
from flawline.fleet.cluster import ray_on
from flawline.fleet.drawn_names import drawn_samples
from flawline.fleet.parts import Parts, Row
from flawline.fleet.scoring import Scoring, row_of
from flawline.jobs.rank import rank_by_comparison as by_comparison
from flawline.jobs.rank.comparison import NEIGHBOURS
from flawline.jobs.rank.rank import ALIKE, open_reader, saved_comparison, too_few
from flawline.jobs.rank.saved_ranking import SavedRanking
from flawline.networks.threads import one_thread
from flawline.types import Sample, Track, Unjudged, no_track

UNFINISHED = ".unfinished"
DATA_SET = "scores"
_TOLD = 20


@dataclass(frozen=True, slots=True)
class FleetRanking:
    """What was scored on Ray: the most anomalous pictures, and the folder of the data set with a row for each picture.

    `top` are names, labels and scores, the highest first. `told` are the first pictures that could not be judged, of
    `unjudged`. `resumed` pictures were scored by a run that was interrupted.
    """

    source: str
    settings: Mapping[str, Any]
    data_set: Path
    parts: int
    pictures: int
    unjudged: int
    top: tuple[tuple[str, str | None, float], ...]
    told: tuple[Unjudged, ...]
    unlisted: tuple[Unjudged, ...]
    resumed: int
    warnings: tuple[str, ...] = ()

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
            "ranking": [
                {"rank": rank, "image": name, "label": label, "score": score}
                for rank, (name, label, score) in enumerate(self.top, start=1)
            ],
            "unjudged": [item.as_dict() for item in (*self.told, *self.unlisted)],
            "resumed": self.resumed,
            "warnings": list(self.warnings),
        }


def rank_on_ray(
    source: Source,
    *,
    on: str,
    folder: Path,
    settings: FeatureSettings = DEFAULT,
    saved: SavedRanking | None = None,
    neighbours: int = NEIGHBOURS,
    top_n: int = 10,
    seed: int = 0,
    track: Track = no_track,
) -> tuple[FleetRanking, SavedRanking]:
    """Score the pictures of an open source on Ray, in bounded memory here; `method` "auto" alone.

    At most 128 references are drawn as `rank` draws them and compared with each other in this process; every other
    picture is compared with them on the actors. Each score is that of `rank`, to the last bit in f32.

    Args:
        source: where the pictures come from; every machine of the cluster opens it by the same location.
        on: as for `ray_on`.
        folder: gets scores/part-000000.parquet and so on, each with 2048 rows in the order of the source.
        settings: backbone, its preparation and precision; a file of a network lies where every machine finds it.
        saved: score against these references instead of drawing some.
        neighbours, top_n, seed: as for `rank`.
        track: shows progress.

    Raises:
        UsageError: an argument is out of range, the pictures lie in memory, or `saved` is a forest.
        DependencyError: the extra [fleet] is missing.
        FlawlineError: ("fleet-unreachable", "fleet-failed") Ray cannot be reached, or failed several times.
        SourceError, ModelError: as for `rank`.
    """
    _check(source, saved, neighbours, top_n, seed)
    assert source.opening is not None
    opening = source.opening.anywhere()
    folder.mkdir(parents=True, exist_ok=True)
    same_source = saved is None
    known: dict[str, Row] = {}
    warnings: tuple[str, ...] = ()
    # What is missing is told before the references are computed.
    with ray_on(on):
        with one_thread():
            if saved is None:
                saved, known, warnings = _drawn(source, settings, neighbours, seed, track)
            else:
                reader = open_reader(
                    source, saved.settings, None, track, expected_network(saved.described)
                )
                warnings = check_same_network(saved.described, reader.rows.network)
        assert saved.fitted is not None
        computed_in = str(saved.described["precision"])
        job = Scoring(
            replace(saved.settings, precision=computed_in),
            saved.fitted,
            saved.described,
            opening,
            same_source,
        )
        about, resumed = list[Row](), list[int]()
        facts = [saved.described, saved.fitted.digests, top_n, same_source, opening]
        with WorkFile(folder / UNFINISHED, f"fleet rank 1 {facts}") as work_file:
            writing = _Writing(saved.fitted.references.views, top_n)
            parts = Parts(
                folder / DATA_SET, work_file, job, lambda _, row: row, writing.write, known
            )
            rows = parts.run(source.samples(), about, resumed)
            for _ in track(rows, title="Scoring", total=source.summary().pictures):
                pass
    return _summed(source, saved, folder, about, sum(resumed), top_n, warnings), saved


def _drawn(
    source: Source, settings: FeatureSettings, neighbours: int, seed: int, track: Track
) -> tuple[SavedRanking, dict[str, Row], tuple[str, ...]]:
    """Draw references and compare them with each other; returns their rows by name too."""
    reader = replace(open_reader(source, settings, None, track), neighbours=neighbours)
    limit = by_comparison.reference_limit(reader.rows.width)
    chosen = drawn_samples(_Again(source), seed, limit)
    fitted, scored = by_comparison.fit(reader, chosen)
    if fitted is None:
        raise too_few(len(scored.samples), scored.unjudged)
    known: dict[str, Row] = {
        item.image: {"code": item.code, "reason": item.reason} for item in scored.unjudged
    }
    for sample, value, views in zip(scored.samples, scored.scores, scored.views, strict=True):
        known[sample.name] = row_of(value, views)
    alike = not np.isfinite(fitted.references.spread).any()
    warnings = (ALIKE,) if alike else ()
    return saved_comparison(reader, fitted, settings, seed), known, warnings


class _Again:
    """The samples of a source, from the start each time."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> Any:
        return self._source.samples()


@dataclass(frozen=True, slots=True)
class _Writing:
    views: tuple[str, ...]
    top_n: int

    def write(self, path: Path, rows: Sequence[tuple[Sample, Row]]) -> Row:
        """Write a part in the order of the source; what could not be judged has no score."""
        import polars as pl

        judged = [row if "score" in row else {} for _, row in rows]
        views = [row.get("views") for row in judged]
        frame = pl.DataFrame(
            {
                "image": pl.Series([s.name for s, _ in rows], dtype=pl.String),
                "label": pl.Series([s.label for s, _ in rows], dtype=pl.String),
                "group": pl.Series([s.group for s, _ in rows], dtype=pl.String),
                "score": pl.Series([row.get("score") for row in judged], dtype=pl.Float32),
                **{
                    name: pl.Series([v and v[i] for v in views], dtype=pl.Float32)
                    for i, name in enumerate(self.views)
                },
                "code": pl.Series([row.get("code") for _, row in rows], dtype=pl.String),
                "reason": pl.Series([row.get("reason") for _, row in rows], dtype=pl.String),
            }
        )
        write_frame(frame, path)
        scored = [(s.name, s.label, row["score"]) for s, row in rows if "score" in row]
        missed = [(s.name, row["code"], row["reason"]) for s, row in rows if "score" not in row]
        return {
            "pictures": len(rows),
            "unjudged": len(missed),
            "told": [list(item) for item in missed[:_TOLD]],
            "top": [list(item) for item in _top(scored, self.top_n)],
        }


def _top(scored: Any, count: int) -> list[Any]:
    """Take the highest scores; equal ones by name."""
    return heapq.nsmallest(count, scored, key=lambda item: (-item[2], item[0]))


def _summed(
    source: Source,
    saved: SavedRanking,
    folder: Path,
    about: Sequence[Row],
    resumed: int,
    top_n: int,
    warnings: tuple[str, ...],
) -> FleetRanking:
    unjudged = sum(part["unjudged"] for part in about)
    pictures = sum(part["pictures"] for part in about)
    told = [Unjudged(*item) for part in about for item in part["told"]][:_TOLD]
    if unjudged == pictures:
        raise SourceError(
            f"none of the {pictures} pictures could be judged",
            hint=f"the first: {told[0].image}: {told[0].reason}",
        )
    top = _top((item for part in about for item in part["top"]), top_n)
    return FleetRanking(
        source=source.name,
        settings={**saved.described, "top_n": top_n},
        data_set=folder / DATA_SET,
        parts=len(about),
        pictures=pictures,
        unjudged=unjudged,
        top=tuple((name, label, score) for name, label, score in top),
        told=tuple(told),
        unlisted=source.unlisted(),
        resumed=resumed,
        warnings=warnings,
    )


def _check(
    source: Source, saved: SavedRanking | None, neighbours: int, top_n: int, seed: int
) -> None:
    if source.opening is None:
        raise UsageError("pictures in memory cannot be spread; give the place of their files")
    if saved is not None and saved.fitted is None:
        raise UsageError(
            "a forest cannot score on Ray (`on`): it was fitted to features",
            hint="leave `on` out, or save a ranking with `method=auto`",
        )
    if not 1 <= neighbours <= 50:
        raise UsageError(f"neighbours must be from 1 to 50, got {neighbours}")
    if top_n < 1 or not 0 <= seed < 2**32:
        raise UsageError(
            f"top_n must be at least 1 and seed from 0 to 2^32 - 1, got {top_n} and {seed}"
        )
