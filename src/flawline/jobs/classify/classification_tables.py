"""Write a classification as JSON and CSV; the same classification gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flawline.core.metrics import Share
from flawline.data.csv_file import write_csv_rows
from flawline.data.json_file import write_json_document
from flawline.jobs.classify.class_confusion import ClassifierEvaluation, Reliability
from flawline.jobs.classify.classification import Classification


def classification_as_dict(classification: Classification) -> dict[str, Any]:
    """Build the JSON document that `flawline classify` prints."""
    known = classification.evaluation
    classes = classification.classes
    return {
        "source": classification.source,
        "settings": dict(classification.settings),
        "classes": list(classes),
        "warnings": list(classification.warnings),
        "evaluation": known and _evaluation(known),
        "predictions": [
            {
                "image": prediction.sample.name,
                "label": prediction.sample.label,
                "predicted": prediction.predicted,
                "probability": prediction.probability,
                "probabilities": dict(zip(classes, prediction.probabilities, strict=True)),
                "fold": prediction.fold,
            }
            for prediction in classification.predictions
        ],
        "unjudged": [item.as_dict() for item in classification.unjudged],
    }


def write_json(classification: Classification, path: Path) -> Path:
    """Write the classification as one JSON document."""
    return write_json_document(path, classification_as_dict(classification))


def write_csv(classification: Classification, path: Path) -> Path:
    """Write one row per picture: image, label, predicted, probability, fold, then the probability of each class, note.

    Pictures that could not be judged follow with the reason, so that no input is lost.
    """
    classes = classification.classes
    rows: list[list[object]] = [
        [
            prediction.sample.name,
            prediction.sample.label,
            prediction.predicted,
            prediction.probability,
            prediction.fold,
            *prediction.probabilities,
            None,
        ]
        for prediction in classification.predictions
    ]
    for item in classification.unjudged:
        empty = [None] * (4 + len(classes))
        rows.append([item.image, *empty, f"could not be judged: {item.reason}"])
    named = [f"probability_{name}" for name in classes]
    header = ["image", "label", "predicted", "probability", "fold", *named, "note"]
    return write_csv_rows(path, header, rows)


def _evaluation(known: ClassifierEvaluation) -> dict[str, Any]:
    return {
        "pictures": known.pictures,
        "balanced_accuracy": round(known.balanced_accuracy, 6),
        "accuracy": round(known.accuracy, 6),
        "auroc": None if known.auroc is None else round(known.auroc, 6),
        "auroc_of": known.positive,
        "confusion": [list(row) for row in known.confusion],
        "classes": {
            score.name: {"recall": _share(score.recall), "precision": _share(score.precision)}
            for score in known.scores
        },
        "before_calibration": _reliability(known.before),
        "after_calibration": _reliability(known.after),
    }


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {
        "value": round(share.value, 6),
        "hits": share.hits,
        "of": share.of,
        "interval_95": [round(limit, 6) for limit in share.interval],
    }


def _reliability(reliability: Reliability) -> dict[str, Any]:
    return {
        "brier": round(reliability.brier, 6),
        "expected_calibration_error": round(reliability.error, 6),
        "stated": [round(value, 6) for value in reliability.stated],
        "right": [round(value, 6) for value in reliability.right],
    }
