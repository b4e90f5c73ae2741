"""Write what a recipe was judged by at its training: scores, pictures and the map of blind zones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import thumbnail
from flawline.data.json_file import write_json_document
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.data.stream import map_pictures
from flawline.inspector import Inspector
from flawline.jobs.train.training_verdict import counts_of_test
from flawline.report.self_test_figures import blind_picture
from flawline.server.evidence_book import BLIND, DOCUMENT
from flawline.server.pictures import heat_layer, jpeg
from flawline.types import Picture, Track, Unjudged

if TYPE_CHECKING:
    from flawline.jobs.train.train_anomaly import AnomalyTraining

MOST = 150
"""Pictures of each kind that are kept: bad ones with the lowest scores, good ones with the highest."""
SIDE, _MAP_SIDE = 512, 192


def write_evidence(trained: AnomalyTraining, source: Source, folder: Path, track: Track) -> None:
    """Write the scores of known parts, and the pictures of those near the thresholds, into a folder."""
    folder.mkdir(exist_ok=True)
    bad = sorted(trained.bad.items(), key=lambda item: (item[1], item[0]))
    good = sorted(trained.good.items(), key=lambda item: (-item[1], item[0]))
    aside = [(suspect.name, suspect.score) for suspect in trained.suspects]
    chosen = dict.fromkeys(name for name, _ in (*bad[:MOST], *good[:MOST], *aside[:MOST]))
    places = _draw(trained, source, list(chosen), folder, track)
    parts = {sample.name: part_of(sample) for sample in source.samples()}
    reasons = {suspect.name: suspect.reason for suspect in trained.suspects}
    document = {
        "bad": _rows(bad, places, parts),
        "good": _rows(good, places, parts),
        "set_aside": [
            {**row, "reason": reasons[row["name"]]} for row in _rows(aside, places, parts)
        ],
        "test": counts_of_test(trained),
        "blind": trained.self_test is not None,
    }
    if trained.self_test is not None:
        drawn = blind_picture(trained.self_test.blind, trained.self_test.mean)
        (folder / BLIND).write_bytes(jpeg(drawn))
    write_json_document(folder / DOCUMENT, document)


def _rows(
    scores: Iterable[tuple[str, float]], places: Mapping[str, int], parts: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {"name": name, "part": parts[name], "score": score, "picture": places.get(name)}
        for name, score in scores
        if np.isfinite(score)
    ]


def _draw(
    trained: AnomalyTraining, source: Source, names: list[str], folder: Path, track: Track
) -> dict[str, int]:
    """Write K.jpg and its heat K.png for each of the names; returns K by name."""
    inspector = Inspector(trained.recipe)
    low, high = inspector.heat_range or (0.0, 1.0)
    wanted = {name: place for place, name in enumerate(names)}

    def drawn(picture: Picture) -> tuple[bytes, bytes]:
        scores = _smaller(inspector.find(picture).map)
        return jpeg(thumbnail(picture.pixels, SIDE)), heat_layer(scores, low, high)

    samples = [sample for sample in source.samples() if sample.name in wanted]
    results = map_pictures(source, samples, drawn, value_range=inspector.value_range)
    found: dict[str, int] = {}
    for sample, result in track(results, title="Keeping pictures", total=len(samples)):
        if isinstance(result, Unjudged):
            continue
        place = found[sample.name] = wanted[sample.name]
        (folder / f"{place}.jpg").write_bytes(result[0])
        (folder / f"{place}.png").write_bytes(result[1])
    return found


def _smaller(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    factor = _MAP_SIDE / max(scores.shape)
    if factor >= 1:
        return scores
    width, height = (max(1, round(side * factor)) for side in scores.shape[::-1])
    return np.asarray(cv2.resize(scores, (width, height), interpolation=cv2.INTER_AREA), np.float32)
