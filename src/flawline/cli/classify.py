"""`flawline classify`: learn labels, say how well that works, predict new pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, note, print_json, printable, warn
from flawline.cli.feature_options import (
    DEFAULT_FEATURES,
    Backbone,
    Bad,
    Encoding,
    Features,
    Good,
    Limits,
    Precision,
    Preparation,
    Root,
    Size,
    SourceArgument,
    ValueRange,
    Weights,
    given_options,
    open_from_options,
    parse_range,
    print_notes,
    print_unjudged,
    refuse_options,
)
from flawline.cli.unfinished import note_start_over

if TYPE_CHECKING:
    from flawline.core.metrics import Share
    from flawline.jobs.classify.classification import Classification

_TRAINING = {
    "features",
    "preparation",
    "size",
    "precision",
    "value_range",
    "model",
    "folds",
    "group",
    "calibration",
    "seed",
}


def classify(
    context: typer.Context,
    source: SourceArgument,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for predictions, report and classifier."),
    ] = Path("flawline-classification"),
    apply: Annotated[
        Path | None, typer.Option(help="Predict with this saved classifier; learn nothing.")
    ] = None,
    model: Annotated[str, typer.Option(help="logistic, forest or boosting.")] = "logistic",
    folds: Annotated[int, typer.Option(help="Folds of the cross-validation.", min=3)] = 5,
    group: Annotated[
        str | None,
        typer.Option(help="Manifest column of pictures that belong together (default: group)."),
    ] = None,
    calibration: Annotated[
        str, typer.Option(help="sigmoid, or isotonic for a thousand pictures and more.")
    ] = "sigmoid",
    features: Features = DEFAULT_FEATURES,
    backbone: Backbone = "flawline-small",
    weights: Weights = None,
    preparation: Preparation = None,
    size: Size = None,
    precision: Precision = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the splits and the model.", min=0)] = 0,
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Learn the labels, measure by cross-validation how well that works, and save the classifier."""
    from flawline.api.features import classify as classify_source
    from flawline.api.features import classify_with
    from flawline.features.compute import settings_from_dict
    from flawline.jobs.classify.classification_files import write_classification
    from flawline.jobs.classify.classifier_file import load_classifier, save_classifier

    if apply is not None:
        refuse_options(context, _TRAINING, "--apply")
    moved: dict[str, Any] = {"backbone": backbone} if given_options(context, ["backbone"]) else {}
    span = parse_range(value_range)
    saved = load_classifier(apply) if apply is not None else None
    out.mkdir(parents=True, exist_ok=True)
    unfinished = out / ".unfinished"
    note_start_over(unfinished, quiet=quiet)
    shared: dict[str, Any] = {"unfinished": unfinished, "track": ProgressBar(quiet=quiet)}
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        if saved is not None:
            span = settings_from_dict(saved.settings.get("computed_with") or {}).value_range
            found = classify_with(opened, saved, weights=weights, **moved, **shared)
        else:
            found = classify_source(
                opened,
                model=model,
                folds=folds,
                group=group,
                calibration=calibration,
                features=features,
                backbone=backbone,
                weights=weights,
                preparation=preparation,
                size=size,
                precision=precision,
                value_range=span,
                seed=seed,
                **shared,
            )
            save_classifier(found.classifier, out / "classifier.flc")
        report = write_classification(found, opened, out, value_range=span)
        summary = opened.summary()
    unfinished.unlink(missing_ok=True)
    if as_json:
        print_json(classification_document(found, None if saved else out / "classifier.flc"))
    else:
        print_classification(found)
        print_unjudged(found.unjudged)
    print_notes(summary, [], quiet=quiet)
    if saved is None:
        note(f"classifier: {out / 'classifier.flc'}", quiet=quiet)
    note(f"wrote {out / 'predictions.csv'}, {out / 'classification.json'}", quiet=quiet)
    note(f"report: {report}", quiet=quiet)
    return 2 if found.unjudged else 0


def classification_document(found: Classification, classifier: Path | None) -> dict[str, Any]:
    """The JSON document of one run, with the place of the classifier that it saved."""
    from flawline.jobs.classify.classification_tables import classification_as_dict

    where = {"classifier": str(classifier)} if classifier else {}
    return {**classification_as_dict(found), **where}


def print_classification(found: Classification) -> None:
    """How good each class is, the finding in one sentence, and what must be known to read it."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    known = found.evaluation
    table = Table(box=None, pad_edge=False)
    table.add_column("class")
    if known:
        table.add_column("recall (95 % interval)", justify="right")
        table.add_column("precision (95 % interval)", justify="right")
        for score in known.scores:
            table.add_row(Text(printable(score.name)), _text(score.recall), _text(score.precision))
    else:
        table.add_column("predicted", justify="right")
        for name in found.classes:
            count = sum(prediction.predicted == name for prediction in found.predictions)
            table.add_row(Text(printable(name)), str(count))
    console.print(table)
    if known:
        area = f", AUROC {known.auroc:.3f}" if known.auroc is not None else ""
        console.print(
            f"balanced accuracy {100 * known.balanced_accuracy:.1f} %{area}; "
            f"{found.settings['split']}",
            style="bold",
            markup=False,
        )
    for text in found.warnings:
        warn(f"warning: {text}")


def _text(share: Share | None) -> str:
    if share is None:
        return "no picture"
    low, high = share.interval
    return f"{100 * share.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
