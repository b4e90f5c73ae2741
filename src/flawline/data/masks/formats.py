"""The formats of annotations, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.coco import is_coco, read_coco
from flawline.data.masks.cvat import is_cvat, read_cvat
from flawline.data.masks.datumaro import is_datumaro, read_datumaro
from flawline.data.masks.ground_truth import is_ground_truth, read_ground_truth
from flawline.data.masks.label_studio import is_label_studio, read_label_studio
from flawline.data.masks.label_studio_brushes import is_brush_export, read_brush_export
from flawline.data.masks.labelme import is_labelme, read_labelme
from flawline.data.masks.labelme_xml import is_labelme_xml, read_labelme_xml
from flawline.data.masks.panoptic import is_panoptic, read_panoptic
from flawline.data.masks.run_length_table import is_run_length_table, read_run_length_table
from flawline.data.masks.shapes import Annotations
from flawline.data.masks.supervisely import is_supervisely, read_supervisely
from flawline.data.masks.via import is_via, read_via
from flawline.data.masks.voc import is_voc, read_voc
from flawline.data.masks.voc_masks import is_voc_masks, read_voc_masks
from flawline.data.masks.yolo import is_yolo, read_yolo
from flawline.data.names import ARCHIVE_SUFFIXES, suffix
from flawline.errors import SourceError

_SINGLE = (".json", ".xml", ".csv", ".manifest", ".jsonl")
_MOST_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Format:
    """A format of annotations: its name, how it is recognised and how it is read.

    `absent_is_empty`: a picture without an annotation has no defects. `names_masks`: its file names pictures that are
    masks and mean nothing without it.
    """

    name: str
    fits: Callable[[AnnotationFiles], bool]
    read: Callable[[AnnotationFiles], Annotations]
    absent_is_empty: bool = False
    names_masks: bool = False


FORMATS = (
    Format("COCO panoptic", is_panoptic, read_panoptic, names_masks=True),
    Format("COCO", is_coco, read_coco),
    Format("Label Studio", is_label_studio, read_label_studio),
    Format("Label Studio brushes", is_brush_export, read_brush_export),
    Format("LabelMe", is_labelme, read_labelme),
    Format("Supervisely", is_supervisely, read_supervisely),
    Format("Datumaro", is_datumaro, read_datumaro),
    Format("VIA", is_via, read_via),
    Format("Ground Truth", is_ground_truth, read_ground_truth, names_masks=True),
    Format("run lengths", is_run_length_table, read_run_length_table),
    Format("VOC masks", is_voc_masks, read_voc_masks),
    Format("LabelMe XML", is_labelme_xml, read_labelme_xml),
    Format("VOC", is_voc, read_voc),
    Format("CVAT", is_cvat, read_cvat),
    # A picture without a label file has no objects in YOLO's own convention.
    Format("YOLO", is_yolo, read_yolo, absent_is_empty=True),
)


def format_of(files: AnnotationFiles) -> Format | None:
    """Recognise the format; None for a folder that holds none of them, which may hold masks.

    Raises:
        SourceError: a file of no known format, or one that cannot be read.
    """
    found = next((format for format in FORMATS if format.fits(files)), None)
    if found is None and not files.is_folder:
        raise _unknown(files.path)
    return found


def sole_export(
    folder: AnnotationFiles, *, naming_masks: bool = False
) -> tuple[AnnotationFiles, Format] | None:
    """Return the file of annotations in a folder that holds one beside the pictures; None where it holds none.

    `naming_masks`: only files whose format names pictures that are masks.

    Raises:
        SourceError: the folder holds several.
    """
    formats = [format for format in FORMATS if format.names_masks or not naming_masks]
    names = [name for name in folder.files if suffix(name) in _SINGLE][:_MOST_LOOKED_AT]
    found: list[tuple[AnnotationFiles, Format]] = []
    for name in names:
        files = replace(folder, path=folder.path / name, root=folder.path)
        with suppress(SourceError):
            found += [(files, format) for format in formats if format.fits(files)][:1]
    if len(found) > 1:
        first, second = (str(files.path.relative_to(folder.path)) for files, _ in found[:2])
        raise SourceError(
            f"expected one file of annotations below {str(folder.path)!r}, found {first!r} and {second!r}",
            hint="Give one of them.",
            code="annotations-ambiguous",
        )
    return found[0] if found else None


def _unknown(path: Path) -> SourceError:
    known = ", ".join(format.name for format in FORMATS)
    packed = suffix(path.name) in ARCHIVE_SUFFIXES
    return SourceError(
        f"expected {known} or a folder of masks, got {path.name!r}",
        hint="Unpack the archive and give the file or folder in it (of brushes in Label Studio, export JSON instead)."
        if packed
        else "Give the annotations as the tool exported them.",
        code="annotations",
    )
