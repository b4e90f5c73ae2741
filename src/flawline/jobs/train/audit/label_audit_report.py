"""Write the report of an audit of labels: one HTML file that opens without a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flawline.core.words import counted
from flawline.data.whole_file import write_text
from flawline.jobs.train.audit.audited_pictures import CLASS_COLOURS, KIND_COLOURS, Panels
from flawline.jobs.train.audit.label_audit import AuditedPicture, LabelAudit
from flawline.jobs.train.audit.suspicious_regions import KINDS
from flawline.report.pictures import data_address
from flawline.report.template import template

LISTED = 1000
_MEANINGS = {
    "missing": "marked as background, a class is seen",
    "extra": "marked as a class, background is seen",
    "class": "marked as one class, another is seen",
    "border": "too much or too little along the border of a mark",
}


def write_label_audit_page(
    audit: LabelAudit, pictures: Sequence[tuple[AuditedPicture, Panels]], path: Path
) -> Path:
    """Write report.html of an audit with the pictures to show, the most suspicious first."""
    html = template("label_audit.html").render(
        audit=audit,
        finding=finding(audit),
        kinds=_kinds(audit),
        meanings=_MEANINGS,
        cards=[_card(picture, panels) for picture, panels in pictures],
        class_colours=_legend(audit.classes[1:], CLASS_COLOURS),
        kind_colours={kind: _css(KIND_COLOURS[kind]) for kind in KINDS},
        listed=list(audit.regions())[:LISTED],
    )
    return write_text(path, html)


def finding(audit: LabelAudit) -> str:
    """Summarise an audit in one sentence."""
    if not audit.pictures and audit.unlearnt:
        return f"None of {counted(audit.masks, 'mask')} was judged."
    pictures = sum(bool(picture.regions) for picture in audit.pictures)
    if not pictures:
        return f"No region of {len(audit.pictures)} masks looks wrong."
    counts = Counter(region.kind for _, region in audit.regions())
    kinds = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
    total, some = audit.suspects, "region looks" if audit.suspects == 1 else "regions look"
    return f"{total} {some} wrong in {pictures} of {len(audit.pictures)} masks: {kinds}."


def _kinds(audit: LabelAudit) -> list[tuple[str, str, str, int, int]]:
    """Count regions and pixels by kind, class given and class seen, the most regions first."""
    regions: Counter[tuple[str, str, str]] = Counter()
    pixels: Counter[tuple[str, str, str]] = Counter()
    for _, region in audit.regions():
        key = (region.kind, region.given, region.seen)
        regions[key] += 1
        pixels[key] += region.area
    return [(*key, count, pixels[key]) for key, count in regions.most_common()]


def _card(picture: AuditedPicture, panels: Panels) -> dict[str, Any]:
    return {
        "picture": picture,
        "place": panels.place,
        "addresses": [data_address(panel) for panel in panels.images],
    }


def _legend(names: tuple[str, ...], colours: tuple[tuple[int, int, int], ...]) -> dict[str, str]:
    return {name: _css(colours[place % len(colours)]) for place, name in enumerate(names)}


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
