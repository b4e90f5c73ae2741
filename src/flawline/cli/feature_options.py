"""Options of every command that computes features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import note, warn

if TYPE_CHECKING:
    from flawline.data.archive import ArchiveLimits
    from flawline.data.image import ImageLimits
    from flawline.data.source import Source, SourceSummary
    from flawline.types import Unjudged

DEFAULT_FEATURES = "histogram_of_gradients,embedding"

SourceArgument = Annotated[
    str,
    typer.Argument(
        help="Folder, zip, tar, CSV or Parquet manifest, glob of pictures, or URL such as s3://bucket/folder."
    ),
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
Root = Annotated[
    Path | None,
    typer.Option(help="Folder below which a manifest may name files; its own if not given."),
]

Encoding = Annotated[
    str | None,
    typer.Option(
        help="Encoding of names in a zip or tar that do not state theirs: shift_jis, gbk, cp850, ..."
    ),
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
        name, _, value = part.partition("=")
        number = _limit(name, value)
        if name not in names or number is None:
            raise UsageError(
                f"--limits takes NAME=NUMBER from 1 up, separated by commas, got {part!r}",
                hint=f"names are {', '.join(names)}; all are whole numbers but max_ratio",
            )
        archive, image = limits
        if hasattr(archive, name):
            limits = (replace(archive, **{name: number}), image)
        else:
            limits = (archive, replace(image, **{name: number}))
    return limits


def _limit(name: str, text: str) -> Any:
    """The number of one limit, None where it is none."""
    whole, point, rest = text.partition(".")
    if not whole.isdecimal() or int(whole) < 1 or (point and not rest.isdecimal()):
        return None
    return int(whole) if not point else float(text) if name == "max_ratio" else None


def open_from_options(
    source: str,
    good: list[str] | None = None,
    bad: list[str] | None = None,
    limits: str | None = None,
    root: Path | None = None,
    encoding: str | None = None,
) -> Source:
    """Open the source of a command line."""
    from flawline.data.source import open_source

    archive, image = parse_limits(limits)
    return open_source(
        source,
        good=good or (),
        bad=bad or (),
        limits=archive,
        image_limits=image,
        root=root,
        encoding=encoding,
    )


def given_options(context: typer.Context, names: Iterable[str]) -> list[str]:
    """Those of the parameters `names` that the command line gave."""
    return [
        name
        for name in sorted(names)
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]


def typed_again(context: typer.Context, **changed: str) -> str:
    """The command line as it was typed, with other values for some options."""
    import shlex

    words = context.command_path.split()
    given = {*given_options(context, context.params), *changed} - {"as_json", "quiet"}
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in given:
            continue
        value = changed.get(name, context.params.get(name))
        long = next((o for o in parameter.opts if o.startswith("--")), "")
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [long] if long else []
            words += [] if isinstance(one, bool) else [str(one)]
    return shlex.join(words)


def refuse_options(context: typer.Context, names: Iterable[str], beside: str) -> None:
    """A saved model brings its own settings; an option that would change them is a mistake."""
    from flawline.errors import UsageError

    given = [f"--{name.replace('_', '-')}" for name in given_options(context, names)]
    if given:
        raise UsageError(
            f"{', '.join(given)} cannot be given with {beside}: the model brings its own",
            hint=f"leave it out, or fit again without {beside}",
        )


def print_unjudged(unjudged: tuple[Unjudged, ...]) -> None:
    """Name every input that could not be judged; not even --quiet hides one."""
    for item in unjudged:
        warn(f"could not be judged: {item.image}: {item.reason}")


def picture_notes(notes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What decoding chose or lost, with how many pictures it concerns and the first of them."""
    said: dict[str, list[str]] = {}
    for name in sorted(notes):
        for text in notes[name]:
            said.setdefault(text, []).append(name)
    return [
        f"{text}: {len(names)} picture{'s' if len(names) > 1 else ''}, {names[0]} among them"
        for text, names in sorted(said.items())
    ]


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
    return [
        *summary.notes,
        *lines,
        *(f"problem: {text}" for text in summary.problems),
        *summary.hints,
    ]


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
