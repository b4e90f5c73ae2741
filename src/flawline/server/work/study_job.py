"""Run a study of records as a job, and keep what its page shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.json_file import parse_json, write_json_document
from flawline.server.work.runner import JobTrack

if TYPE_CHECKING:
    from flawline.jobs.study.study import Study
    from flawline.records.pictures import Pictures
    from flawline.records.store import Store
    from flawline.records.where import Where
    from flawline.server.study_kinds import StudyKind

SHOWN = "shown.json"
_STYLE = re.compile(r' style="([^"]*)"')
_SHEET = re.compile(r"<style.*?</style>", re.DOTALL)


def run_study(
    store: Store,
    pictures: Pictures,
    kind: StudyKind,
    settings: Mapping[str, Any],
    where: Where,
    q: str,
    track: JobTrack,
    folder: Path,
) -> dict[str, Any]:
    """Study the records; writes the report and what the page shows into the folder, and returns the finding."""
    from flawline.jobs.study.study_files import write_study

    more: dict[str, Any] = {"track": track} if kind.takes_track else {}
    if kind.takes_kept:
        more["kept"] = pictures
    chosen = {"where": dict(where.names), "since": where.since, "until": where.until}
    study = kind.report(kind.call(**settings, store=store, **chosen, **more))
    write_study(study, folder)
    write_json_document(folder / SHOWN, _shown(study))
    return {
        "study": kind.name,
        "title": study.title,
        "finding": study.finding,
        "usable": study.verdict.usable,
        "verdict": study.verdict.text,
        "settings": dict(settings),
        "q": q,
    }


def read_shown(folder: Path) -> dict[str, Any]:
    """Read what the page of a study shows."""
    found: dict[str, Any] = parse_json((folder / SHOWN).read_bytes())
    return found


def _shown(study: Study) -> dict[str, Any]:
    from flawline.jobs.study.study_figure import figure_svg

    return {
        "name": study.name,
        "title": study.title,
        "subtitle": study.subtitle,
        "finding": study.finding,
        "verdict": {"usable": study.verdict.usable, "text": study.verdict.text},
        "facts": dict(study.facts),
        "tables": [{**asdict(one), "numbers": sorted(one.numbers)} for one in study.tables],
        "figures": [
            {"title": one.title, "caption": one.caption, "svg": without_styles(figure_svg(one))}
            for one in study.figures
        ],
        "assumptions": [asdict(one) for one in study.assumptions],
        "notes": list(study.notes),
        "skipped": [{"label": row.label, "reason": row.reason} for row in study.skipped],
        "meaning": study.meaning,
    }


def without_styles(svg: str) -> str:
    """Write the styles of a drawing as attributes: pages allow no style inside their text."""

    def attributes(match: re.Match[str]) -> str:
        pairs = [part.partition(":") for part in match[1].split(";") if part.strip()]
        # The fonts are those of the page.
        named = [(name.strip(), value.strip()) for name, _, value in pairs]
        return "".join(f' {name}="{value}"' for name, value in named if name != "font-family")

    return _STYLE.sub(attributes, _SHEET.sub("", svg))
