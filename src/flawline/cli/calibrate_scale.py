"""`flawline calibrate-scale`: millimetres per pixel, and how sure they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flawline.cli.console import AsJson, Quiet, note, print_json

if TYPE_CHECKING:
    from flawline.core.scale import Checkerboard, Scale

TILTED = 0.002


def calibrate_scale(
    picture: Annotated[
        Path | None, typer.Argument(help="A picture of a checkerboard; none with --points.")
    ] = None,
    corners: Annotated[
        str, typer.Option(help='Inner corners of the board, across and down: "9x6".')
    ] = "9x6",
    square: Annotated[float | None, typer.Option(help="Side of a square, mm.")] = None,
    points: Annotated[
        str | None, typer.Option(help='Two points of the picture in px: "X1,Y1,X2,Y2".')
    ] = None,
    distance: Annotated[float | None, typer.Option(help="Between the two points, mm.")] = None,
    uncertainty: Annotated[
        float, typer.Option(help="Standard uncertainty of --square or --distance, mm.", min=0)
    ] = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Find the scale from a checkerboard, or from two points whose distance is known."""
    from flawline.core.scale import scale_of_two_points
    from flawline.errors import UsageError

    board = None
    if points is not None and distance is not None and picture is None:
        one, other = _points(points)
        try:
            scale = scale_of_two_points(one, other, distance, distance_uncertainty=uncertainty)
        except ValueError as error:
            raise UsageError(str(error)) from error
    elif picture is not None and square is not None and points is None and distance is None:
        board = _board(picture, corners, square, uncertainty)
        scale = board.scale
    else:
        raise UsageError(
            "expected a picture with --square, or --points with --distance",
            hint="flawline calibrate-scale board.png --corners 9x6 --square 5",
        )
    if as_json:
        print_json(_as_dict(scale, board))
    else:
        relative = 100 * scale.uncertainty / scale.mm_per_px
        typer.echo(
            f"{scale.mm_per_px:.6g} mm/px, standard uncertainty {scale.uncertainty:.2g} ({relative:.2g} %)"
        )
    for line in _notes(scale, board):
        note(line, quiet=quiet)
    return 0


def _notes(scale: Scale, board: Checkerboard | None) -> list[str]:
    lines = [f"use it with --scale {scale.mm_per_px:.8g},{scale.uncertainty:.2g}"]
    if board is not None:
        lines.append(
            f"{board.corners[0]} x {board.corners[1]} corners, "
            f"residual {board.residual:.3f} px, worst {board.worst:.3f} px"
        )
        if abs(board.stretch - 1) > TILTED:
            lines.append(
                f"the scales across and down differ by {100 * abs(board.stretch - 1):.2f} %: the board is tilted or "
                "not square; the uncertainty has it"
            )
    return lines


def _as_dict(scale: Scale, board: Checkerboard | None) -> dict[str, Any]:
    found: dict[str, Any] = {"mm_per_px": scale.mm_per_px, "mm_per_px_u": scale.uncertainty}
    found["relative_uncertainty"] = scale.uncertainty / scale.mm_per_px
    if board is not None:
        found["board"] = {
            "corners": list(board.corners),
            "residual_px": board.residual,
            "worst_px": board.worst,
            "stretch": board.stretch,
        }
    return found


def _points(text: str) -> tuple[tuple[float, float], tuple[float, float]]:
    from flawline.errors import UsageError

    try:
        a, b, c, d = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--points takes X1,Y1,X2,Y2 in px, got {text!r}") from error
    return (a, b), (c, d)


def _board(picture: Path, corners: str, square: float, uncertainty: float) -> Checkerboard:
    import cv2

    from flawline.core.scale import scale_of_checkerboard
    from flawline.data.image import read_image
    from flawline.errors import ImageError, UsageError

    across, _, down = corners.lower().partition("x")
    if not across.isdecimal() or not down.isdecimal():
        raise UsageError(f'--corners takes ACROSSxDOWN such as "9x6", got {corners!r}')
    grey = cv2.cvtColor(read_image(picture).pixels, cv2.COLOR_RGB2GRAY)
    try:
        board = scale_of_checkerboard(
            grey.astype("uint8"), (int(across), int(down)), square, square_uncertainty=uncertainty
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    if board is None:
        raise ImageError(
            f"no checkerboard with {corners} inner corners was found in {picture.name!r}",
            hint="count the corners where four squares meet, show the whole board, sharp and evenly lit",
            code="image-checkerboard",
        )
    return board
