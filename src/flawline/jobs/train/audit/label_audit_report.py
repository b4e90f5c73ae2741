"""The report of an audit of labels: one HTML file that opens without a network."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from flawline.data.whole_file import write_text
from flawline.jobs.train.audit.audit_labels import kept_probabilities
from flawline.jobs.train.audit.audit_tables import write_audit
from flawline.jobs.train.audit.audited_pictures import CLASS_COLOURS, KIND_COLOURS, draw_panels
from flawline.jobs.train.audit.label_audit import AuditedPicture, LabelAudit
from flawline.jobs.train.audit.suspicious_regions import KINDS
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.report.pictures import data_address
from flawline.report.template import template

SHOWN = 30
LISTED = 1000
_MEANINGS = {
    "missing": "marked as background, a class is seen",
    "extra": "marked as a class, background is seen",
    "class": "marked as one class, another is seen",
    "border": "too much or too little along the border of a mark",
}


def write_label_audit(
    audit: LabelAudit, source: MaskedPictures, folder: Path
) -> tuple[Path, Path, Path, Path]:
    """Write label-audit.csv, label-audit.json, label-audit-coco.json and report.html; returns their paths.

    `folder` is the one in which the labels were audited: the report shows what was kept there of the pictures with
    the most suspicious masks, which are read once more from `source`.
    """
    page = write_label_audit_report(audit, source, folder)
    return (*write_audit(audit, folder), page)


def write_label_audit_report(audit: LabelAudit, source: MaskedPictures, folder: Path) -> Path:
    """Write report.html alone."""
    worst = [picture for picture in audit.pictures if picture.regions][:SHOWN]
    samples = {sample.name: sample for sample in source.samples()}
    kept = kept_probabilities(folder)
    cards = []
    for picture in worst:
        pixels = source.pair(samples[picture.image])[0].pixels
        cards.append(_card(picture, draw_panels(picture, pixels, *kept.read(picture.number))))
    html = template("label_audit.html").render(
        audit=audit,
        finding=finding(audit),
        kinds=_kinds(audit),
        meanings=_MEANINGS,
        cards=cards,
        class_colours=_legend(audit.classes[1:], CLASS_COLOURS),
        kind_colours={kind: _css(KIND_COLOURS[kind]) for kind in KINDS},
        listed=list(audit.regions())[:LISTED],
    )
    return write_text(folder / "report.html", html)


def finding(audit: LabelAudit) -> str:
    """What was found, in one sentence."""
    pictures = sum(bool(picture.regions) for picture in audit.pictures)
    if not pictures:
        return f"No region of {len(audit.pictures)} masks looks wrong."
    counts = Counter(region.kind for _, region in audit.regions())
    kinds = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
    total, some = audit.suspects, "region looks" if audit.suspects == 1 else "regions look"
    return f"{total} {some} wrong in {pictures} of {len(audit.pictures)} masks: {kinds}."


def _kinds(audit: LabelAudit) -> list[tuple[str, str, str, int, int]]:
    """Kind, class given, class seen, regions and pixels, the most regions first."""
    regions: Counter[tuple[str, str, str]] = Counter()
    pixels: Counter[tuple[str, str, str]] = Counter()
    for _, region in audit.regions():
        key = (region.kind, region.given, region.seen)
        regions[key] += 1
        pixels[key] += region.area
    return [(*key, count, pixels[key]) for key, count in regions.most_common()]


def _card(picture: AuditedPicture, panels: Any) -> dict[str, Any]:
    return {
        "picture": picture,
        "place": panels.place,
        "addresses": [data_address(panel) for panel in panels.images],
    }


def _legend(names: tuple[str, ...], colours: tuple[tuple[int, int, int], ...]) -> dict[str, str]:
    return {name: _css(colours[place % len(colours)]) for place, name in enumerate(names)}


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
