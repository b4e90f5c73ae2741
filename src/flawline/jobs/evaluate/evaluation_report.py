"""Write the report of an evaluation: one HTML file that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flawline.core.words import counted
from flawline.data.whole_file import write_text
from flawline.jobs.evaluate.evaluation import Evaluation, JudgedPicture
from flawline.jobs.evaluate.evaluation_charts import (
    escape_against_overkill,
    promised_and_observed,
    rates_over,
)
from flawline.jobs.evaluate.evaluation_classes import segmented
from flawline.jobs.evaluate.evaluation_tables import WORST, counts
from flawline.jobs.evaluate.figures import (
    most_missed,
    parts_of,
    trade_off,
    worst_false_alarms,
    worst_misses,
)
from flawline.jobs.evaluate.figures import rate as rate_of
from flawline.jobs.evaluate.inspected_pictures import Shown
from flawline.jobs.evaluate.metric_text import estimate, number, rate, share
from flawline.recipe import NO_THRESHOLD
from flawline.report.charts import score_histogram
from flawline.report.pictures import data_address, meaning
from flawline.report.template import template


def write_evaluation_report(evaluation: Evaluation, shown: Mapping[str, Shown], path: Path) -> Path:
    """Write the report of an evaluation with the pictures that `shown` holds by sample name."""
    misses = listed_misses(evaluation)
    alarms = worst_false_alarms(evaluation.pictures, WORST)
    html = template("evaluation.html").render(
        evaluation=evaluation,
        counts=counts(evaluation),
        finding=finding(evaluation),
        counted=counted,
        no_threshold=NO_THRESHOLD,
        misses=_cards(misses, shown),
        alarms=_cards(alarms, shown),
        histogram=histogram(evaluation),
        curve=_curve(evaluation),
        over_score=_over_score(evaluation),
        promised=_promised(evaluation),
        rejected=rate_of(evaluation.pictures, True, ["reject"]),
        segmented=segmented(evaluation.segmentation, operating_point(evaluation))
        if evaluation.segmentation
        else None,
        estimate=estimate,
        share=share,
        rate=rate,
        number=number,
    )
    return write_text(path, html)


def finding(evaluation: Evaluation) -> str:
    """Summarise an evaluation in one sentence, counting parts."""
    texts = []
    for found, words in (
        (evaluation.rates.escape, "bad parts accepted"),
        (evaluation.rates.overkill, "good parts rejected"),
    ):
        if found is not None:
            texts.append(f"{found.parts.hits} of {found.parts.of} {words}")
    if evaluation.segmentation is not None and evaluation.segmentation.mean_iou is not None:
        texts.append(f"mean IoU of defects {evaluation.segmentation.mean_iou.value:.3f}")
    if evaluation.auroc is not None:
        texts.append(f"AUROC {evaluation.auroc.value:.3f}")
    return "; ".join(texts)


def _cards(pictures: list[JudgedPicture], shown: Mapping[str, Shown]) -> list[dict[str, Any]]:
    return [
        {"judged": picture, "shown": as_addresses(shown[picture.sample.name])}
        for picture in pictures
        if picture.sample.name in shown
    ]


def as_addresses(shown: Shown) -> dict[str, Any]:
    """Encode the pictures of a card as data addresses."""
    return {
        "picture": data_address(shown.picture),
        "heats": [data_address(heat) for heat in shown.heats],
    }


def histogram(evaluation: Evaluation) -> str:
    """Draw the scores of good and bad pictures with the thresholds of the recipe, as SVG."""
    groups: dict[str, list[float]] = {"good": [], "bad": []}
    for picture in evaluation.pictures:
        groups[meaning(picture.defective)].append(picture.score)
    if evaluation.thresholds is None:
        return score_histogram(groups, unit="highest probability of a defect")
    review, reject = evaluation.thresholds
    return score_histogram(groups, unit="raw score", limits={"review": review, "reject": reject})


def operating_point(evaluation: Evaluation) -> tuple[float, float] | None:
    """Return overkill and escape of parts at the thresholds of the recipe, where both are known."""
    rates = evaluation.rates
    if rates.overkill is None or rates.escape is None:
        return None
    return rates.overkill.parts.value, rates.escape.parts.value


def listed_misses(evaluation: Evaluation) -> list[JudgedPicture]:
    """List the worst misses.

    For a segmenter those with most defects missed: one defect found rejects a part, even if it misses others.
    """
    if evaluation.segmentation is not None:
        return most_missed(evaluation.pictures, WORST)
    return worst_misses(evaluation.pictures, WORST)


def _curve(evaluation: Evaluation) -> str:
    parts = parts_of(evaluation.pictures)
    if len({part.defective for part in parts}) < 2:
        return ""
    name = "this recipe"
    return escape_against_overkill(
        {name: trade_off(parts)}, {name: evaluation.thresholds}, {name: operating_point(evaluation)}
    )


def _over_score(evaluation: Evaluation) -> str:
    """Draw escape and overkill over the threshold on the score, for a segmenter, whose score is a probability."""
    parts = parts_of(evaluation.pictures)
    if evaluation.thresholds is not None or len({part.defective for part in parts}) < 2:
        return ""
    cuts, escape, overkill = trade_off(parts)
    return rates_over(
        [0, *cuts, 1],
        [0, *escape, 1],
        [1, *overkill, 0],
        "threshold on the highest probability of a defect",
        judged=operating_point(evaluation),
    )


def _promised(evaluation: Evaluation) -> str:
    if not evaluation.promises:
        return ""
    observed = [promise.observed.parts for promise in evaluation.promises]
    return promised_and_observed(
        [promise.p for promise in evaluation.promises],
        [one.value for one in observed],
        [one.interval[0] for one in observed],
        [one.interval[1] for one in observed],
    )
