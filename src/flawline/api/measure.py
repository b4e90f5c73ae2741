"""Measure class masks, judge what was measured, and find the scale of pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from flawline.api.masks import mask_settings, masks_of
from flawline.api.settings import ClassNames, Ignore, Palette, ValueRange
from flawline.core.scale import (
    Checkerboard,
    PartFrame,
    Scale,
    scale_of_checkerboard,
    scale_of_two_points,
)
from flawline.data.as_picture import PictureLike, as_picture
from flawline.data.masks import MaskedSource
from flawline.data.source import SourceLike, opened
from flawline.data.table_format import stated_format
from flawline.errors import ImageError, UsageError
from flawline.jobs.judge.judge_table import judge_table, read_spec
from flawline.jobs.judge.judged_parts import JudgedTable
from flawline.jobs.measure.measure_source import measure_source
from flawline.jobs.measure.measured_masks import MeasuredMasks, MeasureSettings
from flawline.types import Track, no_track

Point = tuple[float, float]


def measure(
    source: SourceLike | MaskedSource,
    *,
    annotations: str | os.PathLike[str] | None = None,
    classes: ClassNames = None,
    palette: Palette = None,
    ignore: Ignore = None,
    unlabelled: str = "leave-out",
    threshold: float | None = None,
    boxes: str = "refuse",
    scale: Scale | float | tuple[float, float] | None = None,
    frame: PartFrame | tuple[float, ...] | None = None,
    merge: float = -1,
    cluster: float = 0,
    smallest: int = 1,
    spec: str | os.PathLike[str] | None = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    track: Track = no_track,
) -> MeasuredMasks:
    """Measure the defects of class masks.

    Args:
        source: masks, or pictures whose masks it names or `annotations` hold: anything that `open_source` takes, an
            open source, or one whose masks are open (`open_masks`).
        annotations, classes, palette, ignore, unlabelled, threshold, boxes: class masks, as for `train_segment`.
            Ignored pixels are background. Pictures that are left out are listed as not measured.
        scale: mm per px, or that and its standard uncertainty.
        frame: origin of the part in px, and its angle in degrees: (x, y) or (x, y, angle).
        merge: join pieces of a class with a gap of at most this, px; -1 joins none.
        cluster: largest gap between neighbours of one cluster, px.
        smallest: leave out defects of fewer pixels.
        spec: the path of a specification: its zones are summarised apart.
        good, bad, value_range, track: as for `rank`.

    Returns:
        The defects and the masks. `flawline.jobs.measure.measure_files.write_tables` writes their tables.

    Raises:
        SourceError: the source or the annotations cannot be opened, or none of the masks be read.
        UsageError: an argument makes no sense, or does not agree with the annotations.
        SpecError: the specification cannot be read.
    """
    zones = () if spec is None else tuple(read_spec(Path(spec), None, None).zones.values())
    settings = MeasureSettings(
        scale=_scale(scale),
        frame=_frame(frame),
        merge=merge,
        cluster=cluster,
        smallest=smallest,
        zones=zones,
    )
    masks = mask_settings(annotations, classes, palette, ignore, unlabelled, threshold, boxes)
    given = source if isinstance(source, MaskedSource) else None
    with (
        nullcontext(given.source)
        if given
        else opened(cast(SourceLike, source), good, bad) as open_,
        masks_of(given or open_, masks, value_range, measuring=True) as masked,
    ):
        return measure_source(masked, settings, track=track)


def judge(
    table: str | os.PathLike[str],
    spec: str | os.PathLike[str],
    *,
    against: str | os.PathLike[str] | None = None,
    table_format: Mapping[str, str | int] | None = None,
) -> JudgedTable:
    """Accept, review or reject measured parts by a specification.

    Args:
        table: the table of defects that `flawline measure` wrote, with that of its parts beside it.
        spec: the path of the specification, TOML.
        against: an older one: which verdicts change, and how.
        table_format: how the table is written, where that is not found out, as for `chart`.

    Returns:
        The verdict of each part with its findings, and the changes.

    Raises:
        SourceError, ManifestError: a table cannot be read or lacks a column.
        SpecError: a specification cannot be read or contradicts itself, or is in millimetres where no part has a scale.
    """
    return judge_table(
        Path(table),
        Path(spec),
        against=None if against is None else Path(against),
        stated=stated_format(table_format),
    )


def calibrate_scale(
    picture: PictureLike | None = None,
    *,
    corners: tuple[int, int] = (9, 6),
    square: float | None = None,
    points: tuple[Point, Point] | None = None,
    distance: float | None = None,
    uncertainty: float = 0,
) -> Scale | Checkerboard:
    """Find the scale of pictures from a checkerboard, or from two points whose distance is known.

    Args:
        picture: of a checkerboard, as `Inspector.inspect` takes it; none with `points`.
        corners: inner corners of the board, across and down.
        square: side of a square, mm.
        points: two points of a picture, (x, y) each, px.
        distance: between the two points, mm.
        uncertainty: standard uncertainty of `square` or `distance`, mm.

    Returns:
        The scale; of a board a `Checkerboard`, whose `scale` it is.

    Raises:
        UsageError: other than a picture with `square`, or `points` with `distance`; or a length that makes no sense.
        ImageError: the picture cannot be read, or ("image-checkerboard") shows no such board.
    """
    if points is not None and distance is not None and picture is None and square is None:
        try:
            return scale_of_two_points(*points, distance, distance_uncertainty=uncertainty)
        except ValueError as error:
            raise UsageError(str(error)) from error
    if picture is None or square is None or points is not None or distance is not None:
        raise UsageError(
            "expected a picture with `square`, or `points` with `distance`",
            hint="such as board.png, 9x6 corners and squares of 5 mm",
        )
    return _board(picture, corners, square, uncertainty)


def _board(
    picture: PictureLike, corners: tuple[int, int], square: float, uncertainty: float
) -> Checkerboard:
    grey = np.asarray(cv2.cvtColor(as_picture(picture).pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    try:
        board = scale_of_checkerboard(grey, corners, square, square_uncertainty=uncertainty)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if board is None:
        where = f" in {Path(picture).name!r}" if isinstance(picture, str | os.PathLike) else ""
        raise ImageError(
            f"no checkerboard with {corners[0]}x{corners[1]} inner corners was found{where}",
            hint="count the corners where four squares meet, show the whole board, sharp and evenly lit",
            code="image-checkerboard",
        )
    return board


def _scale(scale: Scale | float | tuple[float, float] | None) -> Scale | None:
    if scale is None or isinstance(scale, Scale):
        return scale
    try:
        return Scale(*scale) if isinstance(scale, tuple) else Scale(scale)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"`scale` takes mm per px, or that and its standard uncertainty, got {scale!r}",
            hint="a picture of a checkerboard gives it: flawline calibrate-scale",
        ) from error


def _frame(frame: PartFrame | tuple[float, ...] | None) -> PartFrame:
    if frame is None or isinstance(frame, PartFrame):
        return frame or PartFrame()
    if len(frame) not in (2, 3) or not np.isfinite(frame).all():
        raise UsageError(f"`frame` takes (x, y) or (x, y, angle) in px and degrees, got {frame!r}")
    return PartFrame(*frame)
