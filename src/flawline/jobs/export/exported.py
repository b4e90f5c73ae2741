"""Result of an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.types import Unjudged


@dataclass(frozen=True, slots=True)
class Parity:
    """Differences of an exported model from the inspector in float32, over `pictures` pictures.

    Differences are absolute, in units of the raw score: the largest and the mean over all cells of all maps, and the
    largest of the scores. `near` verdicts differ where the score of the inspector is within the tolerance of a
    threshold; the pictures named in `different` have other verdicts elsewhere.
    """

    pictures: int
    map_largest: float
    map_mean: float
    score_largest: float
    near: int
    different: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The largest difference allowed: `share` of `spread`; `basis` describes the spread as text."""

    share: float
    spread: float
    basis: str

    @property
    def value(self) -> float:
        """The difference in units of the raw score."""
        return self.share * self.spread

    def holds(self, parity: Parity) -> bool:
        """Tell whether maps, scores and verdicts agree."""
        largest = max(parity.map_largest, parity.score_largest)
        return largest <= self.value and not parity.different


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """The parity of the exported model, and for information that of coarser arithmetic, by name."""

    tolerance: Tolerance
    parity: Parity
    coarser: Mapping[str, Parity]
    pictures: str
    verdicts: Mapping[str, int]
    unjudged: tuple[Unjudged, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """The files written; `document` is the content of export.json."""

    written: tuple[Path, ...]
    checked: Checked
    document: Mapping[str, Any]
