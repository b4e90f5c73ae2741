"""Write the report of a training: what was learnt, the basis of the thresholds, and pictures to check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.whole_file import write_text
from flawline.jobs.train.setup.tried_rows import tried_rows
from flawline.jobs.train.train_anomaly import AnomalyTraining
from flawline.jobs.train.training_verdict import training_verdict
from flawline.report.charts import score_histogram
from flawline.report.pictures import data_address
from flawline.report.self_test_figures import self_test_section
from flawline.report.template import template

SHOWN = 8

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class ShownNames:
    """The pictures that the report of a training shows: set aside, good with high scores, bad with low ones."""

    unusual: tuple[str, ...]
    usual: tuple[str, ...]
    missed: tuple[str, ...]


def shown_names(trained: AnomalyTraining) -> ShownNames:
    """Choose the pictures to show."""
    return ShownNames(
        tuple(suspect.name for suspect in trained.suspects)[:SHOWN],
        tuple(sorted(trained.good, key=lambda name: (-trained.good[name], name)))[:SHOWN],
        tuple(sorted(trained.bad, key=lambda name: (trained.bad[name], name)))[:SHOWN],
    )


def write_training_page(
    trained: AnomalyTraining,
    described: Mapping[str, Any],
    pictures: Mapping[str, Pair],
    path: Path,
    tested: str = "",
) -> Path:
    """Write the HTML report of a training.

    Args:
        trained: what to report.
        described: the recipe as `Inspector.described` gives it.
        pictures: by name a small picture and the same with its heat, uint8 RGB; those without are left out.
        path: the HTML file to write.
        tested: the address of the report of its test, from that file.
    """
    recipe, names = trained.recipe, shown_names(trained)
    limit = recipe.settings.threshold
    scores = {"good": list(trained.good.values()), "bad": list(trained.bad.values())}
    lines = {}
    if limit is not None and trained.good:
        lines = {"review": limit.review, "reject": limit.reject}
    html = template("training.html").render(
        trained=trained,
        verdict=training_verdict(trained),
        tried=tried_rows(trained.set_up) if trained.set_up is not None else (),
        tested=tested,
        self_test=None if trained.self_test is None else self_test_section(trained.self_test),
        recipe=recipe,
        inspector=described,
        histogram=score_histogram(scores, unit="raw score", limits=lines) if trained.good else "",
        suspects=_cards(names.unusual, pictures, {s.name: s.reason for s in trained.suspects}),
        usual=_cards(names.usual, pictures, _scores(names.usual, trained.good)),
        missed=_cards(names.missed, pictures, _scores(names.missed, trained.bad)),
    )
    return write_text(path, html)


def _scores(names: Iterable[str], scores: Mapping[str, float]) -> dict[str, str]:
    return {name: f"score {scores[name]:.4g}" for name in names}


def _cards(
    names: Iterable[str],
    pictures: Mapping[str, Pair],
    words: Mapping[str, str],
) -> list[dict[str, str]]:
    return [
        {
            "name": name,
            "words": words[name],
            "address": data_address(pictures[name][0]),
            "heat": data_address(pictures[name][1]),
        }
        for name in names
        if name in pictures
    ]
