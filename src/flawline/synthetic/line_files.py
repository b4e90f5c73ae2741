"""Write a drawn line: tables of inspections and defects, the truth, and a picture of each inspection if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.csv_file import write_csv_rows
from flawline.data.json_file import write_json_document
from flawline.errors import UsageError
from flawline.synthetic.heat_sink_shapes import draw_shape, strokes
from flawline.synthetic.heat_sink_statistics import SCRATCH, STAIN, Planned
from flawline.synthetic.heat_sink_surface import draw_part_surface, paint
from flawline.synthetic.line import CAUSES, CLASSES, SIDE, STEPS, Line, LineSettings, draw_line
from flawline.types import Track, no_track

INSPECTIONS, DEFECTS, TRUTH, PICTURES = "inspections.csv", "defects.csv", "causes.json", "pictures"


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line on disk: its tables, how many of what, and the planted causes by name, in words."""

    inspections: Path
    defects: Path
    parts: int
    counts: dict[str, int]
    causes: dict[str, str]


def write_line(
    folder: Path, settings: LineSettings, *, pictures: bool = True, track: Track = no_track
) -> WrittenLine:
    """Write inspections.csv, defects.csv, causes.json and, if wanted, pictures/ into a new `folder`.

    Raises:
        UsageError: the folder holds a line or cannot be written.
    """
    _make_folder(folder, pictures=pictures)
    line = draw_line(settings)
    names = [_name(line, row) for row in range(len(line.part))]
    defects = write_csv_rows(
        folder / DEFECTS,
        (
            "image",
            "part",
            "captured",
            "number",
            "class",
            "left",
            "top",
            "width",
            "height",
            "area",
            "x",
            "y",
        ),
        _defect_rows(line, names),
    )
    inspections = write_csv_rows(
        folder / INSPECTIONS,
        (
            *(
                "image",
                "part",
                "step",
                "lot",
                "operator",
                "tool",
                "shift",
                "captured",
                "height",
                "width",
            ),
            *("brightness", "sharpness"),
        ),
        _inspection_rows(line, names),
    )
    planted = {name: text for name, text in CAUSES.items() if name in settings.causes}
    write_json_document(
        folder / TRUTH,
        {"parts": settings.parts, "days": settings.days, "seed": settings.seed, "causes": planted},
    )
    if pictures:
        _draw(line, names, folder, track)
    counts = {name: int((line.kind == place).sum()) for place, name in enumerate(CLASSES)}
    return WrittenLine(inspections, defects, settings.parts, counts, planted)


def _make_folder(folder: Path, *, pictures: bool) -> None:
    if any((folder / name).exists() for name in (INSPECTIONS, DEFECTS, TRUTH, PICTURES)):
        raise UsageError(
            f"expected a new folder, {str(folder)!r} holds a line already",
            hint="give another folder, or remove that line first",
        )
    try:
        (folder / PICTURES if pictures else folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"expected a folder that can be written, got {str(folder)!r}: {error.strerror}",
            hint="choose another folder",
        ) from error


def _name(line: Line, row: int) -> str:
    return f"{PICTURES}/P{line.part[row] + 1:06d}_{line.step[row] + 1}_{STEPS[line.step[row]]}.png"


def _defect_rows(line: Line, names: list[str]) -> list[list[object]]:
    first = np.searchsorted(line.owner, line.owner)
    numbers = np.arange(len(line.owner)) - first + 1
    sides = np.maximum(np.sqrt(line.areas).round(), 2).astype(int)
    rows = []
    for place, (owner, (x, y)) in enumerate(
        zip(line.owner.tolist(), line.places.round(1).tolist(), strict=True)
    ):
        side = int(sides[place])
        left, top = (max(0, min(SIDE - side, round(v - side / 2))) for v in (x, y))
        rows.append(
            [
                names[owner],
                f"P{line.part[owner] + 1:06d}",
                line.captured[owner].isoformat(),
                int(numbers[place]),
                CLASSES[line.kind[place]],
                *(left, top, side, side),
                *(float(line.areas[place]), x, y),
            ]
        )
    return rows


def _inspection_rows(line: Line, names: list[str]) -> list[list[object]]:
    def row(place: int, captured: datetime) -> list[object]:
        return [
            *(
                names[place],
                f"P{line.part[place] + 1:06d}",
                STEPS[line.step[place]],
                line.lot[place],
            ),
            *(line.operator[place], line.tool[place], line.shift[place], captured.isoformat()),
            *(SIDE, SIDE),
            *(round(float(line.light[place]), 4), round(float(line.sharpness[place]), 4)),
        ]

    return [row(place, captured) for place, captured in enumerate(line.captured)]


def _draw(line: Line, names: list[str], folder: Path, track: Track) -> None:
    """Draw a picture of each inspection: the part as it is, with its defects, through the camera as it then was."""
    ends = np.searchsorted(line.owner, np.arange(len(names) + 1))
    rows = range(len(names))
    bare: NDArray[np.float32] = np.empty(0, np.float32)
    for row in track(rows, title="Pictures", total=len(names)):
        if line.step[row] == 0:
            rng = np.random.default_rng([line.settings.seed, 11, int(line.part[row])])
            bare = paint(rng, draw_part_surface(rng, 1.0), []).astype(np.float32)
        shown = bare.copy()
        for place in range(ends[row], ends[row + 1]):
            _mark(shown, line, place)
        cv2.imwrite(str(folder / names[row]), _photographed(shown, line, row)[..., ::-1])


def _mark(picture: NDArray[np.float32], line: Line, place: int) -> None:
    """Darken a defect's pixels; its shape is the same in each picture of the part."""
    rng = np.random.default_rng([line.settings.seed, 13, int(line.born[place])])
    area, scratch = float(line.areas[place]), CLASSES[line.kind[place]] == "scratch"
    long = max(4, round(np.sqrt(area) * (2.6 if scratch else 1.2)))
    planned = (
        Planned(SCRATCH, long, max(4, long // 2), 2.5)
        if scratch
        else Planned(STAIN, long, long, 0.75)
    )
    drawn = draw_shape(rng, planned)
    mask = strokes(drawn.lines, drawn.mask.shape, 2.5) if scratch else drawn.mask.astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(np.pad(mask, 4), (0, 0), 0.9), np.float32)
    x, y = line.places[place]
    top, left = round(float(y) - soft.shape[0] / 2), round(float(x) - soft.shape[1] / 2)
    rows = slice(max(top, 0), max(min(top + soft.shape[0], SIDE), 0))
    columns = slice(max(left, 0), max(min(left + soft.shape[1], SIDE), 0))
    part = soft[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    picture[rows, columns] *= 1 - np.float32(rng.uniform(0.45, 0.75)) * part[..., None]


def _photographed(picture: NDArray[np.float32], line: Line, row: int) -> NDArray[np.uint8]:
    """Dim and blur as the camera did."""
    blur = 2.2 * (1 - min(float(line.sharpness[row]), 1.0))
    seen = picture * np.float32(line.light[row])
    if blur > 0.05:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), blur), np.float32)
    rng = np.random.default_rng([line.settings.seed, 17, row])
    seen = seen + rng.normal(0, 1.2, seen.shape).astype(np.float32)
    return np.round(seen).clip(0, 255).astype(np.uint8)
