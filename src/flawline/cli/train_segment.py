"""`flawline train segment`: learn classes of defects."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import AsJson, Quiet, print_json, printable
from flawline.cli.feature_options import (
    Bad,
    Encoding,
    Good,
    Limits,
    Preparation,
    Root,
    SourceArgument,
    ValueRange,
    open_from_options,
    picture_notes,
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
from flawline.cli.network_options import Device, Encoder, EncoderWeights, NetworkName
from flawline.cli.segment_progress import train_with_progress
from flawline.cli.settings import as_options
from flawline.cli.strict import Strict, print_verdict, strict_code
from flawline.cli.training_options import (
    MmPerPx,
    PartName,
    RecipeOut,
    RecipeReport,
    TrainingSeed,
)

if TYPE_CHECKING:
    from flawline.data.source import Source


def segment(
    source: SourceArgument,
    out: RecipeOut = Path("part.flaw"),
    part: PartName = "",
    annotations: Annotations = None,
    classes: Classes = None,
    palette: Palette = None,
    ignore: Ignore = None,
    unlabelled: Unlabelled = "leave-out",
    threshold: MaskThreshold = None,
    boxes: Boxes = "refuse",
    shares: Annotated[
        str,
        typer.Option(
            help="Shares of training, validation and test where the source names no splits."
        ),
    ] = "0.7,0.15,0.15",
    network: NetworkName = "light",
    encoder: Encoder = None,
    weights: EncoderWeights = None,
    preparation: Preparation = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help='Sum of losses, such as "focal+0.5*lovasz"; chosen by how rare classes are if not given.'
        ),
    ] = None,
    patch: Annotated[
        str | None,
        typer.Option(
            help='What the network sees at once, px: "256" or HEIGHTxWIDTH; chosen by the sizes of pictures and '
            "defects if not given."
        ),
    ] = None,
    resolution: Annotated[
        str, typer.Option(help="full: patches as they are; fit: whole pictures in one patch.")
    ] = "full",
    around_defects: Annotated[
        float, typer.Option(help="Share of patches placed around a defect.")
    ] = 0.7,
    augment: Annotated[
        bool, typer.Option(help="Vary patches: flips, turns, light, noise, pasted defects.")
    ] = True,
    rotation: Annotated[
        float | None,
        typer.Option(
            help="Largest turn of a patch, degrees: 10, or 180 for parts that lie anyhow; chosen by the pictures' "
            "lines if not given."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Epochs; without it and --minutes, 40 of 750 patches, or of as many as there are pictures."
        ),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Time that training may take.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a gain on validation.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Patches of a step.", min=2)] = 8,
    accumulate: Annotated[
        int, typer.Option(help="Parts that a step is computed in, to save memory.", min=1)
    ] = 1,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    decision: Annotated[
        str, typer.Option(help="What the best epoch is chosen by: mean-iou or mean-dice.")
    ] = "mean-iou",
    precision: Annotated[
        str, typer.Option(help="Arithmetic of training: auto, f32, bf16.")
    ] = "auto",
    device: Device = "auto",
    recall: Annotated[
        float | None,
        typer.Option(help="Choose pixel thresholds for this recall; for the highest Dice if not."),
    ] = None,
    cost_missed: Annotated[
        float | None, typer.Option(help="Choose them by cost: of a defect's pixel that is missed.")
    ] = None,
    cost_false: Annotated[
        float | None, typer.Option(help="And of a pixel that is predicted wrongly.")
    ] = None,
    smallest: Annotated[
        int | None,
        typer.Option(
            help="Regions of fewer pixels are left out; chosen for each class by --overkill if not given.",
            min=1,
        ),
    ] = None,
    overkill: Annotated[
        float,
        typer.Option(
            help="Share of good parts rejected at most, as far as it loses no more than 5 % of the defects."
        ),
    ] = 0.05,
    confidence: Annotated[float, typer.Option(help="Of this promise.")] = 0.95,
    merge: Annotated[
        float | None, typer.Option(help="Join pieces of a class with a gap of at most this, px.")
    ] = None,
    flips: Annotated[
        bool, typer.Option(help="Inspect every window mirrored too: four times the work.")
    ] = False,
    mm_per_px: MmPerPx = None,
    mm_per_px_u: Annotated[
        float | None, typer.Option(help="Its standard uncertainty, mm/px.")
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="Specification (TOML) that goes into the recipe.")
    ] = None,
    unmasked: Annotated[
        str | None,
        typer.Option(
            help="Pictures without masks to learn from as well, where the masks are few: a folder, archive or table."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with a training that was stopped.")] = False,
    report: RecipeReport = None,
    seed: TrainingSeed = 0,
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
    """Learn classes of defects from pictures with masks, choose thresholds, write a recipe."""
    from flawline.jobs.train.segment.extra import require_extra

    settings: dict[str, Any] = {
        "part": part,
        "shares": parse_shares(shares),
        "network": network,
        "encoder": encoder,
        "weights": weights,
        "preparation": preparation,
        "loss": loss,
        "patch": patch,
        "resolution": resolution,
        "around_defects": around_defects,
        "augment": augment,
        "rotation": rotation,
        "epochs": epochs,
        "minutes": minutes,
        "patience": patience,
        "batch": batch,
        "accumulate": accumulate,
        "rate": rate,
        "decision": decision,
        "precision": precision,
        "device": device,
        "recall": recall,
        "cost_missed": cost_missed,
        "cost_false": cost_false,
        "smallest": smallest,
        "overkill": overkill,
        "confidence": confidence,
        "merge": merge,
        "flips": flips,
        "mm_per_px": mm_per_px,
        "mm_per_px_u": mm_per_px_u,
        "spec": spec,
        "seed": seed,
    }
    require_extra()
    from flawline.jobs.train.segment.segmenter_pictures import write_segmenter_report
    from flawline.jobs.train.training_files import segmenter_as_dict
    from flawline.recipe import write_recipe

    folder = out.with_suffix(".training")
    out.parent.mkdir(parents=True, exist_ok=True)
    masks = mask_settings(annotations, classes, palette, ignore, unlabelled, threshold, boxes)
    with (
        masks_from_options(
            source,
            masks,
            good=good,
            bad=bad,
            limits=limits,
            root=root,
            encoding=encoding,
            value_range=value_range,
        ) as masked,
        nullcontext()
        if unmasked is None
        else open_unmasked(unmasked, limits, root, encoding) as more,
    ):
        settings["unmasked"] = more
        trained = train_with_progress(masked, settings, folder, resume=resume, quiet=quiet)
        write_recipe(trained.recipe, out)
        page = write_segmenter_report(trained, masked, report or out.with_suffix(".html"))
        summary, missed = masked.source.summary(), masked.source.unlisted()
    if as_json:
        print_json(segmenter_as_dict(trained, out))
    else:
        print_verdict(trained.verdict.text, trained.verdict.usable)
        for line in trained.messages:
            typer.echo(printable(as_options(line)))
        if trained.split.test:
            given = {
                "annotations": annotations,
                "classes": classes,
                "palette": palette,
                "ignore": ignore,
                "threshold": threshold,
                "boxes": None if boxes == "refuse" else boxes,
                "limits": limits,
                "root": root,
                "encoding": encoding,
            }
            command = evaluation(out, source, given, trained.split.origin)
            typer.echo(printable(f"next: {command}"))
    print_unjudged(missed)
    wrote = f"wrote {out}, report: {page}, checkpoints: {folder}"
    print_notes(summary, [*picture_notes(trained.masks.decoding), wrote], quiet=quiet)
    return strict_code(2 if missed else 0, trained.verdict.usable, strict=strict)


def open_unmasked(
    pictures: str, limits: str | None, root: Path | None, encoding: str | None
) -> AbstractContextManager[Source]:
    """Open pictures without masks by the options of the source, of which only a table has a root."""
    from flawline.data.manifest import MANIFEST_SUFFIXES

    table = Path(pictures).suffix.lower() in MANIFEST_SUFFIXES
    return open_from_options(pictures, None, None, limits, root if table else None, encoding)


def evaluation(
    out: Path, source: str, masks: Mapping[str, str | Path | float | None], origin: str
) -> str:
    """Write the command that evaluates the recipe on the pictures that were held back, with the same masks."""
    import shlex

    words = ["flawline", "evaluate", str(out), source]
    for name, value in masks.items():
        words += [] if value is None else [f"--{name}", str(value)]
    # Splits that the source does not name are known to the recipe alone.
    words += [] if origin == "source" else ["--drop-known"]
    return shlex.join(words)


def parse_shares(text: str) -> tuple[float, float, float]:
    """Read "0.7,0.15,0.15"."""
    from flawline.errors import UsageError

    try:
        train_share, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f'--shares takes three numbers, "0.7,0.15,0.15", got {text!r}') from None
    return train_share, validation, test
