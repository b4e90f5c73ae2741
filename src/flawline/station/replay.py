"""Judge a stored picture again with its stored recipe, and compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flawline.inspector import Inspector
from flawline.recipe import Recipe
from flawline.records.pictures import Pictures
from flawline.records.record import StoredRecord
from flawline.station.feeds import stored_frame
from flawline.station.station import Station
from flawline.station.stored_recipe import stored_recipe
from flawline.types import Verdict

if TYPE_CHECKING:
    from flawline.records.store import Store

SCORE_TOLERANCE = 1e-4
"""Largest relative difference of two scores of one picture from different processors."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A verdict judged again; `differences` are texts, none where all is the same."""

    kept: StoredRecord
    verdict: Verdict
    score: float
    p_value: float | None
    defects: int
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether verdict, score, defects and recipe are the same."""
        return not self.differences


def replay(store: Store, pictures: Pictures, number: int, recipe: Recipe | None = None) -> Replay:
    """Judge the picture of an inspection again, with its stored recipe or with `recipe`.

    Raises:
        StoreError: ("store-unknown") there is no such inspection; ("picture-missing", "picture-damaged") its picture or
            recipe is not stored or was altered.
        ImageError, ModelError: the picture can no longer be read, or the recipe no longer used.
    """
    kept = store.get(number)
    frame = stored_frame(kept.record, pictures)
    used = recipe or stored_recipe(store, pictures, kept.record.recipe)
    with Station(Inspector(used)) as station:
        found = station.inspect(frame)
    return Replay(
        kept=kept,
        verdict=found.verdict,
        score=found.score,
        p_value=found.p_value,
        defects=len(found.regions),
        differences=tuple(_differences(kept, used, found.verdict, found.score, len(found.regions))),
    )


def _differences(
    kept: StoredRecord, recipe: Recipe, verdict: Verdict, score: float, defects: int
) -> list[str]:
    record, differences = kept.record, []
    if recipe.sha256 != record.recipe:
        differences.append(
            f"the recipe is {recipe.sha256[:16]}, it was {record.recipe[:16] or 'unknown'}"
        )
    if verdict != record.verdict:
        differences.append(f"the verdict is {verdict}, it was {record.verdict or 'none'}")
    if record.score is None:
        differences.append(f"the score is {score:.6g}, there was none")
    elif abs(score - record.score) > SCORE_TOLERANCE * max(1.0, abs(record.score)):
        differences.append(f"the score is {score:.6g}, it was {record.score:.6g}")
    if defects != len(record.defects):
        differences.append(f"there are {defects} defects, there were {len(record.defects)}")
    return differences
