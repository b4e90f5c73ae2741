"""Annotations of labelling tools: JSON, YAML and XML that fill the memory, name files or state what cannot be."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from hostile_inputs.case import Case, Shared, copy_parts

PICTURE = {"id": 1, "file_name": "bad/00.png", "width": 96, "height": 96}
CATEGORY = {"id": 1, "name": "stain"}


def given(text: str | bytes, name: str, folder: Path, shared: Shared) -> list[str]:
    """Evaluate with a file of annotations."""
    parts = copy_parts(shared, folder)
    for path in (parts / "good").iterdir():
        path.rename(path.with_stem(f"g{path.stem}"))
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return [
        "evaluate",
        str(shared.recipe),
        "parts",
        "--annotations",
        name,
        "-o",
        "out",
        "--drop-known",
    ]


def coco(**changes: Any) -> str:
    """A COCO file with one region, changed."""
    region = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "segmentation": [[9, 9, 30, 9, 30, 30]],
        "area": 9,
        "bbox": [9, 9, 21, 21],
        "iscrowd": 0,
    }
    picture, category = dict(PICTURE), dict(CATEGORY)
    for key, value in changes.items():
        (picture if key in picture and key != "id" else category if key == "name" else region)[
            key
        ] = value
    return json.dumps({"images": [picture], "annotations": [region], "categories": [category]})


ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><annotations>&j;</annotations>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations>&x;</annotations>'
ALIASES = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)

FILES: dict[str, tuple[str | bytes, str]] = {
    "JSON of 100,000 levels": ("[" * 100_000 + "]" * 100_000, "a.json"),
    "JSON of 10 million lists": ("[" + "[]," * 10_000_000 + "1]", "a.json"),
    "JSON of 900 levels in a region": (
        coco(segmentation="@").replace('"@"', "[" * 900 + "]" * 900),
        "a.json",
    ),
    "JSON cut short": (coco()[:-9], "a.json"),
    "JSON of another kind": ("{}", "a.json"),
    "JSON with NaN": (coco().replace("30", "NaN"), "a.json"),
    "JSON with 1e999": (coco().replace("30", "1e999"), "a.json"),
    "JSON in no encoding": (b"\xff\xfe\xfa" * 100, "a.json"),
    "COCO: a picture of a terapixel": (coco(width=1_000_000, height=1_000_000), "a.json"),
    "COCO: a picture of no size": (coco(width=0, height=0), "a.json"),
    "COCO: a picture of negative size": (coco(width=-5, height=96), "a.json"),
    "COCO: a size of 400 digits": (
        coco().replace('"width": 96', f'"width": {"9" * 400}'),
        "a.json",
    ),
    "COCO: points far outside": (coco(segmentation=[[1e300, 9, 30, -1e300, 30, 30]]), "a.json"),
    "COCO: a polygon of a million points": (
        coco(segmentation=[[float(n % 90) for n in range(2_000_000)]]),
        "a.json",
    ),
    "COCO: an odd number of numbers": (coco(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "a.json"),
    "COCO: runs beyond the picture": (
        coco(segmentation={"size": [96, 96], "counts": [0, 10**12]}),
        "a.json",
    ),
    "COCO: runs of another size": (
        coco(segmentation={"size": [10**6, 10**6], "counts": [5, 10**12 - 5]}),
        "a.json",
    ),
    "COCO: negative runs": (coco(segmentation={"size": [96, 96], "counts": [-5, 9221]}), "a.json"),
    "COCO: packed runs of noise": (
        coco(segmentation={"size": [96, 96], "counts": "~" * 100_000}),
        "a.json",
    ),
    "COCO: a picture of another name": (coco(file_name="../../etc/passwd"), "a.json"),
    "COCO: an absolute name": (coco(file_name="/etc/passwd"), "a.json"),
    "COCO: a class without a name": (coco(name=""), "a.json"),
    "COCO: a class of 1 MB": (coco(name="a" * 1_000_000), "a.json"),
    "COCO: a class of another id": (coco(category_id=9), "a.json"),
    "COCO: a region of another picture": (coco(image_id=9), "a.json"),
    "COCO: 100,000 classes": (
        json.dumps(
            {
                "images": [PICTURE],
                "annotations": [],
                "categories": [{"id": n, "name": f"c{n}"} for n in range(100_000)],
            }
        ),
        "a.json",
    ),
    "Label Studio: a picture elsewhere": (
        json.dumps(
            [{"data": {"image": "/data/local-files/?d=../../etc/passwd"}, "annotations": []}]
        ),
        "a.json",
    ),
    "XML: entities of entities": (ENTITIES, "a.xml"),
    "XML: an entity of a file": (OUTSIDE, "a.xml"),
    "XML of 100,000 levels": ("<a>" * 100_000 + "</a>" * 100_000, "a.xml"),
    "XML: an attribute of 30 MB": (
        f'<annotations><image id="{"a" * 30_000_000}"/></annotations>',
        "a.xml",
    ),
    "XML: 100,000 attributes": (
        "<annotations " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>",
        "a.xml",
    ),
    "XML: another one": ("<svg/>", "a.xml"),
    "XML: cut short": ("<annotations><image", "a.xml"),
    "YAML: aliases of aliases": (ALIASES + "names: [a]\n", "data.yaml"),
    "YAML: an object of Python": (
        "names: !!python/object/apply:os.system ['touch owned']\n",
        "data.yaml",
    ),
    "YAML of 10,000 levels": ("names: " + "[" * 10_000 + "]" * 10_000, "data.yaml"),
    "YAML: a path elsewhere": ("path: /etc\ntrain: ../../etc\nnames: [a]\n", "data.yaml"),
    "YAML: 100,000 names": (
        "names: [" + ",".join(f"c{n}" for n in range(60_000)) + "]\n",
        "data.yaml",
    ),
    "YAML: a tab": ("names:\n\t- a\n", "data.yaml"),
    "another extension": ("x", "a.exe"),
}


def palette_folder(folder: Path, shared: Shared) -> list[str]:
    """A folder of masks with links to files elsewhere."""
    copy_parts(shared, folder)
    (folder / "masks").mkdir()
    for name in ("00.png", "01.png"):
        (folder / "masks" / name).symlink_to(shared.secret)
    return [
        "evaluate",
        str(shared.recipe),
        "parts",
        "--annotations",
        "masks",
        "-o",
        "out",
        "--drop-known",
    ]


def label_folder(folder: Path, shared: Shared) -> list[str]:
    """A folder of label files that are links to a file elsewhere."""
    copy_parts(shared, folder)
    (folder / "labels").mkdir()
    for name in ("00.txt", "01.txt"):
        (folder / "labels" / name).symlink_to(shared.secret)
    return [
        "evaluate",
        str(shared.recipe),
        "parts",
        "--annotations",
        "labels",
        "--classes",
        "a",
        "-o",
        "out",
        "--drop-known",
    ]


CASES = (
    *(
        Case(
            f"annotations: {name}",
            partial(given, *pair),
            frozenset({2}),
        )
        for name, pair in FILES.items()
    ),
    Case("annotations: masks are links", palette_folder),
    Case("annotations: label files are links", label_folder),
)
