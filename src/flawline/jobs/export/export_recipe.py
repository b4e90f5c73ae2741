"""Export a recipe: write the model, compare it with the recipe, and keep it only if they agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flawline.data.part_files import scratch_folder
from flawline.data.source import Source
from flawline.errors import ModelError, UsageError
from flawline.inspector import Inspector
from flawline.jobs.export.document import document_of
from flawline.jobs.export.export_segmenter import check_segmenter
from flawline.jobs.export.exported import Checked, Exported
from flawline.jobs.export.how_to import how_to_run
from flawline.jobs.export.model_file import (
    FORMATS,
    ExportedModel,
    check_format,
    open_model,
    write_model,
)
from flawline.jobs.export.parity import Scorer, check, inspector_scorer, scorer_of
from flawline.networks.openvino_runtime import available_precision
from flawline.recipe import Recipe, check_ready
from flawline.recipe.container import write_folder
from flawline.types import Track, no_track

DOCUMENT, PAGE = "export.json", "HOW-TO-RUN.md"
_NAMES = frozenset({DOCUMENT, PAGE, *(name for names in FORMATS.values() for name in names)})


def export_recipe(
    recipe: Recipe, name: str, out: Path, *, source: Source | None = None, track: Track = no_track
) -> Exported:
    """Write the detector or segmenter of a recipe for another runtime into the folder `out`, completely or not at all.

    The files are opened and run on pictures; where maps, scores or verdicts differ from those of the inspector in
    float32 by more than the tolerance, nothing is written.

    Args:
        recipe: with thresholds.
        name: "onnx" or "openvino".
        out: a folder that is new, empty or an earlier export.
        source: pictures to compare on; drawn ones are taken without it.
        track: shows the progress.

    Raises:
        UsageError: an unknown format, or `out` holds something else.
        DependencyError: the format's runtime is not installed.
        SourceError: no picture could be compared.
        ModelError: ("export-differs") the exported model and the recipe disagree; ("export-backbone") the backbone
            cannot be written in this format; ("recipe-uncalibrated") the recipe has no thresholds.
    """
    check_format(name)
    check_ready(recipe)
    if recipe.settings.golden is not None:
        raise UsageError(
            "the recipe compares pictures with a golden sample, which an exported model cannot do",
            hint="take the section [golden] out of its recipe.toml to export the detector alone",
        )
    _check_folder(out)
    make = {"anomaly": _detector, "segment": check_segmenter}[recipe.settings.task]
    with scratch_folder() as folder:
        done, document, page = make(recipe, name, folder, source, track)
        if not done.tolerance.holds(done.parity):
            raise _differs(done)
        contents = {file: (folder / file).read_bytes() for file in FORMATS[name]}
    return Exported(_write(out, contents, document, page), done, document)


def _detector(
    recipe: Recipe, name: str, folder: Path, source: Source | None, track: Track
) -> tuple[Checked, dict[str, Any], str]:
    """Write a detector into `folder`, open, run and compare it; returns the figures, export.json and the page."""
    # What is damaged shows in an inspector, before anything is made of it.
    inspector = Inspector(recipe, precision="f32")
    path = write_model(recipe, name, folder)
    model = open_model(path, recipe)
    done = check(
        inspector,
        scorer_of(recipe, model),
        _coarser(inspector, name, path),
        source,
        track=track,
    )
    files = {file: folder / file for file in FORMATS[name]}
    return done, document_of(inspector, model, files, name, done), how_to_run(recipe, model, name)


def _coarser(inspector: Inspector, name: str, path: Path) -> Mapping[str, Scorer]:
    """Collect the scorers in bfloat16; none where this processor does not support it."""
    if available_precision("auto") != "bf16":
        return {}
    recipe = inspector.recipe
    scorers = {"the recipe in bf16": inspector_scorer(Inspector(recipe, precision="bf16"))}
    if name == "openvino":
        whole: ExportedModel = open_model(path, recipe, "bf16")
        scorers["the exported model in bf16"] = scorer_of(recipe, whole)
    return scorers


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"expected a folder at {out}, there is a file", hint="give another name")
    foreign = sorted(p.name for p in out.iterdir() if p.name not in _NAMES) if out.is_dir() else []
    if foreign:
        raise UsageError(
            f"{out} holds a file that is not part of an export: {foreign[0]}",
            hint="give a new or empty folder with `out`; nothing was changed",
        )


def _write(
    out: Path, contents: Mapping[str, bytes], document: Mapping[str, object], page: str
) -> tuple[Path, ...]:
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    files = {**contents, DOCUMENT: text.encode(), PAGE: page.encode()}
    out.parent.mkdir(parents=True, exist_ok=True)
    write_folder(out, files, _NAMES.__contains__)
    return tuple(out / name for name in files)


def _differs(done: Checked) -> ModelError:
    parity, limit = done.parity, done.tolerance
    text = (
        f"the exported model differs from the recipe: maps by up to {parity.map_largest:.3g} and scores by up to "
        f"{parity.score_largest:.3g}, tolerated are {limit.value:.3g} ({limit.share:g} of {limit.spread:.3g})"
    )
    if parity.different:
        text += f"; another verdict for {len(parity.different)} of {parity.pictures} pictures, {parity.different[0]}"
        text += " among them" if len(parity.different) > 1 else ""
    return ModelError(
        text, hint="nothing was written; try the other format with `to`", code="export-differs"
    )
