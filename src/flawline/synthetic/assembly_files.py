"""Write a set of drawn assemblies: right and wrong plates, masks, a golden sample and a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.csv_file import write_csv_rows
from flawline.errors import UsageError
from flawline.synthetic.assembly import DEFECTS, SIZE, check, draw_assembly
from flawline.types import Track, no_track

GOLDEN = "golden.png"
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class WrittenAssemblies:
    """A set on disk: its manifest, its golden sample, and how many plates have each mistake."""

    manifest: Path
    golden: Path
    good: int
    bad: dict[str, int]


def write_assemblies(
    folder: Path,
    *,
    good: int = 60,
    bad: int = 20,
    size: int = SIZE,
    seed: int = 0,
    track: Track = no_track,
) -> WrittenAssemblies:
    """Write good/, bad/, masks/ (8-bit, class index as the value), golden.png and samples.csv into a new `folder`.

    Bad plates take the mistakes of `DEFECTS` in turn, named in the manifest's column `defect`. A picture depends on
    `seed`, its label and its number, not on how many others there are. golden.png is a right plate without any
    variation.

    Raises:
        UsageError: a count or the seed is out of range, or the folder holds a set or cannot be written.
    """
    if not (0 <= good <= _MOST and 0 <= bad <= _MOST and good + bad and seed >= 0):
        raise UsageError(
            f"expected up to {_MOST} good and bad plates and a seed of 0 or more, got good={good}, bad={bad}, "
            f"seed={seed}",
            hint="give whole numbers from 0 up",
        )
    check(size)
    _make_folders(folder)
    rows = []
    for label, index, defect in track(_plan(good, bad), title="Pictures", total=good + bad):
        rng = np.random.default_rng([seed, int(label == "bad"), index])
        drawn = draw_assembly(rng, size=size, defect=defect)
        name = f"{label}/assembly_{index:04d}.png"
        _write(folder / name, drawn.pixels)
        mask = f"masks/{name}" if defect else ""
        if defect:
            _write(folder / mask, drawn.mask)
        rows.append([name, mask, label, defect or ""])
    plain = draw_assembly(np.random.default_rng([seed, 2]), size=size, varied=False)
    kinds = [row[3] for row in rows]
    return WrittenAssemblies(
        write_csv_rows(folder / "samples.csv", ["image", "mask", "label", "defect"], rows),
        _write(folder / GOLDEN, plain.pixels),
        good,
        {name: kinds.count(name) for name in DEFECTS},
    )


def _plan(good: int, bad: int) -> Iterator[tuple[str, int, str | None]]:
    yield from (("good", index, None) for index in range(good))
    yield from (("bad", index, DEFECTS[index % len(DEFECTS)]) for index in range(bad))


def _make_folders(folder: Path) -> None:
    names = ("good", "bad", "masks", GOLDEN, "samples.csv")
    if any((folder / name).exists() for name in names):
        raise UsageError(
            f"expected a new folder, {str(folder)!r} holds a set already",
            hint="give another folder, or remove that set first",
        )
    try:
        for name in ("good", "bad", "masks/bad"):
            (folder / name).mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f"expected a folder that can be written, got {str(folder)!r}: {error.strerror}",
            hint="choose another folder",
        ) from error


def _write(path: Path, pixels: NDArray[np.uint8]) -> Path:
    content = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    path.write_bytes(cv2.imencode(".png", content)[1].tobytes())
    return path
