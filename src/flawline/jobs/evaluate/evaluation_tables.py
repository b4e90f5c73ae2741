"""Write evaluations and comparisons as JSON and CSV; the same pictures and recipes give the same, except times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flawline.core.pixel_metrics import Area
from flawline.data.csv_file import write_csv_rows
from flawline.data.json_file import write_json_document
from flawline.jobs.evaluate.compare import Comparison
from flawline.jobs.evaluate.comparison_row import Row
from flawline.jobs.evaluate.evaluation import (
    Evaluation,
    JudgedPicture,
    LabelFigures,
    PixelFigures,
    Rate,
)
from flawline.jobs.evaluate.figures import parts_of, worst_false_alarms, worst_misses
from flawline.jobs.evaluate.ranking import Ranked
from flawline.jobs.evaluate.segmentation_tables import segmentation_as_dict
from flawline.jobs.evaluate.shapes import (
    difference_as_dict,
    estimated_as_dict,
    recall_as_dict,
    rounded,
    share_as_dict,
)
from flawline.types import Sample, Unjudged

WORST = 12


def evaluation_as_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Build the JSON document that `flawline evaluate` prints."""
    return {
        "source": evaluation.source,
        "recipe": evaluation.recipe,
        "part": evaluation.part,
        "settings": dict(evaluation.settings),
        "split": evaluation.split,
        "group_column": "group" if evaluation.grouped else None,
        "counts": counts(evaluation),
        "auroc": estimated_as_dict(evaluation.auroc),
        "average_precision": estimated_as_dict(evaluation.average_precision),
        "labels": [_label(one) for one in evaluation.labels],
        "pixels": _pixels(evaluation.pixels),
        "recall": recall_as_dict(evaluation.recall),
        "recall_by_size": [recall_as_dict(one) for one in evaluation.recall_by_size],
        "recall_by_label": [recall_as_dict(one) for one in evaluation.recall_by_label],
        "rates": {
            "escape": _rate(evaluation.rates.escape),
            "bad_to_review": _rate(evaluation.rates.bad_to_review),
            "overkill": _rate(evaluation.rates.overkill),
            "good_to_review": _rate(evaluation.rates.good_to_review),
        },
        "p_values": [{"p": one.p, **(_rate(one.observed) or {})} for one in evaluation.promises],
        "missing": dict(evaluation.missing),
        "worst_misses": _names(worst_misses(evaluation.pictures, WORST)),
        "worst_false_alarms": _names(worst_false_alarms(evaluation.pictures, WORST)),
        "messages": list(evaluation.messages),
        "dropped": list(evaluation.dropped),
        "unjudged": _unjudged(evaluation.unjudged),
        "milliseconds": {k: round(v, 3) for k, v in evaluation.milliseconds.items()},
        "pictures_per_second": round(evaluation.pictures_per_second, 2),
        "segmentation": segmentation_as_dict(evaluation.segmentation),
    }


def comparison_as_dict(comparison: Comparison) -> dict[str, Any]:
    """Build the JSON document that `flawline compare` prints."""
    first = comparison.evaluations[0]
    costs = comparison.costs
    return {
        "source": comparison.source,
        "split": first.split,
        "group_column": "group" if first.grouped else None,
        "pictures": len(comparison.samples),
        "parts": len({p.part for p in _common(comparison, 0)}),
        "seed": comparison.seed,
        "costs": costs
        and {
            "escape": costs.escape,
            "overkill": costs.overkill,
            "review": costs.review,
            "prevalence": costs.prevalence,
        },
        "recipes": [
            {"name": name, **evaluation_as_dict(one)}
            for name, one in zip(comparison.names, comparison.evaluations, strict=True)
        ],
        "metrics": [_row(row, comparison.names) for row in comparison.rows],
        "disagreements": list(comparison.disagreements),
        "found_apart": list(comparison.found_apart),
        "ranking": [_ranked(one) for one in comparison.ranking],
        "unjudged": _unjudged(comparison.unjudged),
    }


def counts(evaluation: Evaluation) -> dict[str, Any]:
    """Count good and bad pictures and parts, and those left out."""
    pictures = Counter(picture.defective for picture in evaluation.pictures)
    parts = Counter(part.defective for part in parts_of(evaluation.pictures))
    return {
        "good": {"pictures": pictures[False], "parts": parts[False]},
        "bad": {"pictures": pictures[True], "parts": parts[True]},
        "dropped": len(evaluation.dropped),
        "unjudged": len(evaluation.unjudged),
    }


def write_evaluation_json(evaluation: Evaluation, path: Path) -> Path:
    """Write the evaluation as one JSON document."""
    return write_json_document(path, evaluation_as_dict(evaluation))


def write_comparison_json(comparison: Comparison, path: Path) -> Path:
    """Write the comparison as one JSON document."""
    return write_json_document(path, comparison_as_dict(comparison))


def write_scores(evaluation: Evaluation, path: Path) -> Path:
    """Write one row per picture: image, label, meaning, group, score, p_value, verdict; those not judged follow."""
    header = [*_OWN, "score", "p_value", "verdict"]
    rows = [[*_cells(p), p.score, p.p_value, p.verdict] for p in evaluation.pictures]
    return write_csv_rows(path, header, [*rows, *_lost(evaluation.unjudged, len(header))])


def write_compared_scores(comparison: Comparison, path: Path) -> Path:
    """Write one row per picture that all judged, with score, p-value and verdict of every recipe."""
    header = list(_OWN)
    for name in comparison.names:
        header += [f"{column} {name}" for column in ("score", "p_value", "verdict")]
    columns = [_common(comparison, k) for k in range(len(comparison.names))]
    rows = [
        [*_cells(same[0]), *(cell for p in same for cell in (p.score, p.p_value, p.verdict))]
        for same in zip(*columns, strict=True)
    ]
    return write_csv_rows(path, header, [*rows, *_lost(comparison.unjudged, len(header))])


def _common(comparison: Comparison, place: int) -> list[JudgedPicture]:
    names = {sample.name for sample in comparison.samples}
    return [p for p in comparison.evaluations[place].pictures if p.sample.name in names]


_OWN = ("image", "label", "meaning", "group")


def _cells(picture: JudgedPicture) -> list[object]:
    sample: Sample = picture.sample
    return [sample.name, sample.label, "bad" if picture.defective else "good", sample.group]


def _lost(unjudged: Iterable[Unjudged], width: int) -> list[list[object]]:
    """Build the rows of what could not be judged, with the reason in place of the verdict."""
    return [
        [item.image, *[None] * (width - 2), f"could not be judged: {item.reason}"]
        for item in unjudged
    ]


def _names(pictures: Sequence[JudgedPicture]) -> list[dict[str, Any]]:
    return [
        {"image": p.sample.name, "label": p.label, "score": p.score, "verdict": p.verdict}
        for p in pictures
    ]


def _unjudged(items: Iterable[Unjudged]) -> list[dict[str, str]]:
    return [item.as_dict() for item in items]


def _rate(rate: Rate | None) -> dict[str, Any] | None:
    return (
        None
        if rate is None
        else {"pictures": {"hits": rate.hits, "of": rate.of}, "parts": share_as_dict(rate.parts)}
    )


def _label(one: LabelFigures) -> dict[str, Any]:
    return {
        "label": one.label,
        "pictures": one.pictures,
        "auroc": estimated_as_dict(one.auroc),
        "average_precision": estimated_as_dict(one.average_precision),
        "accepted": _rate(one.accepted),
        "review": _rate(one.review),
        "rejected": _rate(one.rejected),
    }


def _pixels(one: PixelFigures | None) -> dict[str, Any] | None:
    return (
        None
        if one is None
        else {
            "auroc": _area(one.auroc),
            "aupro_0.3": _area(one.aupro),
            "aupro_0.05": _area(one.aupro_strict),
            "pictures": one.pictures,
            "regions": one.regions,
            "grid": one.grid,
        }
    )


def _area(area: Area) -> dict[str, Any]:
    return {"value": rounded(area.value), "error": area.error}


def _ranked(one: Ranked) -> dict[str, Any]:
    return {
        "name": one.name,
        "cost": round(one.cost, 6),
        "more": one.more and difference_as_dict(one.more),
        "as_cheap": one.as_cheap,
        "slower": one.slower and difference_as_dict(one.slower),
        "as_fast": one.as_fast,
        "pictures_per_second": round(one.pictures_per_second, 2),
    }


def _row(row: Row, names: Sequence[str]) -> dict[str, Any]:
    values: Mapping[str, Any] = {n: rounded(v) for n, v in zip(names, row.values, strict=True)}
    return {
        "name": row.name,
        "values": dict(values),
        "differences": {
            name: difference and {**difference_as_dict(difference), "finding": row.finding(place)}
            for place, (name, difference) in enumerate(
                zip(names[1:], row.differences, strict=True), start=1
            )
        },
        "reason": row.reason,
    }
