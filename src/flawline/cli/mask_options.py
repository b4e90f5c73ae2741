"""Options of every command that holds pictures against class masks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from flawline.cli.feature_options import open_from_options, parse_range

if TYPE_CHECKING:
    from flawline.data.masks import MaskedSource, MaskSettings
    from flawline.data.masks.mask_settings import Unlabelled as UnlabelledSetting

Annotations = Annotated[
    Path | None,
    typer.Option(
        help="Masks that the source does not name: a folder, or the file of an annotation tool."
    ),
]
Classes = Annotated[
    str | None,
    typer.Option(help='Names of the masks\' classes: "scratch,stain", or "1=scratch,255=stain".'),
]
Palette = Annotated[
    str | None, typer.Option(help='Colours that are classes: "scratch=0000ff,stain=ff0000".')
]
Ignore = Annotated[
    str | None,
    typer.Option(help="What marks unknown pixels: a grey level or the name of a class."),
]
Unlabelled = Annotated[
    str,
    typer.Option(help="Pictures without annotation: leave-out, or empty (they have no defects)."),
]
Boxes = Annotated[
    str,
    typer.Option(
        help="Boxes without an outline: refuse, fill (all of a box is the defect), or grabcut (estimate it)."
    ),
]
MaskThreshold = Annotated[
    float | None,
    typer.Option(help="Grey level that cuts masks of one class with smoothed edges, such as 128."),
]


@contextmanager
def masks_from_options(
    source: str,
    settings: MaskSettings,
    *,
    good: list[str] | None = None,
    bad: list[str] | None = None,
    limits: str | None = None,
    root: Path | None = None,
    encoding: str | None = None,
    value_range: str | None = None,
    measuring: bool = False,
) -> Iterator[MaskedSource]:
    """The pictures and masks that the options name; errors as for `open_masks`."""
    from flawline.data.masks import open_masked

    with (
        open_from_options(source, good, bad, limits, root, encoding) as opened,
        open_masked(
            opened, settings, value_range=parse_range(value_range), measuring=measuring
        ) as masked,
    ):
        yield masked


def mask_settings(
    annotations: Path | None,
    classes: str | None,
    palette: str | None,
    ignore: str | None,
    unlabelled: str = "leave-out",
    threshold: float | None = None,
    boxes: str = "refuse",
) -> MaskSettings:
    """Where the class masks are, as a command line says it."""
    from flawline.data.masks import MaskSettings
    from flawline.data.masks.shapes import BOXES
    from flawline.errors import UsageError

    if unlabelled not in ("leave-out", "empty"):
        raise UsageError(f"--unlabelled takes leave-out or empty, got {unlabelled!r}")
    if boxes not in BOXES:
        raise UsageError(f"--boxes takes {', '.join(BOXES[:-1])} or {BOXES[-1]}, got {boxes!r}")
    return MaskSettings(
        annotations,
        parse_class_names(classes),
        parse_palette(palette),
        int(ignore) if ignore and ignore.isdecimal() else ignore,
        cast("UnlabelledSetting", unlabelled),
        threshold,
        boxes,
    )


def parse_class_names(text: str | None) -> list[str] | dict[int, str] | None:
    """Read "scratch,stain" as names in their order, "1=scratch,255=stain" as those of grey levels."""
    if text is None:
        return None
    numbered = parse_classes(text)
    return numbered if "=" in text else list(numbered.values())


def parse_classes(text: str | None) -> dict[int, str]:
    """Read "scratch,stain" or "1=scratch,255=stain"."""
    from flawline.errors import UsageError

    found: dict[int, str] = {}
    for place, part in enumerate(text.split(",") if text else (), 1):
        index, equals, name = part.strip().partition("=")
        number = index.strip() if equals else str(place)
        name = name.strip() if equals else index
        if (
            not name
            or not number.isdecimal()
            or not 1 <= int(number) <= 255
            or int(number) in found
        ):
            raise UsageError(
                f"--classes takes names, or INDEX=NAME with indices of 1 to 255, got {part!r}",
                hint='such as "scratch,stain" or "1=scratch,255=stain"',
            )
        found[int(number)] = name
    return found


def parse_palette(text: str | None) -> dict[str, tuple[int, int, int]] | None:
    """Read "scratch=0000ff,stain=ff0000"."""
    from flawline.errors import UsageError

    if text is None:
        return None
    colours: dict[str, tuple[int, int, int]] = {}
    for part in text.split(","):
        name, _, code = (word.strip() for word in part.partition("="))
        try:
            levels = bytes.fromhex(code.removeprefix("#"))
        except ValueError:
            levels = b""
        if not name or len(levels) != 3 or name in colours:
            raise UsageError(
                f"--palette takes NAME=RRGGBB, separated by commas, got {part!r}",
                hint='such as "scratch=0000ff,stain=ff0000"',
            )
        colours[name] = (levels[0], levels[1], levels[2])
    return colours
