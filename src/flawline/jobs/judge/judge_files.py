"""Write the files of a judgement: tables and the report."""

from __future__ import annotations

from pathlib import Path

from flawline.data.source import Source
from flawline.jobs.judge.judge_report import SHOWN, flagged_parts, write_judge_report
from flawline.jobs.judge.judge_tables import write_csv, write_json
from flawline.jobs.judge.judged_parts import JudgedTable
from flawline.jobs.judge.judged_pictures import read_crops


def write_judged(judged: JudgedTable, folder: Path, pictures: Source | None = None) -> Path:
    """Write verdicts.csv, verdicts.json and report.html into `folder`; returns the report's path.

    `pictures` are matched with the parts by name, or else by name without folder and ending; a part
    without a picture is shown as text only.
    """
    write_csv(judged, folder / "verdicts.csv")
    write_json(judged, folder / "verdicts.json")
    wanted = {item.image: item.findings[0] for item in flagged_parts(judged)[:SHOWN]}
    for change in judged.changes[:SHOWN]:
        if change.findings:
            wanted[change.image] = change.findings[0]
    crops = read_crops(judged, wanted, pictures) if pictures is not None else {}
    return write_judge_report(judged, crops, folder / "report.html")
