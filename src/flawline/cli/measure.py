"""`flawline measure`: the table of defects of class masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, TableOut, note, print_json
from flawline.cli.feature_options import (
    Bad,
    Encoding,
    Good,
    Limits,
    Root,
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

if TYPE_CHECKING:
    from flawline.core.scale import PartFrame, Scale
    from flawline.jobs.measure.measured_masks import MeasuredMasks

MaskedArgument = Annotated[
    str,
    typer.Argument(
        help="Masks, or pictures with masks: folder, zip, tar, CSV or Parquet manifest, or glob."
    ),
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
    source: MaskedArgument,
    out: TableOut = Path("defects.parquet"),
    annotations: Annotations = None,
    classes: Classes = None,
    palette: Palette = None,
    ignore: Ignore = None,
    unlabelled: Unlabelled = "leave-out",
    threshold: MaskThreshold = None,
    boxes: Boxes = "refuse",
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
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Measure the defects of class masks: one table of defects, one of parts."""
    from flawline.api.measure import measure as measure_masks
    from flawline.core.words import counted
    from flawline.data.tables import check_output
    from flawline.jobs.measure.measure_files import write_tables

    of_picture, of_part = parse_scale(scale), parse_frame(frame)
    masks = mask_settings(annotations, classes, palette, ignore, unlabelled, threshold, boxes)
    check_output(out).parent.mkdir(parents=True, exist_ok=True)
    with masks_from_options(
        source,
        masks,
        good=good,
        bad=bad,
        limits=limits,
        root=root,
        encoding=encoding,
        value_range=value_range,
        measuring=True,
    ) as masked:
        measured = measure_masks(
            masked,
            scale=of_picture,
            frame=of_part,
            merge=merge,
            cluster=cluster,
            smallest=smallest,
            spec=spec,
            track=ProgressBar(quiet=quiet),
        )
        summary = masked.source.summary()
    defects, parts = write_tables(measured, out)
    if as_json:
        print_json(_as_dict(measured, defects, parts))
    else:
        found = counted(len(measured.defects), "defect")
        typer.echo(f"{defects}: {found} in {counted(len(measured.rows), 'mask')}")
    print_unjudged(measured.unjudged)
    for hint in measured.hints:
        note(f"hint: {hint}", quiet=quiet)
    print_notes(summary, [*measured.notes, f"one row per mask: {parts}"], quiet=quiet)
    return 2 if measured.unjudged else 0


def _as_dict(measured: MeasuredMasks, defects: Path, parts: Path) -> dict[str, Any]:
    from collections import Counter

    from flawline.version import __version__

    settings = measured.settings
    return {
        "source": measured.source,
        "format": measured.format,
        "settings": {
            "classes": {str(k): v for k, v in enumerate(measured.classes) if k},
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
