"""What an export gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.types import Unjudged


@dataclass(frozen=True, slots=True)
class Parity:
    """How far something else lies from the recipe's own inspector in float32, over `pictures` pictures.

    Differences are absolute, in units of the raw score: the largest and the mean over all cells of all maps, and the
    largest of the pictures' scores. Of `pictures` verdicts, `near` differ where the inspector's score lies within the
    tolerance of a threshold, and the pictures named in `different` elsewhere.
    """

    pictures: int
    map_largest: float
    map_mean: float
    score_largest: float
    near: int
    different: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The largest difference that is let pass: `share` of `spread`; `basis` says in words what the spread is."""

    share: float
    spread: float
    basis: str

    @property
    def value(self) -> float:
        """In units of the raw score."""
        return self.share * self.spread

    def holds(self, parity: Parity) -> bool:
        """Whether maps, scores and verdicts agree."""
        largest = max(parity.map_largest, parity.score_largest)
        return largest <= self.value and not parity.different


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """The exported model's parity, and for the record that of coarser arithmetic, by what computed with it."""

    tolerance: Tolerance
    parity: Parity
    coarser: Mapping[str, Parity]
    pictures: str
    verdicts: Mapping[str, int]
    unjudged: tuple[Unjudged, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """What was written; `document` is the content of export.json."""

    written: tuple[Path, ...]
    checked: Checked
    document: Mapping[str, Any]
