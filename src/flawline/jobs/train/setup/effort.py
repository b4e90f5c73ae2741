"""How much a training may try: which settings are free, and how many pictures and how much work they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flawline.errors import UsageError

FREE = ("alignment", "light", "foreground", "method", "window")
"""Settings that may be chosen, in the order in which they are."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Bounds of a search.

    `good` and `bad` are the most pictures of each kind that candidates are tried on; `windows` the sides of windows in
    px, rising; `work` is the most work of all trials, in the units of `flawline.jobs.train.setup.work`; `stages` are
    the settings that are tried, in this order.
    """

    good: int
    bad: int
    windows: tuple[int, ...]
    work: float
    stages: tuple[str, ...] = FREE


EFFORTS: Mapping[str, Effort] = {
    "none": Effort(0, 0, (), 0, ()),
    "quick": Effort(40, 40, (256,), 3_000, ("alignment", "method")),
    "normal": Effort(80, 60, (256, 384, 512), 10_000),
    "thorough": Effort(240, 200, (256, 384, 512, 768, 1024), 150_000),
}


@dataclass(frozen=True, slots=True)
class Search:
    """What may be chosen: `effort` is a name of `EFFORTS`, `free` names settings of `FREE`."""

    effort: str = "normal"
    free: tuple[str, ...] = FREE

    def __post_init__(self) -> None:
        """Refuse unknown efforts before any picture is read."""
        if self.effort not in EFFORTS:
            raise UsageError(f"effort {self.effort!r} is not one of {', '.join(EFFORTS)}")

    @property
    def bounds(self) -> Effort:
        """The bounds of its effort."""
        return EFFORTS[self.effort]
