"""The report of an evaluation: one HTML file that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.core.metrics import Share
from flawline.data.source import Source
from flawline.data.whole_file import write_text
from flawline.evaluation.figures import parts_of, trade_off, worst_false_alarms, worst_misses
from flawline.evaluation.figures import rate as rate_of
from flawline.evaluation.files import WORST, counts, write_evaluation_json, write_scores
from flawline.evaluation.result import Estimated, Evaluation, Judged, Rate
from flawline.report.charts import score_histogram
from flawline.report.evaluation_charts import escape_against_overkill, promised_and_seen
from flawline.report.inspected_pictures import Shown, show
from flawline.report.pictures import meaning
from flawline.report.template import template

if TYPE_CHECKING:
    from flawline.inspector import Inspector


def write_evaluation(
    evaluation: Evaluation,
    source: Source,
    inspector: Inspector,
    folder: Path,
) -> tuple[Path, Path, Path]:
    """Write scores.csv, evaluation.json and report.html into `folder`; returns their paths.

    The worst misses and false alarms are read once more from `source` and inspected again.
    """
    worst = [
        *worst_misses(evaluation.pictures, WORST),
        *worst_false_alarms(evaluation.pictures, WORST),
    ]
    shown = show(source, [p.sample for p in worst], [inspector])
    return (
        write_scores(evaluation, folder / "scores.csv"),
        write_evaluation_json(evaluation, folder / "evaluation.json"),
        write_evaluation_report(evaluation, shown, folder / "report.html"),
    )


def write_evaluation_report(evaluation: Evaluation, shown: Mapping[str, Shown], path: Path) -> Path:
    """Write the report of an evaluation with the pictures that `shown` holds by sample name."""
    misses = worst_misses(evaluation.pictures, WORST)
    alarms = worst_false_alarms(evaluation.pictures, WORST)
    html = template("evaluation.html").render(
        evaluation=evaluation,
        counts=counts(evaluation),
        finding=finding(evaluation),
        misses=_cards(misses, shown),
        alarms=_cards(alarms, shown),
        histogram=histogram(evaluation),
        curve=_curve(evaluation),
        promised=_promised(evaluation),
        rejected=rate_of(evaluation.pictures, True, ["reject"]),
        estimate=estimate,
        share=share,
        rate=rate,
    )
    return write_text(path, html)


def finding(evaluation: Evaluation) -> str:
    """What matters most, in one sentence, counting parts."""
    texts = []
    for found, words in (
        (evaluation.rates.escape, "bad parts accepted"),
        (evaluation.rates.overkill, "good parts rejected"),
    ):
        if found is not None:
            texts.append(f"{found.parts.hits} of {found.parts.of} {words}")
    if evaluation.auroc is not None:
        texts.append(f"AUROC {evaluation.auroc.value:.3f}")
    return "; ".join(texts)


def estimate(one: Estimated | None) -> str:
    """A metric with its interval: "0.962 (0.941 to 0.978)"."""
    if one is None:
        return "none"
    if one.interval is None:
        return f"{one.value:.3f} (too few parts for an interval)"
    return f"{one.value:.3f} ({one.interval[0]:.3f} to {one.interval[1]:.3f})"


def share(one: Share) -> str:
    """A share with its interval: "12 of 50: 24.0 % (13.1 to 38.2)"."""
    low, high = one.interval
    return f"{one.hits} of {one.of}: {100 * one.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def rate(one: Rate | None) -> str:
    """Parts with their interval, and pictures where they are not the same."""
    if one is None:
        return "none"
    same = (one.hits, one.of) == (one.parts.hits, one.parts.of)
    return share(one.parts) + ("" if same else f"; pictures {one.hits} of {one.of}")


def _cards(pictures: list[Judged], shown: Mapping[str, Shown]) -> list[dict[str, Any]]:
    return [
        {"judged": picture, "shown": shown[picture.sample.name]}
        for picture in pictures
        if picture.sample.name in shown
    ]


def histogram(evaluation: Evaluation) -> str:
    """Scores of good and bad pictures with the thresholds of the recipe, as SVG."""
    groups: dict[str, list[float]] = {"good": [], "bad": []}
    for picture in evaluation.pictures:
        groups[meaning(picture.defective)].append(picture.score)
    review, reject = evaluation.thresholds
    return score_histogram(groups, unit="raw score", limits={"review": review, "reject": reject})


def _curve(evaluation: Evaluation) -> str:
    parts = parts_of(evaluation.pictures)
    if len({part.defective for part in parts}) < 2:
        return ""
    return escape_against_overkill(
        {"this recipe": trade_off(parts)}, {"this recipe": evaluation.thresholds}
    )


def _promised(evaluation: Evaluation) -> str:
    if not evaluation.promises:
        return ""
    seen = [promise.seen.parts for promise in evaluation.promises]
    return promised_and_seen(
        [promise.p for promise in evaluation.promises],
        [one.value for one in seen],
        [one.interval[0] for one in seen],
        [one.interval[1] for one in seen],
    )
