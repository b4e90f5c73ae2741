"""Options of every command that computes features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import note, stderr

if TYPE_CHECKING:
    from flawline.data.archive import ArchiveLimits
    from flawline.data.image import ImageLimits
    from flawline.data.source import Source, SourceSummary
    from flawline.features.compute import FeatureSettings
    from flawline.types import Unjudged

DEFAULT_FEATURES = "histogram_of_gradients,embedding"

SourceArgument = Annotated[
    str, typer.Argument(help="Folder, zip, tar, CSV or Parquet manifest, or glob of pictures.")
]
Features = Annotated[str, typer.Option(help="Comma-separated features.")]
Backbone = Annotated[
    str,
    typer.Option(help='"flawline-small" (embedded), the path of an ONNX file, or "timm:NAME".'),
]
Weights = Annotated[
    str | None, typer.Option(help="A .safetensors file with the weights of timm:NAME.")
]
Preparation = Annotated[
    str | None,
    typer.Option(
        help='For an ONNX file that does not say: "imagenet" or "mean=..,std=..,size=..".'
    ),
]
Size = Annotated[int | None, typer.Option(help="Side of the network's input, px.")]
Precision = Annotated[str, typer.Option(help="auto, f32 or bf16.")]
Good = Annotated[list[str] | None, typer.Option(help="A label that means good; may be repeated.")]
Bad = Annotated[list[str] | None, typer.Option(help="A label that means bad; may be repeated.")]
ValueRange = Annotated[
    str | None,
    typer.Option(help='Values that become black and white in 16-bit and float files: "0,4095".'),
]
Limits = Annotated[
    str | None,
    typer.Option(help='Raise or lower what is accepted: "max_pixels=..,max_ratio=.." and others.'),
]


def parse_limits(text: str | None) -> tuple[ArchiveLimits, ImageLimits]:
    """Read "name=number,...", names being those of `ArchiveLimits` and `ImageLimits`."""
    from dataclasses import fields, replace

    from flawline.data.archive import ArchiveLimits
    from flawline.data.image import ImageLimits
    from flawline.errors import UsageError

    limits: tuple[ArchiveLimits, ImageLimits] = (ArchiveLimits(), ImageLimits())
    names = [field.name for kind in limits for field in fields(kind)]
    for part in text.replace(" ", "").split(",") if text else ():
        name, _, number = part.partition("=")
        if name not in names or not number.isdecimal() or int(number) < 1:
            raise UsageError(
                f"--limits takes NAME=WHOLE NUMBER, separated by commas, got {part!r}",
                hint=f"names are {', '.join(names)}",
            )
        archive, image = limits
        if hasattr(archive, name):
            limits = (replace(archive, **{name: int(number)}), image)
        else:
            limits = (archive, replace(image, **{name: int(number)}))
    return limits


def open_from_options(
    source: str,
    good: list[str] | None = None,
    bad: list[str] | None = None,
    limits: str | None = None,
) -> Source:
    """Open the source of a command line."""
    from flawline.data.source import open_source

    archive, image = parse_limits(limits)
    return open_source(source, good=good or (), bad=bad or (), limits=archive, image_limits=image)


def feature_settings(
    features: str,
    backbone: str,
    preparation: str | None,
    size: int | None,
    precision: str,
    value_range: str | None,
    weights: str | None = None,
) -> FeatureSettings:
    """The settings that the options of one command line ask for."""
    from flawline.features.compute import FeatureSettings

    return FeatureSettings(
        features=tuple(name.strip() for name in features.split(",") if name.strip()),
        backbone=backbone,
        preparation=preparation,
        size=size,
        precision=precision,
        value_range=parse_range(value_range),
        weights=weights,
    )


def print_unjudged(unjudged: tuple[Unjudged, ...]) -> None:
    """Name every input that could not be judged; not even --quiet hides one."""
    for item in unjudged:
        stderr().print(
            f"could not be judged: {item.image}: {item.reason}", style="yellow", markup=False
        )


def print_notes(summary: SourceSummary, lines: list[str], *, quiet: bool) -> None:
    """What was understood of the source, then further lines."""
    for line in (*source_notes(summary), *lines):
        note(line, quiet=quiet)


def source_notes(summary: SourceSummary) -> list[str]:
    """What was understood of a source: the meaning of labels, and what was passed over."""
    words = {True: "bad", False: "good", None: "unknown"}
    lines = []
    if summary.labels:
        said = (
            f"{label} ({count}) = {words[bad]}" for label, (count, bad) in summary.labels.items()
        )
        lines.append("labels: " + ", ".join(said))
    if summary.passed_over:
        said = (f"{count} {reason}" for reason, count in summary.passed_over.items())
        lines.append("passed over: " + ", ".join(said))
    return [*lines, *(f"problem: {text}" for text in summary.problems), *summary.hints]


def parse_range(text: str | None) -> tuple[float, float] | None:
    """Read "LOW,HIGH"."""
    from flawline.errors import UsageError

    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise UsageError(f"--value-range takes LOW,HIGH with LOW below HIGH, got {text!r}")
    return low, high
