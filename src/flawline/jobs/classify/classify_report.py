"""Write the report of a classification: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import Share
from flawline.data.whole_file import write_text
from flawline.jobs.classify.class_confusion import ClassifierEvaluation
from flawline.jobs.classify.classification import Classification, mistakes
from flawline.report.charts import confusion_matrix, reliability
from flawline.report.pictures import data_address, meaning
from flawline.report.template import template


def write_classify_report(
    classification: Classification, pixels: Mapping[str, NDArray[np.uint8]], path: Path
) -> Path:
    """Write the report of a classification with the thumbnails (uint8 RGB) that `pixels` holds by sample name."""
    known = classification.evaluation
    wrong = mistakes(classification)
    counts = [
        (name, sum(p.predicted == name for p in classification.predictions))
        for name in classification.classes
    ]
    html = template("classify.html").render(
        classification=classification,
        known=known,
        counts=counts,
        wrong=len(wrong),
        cards=[
            {"prediction": p, "address": data_address(pixels[p.sample.name])}
            for p in wrong
            if p.sample.name in pixels
        ],
        matrix=confusion_matrix(known.confusion, classification.classes) if known else "",
        curve=_curve(known) if known else "",
        meaning=meaning,
        share=_share,
    )
    return write_text(path, html)


def _curve(known: ClassifierEvaluation) -> str:
    return reliability(
        {
            "before calibration": (known.before.stated, known.before.right),
            "after calibration": (known.after.stated, known.after.right),
        }
    )


def _share(share: Share | None) -> str:
    if share is None:
        return "no picture"
    low, high = share.interval
    return f"{100 * share.value:.1f} % ({100 * low:.1f} to {100 * high:.1f}), {share.hits} of {share.of}"
