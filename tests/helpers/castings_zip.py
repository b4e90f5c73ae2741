"""An archive of drawn castings without labels, as somebody sends it who wants to see the bad ones first."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from flawline.synthetic.castings import DEFECTS, draw_casting, write_picture


def castings_zip(folder: Path, *, good: int, bad: int, size: int = 192) -> tuple[Path, set[str]]:
    """Write castings.zip of 0.jpg, 1.jpg ...; returns it and the names of the bad ones, which lie among the others."""
    folder.mkdir(parents=True, exist_ok=True)
    odd: set[str] = set()
    step = (good + bad) // bad
    with zipfile.ZipFile(folder / "castings.zip", "w") as archive:
        for number in range(good + bad):
            spoilt = number % step == step // 2 and len(odd) < bad
            name = f"{number}.jpg"
            defect = DEFECTS[len(odd) % len(DEFECTS)] if spoilt else None
            drawn = draw_casting(np.random.default_rng(number), size=size, defect=defect)
            archive.write(write_picture(folder / name, drawn.pixels), name)
            odd |= {name} if spoilt else set()
    return folder / "castings.zip", odd
