"""Study what a recipe can find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flawline.api.recipes import InspectorLike, inspector_of
from flawline.data.source import SourceLike, opened
from flawline.errors import UsageError
from flawline.types import Track, no_track

if TYPE_CHECKING:
    from flawline.jobs.study.pod_study import PodStudy


def study_pod(
    recipe: InspectorLike,
    source: SourceLike,
    *,
    kinds: Sequence[str] | None = None,
    contrasts: Sequence[float] = (0.1, 0.2, 0.4),
    defects: int = 60,
    drop_known: bool = False,
    precision: str | None = None,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> PodStudy:
    """Draw defects of known size and contrast into good pictures, and see which a recipe finds.

    Args:
        recipe: with thresholds: a recipe, its path, or an `Inspector`.
        source: good pictures that it did not learn from, of at least 10 parts; those with a label that means bad are
            left out.
        kinds: what is drawn: "spot", "scratch", "dent", "missing piece", "smear", "texture patch", "colour"; all if not
            given, and of a segmenter those that are among its classes.
        contrasts: changes of the grey level as shares of the full range.
        defects: drawn of each kind, dark and light, and contrast.
        drop_known: leave out pictures that the recipe learnt from; else refuse.
        precision, good, bad, track: as for `evaluate`.
        seed: of the places and shapes of the defects.

    Returns:
        The probability of detection by size of each kind and contrast, with a90 and a90/95; the places where less is
        found; and one sentence. `flawline.jobs.study.pod_report.write_pod` draws it.

    Raises:
        UsageError: settings that make no sense; ("pod-leak") the recipe learnt from a picture; ("pod-too-few") too few
            good parts; ("pod-kinds") a segmenter has no class that can be drawn.
        ModelError: the recipe cannot be used; ("recipe-uncalibrated") it has no thresholds.
        SourceError: the source cannot be opened, or none of its pictures be inspected.
    """
    from flawline.inspector.self_test_plan import SelfTestPlan
    from flawline.jobs.study import pod_study as studying

    inspector = inspector_of(recipe, precision)
    chosen = studying.drawable(inspector) if kinds is None else tuple(kinds)
    try:
        plan = SelfTestPlan(chosen, tuple(contrasts), defects)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with opened(source, good, bad) as open_:
        return studying.study_pod(
            open_, inspector, plan, drop_known=drop_known, seed=seed, track=track
        )
