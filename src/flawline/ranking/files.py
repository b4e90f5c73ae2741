"""A ranking as JSON and CSV; the same ranking gives the same bytes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from flawline.ranking.result import Ranking, recall


def ranking_as_dict(ranking: Ranking) -> dict[str, Any]:
    """The JSON document of `flawline rank --json`."""
    known = recall(ranking)
    return {
        "source": ranking.source,
        "settings": dict(ranking.settings),
        "labels": {label: _meaning(bad) for label, bad in ranking.labels.items()},
        "recall": known
        and {
            "sentence": known.sentence,
            "defective": known.defective,
            "judged": known.judged,
            "all_within": known.all_within,
            "auroc": round(known.auroc, 6),
        },
        "ranking": [
            {
                "rank": picture.rank,
                "image": picture.sample.name,
                "label": picture.sample.label,
                "score": picture.score,
                "reasons": [
                    {"text": reason.text, "about": reason.about, "share": round(reason.share, 6)}
                    for reason in picture.reasons
                ],
            }
            for picture in ranking.pictures
        ],
        "unjudged": [
            {"image": item.image, "code": item.code, "reason": item.reason}
            for item in ranking.unjudged
        ],
    }


def write_json(ranking: Ranking, path: Path) -> Path:
    """Write the ranking as one JSON document."""
    text = json.dumps(ranking_as_dict(ranking), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def write_csv(ranking: Ranking, path: Path) -> Path:
    """Write one row per picture, best known first: rank, image, label, score, group, reasons and every metadata column.

    Pictures that could not be judged follow with an empty rank and score and the reason, so that no input is lost.
    """
    extra = sorted({key for picture in ranking.pictures for key in picture.sample.metadata})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["rank", "image", "label", "score", "group", "reasons", *extra])
        for picture in ranking.pictures:
            sample = picture.sample
            reasons = "; ".join(reason.text for reason in picture.reasons)
            row = [picture.rank, sample.name, sample.label, repr(picture.score), sample.group]
            writer.writerow(
                [_cell(v) for v in (*row, reasons, *(sample.metadata.get(k) for k in extra))]
            )
        for item in ranking.unjudged:
            reason = f"could not be judged: {item.reason}"
            writer.writerow(["", _cell(item.image), "", "", "", _cell(reason), *[""] * len(extra)])
    return path


def _cell(value: object) -> object:
    """Text that a spreadsheet would run as a formula is quoted: file names come from strangers."""
    if isinstance(value, str) and value[:1] in "=+-@\t\r" and not _is_number(value):
        return "'" + value
    return "" if value is None else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _meaning(defective: bool | None) -> str:
    return {True: "bad", False: "good", None: "unknown"}[defective]
