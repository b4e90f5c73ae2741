"""The result of comparing the pictures of a source with golden samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.types import Region, Sample, Unjudged, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class ComparedPicture:
    """One picture: `regions` are those that count, the strongest first, and `score` is the highest strength.

    `template` names the picture that it was compared with, empty for a golden sample of the whole source. `likeness`
    is the correlation of the two, at most 1, and `unseen` the share of the picture that the golden sample does not
    cover. `size` is (height, width), px. `mask` is the file of its class mask, if one was written.
    """

    sample: Sample
    template: str
    sha256: str
    size: tuple[int, int]
    regions: tuple[Region, ...]
    score: float
    likeness: float
    unseen: float
    mask: Path | None = None

    @property
    def verdict(self) -> Verdict:
        """Return "reject" where something is missing or extra, else "accept"."""
        return "reject" if self.regions else "accept"


@dataclass(frozen=True, slots=True, eq=False)
class GoldenComparison:
    """Every picture of a source, in its order: compared, or not, with the reason.

    `least` is the strength above which a region counts, and `basis` says where it comes from.
    """

    source: str
    settings: Mapping[str, Any]
    least: float
    basis: str
    pictures: tuple[ComparedPicture, ...]
    unjudged: tuple[Unjudged, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Count the pictures that were accepted, rejected, and not judged."""
        number = Counter[str](picture.verdict for picture in self.pictures)
        verdicts = {name: number[name] for name in ("accept", "reject")}
        return {**verdicts, "unjudged": len(self.unjudged)}

    @property
    def exit_code(self) -> int:
        """Return 0 if all were accepted, 1 for a reject, 2 if some could not be judged."""
        if self.unjudged:
            return 2
        return 1 if self.counts["reject"] else 0
