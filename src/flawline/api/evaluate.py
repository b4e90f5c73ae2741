"""Say how good recipes are, and take them to other runtimes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

from flawline.api.masks import mask_settings
from flawline.api.recipes import InspectorLike, RecipeLike, inspector_of, recipe_of
from flawline.api.settings import ClassNames, Ignore, Palette
from flawline.data.source import SourceLike, opened
from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.jobs.evaluate import compare as comparing
from flawline.jobs.evaluate import evaluate as evaluating
from flawline.jobs.evaluate.compare import Comparison
from flawline.jobs.evaluate.differences import Costs
from flawline.jobs.evaluate.evaluation import Evaluation
from flawline.jobs.export.export_recipe import export_recipe
from flawline.jobs.export.exported import Exported
from flawline.recipe import Recipe
from flawline.types import Track, no_track


def evaluate(
    recipe: InspectorLike,
    source: SourceLike,
    *,
    split: str | None = None,
    drop_known: bool = False,
    annotations: str | os.PathLike[str] | None = None,
    classes: ClassNames = None,
    palette: Palette = None,
    ignore: Ignore = None,
    threshold: float | None = None,
    boxes: str = "refuse",
    precision: str | None = None,
    seed: int = 0,
    on: str | None = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> Evaluation:
    """Measure how well a recipe tells good parts from bad ones, on pictures that it never saw.

    Args:
        recipe: with thresholds: a recipe, its path, or an `Inspector`.
        source: whose labels or masks state what is good and bad: anything that `open_source` takes, or an open source.
        split: the split to take, or "all"; the test split, where there is one, if not given.
        drop_known: leave out pictures that training or calibration saw; else refuse.
        annotations, classes, palette, ignore, threshold, boxes: class masks, as for `train_segment`.
        precision: "auto", "f32" or "bf16" instead of the recipe's.
        seed: of the draws behind intervals.
        on: "local" inspects through Ray on this machine, "ray://HOST:PORT" on a cluster; in this process if None.
        good, bad, track: as for `rank`.

    Returns:
        Escapes, overkill, AUROC, AUPRO, recall, classes, and every picture with its verdict.

    Raises:
        UsageError: no such split; ("evaluation-leak") the recipe knows a picture; ("evaluation-unlabelled") no
            picture is known to be good or bad; ("evaluation-classes") the masks hold a class that the recipe does not
            know.
        ModelError: the recipe cannot be used; ("recipe-uncalibrated") it has no thresholds.
        SourceError: the source cannot be opened, or none of its pictures be judged.
        DependencyError: `on` needs the extra [fleet].
        FlawlineError: ("fleet-unreachable") no cluster answers; ("fleet-failed") it could not finish.
    """
    inspector = inspector_of(recipe, precision)
    with ExitStack() as stack:
        open_ = stack.enter_context(opened(source, good, bad))
        look = None
        if on is not None:
            from flawline.fleet.evaluate import looking_on

            look = stack.enter_context(looking_on(on, open_, inspector))
        return evaluating.evaluate(
            open_,
            inspector,
            split=split,
            drop_known=drop_known,
            masks=mask_settings(
                annotations, classes, palette, ignore, threshold=threshold, boxes=boxes
            ),
            seed=seed,
            track=track,
            look=look,
        )


def compare(
    recipes: Sequence[InspectorLike] | Mapping[str, InspectorLike],
    source: SourceLike,
    *,
    split: str | None = None,
    drop_known: bool = False,
    cost_escape: float | None = None,
    cost_overkill: float | None = None,
    cost_review: float | None = None,
    prevalence: float | None = None,
    annotations: str | os.PathLike[str] | None = None,
    classes: ClassNames = None,
    palette: Palette = None,
    ignore: Ignore = None,
    threshold: float | None = None,
    boxes: str = "refuse",
    precision: str | None = None,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> Comparison:
    """Evaluate several recipes on the same pictures, with intervals of their differences.

    Args:
        recipes: two or more, as for `evaluate`, or by name; the first is compared with.
        source: as for `evaluate`.
        cost_escape, cost_overkill: costs of a bad part accepted and of a good one rejected.
        cost_review: cost of a part sent to review; 0 if not given.
        prevalence: share of bad parts in production; costs need it.
        split, drop_known, annotations, classes, palette, ignore, threshold, boxes: as for `evaluate`.
        precision, seed, good, bad, track: as for `evaluate`.

    Returns:
        The evaluations, the differences with their intervals, and with costs the order in which to take the recipes.

    Raises:
        UsageError: fewer than two recipes, or costs that are not complete; and what `evaluate` raises.
    """
    inspectors = inspectors_by_name(recipes, precision)
    with opened(source, good, bad) as open_:
        return comparing.compare(
            open_,
            inspectors,
            split=split,
            drop_known=drop_known,
            masks=mask_settings(
                annotations, classes, palette, ignore, threshold=threshold, boxes=boxes
            ),
            costs=costs_of(cost_escape, cost_overkill, cost_review, prevalence),
            seed=seed,
            track=track,
        )


def export(
    recipe: RecipeLike,
    to: str,
    out: str | os.PathLike[str] = "flawline-export",
    *,
    check: SourceLike | None = None,
    track: Track = no_track,
) -> Exported:
    """Write the detector or segmenter of a recipe as an ONNX or OpenVINO model, whole or not at all.

    Args:
        recipe: with thresholds: a recipe or its path.
        to: "onnx" or "openvino".
        out: folder for the model, export.json and HOW-TO-RUN.md; new, empty or an earlier export.
        check: pictures to compare on, 64 at most; 16 drawn ones if not given.
        track: shows progress.

    Returns:
        The files written, and how far the model and the recipe agree.

    Raises:
        UsageError: an unknown format, or `out` holds something else.
        DependencyError: the format's runtime is not installed.
        SourceError: no picture could be compared.
        ModelError: ("export-differs") model and recipe disagree; ("recipe-uncalibrated") there are no thresholds.
    """
    held = nullcontext() if check is None else opened(check)
    with held as source:
        return export_recipe(recipe_of(recipe), to, Path(out), source=source, track=track)


def inspectors_by_name(
    recipes: Sequence[InspectorLike] | Mapping[str, InspectorLike], precision: str | None
) -> dict[str, Inspector]:
    """Make recipes ready, by name."""
    if isinstance(recipes, Mapping):
        return {name: inspector_of(one, precision) for name, one in recipes.items()}
    ready = [inspector_of(one, precision) for one in recipes]
    return dict(zip(distinct_names(recipes), ready, strict=True))


def distinct_names(recipes: Sequence[InspectorLike]) -> list[str]:
    """Name recipes by their file, else by their part, with a number where two would be equal."""
    names: list[str] = []
    for one in recipes:
        stem = _stem(one)
        taken = sum(name == stem or name.startswith(f"{stem} (") for name in names)
        names.append(f"{stem} ({taken + 1})" if taken else stem)
    return names


def costs_of(
    escape: float | None, overkill: float | None, review: float | None, prevalence: float | None
) -> Costs | None:
    """Gather the costs of decisions, None where none is given.

    Raises:
        UsageError: some are missing.
    """
    if escape is None and overkill is None and review is None and prevalence is None:
        return None
    if escape is None or overkill is None or prevalence is None:
        raise UsageError(
            "a cost per part needs `cost_escape`, `cost_overkill` and `prevalence` together",
            hint="for example 50, 1 and 0.01",
        )
    return Costs(escape, overkill, prevalence, review or 0.0)


def _stem(recipe: InspectorLike) -> str:
    if isinstance(recipe, str | os.PathLike):
        return Path(recipe).resolve().stem
    own = recipe if isinstance(recipe, Recipe) else recipe.recipe
    return own.settings.part or "recipe"
