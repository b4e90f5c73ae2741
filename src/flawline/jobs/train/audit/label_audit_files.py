"""Write the tables and the report of an audit of labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flawline.jobs.train.audit.audit_labels import open_probabilities
from flawline.jobs.train.audit.audit_tables import write_audit
from flawline.jobs.train.audit.audited_pictures import Panels, draw_panels
from flawline.jobs.train.audit.label_audit import AuditedPicture, LabelAudit
from flawline.jobs.train.audit.label_audit_report import write_label_audit_page
from flawline.jobs.train.segment.pairs import MaskedPictures

SHOWN = 30


def write_label_audit(
    audit: LabelAudit, source: MaskedPictures, folder: Path
) -> tuple[Path, Path, Path, Path]:
    """Write label-audit.csv, label-audit.json, label-audit-coco.json and report.html; returns their paths.

    `folder` is the one of the audit: the report shows the probabilities stored there for the pictures with the most
    suspicious masks, which are read once more from `source`.
    """
    page = write_label_audit_report(audit, source, folder)
    return (*write_audit(audit, folder), page)


def write_label_audit_report(audit: LabelAudit, source: MaskedPictures, folder: Path) -> Path:
    """Write report.html alone."""
    shown = list(_drawn(audit, source, folder))
    return write_label_audit_page(audit, shown, folder / "report.html")


def _drawn(
    audit: LabelAudit, source: MaskedPictures, folder: Path
) -> Iterator[tuple[AuditedPicture, Panels]]:
    worst = [picture for picture in audit.pictures if picture.regions][:SHOWN]
    samples = {sample.name: sample for sample in source.samples()}
    with open_probabilities(folder) as store:
        for picture in worst:
            pixels = source.pair(samples[picture.image])[0].pixels
            yield picture, draw_panels(picture, pixels, *store.read(picture.number))
