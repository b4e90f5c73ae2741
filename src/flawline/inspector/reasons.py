"""A verdict in words that a person can check."""

from __future__ import annotations

from collections.abc import Sequence

from flawline.recipe import Recipe
from flawline.types import Region, Verdict


def reasons_for(
    recipe: Recipe,
    score: float,
    found: Verdict,
    p_value: float,
    regions: Sequence[Region],
    *,
    held_out: int,
    lost: str,
) -> tuple[str, ...]:
    """Why a part was accepted, set aside for review or rejected.

    `held_out` good parts stand behind the p-value; `lost` says why the part was not found in its place, if it was not.
    """
    limit = recipe.settings.threshold
    assert limit is not None
    words = [f"{lost}, so its score says little: look at it"] if lost else []
    standing = f"p = {p_value:.3g} among {held_out} held-out good parts"
    if score > limit.reject:
        words.append(f"score {score:.4g} is above {limit.reject:.4g} (reject); {standing}")
    elif score > limit.review:
        words.append(f"score {score:.4g} is above {limit.review:.4g} (review); {standing}")
    else:
        words.append(f"score {score:.4g} is not above {limit.review:.4g} (review); {standing}")
    if regions:
        left, top, width, height = regions[0].box
        places = "1 place" if len(regions) == 1 else f"{len(regions)} places"
        words.append(
            f"{places} above {limit.region:.4g}, the oddest at x {left} to {left + width}, y {top} to {top + height} px"
        )
    elif found == "reject":
        words.append("no single place stands out: the part differs as a whole")
    return tuple(words)
