"""`flawline measure`: the table of defects of class masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, TableOut, print_json
from flawline.cli.feature_options import (
    Encoding,
    Limits,
    Root,
    open_from_options,
    print_notes,
    print_unjudged,
)
from flawline.cli.mask_options import parse_classes

if TYPE_CHECKING:
    from flawline.core.scale import PartFrame, Scale
    from flawline.jobs.measure.measured_masks import MeasuredMasks

MasksArgument = Annotated[
    str,
    typer.Argument(help="Folder, zip, tar, CSV or Parquet manifest, or glob of class masks."),
]
ScaleOption = Annotated[
    str | None,
    typer.Option(
        help='Millimetres per pixel, and their standard uncertainty: "0.05" or "0.05,0.0001".'
    ),
]
FrameOption = Annotated[
    str | None,
    typer.Option(help='Origin of the part in px and its angle in degrees: "X,Y" or "X,Y,ANGLE".'),
]


def measure(
    masks: MasksArgument,
    out: TableOut = Path("defects.parquet"),
    classes: Annotated[
        str | None,
        typer.Option(
            help='Names of the classes 1, 2, ...: "scratch,stain", or "1=scratch,255=stain".'
        ),
    ] = None,
    scale: ScaleOption = None,
    frame: FrameOption = None,
    merge: Annotated[
        float, typer.Option(help="Join pieces of a class with a gap of at most this, px; -1 none.")
    ] = -1,
    cluster: Annotated[
        float, typer.Option(help="Largest gap between neighbours of one cluster, px.", min=0)
    ] = 0,
    smallest: Annotated[int, typer.Option(help="Leave out defects of fewer pixels.", min=1)] = 1,
    spec: Annotated[
        Path | None, typer.Option(help="A specification: its zones are summarised apart.")
    ] = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Measure the defects of class masks: one table of defects, one of parts."""
    from flawline.api.measure import measure as measure_masks
    from flawline.data.tables import check_output
    from flawline.jobs.measure.measure_files import write_tables

    names, of_picture, of_part = parse_classes(classes), parse_scale(scale), parse_frame(frame)
    check_output(out).parent.mkdir(parents=True, exist_ok=True)
    with open_from_options(masks, limits=limits, root=root, encoding=encoding) as opened:
        measured = measure_masks(
            opened,
            classes=names,
            scale=of_picture,
            frame=of_part,
            merge=merge,
            cluster=cluster,
            smallest=smallest,
            spec=spec,
            track=ProgressBar(quiet=quiet),
        )
        summary = opened.summary()
    defects, parts = write_tables(measured, out)
    if as_json:
        print_json(_as_dict(measured, defects, parts))
    else:
        typer.echo(f"{defects}: {len(measured.defects)} defects in {len(measured.rows)} masks")
    print_unjudged(measured.unjudged)
    print_notes(summary, [f"one row per mask: {parts}"], quiet=quiet)
    return 2 if measured.unjudged else 0


def _as_dict(measured: MeasuredMasks, defects: Path, parts: Path) -> dict[str, Any]:
    from collections import Counter

    from flawline.version import __version__

    settings = measured.settings
    return {
        "source": measured.source,
        "settings": {
            "classes": {str(k): v for k, v in settings.classes.items()},
            "mm_per_px": settings.scale.mm_per_px if settings.scale else None,
            "mm_per_px_u": settings.scale.uncertainty if settings.scale else None,
            "merge": settings.merge,
            "cluster": settings.cluster,
            "smallest": settings.smallest,
            "flawline": __version__,
        },
        "table": str(defects),
        "parts": str(parts),
        "masks": len(measured.rows),
        "defects": dict(sorted(Counter(measured.class_names()).items())),
        "unjudged": [item.as_dict() for item in measured.unjudged],
    }


def parse_scale(text: str | None) -> Scale | None:
    """Read "MM_PER_PX" or "MM_PER_PX,UNCERTAINTY"."""
    from flawline.core.scale import Scale
    from flawline.errors import UsageError

    if text is None:
        return None
    try:
        first, *rest = (float(part) for part in text.split(","))
        return Scale(first, *rest) if len(rest) < 2 else _refuse()
    except ValueError as error:
        raise UsageError(
            f"--scale takes MM_PER_PX or MM_PER_PX,UNCERTAINTY, both in mm/px, got {text!r}",
            hint="flawline calibrate-scale finds it",
        ) from error


def parse_frame(text: str | None) -> PartFrame | None:
    """Read "X,Y" or "X,Y,ANGLE"."""
    from math import isfinite

    from flawline.core.scale import PartFrame
    from flawline.errors import UsageError

    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(map(isfinite, numbers)):
        raise UsageError(f"--frame takes X,Y or X,Y,ANGLE in px and degrees, got {text!r}")
    return PartFrame(*numbers)


def _refuse() -> Scale:
    raise ValueError
