"""Draw parts with known defects, to try things on and to test with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from flawline.data.cores import cpu_count
from flawline.errors import UsageError
from flawline.synthetic.assembly import SIZE
from flawline.synthetic.assembly_files import WrittenAssemblies, write_assemblies
from flawline.synthetic.castings import write_castings
from flawline.synthetic.heat_sink_files import HeatSinkSettings, Written, write_heat_sinks
from flawline.synthetic.heat_sink_labels import LabelNoise
from flawline.synthetic.line import CAUSES, LineSettings
from flawline.synthetic.line_files import WrittenLine, write_line
from flawline.types import Track, no_track


def synth_castings(
    out: str | os.PathLike[str],
    *,
    good: int = 106,
    bad: int = 6,
    size: int = 300,
    seed: int = 0,
    masks: str | os.PathLike[str] | None = None,
) -> list[Path]:
    """Draw castings into out/good and out/bad.

    Args:
        out: a folder; pictures of the same names are replaced.
        good, bad: how many.
        size: side, px.
        seed: another one draws other castings.
        masks: a folder for the masks of the bad ones.

    Returns:
        The paths of the pictures.

    Raises:
        UsageError: an argument makes no sense, or the folder cannot be written.
    """
    place = None if masks is None else Path(masks)
    return write_castings(Path(out), good=good, bad=bad, size=size, seed=seed, masks=place)


def synth_assembly(
    out: str | os.PathLike[str],
    *,
    good: int = 60,
    bad: int = 20,
    size: int = SIZE,
    seed: int = 0,
    track: Track = no_track,
) -> WrittenAssemblies:
    """Draw assembled plates, right ones and ones with a mistake, with masks, a golden sample and a manifest.

    Mistakes are a missing screw, swapped labels, a washer too few or too many, a moved connector, and a connector the
    wrong way round.

    Args:
        out: a new folder for the set.
        good, bad: how many.
        size: side, px.
        seed: another one draws other plates.
        track: shows progress.

    Returns:
        The manifest, the golden sample, and how many plates have each mistake.

    Raises:
        UsageError: an argument makes no sense, or the folder holds a set or cannot be written.
    """
    return write_assemblies(Path(out), good=good, bad=bad, size=size, seed=seed, track=track)


def synth_heat_sink(
    out: str | os.PathLike[str],
    *,
    pictures: int = 1000,
    seed: int = 0,
    drift: float | str = 1,
    drift_from: int = 0,
    label_noise: LabelNoise | str | None = None,
    processes: int | None = None,
    track: Track = no_track,
) -> Written:
    """Draw gold-plated heat sinks with scratches and stains, with masks and a manifest.

    Args:
        out: a new folder for the set.
        pictures: how many.
        seed: another one draws another set.
        drift: length of the last stains over that of the first ones, such as 1.5; or by how much the areas of stains
            grow with every part, such as "3%". 1 is no drift.
        drift_from: the first part that drifts, where `drift` is in percent.
        label_noise: shares of defects marked wrongly: a `LabelNoise`, or "missing=0.05,extra=0.02,wrong-class=0.02,
            shifted=0.1".
        processes: to draw with; all cores if not given.
        track: shows progress.

    Returns:
        The manifest, the pixels of each class, the pictures of each split, and how many labels are wrong.

    Raises:
        UsageError: an argument makes no sense, or the folder holds another set or cannot be written.
    """
    length, area = parse_drift(str(drift), drift_from)
    noise = label_noise if isinstance(label_noise, LabelNoise) else parse_label_noise(label_noise)
    settings = HeatSinkSettings(pictures, seed, length, noise, area, drift_from)
    # A process costs more than the few pictures that it would draw.
    wanted = processes or min(cpu_count(), max(1, pictures // 50))
    return write_heat_sinks(Path(out), settings, processes=wanted, track=track)


def synth_line(
    out: str | os.PathLike[str],
    *,
    parts: int = 400,
    days: int = 10,
    causes: Sequence[str] = tuple(CAUSES),
    pictures: bool = True,
    seed: int = 0,
    track: Track = no_track,
) -> WrittenLine:
    """Draw a line with known causes of defects: parts inspected after casting, machining, plating and packing.

    Args:
        out: a new folder for the tables of inspections and defects, the truth and the pictures.
        parts: how many, each inspected after every step.
        days: over how many days, from a Monday on.
        causes: what is wrong: "gripper" (scratches at one place), "bath" (stains more each day), "tool" (a bad one that
            runs on Mondays alone), "camera" (fades); none for a line on which nothing is.
        pictures: whether to draw a picture of each inspection; the tables alone are quick.
        seed: another one draws another line.
        track: shows progress.

    Returns:
        The paths of the tables, how many defects of each class, and the planted causes.

    Raises:
        UsageError: an argument makes no sense, or the folder holds a line or cannot be written.
    """
    settings = LineSettings(parts, days, tuple(causes), seed)
    return write_line(Path(out), settings, pictures=pictures, track=track)


def parse_drift(text: str, first: int = 0) -> tuple[float, float]:
    """Read the growth of lengths over the set, and of areas with every part: "1.5" is (1.5, 0), "3%" is (1, 0.03)."""
    percent = text.strip().endswith("%")
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        raise UsageError(
            f"expected a drift such as 1.5 or 3%, got {text!r}", hint="1 is no drift"
        ) from None
    if first and not percent:
        raise UsageError(
            "`drift_from` goes with a `drift` in percent of area with every part",
            hint="such as a drift of 3% from part 60 on",
        )
    return (1.0, value / 100) if percent else (value, 0.0)


def parse_label_noise(text: str | None) -> LabelNoise:
    """Read "missing=0.05,extra=0.02,wrong-class=0.02,shifted=0.1"; what is left out is 0."""
    names = [field.name.replace("_", "-") for field in fields(LabelNoise)]
    shares: dict[str, float] = {}
    for part in text.split(",") if text else ():
        name, _, value = (word.strip() for word in part.partition("="))
        try:
            share = float(value)
        except ValueError:
            share = -1.0
        if name not in names or not 0 <= share <= 1 or name in shares:
            raise UsageError(
                f"`label_noise` takes NAME=SHARE with shares of 0 to 1, got {part!r}",
                hint=f"names are {', '.join(names)}",
            )
        shares[name] = share
    return LabelNoise(**{name.replace("-", "_"): share for name, share in shares.items()})
