"""Write verdicts as JSON and CSV; the same verdicts give the same bytes."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any

from flawline.data.csv_file import write_csv_rows
from flawline.data.json_file import write_json_document
from flawline.jobs.judge.judged_parts import JudgedTable
from flawline.specification.judge import ClauseResult, Judgement
from flawline.types import Unjudged

_NUMBERS = ("clause", "line", "value", "limit", "unit", "margin", "uncertainty")
COLUMNS = ("image", "verdict", *_NUMBERS, "defects", "note", "spec")


def judged_as_dict(judged: JudgedTable) -> dict[str, Any]:
    """Build the JSON document that `flawline judge` prints."""
    document: dict[str, Any] = {
        "table": judged.table,
        "spec": {
            "name": judged.spec.name,
            "version": judged.spec.version,
            "hash": judged.spec.hash,
            "guard": judged.spec.guard,
            "guard_probability": round(judged.spec.guard_probability, 6),
        },
        "counts": dict(judged.counts),
        "judgements": [_judgement(item) for item in judged.judgements if item.verdict],
        "unjudged": [
            Unjudged(item.image, "unjudged", item.reason).as_dict()
            for item in judged.judgements
            if item.verdict is None
        ],
    }
    if judged.against is not None:
        document["against"] = {
            "name": judged.against.name,
            "version": judged.against.version,
            "hash": judged.against.hash,
            "changed": len(judged.changes),
            "ways": dict(judged.ways),
            "changes": [
                {"image": c.image, "before": c.before, "after": c.after} for c in judged.changes
            ],
        }
    return document


def write_json(judged: JudgedTable, path: Path) -> Path:
    """Write the verdicts as one JSON document."""
    return write_json_document(path, judged_as_dict(judged))


def write_csv(judged: JudgedTable, path: Path) -> Path:
    """Write one row per broken clause and part; an accepted part has the row of its closest clause.

    `defects` are the numbers of the defects in their picture, as in the table of defects. A part that could not be
    judged has no verdict, and the reason as its note.
    """
    rows: list[list[object]] = []
    for item in judged.judgements:
        findings = item.findings or ((item.closest,) if item.closest else ())
        rows += [[item.image, item.verdict, *_cells(finding), item.spec] for finding in findings]
        if not findings:
            blank: list[object] = [None] * 8
            rows.append([item.image, item.verdict, *blank, item.reason or None, item.spec])
    return write_csv_rows(path, COLUMNS, rows)


def _judgement(item: Judgement) -> dict[str, Any]:
    return {
        "image": item.image,
        "verdict": item.verdict,
        "spec": item.spec,
        "violations": [_finding(finding) for finding in item.findings],
        "closest": item.closest and _finding(item.closest),
    }


def _finding(finding: ClauseResult) -> dict[str, Any]:
    return {
        "clause": finding.clause,
        "line": finding.line,
        "outcome": finding.outcome,
        "value": _rounded(finding.value),
        "limit": _rounded(finding.bound),
        "unit": finding.unit,
        "margin": _rounded(finding.margin),
        "uncertainty": _rounded(finding.expanded),
        "defects": [place + 1 for place in finding.defects],
        "note": finding.note,
    }


def _cells(finding: ClauseResult) -> list[object]:
    row = _finding(finding)
    defects = " ".join(map(str, row["defects"]))
    return [*(row[key] for key in _NUMBERS), defects, row["note"] or None]


def _rounded(value: float) -> float | None:
    return float(f"{value:.9g}") if isfinite(value) else None
