"""`flawline audit-labels`: which masks look wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, text_table
from flawline.cli.feature_options import (
    Bad,
    Encoding,
    Good,
    Limits,
    Root,
    SourceArgument,
    ValueRange,
    print_notes,
    print_unjudged,
)
from flawline.cli.mask_options import (
    Annotations,
    Boxes,
    Classes,
    Ignore,
    MaskThreshold,
    Palette,
    Unlabelled,
    mask_settings,
    masks_from_options,
)
from flawline.cli.network_options import Device, Encoder, EncoderWeights, NetworkName, Patch
from flawline.cli.strict import Strict, print_verdict, strict_code

if TYPE_CHECKING:
    from flawline.jobs.train.audit.label_audit import LabelAudit

LISTED = 10


def audit_labels(
    source: SourceArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Folder for label-audit.csv, .json, -coco.json and report.html."
        ),
    ] = Path("flawline-label-audit"),
    annotations: Annotations = None,
    classes: Classes = None,
    palette: Palette = None,
    ignore: Ignore = None,
    unlabelled: Unlabelled = "leave-out",
    threshold: MaskThreshold = None,
    boxes: Boxes = "refuse",
    folds: Annotated[
        int, typer.Option(help="Segmenters to train; each looks at its share of the pictures.")
    ] = 4,
    epochs: Annotated[
        int | None,
        typer.Option(help="Times that each sees its pictures; 20 where no minutes are given."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Time for all trainings together.")] = None,
    network: NetworkName = "light",
    encoder: Encoder = None,
    weights: EncoderWeights = None,
    patch: Patch = "256",
    device: Device = "auto",
    smallest: Annotated[
        int, typer.Option(help="Leave out suspicious regions of fewer pixels.", min=1)
    ] = 20,
    border: Annotated[
        int,
        typer.Option(
            help="Within so many px of the same class it is an error of the border.", min=0
        ),
    ] = 8,
    quality: Annotated[
        float,
        typer.Option(help="Suspicious below this quality, 0 to 0.5; higher finds and errs more."),
    ] = 0.02,
    seed: Annotated[int, typer.Option(help="Seed of folds and trainings.", min=0)] = 0,
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    strict: Strict = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Rank masks that look wrong to segmenters that did not learn from them."""
    from flawline.api.train import audit_labels as audit
    from flawline.jobs.train.audit.audit_tables import audit_as_dict
    from flawline.jobs.train.audit.label_audit_files import write_label_audit

    masks = mask_settings(annotations, classes, palette, ignore, unlabelled, threshold, boxes)
    with masks_from_options(
        source,
        masks,
        good=good,
        bad=bad,
        limits=limits,
        root=root,
        encoding=encoding,
        value_range=value_range,
    ) as masked:
        found = audit(
            masked,
            folds=folds,
            epochs=epochs,
            minutes=minutes,
            network=network,
            encoder=encoder,
            weights=weights,
            patch=patch,
            device=device,
            smallest=smallest,
            border=border,
            quality=quality,
            folder=out,
            seed=seed,
            track=ProgressBar(quiet=quiet),
        )
        written = write_label_audit(found, masked, out)
        notes = (masked.description(), *masked.notes, *found.notes)
        summary = masked.source.summary()
    if as_json:
        print_json(audit_as_dict(found))
    else:
        print_audit(found)
    print_unjudged(found.unjudged)
    print_notes(summary, [*notes, f"wrote {', '.join(map(str, written))}"], quiet=quiet)
    return strict_code(found.exit_code, found.verdict.usable, strict=strict)


def print_audit(audit: LabelAudit) -> None:
    """The finding in one sentence, and the regions of the most suspicious pictures."""
    from rich.console import Console
    from rich.text import Text

    from flawline.jobs.train.audit.label_audit_report import finding

    print_verdict(audit.verdict.text, audit.verdict.usable)
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(finding(audit)), style="bold")
    if audit.unlearnt:
        console.print(Text(f"Next: the same command with {_longer(audit)} and another --out"))
    shown = list(audit.regions())[:LISTED]
    if not shown:
        return
    titles = ["rank", "image", "kind", "given", "seen", "px", "at x, y", ""]
    rows = [
        [
            str(picture.rank),
            picture.image,
            region.kind,
            region.given,
            region.seen,
            str(region.area),
            f"{region.box[0]}, {region.box[1]}",
            region.words,
        ]
        for picture, region in shown
    ]
    console.print(text_table(titles, rows, right=("rank", "px")))


def _longer(audit: LabelAudit) -> str:
    """Write the option for three times as long a training."""
    training = audit.settings.training
    if training.minutes:
        return f"--minutes {3 * training.minutes:g}"
    return f"--epochs {3 * (training.epochs or 1)}"
