"""One drawing, as each annotation tool writes it: pictures 1 (a scratch below a stain) and 2 (no defects)."""

from __future__ import annotations

import base64
import csv
import io
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flawline.data.masks import open_masks
from flawline.errors import FlawlineError

HEIGHT, WIDTH = 30, 40
SCRATCH = [[4, 4], [30, 8], [30, 11], [4, 7]]
STAIN = [[20, 2], [36, 2], [36, 26], [20, 26]]
COLOURS = {"background": (0, 0, 0), "scratch": (0, 0, 255), "stain": (255, 0, 0)}

Region = NDArray[np.bool_]


def inside(points: Sequence[Sequence[float]]) -> Region:
    """Pixels whose centres lie inside a polygon, worked out one by one."""
    from matplotlib.path import Path as Outline

    rows, columns = np.indices((HEIGHT, WIDTH))
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    found = Outline([*points, points[0]], closed=True).contains_points(centres)
    return np.asarray(found).reshape(HEIGHT, WIDTH)


def drawing() -> NDArray[np.uint8]:
    """Class 1 is the scratch, 2 the stain above it."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[inside(SCRATCH)] = 1
    mask[inside(STAIN)] = 2
    return mask


def pictures(folder: Path) -> Path:
    """Pictures 1, 2 and 3 in `images`; 3 is annotated in no export."""
    images = folder / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in (1, 2, 3):
        save_png(images / f"{number}.png", rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    return images


def read(images: Path, annotations: Path, **options: Any) -> dict[str, NDArray[np.uint8] | str]:
    """Return the mask of each annotated picture, or the message of the error that spoils it."""
    found: dict[str, NDArray[np.uint8] | str] = {}
    with open_masks(images, annotations=annotations, **options) as masked:
        for sample in masked.samples():
            try:
                found[sample.name] = masked.mask(sample)
            except FlawlineError as error:
                found[sample.name] = f"{error.message} [{error.code}]"
    return found


def spoiled(images: Path, annotations: Path, **options: Any) -> str:
    """Return why picture 1 is spoiled, while picture 2 has no defects."""
    found = read(images, annotations, **{"classes": ["scratch", "stain"], **options})
    two, why = found["2.png"], found["1.png"]
    assert isinstance(two, np.ndarray)
    assert not two.any()
    assert isinstance(why, str), why
    assert why.endswith(" [image-mask-outline]")
    return why


def save_png(path: Path, pixels: NDArray[Any]) -> None:
    """Write a PNG from blue, green and red, or grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def save_json(path: Path, document: object) -> Path:
    """Write a JSON file, NaN and infinity included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def png(pixels: NDArray[Any], **options: Any) -> bytes:
    """Encode a grey or coloured picture as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def coloured(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Paint class indices in COLOURS, red first."""
    return np.array(list(COLOURS.values()), np.uint8)[mask]


def cropped(region: Region) -> tuple[list[int], Region]:
    """Return the top left pixel [x, y] of a region and the region within its box."""
    rows, columns = np.nonzero(region)
    top, left = int(rows.min()), int(columns.min())
    return [left, top], region[top : rows.max() + 1, left : columns.max() + 1]


def labelme_shape(label: str, points: Any, kind: str = "polygon", **more: Any) -> dict[str, Any]:
    """One shape of LabelMe 5."""
    shape = {"label": label, "points": points, "group_id": None, "description": ""}
    return {**shape, "shape_type": kind, "flags": {}, "mask": None, **more}


def labelme_file(name: str, shapes: list[Any], **more: Any) -> dict[str, Any]:
    """A file of LabelMe 5."""
    size = {"imageHeight": HEIGHT, "imageWidth": WIDTH}
    document = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": name}
    return {**document, "imageData": None, **size, **more}


def labelme_mask(region: Region) -> dict[str, Any]:
    """The points and the bitmap of a mask as LabelMe crops it: the last point is the last pixel."""
    (left, top), own = cropped(region)
    points = [[left, top], [left + own.shape[1] - 1, top + own.shape[0] - 1]]
    return {"points": points, "mask": base64.b64encode(png(own.astype(np.uint8))).decode()}


def labelme(folder: Path) -> Path:
    """A polygon and a mask of two parts of one group."""
    mask = labelme_mask(inside(STAIN))
    shapes = [
        labelme_shape("scratch", SCRATCH, group_id=1),
        labelme_shape("stain", mask["points"], "mask", mask=mask["mask"], group_id=1),
    ]
    save_json(folder / "labelme" / "1.json", labelme_file("..\\images\\1.png", shapes))
    save_json(folder / "labelme" / "2.json", labelme_file("2.png", []))
    return folder / "labelme"


def labelme_xml(folder: Path) -> Path:
    """A polygon, a mask and a deleted object."""
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in SCRATCH)
    polygon = f"<polygon><username>a</username>{points}</polygon>"
    segm = "<segm><username>a</username><mask>1_mask_1.png</mask></segm>"
    objects = [("scratch", 0, polygon), ("stain", 0, segm), ("stain", 1, polygon)]
    for number, own in (("1", objects), ("2", [])):
        inner = "".join(
            f"<object><name>{name}</name><deleted>{deleted}</deleted><id>0</id>{outline}</object>"
            for name, deleted, outline in own
        )
        path = folder / "web" / "Annotations" / "set" / f"{number}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"<annotation><filename>{number}.png</filename><folder>set</folder>"
            f"<imagesize><nrows>{HEIGHT}</nrows><ncols>{WIDTH}</ncols></imagesize>{inner}</annotation>"
        )
    save_png(
        folder / "web" / "Masks" / "set" / "1_mask_1.png", 255 * inside(STAIN).astype(np.uint8)
    )
    return folder / "web"


def voc_masks(folder: Path) -> Path:
    """Colours with a labelmap.txt, as CVAT exports a "segmentation mask"."""
    root = folder / "voc"
    lines = [f"{name}:{','.join(map(str, colour))}::" for name, colour in COLOURS.items()]
    (root / "SegmentationClass").mkdir(parents=True)
    (root / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + "\n".join(lines))
    for number, mask in (("1", drawing()), ("2", np.zeros_like(drawing()))):
        save_png(root / "SegmentationClass" / f"{number}.png", coloured(mask)[..., ::-1])
    save_png(root / "SegmentationObject" / "1.png", coloured(drawing())[..., ::-1])
    return root


def panoptic(folder: Path) -> Path:
    """Two segments with ids above 255."""
    ids = np.array([0, 70_000, 300])[drawing()]
    colours = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=2).astype(np.uint8)
    save_png(folder / "panoptic" / "1.png", colours[..., ::-1])
    save_png(folder / "panoptic" / "2.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    segments = [
        {"id": number, "category_id": category, "area": 1, "bbox": [0, 0, 1, 1], "iscrowd": 0}
        for number, category in ((70_000, 1), (300, 2))
    ]
    sizes = {"height": HEIGHT, "width": WIDTH}
    document = {
        "images": [{"id": n, "file_name": f"{n}.jpg", **sizes} for n in (1, 2)],
        "categories": [
            {"id": n, "name": name, "supercategory": "", "isthing": 1}
            for n, name in ((1, "scratch"), (2, "stain"))
        ],
        "annotations": [
            {"image_id": 1, "file_name": "1.png", "segments_info": segments},
            {"image_id": 2, "file_name": "2.png", "segments_info": []},
        ],
    }
    return save_json(folder / "panoptic.json", document)


def coco_text(region: Region) -> str:
    """The compressed run lengths of pycocotools."""
    flat = region.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    lengths = np.diff([0, *ends, len(flat)]).tolist()
    counts = [0, *lengths] if flat[0] else lengths
    text = ""
    for place, count in enumerate(counts):
        value, more = count - (counts[place - 2] if place > 2 else 0), True
        while more:
            digit = value & 31
            value >>= 5
            more = value != (-1 if digit & 16 else 0)
            text += chr(48 + (digit | 32 if more else digit))
    return text


def datumaro(folder: Path) -> Path:
    """A mask below a polygon by z_order, though it stands later in the file."""
    rle = {"counts": coco_text(inside(SCRATCH)), "size": [HEIGHT, WIDTH]}
    common = {"id": 0, "attributes": {}, "group": 0}
    stain = [number for point in STAIN for number in point]
    annotations = [
        {**common, "type": "polygon", "label_id": 1, "points": stain, "z_order": 1},
        {**common, "type": "mask", "label_id": 0, "rle": rle, "z_order": 0},
    ]
    labels = [{"name": name, "parent": "", "attributes": []} for name in ("scratch", "stain")]
    items = [
        {"id": n, "annotations": own, "image": {"path": f"{n}.jpg", "size": [HEIGHT, WIDTH]}}
        for n, own in (("1", annotations), ("2", []))
    ]
    categories = {
        "label": {"label_groups": [], "labels": labels, "attributes": []},
        "points": {"items": []},
    }
    document = {"dm_format_version": "1.0", "media_type": 2, "infos": {}, "categories": categories}
    return save_json(folder / "annotations" / "default.json", {**document, "items": items})


def supervisely_bitmap(region: Region) -> dict[str, Any]:
    """A bitmap as the SDK of Supervisely writes it: PNG with a palette, zlib, base64."""
    origin, own = cropped(region)
    image = Image.fromarray(own.astype(np.uint8))
    image.putpalette([0, 0, 0, 255, 255, 255])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=0, optimize=0)
    data = base64.b64encode(zlib.compress(file.getvalue())).decode()
    return {"data": data, "origin": origin}


def supervisely_object(title: str, kind: str, **more: Any) -> dict[str, Any]:
    """One object of Supervisely."""
    return {
        "id": 1,
        "classId": 2,
        "description": "",
        "geometryType": kind,
        "labelerLogin": "a",
        "tags": [],
        "classTitle": title,
        **more,
    }


def supervisely(folder: Path, objects: list[Any] | None = None) -> Path:
    """A polygon and a bitmap, or the given objects, for picture 1."""
    points = {"exterior": SCRATCH, "interior": []}
    own = [
        supervisely_object("scratch", "polygon", points=points),
        supervisely_object("stain", "bitmap", bitmap=supervisely_bitmap(inside(STAIN))),
    ]
    root = folder / "project"
    classes = [
        {"title": name, "shape": shape, "color": "#FF0000", "geometry_config": {}, "id": 1}
        for name, shape in (("scratch", "polygon"), ("stain", "bitmap"))
    ]
    save_json(root / "meta.json", {"classes": classes, "tags": [], "projectType": "images"})
    for number, found in (("1", own if objects is None else objects), ("2", [])):
        document = {"description": "", "tags": [], "size": {"height": HEIGHT, "width": WIDTH}}
        path = root / "ds0" / "ann" / f"{number}.png.json"
        save_json(path, {**document, "objects": found})
    return root


def ground_truth(folder: Path) -> Path:
    """A semantic segmentation job; the masks lie as they were copied from the bucket."""
    output = "job/annotations/consolidated-annotation/output"
    lines = []
    for number, mask in (("1", drawing()), ("2", np.zeros_like(drawing()))):
        name = f"{number}_2024-01-01T00:00:00.123456.png"
        save_png(folder / "bucket" / output / name, coloured(mask)[..., ::-1])
        entries = {
            str(key): {"class-name": label, "hex-color": "#" + bytes(colour).hex(), "confidence": 0}
            for key, (label, colour) in enumerate(COLOURS.items())
        }
        entries["0"]["class-name"] = "BACKGROUND"
        metadata = {"internal-color-map": entries, "type": "groundtruth/semantic-segmentation"}
        lines.append(
            {
                "source-ref": f"s3://bucket/raw/{number}.png",
                "job-ref": f"s3://bucket/{output}/{name}",
                "job-ref-metadata": {**metadata, "human-annotated": "yes", "job-name": "job"},
            }
        )
    lines.append({"source-ref": "s3://bucket/raw/3.png"})
    path = folder / "bucket" / "output.manifest"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return path


def run_lengths(region: Region) -> str:
    """Pairs of a first pixel, from 1 down the columns, and a length."""
    flat = np.concatenate([[False], region.ravel(order="F"), [False]])
    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return " ".join(f"{a} {b - a}" for a, b in zip(ends[::2], ends[1::2], strict=True))


def run_length_table(folder: Path) -> Path:
    """The Severstal table of 2020."""
    rows = [
        ("ImageId", "ClassId", "EncodedPixels"),
        ("1.jpg", "scratch", run_lengths(inside(SCRATCH))),
        ("1.jpg", "stain", run_lengths(inside(STAIN))),
        ("2.jpg", "stain", ""),
    ]
    path = folder / "train.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def via_polygon(points: list[list[int]]) -> dict[str, Any]:
    """The shape attributes of a polygon in VIA."""
    x, y = zip(*points, strict=True)
    return {"name": "polygon", "all_points_x": list(x), "all_points_y": list(y)}


def via_region(shape: dict[str, Any], attributes: Any) -> dict[str, Any]:
    """One region of VIA 2."""
    return {"shape_attributes": shape, "region_attributes": attributes}


def via_regions() -> list[dict[str, Any]]:
    """The scratch and the stain as polygons."""
    return [
        via_region(via_polygon(SCRATCH), {"type": "scratch"}),
        via_region(via_polygon(STAIN), {"type": "stain"}),
    ]


def via_entries(regions: Any) -> dict[str, Any]:
    """What VIA keeps of the pictures."""
    return {
        f"{n}.png{size}": {
            "filename": f"{n}.png",
            "size": size,
            "regions": own,
            "file_attributes": {},
        }
        for n, size, own in ((1, 4001, regions), (2, 4002, []))
    }


def via_annotations(folder: Path) -> Path:
    """Annotations as VIA 2 exports them."""
    return save_json(folder / "via.json", via_entries(via_regions()))


def via_project(folder: Path) -> Path:
    """A project of VIA 2."""
    options = {"scratch": "", "stain": ""}
    attributes = {"type": {"type": "dropdown", "description": "", "options": options}}
    project = {"_via_settings": {}, "_via_img_metadata": via_entries(via_regions())}
    more = {"_via_attributes": {"region": attributes, "file": {}}, "_via_image_id_list": []}
    return save_json(folder / "project.json", {**project, **more})


def via_table(folder: Path) -> Path:
    """Annotations as VIA 2 exports them to CSV."""
    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    rows: list[list[Any]] = [header.split(",")]
    for number, region in enumerate(via_regions()):
        parts = [json.dumps(part) for part in region.values()]
        rows.append(["1.png", 4001, "{}", 2, number, *parts])
    rows.append(["2.png", 4002, "{}", 0, 0, "{}", "{}"])
    path = folder / "via.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path
