"""Collect small copies of pictures for the report of an inspection while they are inspected."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import thumbnail
from flawline.inspector.inspection import Inspection
from flawline.report.pictures import data_address

SHOWN, CLOSE = 60, 6
"""Numbers of pictures shown: of those not accepted, and of the accepted ones closest to being flagged."""

Place = tuple[float, str]


@dataclass(slots=True)
class _Best:
    """The data addresses of the highest scores, `limit` to twice as many."""

    limit: int
    shown: dict[Place, str] = field(default_factory=dict)
    last: Place | None = None

    def put(self, place: Place, address: str) -> None:
        self.shown[place] = address
        if len(self.shown) >= 2 * self.limit:
            best = sorted(self.shown)[: self.limit]
            self.shown, self.last = {p: self.shown[p] for p in best}, best[-1]


class Gallery:
    """Small copies of the highest scores, in bounded memory, for any order of pictures; for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._best = {True: _Best(CLOSE), False: _Best(SHOWN)}

    def wants(self, name: str, inspection: Inspection) -> bool:
        """Whether the picture of an inspection can still be among those that are shown."""
        with self._lock:
            last = self._best[inspection.verdict == "accept"].last
        return last is None or _place(name, inspection) < last

    def put(self, name: str, inspection: Inspection, pixels: NDArray[np.uint8]) -> None:
        """Add a small copy of a picture, uint8 RGB (h, w, 3)."""
        address = data_address(thumbnail(pixels))
        with self._lock:
            self._best[inspection.verdict == "accept"].put(_place(name, inspection), address)

    def get(self, name: str, inspection: Inspection) -> str | None:
        """Return the data address of a picture; None where it was not inspected in this run."""
        return self._best[inspection.verdict == "accept"].shown.get(_place(name, inspection))


def _place(name: str, inspection: Inspection) -> Place:
    """Make the sort key of a picture: the highest score first, by name where equal."""
    return -inspection.score, name
