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
    from flawline.api.measure import calibrate_scale as scale_of
    from flawline.core.scale import Checkerboard

    found = scale_of(
        picture,
        corners=_corners(corners),
        square=square,
        points=None if points is None else _points(points),
        distance=distance,
        uncertainty=uncertainty,
    )
    board = found if isinstance(found, Checkerboard) else None
    scale = found.scale if isinstance(found, Checkerboard) else found
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


def _corners(text: str) -> tuple[int, int]:
    from flawline.errors import UsageError

    across, _, down = text.lower().partition("x")
    if not across.isdecimal() or not down.isdecimal():
        raise UsageError(f'--corners takes ACROSSxDOWN such as "9x6", got {text!r}')
    return int(across), int(down)
