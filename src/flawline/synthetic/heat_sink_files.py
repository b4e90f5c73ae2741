"""Write a set of drawn heat sinks: pictures, masks, a manifest with splits by part, and a licence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.csv_file import write_csv_rows
from flawline.data.splits import SHARES, part_of, stratified
from flawline.data.whole_file import write_text
from flawline.errors import UsageError
from flawline.synthetic.heat_sink import draw_heat_sink
from flawline.synthetic.heat_sink_labels import LabelError, LabelNoise, noisy_mask
from flawline.synthetic.heat_sink_statistics import CLASSES
from flawline.synthetic.heat_sink_surface import draw_part_surface
from flawline.types import Sample, Track, no_track

PICTURES_PER_PART = 4
PARTS_PER_LOT = 25
_START = datetime(2024, 1, 8, 6, 0, tzinfo=UTC)
_PACE = timedelta(seconds=20)
_MOST = 1_000_000
_MOST_GROWTH = 5.0
_PALETTE = ((0, 0, 0), (40, 90, 255), (255, 40, 40))
_LICENCE = """# Drawn heat sinks

Every picture and mask in this folder was drawn by `flawline synth heat-sink`. None shows a real part, and none holds
or was made from pixels of a photograph. Numbers and sizes of the defects follow figures published with the Heat Sink
Surface Defect Dataset (Kaifeng Yang), whose own pictures are under CC BY-NC-SA 4.0 and are not part of this folder.

The drawn pictures, the masks and the tables are released under CC0 1.0: use them as you like.
"""


@dataclass(frozen=True, slots=True)
class HeatSinkSettings:
    """Settings of a set: pictures, seed, growth of the stains, and label noise.

    `drift` is the ratio of the stains' lengths in the last picture to those in the first. `area_drift` is the share by
    which their areas grow with every part from part `drift_from` (counted from 0) on, to 25 times at most.
    """

    pictures: int = 1000
    seed: int = 0
    drift: float = 1.0
    noise: LabelNoise = field(default_factory=LabelNoise)
    area_drift: float = 0.0
    drift_from: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.pictures <= _MOST or self.seed < 0:
            raise UsageError(
                f"expected 1 to {_MOST} pictures and a seed of 0 or more, got {self.pictures} and {self.seed}",
                hint="give whole numbers",
            )
        if not 0.2 <= self.drift <= 5:
            raise UsageError(
                f"expected a drift of 0.2 to 5, got {self.drift:g}",
                hint="1 is none; at 1.5 the last stains are half as long again as the first",
            )
        if not -0.5 <= self.area_drift <= 1 or self.drift_from < 0:
            raise UsageError(
                f"expected areas that grow by -50 % to 100 % with every part, from part 0 or later on, "
                f"got {self.area_drift:.0%} from {self.drift_from}",
                hint="such as `drift=3%` and `drift_from=60`",
            )
        if self.drift != 1 and self.area_drift:
            raise UsageError("stains drift over the whole set or from a part on, not both")

    def growth(self, number: int) -> float:
        """Compute the factor on the lengths of the stains of a picture, by its number from 0."""
        if not self.area_drift:
            return float(self.drift ** (number / max(self.pictures - 1, 1)))
        parts = max(number // PICTURES_PER_PART - self.drift_from + 1, 0)
        return float(min((1 + self.area_drift) ** (parts / 2), _MOST_GROWTH))


@dataclass(frozen=True, slots=True)
class Written:
    """A set on disk: its manifest, the true pixels of each class, the pictures of each split, and the wrong labels."""

    manifest: Path
    pixels: tuple[int, ...]
    splits: dict[str, int]
    errors: int


@dataclass(frozen=True, slots=True)
class _Picture:
    name: str
    pixels: tuple[int, ...]
    mask_pixels: tuple[int, ...]
    errors: tuple[LabelError, ...]


def write_heat_sinks(
    folder: Path, settings: HeatSinkSettings, *, processes: int = 1, track: Track = no_track
) -> Written:
    """Write images/, masks/ (indexed PNG), samples.csv and LICENSE.md into `folder`.

    Four pictures show one part and share its group; 25 parts make a lot. Splits are 70/15/15 by part, stratified by
    the classes. With label noise, the masks contain the mistakes, truth/ the true masks, and label_errors.csv every
    mistake. The bytes depend on `settings` and the versions of Flawline, NumPy, OpenCV and Pillow, not on
    `processes`.

    Raises:
        UsageError: the folder holds pictures of another set, or cannot be written.
    """
    _make_folders(folder, settings)
    draw = partial(_draw_and_write, folder, settings)
    numbers = range(settings.pictures)
    drawn = list(track(_mapped(draw, numbers, processes), title="Pictures", total=len(numbers)))
    samples = [Sample(one.name, group=_part(number)) for number, one in enumerate(drawn)]
    split = _splits(samples, drawn, settings.seed)
    manifest = _write_manifest(folder, settings, samples, split)
    if settings.noise.any():
        _write_errors(folder, drawn)
    write_text(folder / "LICENSE.md", _LICENCE)
    counts = np.array([one.pixels for one in drawn]).sum(axis=0)
    names = list(split.values())
    return Written(
        manifest,
        tuple(counts.tolist()),
        {name: names.count(name) for name in SHARES if name in names},
        sum(len(one.errors) for one in drawn),
    )


def _make_folders(folder: Path, settings: HeatSinkSettings) -> None:
    if any((folder / name).exists() for name in ("images", "masks", "truth", "samples.csv")):
        raise UsageError(
            f"expected a new folder, {str(folder)!r} holds a set already",
            hint="give another folder, or remove that set first",
        )
    names = ("images", "masks", "truth") if settings.noise.any() else ("images", "masks")
    try:
        for name in names:
            (folder / name).mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f"expected a folder that can be written, got {str(folder)!r}: {error.strerror}",
            hint="choose another folder",
        ) from error


def _mapped(draw: partial[_Picture], numbers: Sequence[int], processes: int) -> Iterator[_Picture]:
    if processes <= 1:
        yield from map(draw, numbers)
        return
    # A forked process with threads may hang; a spawned one costs a third of a second.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(draw, numbers, chunksize=8)


def _draw_and_write(folder: Path, settings: HeatSinkSettings, number: int) -> _Picture:
    part, lot = number // PICTURES_PER_PART, number // (PICTURES_PER_PART * PARTS_PER_LOT)
    lamp = float(np.random.default_rng([settings.seed, 1, lot]).normal(1, 0.06))
    surface = draw_part_surface(np.random.default_rng([settings.seed, 2, part]), max(lamp, 0.7))
    growth = settings.growth(number)
    sink = draw_heat_sink(
        np.random.default_rng([settings.seed, 3, number]), surface=surface, stain_growth=growth
    )
    mask = sink.mask
    errors: tuple[LabelError, ...] = ()
    name = f"{number:04d}.png"
    if settings.noise.any():
        rng = np.random.default_rng([settings.seed, 4, number])
        mask, errors = noisy_mask(rng, sink.defects, settings.noise)
        _write_mask(folder / "truth" / name, sink.mask)
    _write_mask(folder / "masks" / name, mask)
    (folder / "images" / name).write_bytes(
        cv2.imencode(".png", sink.pixels[..., ::-1])[1].tobytes()
    )
    return _Picture(f"images/{name}", _counted(sink.mask), _counted(mask), errors)


def _counted(mask: NDArray[np.uint8]) -> tuple[int, ...]:
    return tuple(np.bincount(mask.ravel(), minlength=len(CLASSES)).tolist())


def _write_mask(path: Path, mask: NDArray[np.uint8]) -> None:
    from PIL import Image

    image = Image.fromarray(mask)
    image.putpalette([level for colour in _PALETTE for level in colour])
    image.save(path, "PNG")


def _part(number: int) -> str:
    return f"part-{number // PICTURES_PER_PART:04d}"


def _splits(samples: Sequence[Sample], drawn: Sequence[_Picture], seed: int) -> dict[str, str]:
    """Split by part and class; sets too small to be split are for training."""
    parts = {sample.name: part_of(sample) for sample in samples}
    if len(set(parts.values())) < 3:
        return {sample.name: "train" for sample in samples}
    return stratified(samples, parts, {one.name: one.mask_pixels[1:] for one in drawn}, seed=seed)


def _write_manifest(
    folder: Path, settings: HeatSinkSettings, samples: Sequence[Sample], split: dict[str, str]
) -> Path:
    noisy = settings.noise.any()
    header = ["image", "mask", "split", "group", "lot", "captured"]
    rows = []
    for number, sample in enumerate(samples):
        last = sample.name.rpartition("/")[2]
        lot = f"lot-{number // (PICTURES_PER_PART * PARTS_PER_LOT):03d}"
        captured = (_START + number * _PACE).isoformat()
        row = [sample.name, f"masks/{last}", split[sample.name], sample.group, lot, captured]
        rows.append([*row, f"truth/{last}"] if noisy else row)
    return write_csv_rows(folder / "samples.csv", [*header, "truth"] if noisy else header, rows)


def _write_errors(folder: Path, drawn: Sequence[_Picture]) -> None:
    header = ["image", "error", "class", "left", "top", "width", "height"]
    rows = [
        [one.name, error.kind, CLASSES[error.value], *error.box]
        for one in drawn
        for error in one.errors
    ]
    write_csv_rows(folder / "label_errors.csv", header, rows)
