"""Write a study: a self-contained page, all drawings as SVG and PNG, and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.data.json_file import write_json_document
from flawline.data.whole_file import replacing, write_text
from flawline.jobs.study.study import Study, study_document
from flawline.jobs.study.study_figure import figure_svg, sheet_png, sheet_svg
from flawline.report.template import template


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """Path of the page of a study, and the document of its JSON file."""

    page: Path
    document: dict[str, Any]


def write_study(study: Study, folder: Path) -> WrittenStudy:
    """Write NAME.html and .json into `folder`, and .svg and .png where the study has drawings."""
    document = study_document(study)
    write_json_document(folder / f"{study.name}.json", document)
    if study.figures:
        write_text(folder / f"{study.name}.svg", sheet_svg(study) + "\n")
        with replacing(folder / f"{study.name}.png") as part:
            part.write_bytes(sheet_png(study))
    return WrittenStudy(write_text(folder / f"{study.name}.html", study_page(study)), document)


def study_page(study: Study) -> str:
    """Build the page of a study as one HTML document."""
    pictures = [
        {"title": one.title, "svg": figure_svg(one), "caption": one.caption}
        for one in study.figures
    ]
    return str(template("study.html").render(study=study, pictures=pictures))
