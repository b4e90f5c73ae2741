"""Compare pictures with a golden sample."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.api.settings import ValueRange
from flawline.core.golden.differences import GoldenSettings, Material
from flawline.core.view.alignment import AlignmentMethod
from flawline.core.view.illumination import IlluminationMethod
from flawline.data.source import SourceLike, opened
from flawline.jobs.golden.compare_golden import compare_source
from flawline.jobs.golden.golden_comparison import GoldenComparison
from flawline.jobs.golden.golden_samples import GoldenMaking, one_golden, own_templates
from flawline.types import Track, no_track

_DEFAULT = GoldenSettings()


def compare_golden(
    source: SourceLike,
    golden: SourceLike | NDArray[np.uint8] | None = None,
    *,
    align: AlignmentMethod = "shift",
    largest_angle: float = 180.0,
    light: IlluminationMethod = "level",
    slack: int = _DEFAULT.slack,
    contrast: int = _DEFAULT.contrast,
    least: float | None = None,
    material: Material = _DEFAULT.material,
    good: tuple[str, ...] | list[str] = (),
    bad: tuple[str, ...] | list[str] = (),
    value_range: ValueRange = None,
    folder: str | os.PathLike[str] | None = None,
    track: Track = no_track,
) -> GoldenComparison:
    """Find what is missing and what is extra beside a golden sample: a picture of a good part.

    Args:
        source: anything that `open_source` takes, or an open source.
        golden: a picture of a good part, or a folder or other source of such pictures, from which what they have in
            common is learnt. None: the manifest's column `template` names the picture that each is compared with.
        align: how parts move from picture to picture: "shift", "rigid" (they turn too) or "polar" (round ones).
        largest_angle: by how much "rigid" parts turn at most, degrees.
        light: how the illumination is evened: "none", "level", "flat" or "gradient".
        slack: by how many px edges may lie elsewhere.
        contrast: least difference of a pixel that counts, levels of 1 to 254.
        least: strength above which a region counts: the sum of its differences over 255, px of full contrast. None: 4,
            or more where the source has known good pictures that show more.
        material: whether the part is "bright" or "dark" beside what is behind it, which tells missing from extra;
            "auto" takes the one of the two pictures that has more contrast there.
        good, bad, track: as for `rank`.
        value_range: values that become black and white in pictures of more than 8 bits.
        folder: where class masks go, as masks/NAME.png: 1 missing, 2 extra.

    Returns:
        The regions of every picture, and those that could not be compared.

    Raises:
        UsageError: an argument makes no sense, or there is neither a golden sample nor a column of templates.
        SourceError: a source cannot be opened, or none of the pictures be compared.
        ImageError: the golden sample cannot be read.
    """
    settings = GoldenSettings(
        slack=slack,
        contrast=contrast,
        least=_DEFAULT.least if least is None else least,
        material=material,
    )
    making = GoldenMaking(align, light, largest_angle, value_range)
    with opened(source, good, bad) as open_:
        if golden is None:
            samples = own_templates(open_, making)
        else:
            given = [golden] if isinstance(golden, np.ndarray) else golden
            with opened(given) as of_golden:
                samples = one_golden(of_golden, making)
        return compare_source(
            open_,
            samples,
            settings,
            making,
            learn_least=least is None,
            folder=None if folder is None else Path(folder),
            track=track,
        )
