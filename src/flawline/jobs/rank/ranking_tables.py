"""Write a ranking as JSON and CSV; the same ranking gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flawline.data.csv_file import further_names, write_csv_rows
from flawline.data.export import write_zip
from flawline.data.json_file import write_json_document
from flawline.data.source import Source
from flawline.errors import UsageError
from flawline.jobs.rank.ranking import RankedPicture, Ranking, recall


def ranking_as_dict(ranking: Ranking) -> dict[str, Any]:
    """Build the JSON document that `flawline rank` prints."""
    known = recall(ranking)
    return {
        "source": ranking.source,
        "settings": dict(ranking.settings),
        "warnings": list(ranking.warnings),
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
                "group": picture.sample.group,
                "score": picture.score,
                "reasons": [
                    {"text": reason.text, "about": reason.about, "share": round(reason.share, 6)}
                    for reason in picture.reasons
                ],
                "notes": list(ranking.notes.get(picture.sample.name, ())),
            }
            for picture in ranking.pictures
        ],
        "unjudged": [item.as_dict() for item in ranking.unjudged],
    }


def write_json(ranking: Ranking, path: Path) -> Path:
    """Write the ranking as one JSON document."""
    return write_json_document(path, ranking_as_dict(ranking))


def write_csv(ranking: Ranking, path: Path) -> Path:
    """Write one row per picture, best known first: rank, image, label, score, group, reasons and every metadata column.

    Pictures that could not be judged follow with an empty rank and score and the reason, so that no input is lost.
    """
    extra = sorted({key for picture in ranking.pictures for key in picture.sample.metadata})
    rows: list[list[object]] = []
    for picture in ranking.pictures:
        sample = picture.sample
        reasons = "; ".join(reason.text for reason in picture.reasons[:3])
        row = [picture.rank, sample.name, sample.label, repr(picture.score), sample.group, reasons]
        rows.append([*row, *(sample.metadata.get(key) for key in extra)])
    for item in ranking.unjudged:
        reason = f"could not be judged: {item.reason}"
        rows.append([None, item.image, None, None, None, reason, *[None] * len(extra)])
    own = ["rank", "image", "label", "score", "group", "reasons"]
    header = [*own, *further_names(own, extra)]
    return write_csv_rows(path, header, rows)


def write_parts(
    ranking: Ranking, source: Source, folder: Path, *, keep: int | None, drop: int | None
) -> list[Path]:
    """Copy the `keep` most anomalous pictures into top.zip, all but the `drop` most anomalous into rest.zip.

    Raises:
        UsageError: there are fewer pictures than asked for, or none would be left.
    """
    count = len(ranking.pictures)
    if (keep or 0) > count or (drop or 0) >= count:
        raise UsageError(
            f"asked to keep {keep or 0} and drop {drop or 0} of {count} ranked pictures",
            hint=f"keep at most {count} and drop at most {count - 1}",
        )
    chosen: dict[Path, tuple[RankedPicture, ...]] = {}
    if keep is not None:
        chosen[folder / "top.zip"] = ranking.pictures[:keep]
    if drop is not None:
        chosen[folder / "rest.zip"] = ranking.pictures[drop:]
    for path, pictures in chosen.items():
        write_zip(source, (picture.sample for picture in pictures), path)
    return list(chosen)


def _meaning(defective: bool | None) -> str:
    return {True: "bad", False: "good", None: "unknown"}[defective]
