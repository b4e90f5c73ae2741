"""Write the report of a study of detection: self-contained HTML and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.core.self_test_words import NAMES, size_text
from flawline.data.json_file import write_json_document
from flawline.data.whole_file import write_text
from flawline.jobs.study.pod_study import PodStudy
from flawline.report.pictures import data_address
from flawline.report.self_test_figures import self_test_section
from flawline.report.template import template

if TYPE_CHECKING:
    from flawline.inspector.self_test_examples import DrawnExample


def write_pod(found: PodStudy, folder: Path) -> Path:
    """Write pod.html and pod.json into `folder`, and give the path of the page."""
    write_json_document(folder / "pod.json", found.as_dict())
    html = template("pod.html").render(
        found=found,
        section=self_test_section(found.test),
        missed=[_card(one) for one in found.examples if not one.trial.found],
        seen=[_card(one) for one in found.examples if one.trial.found],
    )
    return write_text(folder / "pod.html", html)


def _card(example: DrawnExample) -> dict[str, Any]:
    trial = example.trial
    name = NAMES[trial.kind, trial.contrast > 0]
    reason = "not marked" if not trial.noticed else "not accepted, but marked elsewhere"
    return {
        "name": f"{name}, {size_text(trial.width, trial.length / trial.width)}",
        "words": trial.picture if trial.found else f"{trial.picture}: {reason}",
        "address": data_address(example.pixels),
        "heat": data_address(example.marked),
    }
