"""Draw the lots of the demo, and remove what an earlier demo drew."""

from __future__ import annotations

from pathlib import Path

from flawline.synthetic.castings import write_castings
from flawline.synthetic.dirty_line import write_dirty_line

SECOND_SEED = 1000
"""The second lot is drawn with a seed so much higher: other parts, other defects."""
BAD_SHARE = 0.1
LINE_PARTS, LINE_FIRST = 50, 25
"""Parts of the line, and the one from which on a speck of dirt grows on the lens."""

PHASE_ONE = 20
"""Parts of the line from which the control chart takes its limits."""

SPEC: dict[str, object] = {
    "name": "pump impeller, front",
    "version": 1,
    "limits": [
        {"limit": "area", "class": "anomaly", "max": "600 px2"},
        {"limit": "count", "class": "anomaly", "max": 3},
    ],
}
"""What the customer of the demo accepts, as a specification."""


def draw_lot(folder: Path, *, good: int, bad: int, seed: int) -> None:
    """Draw castings into folder/good and folder/bad; castings of an earlier demo go first."""
    for label in ("good", "bad"):
        _remove(folder / label, "casting_*.jpg")
    write_castings(folder, good=good, bad=bad, seed=seed)


def draw_line(folder: Path, *, seed: int) -> None:
    """Draw sound castings in their order, under the lens that gets dirty."""
    _remove(folder, "part_*.jpg")
    write_dirty_line(folder, parts=LINE_PARTS, first=LINE_FIRST, seed=seed)


def _remove(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink()
