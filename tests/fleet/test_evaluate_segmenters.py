"""The evaluation of a segmenter on actors has the figures of one process, classes and pixels too."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from flawline.data.masks import MaskSettings
from flawline.data.source import open_source
from flawline.fleet import evaluate as fleet_evaluate
from flawline.fleet.spread import Job, Worker, batch_text, results_of
from flawline.inspector import Inspector
from flawline.jobs.evaluate import timing
from flawline.jobs.evaluate.evaluate import evaluate
from flawline.jobs.evaluate.evaluation_tables import evaluation_as_dict
from flawline.types import Sample
from helpers.drawn_segmenter import segment_recipe
from helpers.segmented_parts import write_segmented

MASKS = MaskSettings(ignore=255)


def travelled(job: Job, samples: Sequence[Sample], *, batch: int | None = None) -> Iterator[Any]:
    """Work as actors do: the job, the samples and the results are sent as bytes."""
    worker, size = Worker(pickle.dumps(job)), batch or 32
    for start in range(0, len(samples), size):
        yield from results_of(worker.answer(batch_text(samples[start : start + size])))


def test_figures_of_classes_are_those_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "TIMED", 0.1)
    monkeypatch.setattr(fleet_evaluate, "ray_on", nullcontext)
    monkeypatch.setattr(fleet_evaluate, "spread", travelled)
    inspector = Inspector(segment_recipe(tmp_path / "network.onnx"))
    with open_source(write_segmented(tmp_path)) as source:
        with fleet_evaluate.looking_on("local", source, inspector) as look:
            found = evaluate(source, inspector, masks=MASKS, look=look)
        alone = evaluate(source, inspector, masks=MASKS)
    assert len(found.pictures) == 18
    for one, other in zip(found.pictures, alone.pictures, strict=True):
        for field in fields(one):
            if field.name != "timings":
                assert getattr(one, field.name) == getattr(other, field.name), one.sample.name
    assert found.segmentation is not None
    assert alone.segmentation is not None
    assert found.segmentation.counts[1] == (32, 676, 100)
    # Dictionaries are compared as text: a figure that cannot be computed is unlike itself.
    one, other = (json.dumps(untimed(evaluation_as_dict(each))) for each in (found, alone))
    assert one == other
    own, others = found.segmentation.by_part, alone.segmentation.by_part
    assert own.counts.tolist() == others.counts.tolist()


def untimed(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out how long it took."""
    return {
        name: untimed(value) if isinstance(value, dict) else value
        for name, value in document.items()
        if not any(word in name for word in ("milliseconds", "per_second", "timing"))
    }
