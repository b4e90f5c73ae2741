"""`flawline evaluate`: how good a recipe is on pictures that it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, say, text_table
from flawline.cli.feature_options import (
    Bad,
    Encoding,
    Good,
    Limits,
    Root,
    SourceArgument,
    open_from_options,
    picture_notes,
    print_notes,
    print_unjudged,
)
from flawline.cli.fleet import OnOption
from flawline.cli.mask_options import (
    Annotations,
    Boxes,
    Classes,
    Ignore,
    MaskThreshold,
    Palette,
    mask_settings,
)
from flawline.cli.recipe_options import DrawSeed, DropKnown, RecipeArgument, RecipePrecision, Split
from flawline.cli.settings import as_options

if TYPE_CHECKING:
    from flawline.jobs.evaluate.evaluation import Evaluation
    from flawline.jobs.evaluate.segmentation import Segmentation


def evaluate(
    recipe: RecipeArgument,
    source: SourceArgument,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for evaluation.json, report.html and tables."),
    ] = Path("flawline-evaluation"),
    split: Split = None,
    drop_known: DropKnown = False,
    annotations: Annotations = None,
    classes: Classes = None,
    palette: Palette = None,
    ignore: Ignore = None,
    threshold: MaskThreshold = None,
    boxes: Boxes = "refuse",
    precision: RecipePrecision = None,
    seed: DrawSeed = 0,
    on: OnOption = None,
    good: Good = None,
    bad: Bad = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Escapes, overkill, AUROC, AUPRO, recall, classes and the worst mistakes on pictures that the recipe never saw."""
    from flawline.api.evaluate import evaluate as evaluate_source
    from flawline.inspector import Inspector
    from flawline.jobs.evaluate.evaluation_files import write_evaluation
    from flawline.jobs.evaluate.evaluation_tables import evaluation_as_dict

    masks = mask_settings(annotations, classes, palette, ignore, threshold=threshold, boxes=boxes)
    inspector = Inspector.open(recipe, precision=precision)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        evaluation = evaluate_source(
            inspector,
            opened,
            split=split,
            drop_known=drop_known,
            annotations=masks.annotations,
            classes=masks.classes,
            palette=masks.palette,
            ignore=masks.ignore,
            threshold=masks.threshold,
            boxes=boxes,
            seed=seed,
            on=on,
            track=ProgressBar(quiet=quiet),
        )
        out.mkdir(parents=True, exist_ok=True)
        written = write_evaluation(evaluation, opened, inspector, out, masks)
        summary = opened.summary()
    if as_json:
        print_json(evaluation_as_dict(evaluation))
    else:
        print_evaluation(evaluation)
    print_unjudged(evaluation.unjudged)
    messages = say(evaluation.messages)
    notes = [*messages, *picture_notes(evaluation.notes)]
    print_notes(summary, [*notes, f"wrote {', '.join(map(str, written))}"], quiet=quiet)
    return evaluation.exit_code


def print_evaluation(evaluation: Evaluation) -> None:
    """The figures as a table, what is missing, and the finding in one sentence."""
    from rich.console import Console

    from flawline.jobs.evaluate.evaluation_report import finding
    from flawline.jobs.evaluate.metric_text import estimate, rate, share

    rates = evaluation.rates
    rows: list[tuple[str, Any]] = [
        ("image AUROC", evaluation.auroc and estimate(evaluation.auroc)),
        (
            "average precision",
            evaluation.average_precision and estimate(evaluation.average_precision),
        ),
        ("escape: bad parts accepted", rates.escape and rate(rates.escape)),
        ("bad parts to review", rates.bad_to_review and rate(rates.bad_to_review)),
        ("overkill: good parts rejected", rates.overkill and rate(rates.overkill)),
        ("good parts to review", rates.good_to_review and rate(rates.good_to_review)),
        ("defect regions found", evaluation.recall and share(evaluation.recall.regions)),
    ]
    if pixels := evaluation.pixels:
        rows += [
            ("AUPRO up to 0.3", f"{pixels.aupro.value:.4f}"),
            ("AUPRO up to 0.05", f"{pixels.aupro_strict.value:.4f}"),
            ("pixel AUROC", f"{pixels.auroc.value:.4f}"),
        ]
    console = Console(highlight=False)
    console.print(text_table(["figure", "value, 95 % interval"], [row for row in rows if row[1]]))
    if found := evaluation.segmentation:
        console.print(text_table(["pixels", "value, 95 % interval"], _means(found)))
        header = ["class", "IoU", "precision", "recall", "regions found", "a90", "a90/95"]
        console.print(
            text_table([*header[:5], *(f"{n}, {found.unit}" for n in header[5:])], _classes(found))
        )
    if evaluation.labels:
        labels = [(o.label, estimate(o.auroc), rate(o.accepted)) for o in evaluation.labels]
        console.print(text_table(["label", "AUROC", "parts accepted"], labels))
    for name, reason in evaluation.missing.items():
        console.print(f"no {name.replace('_', ' ')}: {as_options(reason)}")
    console.print(finding(evaluation), style="bold")


def _means(found: Segmentation) -> list[tuple[str, str]]:
    from flawline.jobs.evaluate.metric_text import estimate

    accuracy = "none" if found.accuracy is None else f"{found.accuracy:.3f}"
    return [("accuracy", accuracy), ("mean IoU of defects", estimate(found.mean_iou))]


def _classes(found: Segmentation) -> list[tuple[str, ...]]:
    from flawline.jobs.evaluate.metric_text import number, share

    return [
        (
            one.name,
            *(number(getattr(one.figures, name)) for name in ("iou", "precision", "recall")),
            "none" if one.named is None else share(one.named.regions),
            *(number(getattr(one.pod, name, None), ".3g") for name in ("a90", "a90_95")),
        )
        for one in found.defects
    ]
