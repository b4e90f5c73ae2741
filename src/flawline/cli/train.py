"""`flawline train`: learn what good parts look like, or classes of defects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, print_json, printable, warn
from flawline.cli.feature_options import (
    Backbone,
    Bad,
    Good,
    Limits,
    Precision,
    Preparation,
    SourceArgument,
    ValueRange,
    Weights,
    open_from_options,
    parse_range,
    picture_notes,
    print_notes,
    print_unjudged,
)
from flawline.cli.mask_options import (
    Annotations,
    Classes,
    Ignore,
    Palette,
    Unlabelled,
    masks_from_options,
)
from flawline.cli.network_options import Device, Encoder, EncoderWeights, NetworkName, Patch

if TYPE_CHECKING:
    from flawline.training.anomaly import Trained
    from flawline.training.segment.settings import Augmentation

train = typer.Typer(
    name="train",
    help="Learn to inspect one kind of part.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@train.callback()
def _several() -> None:
    """Learn to inspect one kind of part."""


@train.command()
def anomaly(
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The recipe: a .flaw file or a folder.")
    ] = Path("part.flaw"),
    part: Annotated[
        str, typer.Option(help="Name of the part; that of the source if not given.")
    ] = "",
    method: Annotated[
        str, typer.Option(help="patch-gaussian, patch-memory or fast (for slow processors).")
    ] = "patch-gaussian",
    backbone: Backbone = "flawline-small",
    weights: Weights = None,
    preparation: Preparation = None,
    precision: Precision = "auto",
    window: Annotated[
        str, typer.Option(help='What the detector sees at once, px: "256" or HEIGHTxWIDTH.')
    ] = "256",
    min_defect: Annotated[
        str | None,
        typer.Option(help='Smallest defect that must stay visible: "3 px" or "0.3 mm".'),
    ] = None,
    mm_per_px: Annotated[
        float | None, typer.Option(help="Scale of the pictures, for sizes in mm.")
    ] = None,
    light: Annotated[
        str, typer.Option(help="Even out light: none, level, flat or gradient.")
    ] = "none",
    align: Annotated[
        str, typer.Option(help="Bring parts into one place: none, shift, rigid or polar.")
    ] = "none",
    roi: Annotated[
        list[str] | None,
        typer.Option(help='Where to look, as corners "x,y x,y x,y" in px; may be repeated.'),
    ] = None,
    roi_mask: Annotated[
        Path | None, typer.Option(help="Where to look, as a picture that is white there.")
    ] = None,
    foreground: Annotated[
        bool, typer.Option(help="Look only at the part, learnt from the pictures.")
    ] = False,
    held_out: Annotated[
        float | None,
        typer.Option(help="Share of good pictures kept for calibration; 0.3 from 40 parts on."),
    ] = None,
    overkill: Annotated[
        float | None,
        typer.Option(help="Share of good parts rejected at most; 0.05 where pictures suffice."),
    ] = None,
    review: Annotated[
        float | None,
        typer.Option(help="Share of good parts not accepted at most; 0.1 where pictures suffice."),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of both shares.")] = 0.95,
    cost_escape: Annotated[
        float | None, typer.Option(help="Cost of a bad part let through.")
    ] = None,
    cost_overkill: Annotated[
        float | None, typer.Option(help="Cost of a good part thrown away.")
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of bad parts in production, for costs.")
    ] = None,
    keep_all: Annotated[
        bool, typer.Option(help="Learn from pictures that look bad among the good, too.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="HTML report; beside the recipe if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every draw.", min=0)] = 0,
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Learn from pictures of good parts, set thresholds on held-out ones, write a recipe."""
    from flawline.recipe import RegionSettings, write_recipe
    from flawline.report.training_report import write_training_report
    from flawline.training.anomaly import AnomalySettings, train_anomaly
    from flawline.training.calibration import Wishes
    from flawline.training.files import trained_as_dict
    from flawline.training.view import MASK, ViewWishes

    view = ViewWishes(
        window=parse_window(window),
        mm_per_px=mm_per_px,
        min_defect=min_defect,
        light=cast(Any, light),
        alignment=cast(Any, align),
        region=RegionSettings(
            polygons=parse_polygons(roi), mask=MASK if roi_mask else None, foreground=foreground
        ),
        mask=roi_mask.read_bytes() if roi_mask else None,
    )
    settings = AnomalySettings(
        part=part or Path(source).stem,
        method=method,
        backbone=backbone,
        preparation=preparation,
        weights=weights,
        precision=precision,
        view=view,
        thresholds=Wishes(overkill, review, confidence, cost_escape, cost_overkill, prevalence),
        held_out=held_out,
        set_aside=not keep_all,
        value_range=parse_range(value_range),
        seed=seed,
    )
    # Before the work: after it is too late to find out that there is no such folder.
    out.parent.mkdir(parents=True, exist_ok=True)
    with open_from_options(source, good, bad, limits) as opened:
        trained = train_anomaly(opened, settings, track=ProgressBar(quiet=quiet))
        write_recipe(trained.recipe, out)
        page = write_training_report(trained, opened, report or out.with_suffix(".html"))
        summary = opened.summary()
    if as_json:
        print_json(trained_as_dict(trained, out))
    else:
        print_trained(trained)
    print_unjudged(trained.unjudged)
    lines = [*picture_notes(trained.notes), f"wrote {out}, report: {page}"]
    print_notes(summary, lines, quiet=quiet)
    return 2 if trained.unjudged else 0


@train.command()
def segment(
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The recipe: a .flaw file or a folder.")
    ] = Path("part.flaw"),
    part: Annotated[
        str, typer.Option(help="Name of the part; that of the source if not given.")
    ] = "",
    annotations: Annotations = None,
    classes: Classes = None,
    palette: Palette = None,
    ignore: Ignore = None,
    unlabelled: Unlabelled = "leave-out",
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
        str, typer.Option(help='Sum of losses, such as "focal+0.5*lovasz".')
    ] = "balanced+dice",
    patch: Patch = "256",
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
            help="Largest turn of a patch, degrees: 10, or 180 for parts that lie anyhow."
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs; 40 where no minutes are given.")
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
        float | None, typer.Option(help="Choose them by cost: of a defect's pixel not marked.")
    ] = None,
    cost_false: Annotated[float | None, typer.Option(help="And of a pixel marked wrongly.")] = None,
    smallest: Annotated[
        int, typer.Option(help="Marked places of fewer pixels are left out.", min=1)
    ] = 1,
    merge: Annotated[
        float | None, typer.Option(help="Join pieces of a class with a gap of at most this, px.")
    ] = None,
    flips: Annotated[
        bool, typer.Option(help="Inspect every window mirrored too: four times the work.")
    ] = False,
    mm_per_px: Annotated[
        float | None, typer.Option(help="Scale of the pictures, for sizes in mm.")
    ] = None,
    mm_per_px_u: Annotated[
        float | None, typer.Option(help="Its standard uncertainty, mm/px.")
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="Specification (TOML) that goes into the recipe.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with a training that was stopped.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="HTML report; beside the recipe if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every draw.", min=0)] = 0,
    good: Good = None,
    bad: Bad = None,
    limits: Limits = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Learn classes of defects from pictures with masks, choose thresholds, write a recipe."""
    from flawline.training.segment.extra import require_extra
    from flawline.training.segment.settings import NetworkSettings, SegmentSettings

    training = SegmentSettings(
        network=NetworkSettings(network, encoder, weights, preparation),
        loss=loss,
        patch=parse_window(patch, "--patch"),
        resolution=cast(Any, resolution),
        around_defects=around_defects,
        augmentation=_augmentation(augment, rotation),
        batch=batch,
        accumulate=accumulate,
        epochs=40 if epochs is None and minutes is None else epochs,
        minutes=minutes,
        patience=patience,
        rate=rate,
        decision=decision,
        precision=precision,
        device=device,
        seed=seed,
    )
    require_extra()
    from flawline.cli.segment_progress import SegmentProgress
    from flawline.recipe import write_recipe
    from flawline.report.segmenter_report import write_segmenter_report
    from flawline.training.files import segmenter_as_dict
    from flawline.training.segmenter import SegmenterWishes, train_segment

    wishes = SegmenterWishes(
        part=part or Path(source).stem,
        training=training,
        shares=parse_shares(shares),
        wished_recall=recall,
        miss_cost=cost_missed,
        false_cost=cost_false,
        smallest=smallest,
        merge=merge,
        flips=flips,
        mm_per_px=mm_per_px,
        mm_per_px_u=mm_per_px_u,
        spec=read_spec_table(spec),
    )
    folder = out.with_suffix(".training")
    out.parent.mkdir(parents=True, exist_ok=True)
    with masks_from_options(
        source, annotations, classes, palette, ignore, unlabelled, good=good, bad=bad, limits=limits
    ) as masked:
        shown = SegmentProgress(masked, folder, quiet=quiet)
        try:
            trained = train_segment(
                masked,
                wishes,
                folder=folder,
                resume=resume,
                each=shown,
                track=ProgressBar(quiet=quiet),
            )
        except KeyboardInterrupt:
            warn(f"{folder} keeps the training so far; --resume goes on with it")
            raise
        write_recipe(trained.recipe, out)
        page = write_segmenter_report(trained, masked, report or out.with_suffix(".html"))
        summary, missed = masked.source.summary(), masked.source.unlisted()
    if as_json:
        print_json(segmenter_as_dict(trained, out))
    else:
        for line in trained.said:
            typer.echo(printable(line))
    print_unjudged(missed)
    print_notes(summary, [f"wrote {out}, report: {page}, checkpoints: {folder}"], quiet=quiet)
    return 2 if missed else 0


def parse_shares(text: str) -> tuple[float, float, float]:
    """Read "0.7,0.15,0.15"."""
    from flawline.errors import UsageError

    try:
        train_share, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f'--shares takes three numbers, "0.7,0.15,0.15", got {text!r}') from None
    return train_share, validation, test


def read_spec_table(path: Path | None) -> dict[str, Any] | None:
    """The table of a specification file, checked; None without a file."""
    import tomllib

    from flawline.judging.run import read_spec

    if path is None:
        return None
    read_spec(path, None, None)
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return dict(content.get("spec", content))


def print_trained(trained: Trained) -> None:
    """What was learnt and what it can promise."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in trained.said:
        console.print(Text(printable(line)))
    for suspect in trained.suspects:
        warn(f"set aside: {suspect.name}: {suspect.reason}")


def _augmentation(augment: bool, rotation: float | None) -> Augmentation:
    from flawline.errors import UsageError
    from flawline.training.segment.settings import NO_AUGMENTATION, Augmentation

    if augment:
        return Augmentation() if rotation is None else Augmentation(rotation=rotation)
    if rotation is not None:
        raise UsageError(
            "--rotation turns patches, --no-augment leaves them as they are",
            hint="leave one of them out",
        )
    return NO_AUGMENTATION


def parse_window(text: str, option: str = "--window") -> tuple[int, int]:
    """Read "256" or "256x512" (height x width)."""
    from flawline.errors import UsageError

    sides = text.lower().split("x")
    if len(sides) not in (1, 2) or not all(side.strip().isdecimal() for side in sides):
        raise UsageError(f'{option} takes "256" or "HEIGHTxWIDTH" in px, got {text!r}')
    return int(sides[0]), int(sides[-1])


def parse_polygons(texts: list[str] | None) -> tuple[Any, ...]:
    """Read polygons "x,y x,y x,y"."""
    from flawline.errors import UsageError

    polygons = []
    for text in texts or ():
        try:
            corners = [
                tuple(float(value) for value in corner.split(",")) for corner in text.split()
            ]
        except ValueError:
            corners = []
        if len(corners) < 3 or any(len(corner) != 2 for corner in corners):
            raise UsageError(
                f'--roi takes at least three corners "x,y x,y x,y" in px, got {text!r}'
            )
        polygons.append(tuple(corners))
    return tuple(polygons)
