"""Tables of defects and measures, and frozen limits."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from hostile_inputs.case import ANSWERED, REFUSED, Case, Shared

SPEC = '[spec]\nlimits = [{ limit = "area", class = "stain", max = "5 px2" }]\n'
PARTS = "image,width,height,defects\na.png,9,9,1\n"
DEFECTS = "image,defect,class,area\na.png,1,stain,7\n"


def judged(defects: str | bytes, parts: str | bytes, folder: Path, shared: Shared) -> list[str]:
    for name, text in (("d.csv", defects), ("d-parts.csv", parts)):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "spec.toml").write_text(SPEC)
    return ["judge", "d.csv", "--spec", "spec.toml", "-o", "out"]


def charted(text: str | bytes, folder: Path, shared: Shared) -> list[str]:
    (folder / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return ["chart", "t.csv", "--measure", "v", "-o", "out"]


def limited(text: str, folder: Path, shared: Shared) -> list[str]:
    (folder / "t.csv").write_text("v\n" + "\n".join(map(str, range(30))))
    (folder / "limits.json").write_text(text)
    return ["chart", "t.csv", "--measure", "v", "--limits", "limits.json", "-o", "out"]


ROWS = "\n".join(map(str, range(20)))
CHARTS = {
    "infinity": ("v\n1\ninf\n" + ROWS, ANSWERED),
    "NaN": ("v\n1\nnan\n" + ROWS, ANSWERED),
    "1e308": ("v\n" + "\n".join(["1e308", "-1e308"] * 20), ANSWERED),
    "1e999": ("v\n1e999\n" + ROWS, ANSWERED),
    "text": ("v\n" + "\n".join(["a"] * 30), REFUSED),
    "one row": ("v\n1\n", REFUSED),
    "no rows": ("v\n", REFUSED),
    "nothing": ("", REFUSED),
    "zeros": (bytes(10_000), REFUSED),
    "a cell of 30 MB": ("v\n" + "1" * 30_000_000 + "\n" + ROWS, ANSWERED),
    "100,000 columns": (
        "v," + ",".join(f"c{n}" for n in range(100_000)) + "\n" + "1," * 100_000 + "1\n",
        ANSWERED,
    ),
    "an open quote": ('v\n"1\n' + ROWS, ANSWERED),
    "a column twice": ("v,v\n1,2\n3,4\n", REFUSED),
    "the same number": ("v\n" + "7\n" * 50, ANSWERED),
    "no encoding": (b"v\n\xff\xfe\xfa\n" + ROWS.encode(), ANSWERED),
    "a formula": ('v,"=cmd|1"\n1,2\n' + "\n".join(f"{n},1" for n in range(20)), ANSWERED),
}
LIMITS = {
    "levels": "[" * 50_000 + "]" * 50_000,
    "NaN": '{"kind": "i-mr", "centre": NaN}',
    "a list": "[]",
    "empty": "",
    "another document": json.dumps({"kind": "i-mr", "panels": {"a": [[[]]]}}),
    "numbers of 5000 digits": '{"kind": ' + "9" * 5000 + "}",
}
JUDGED = {
    "no parts": (DEFECTS, ""),
    "an area that is text": (DEFECTS.replace("7", "large"), PARTS),
    "an area that is NaN": (DEFECTS.replace("7", "nan"), PARTS),
    "an area that is infinite": (DEFECTS.replace(",7", ",inf"), PARTS),
    "a defect of no part": (DEFECTS.replace("a.png", "b.png"), PARTS),
    "a part of negative size": (DEFECTS, PARTS.replace("9,9", "-9,-9")),
    "a part twice": (DEFECTS, PARTS + "a.png,9,9,1\n"),
    "fewer defects than stated": (DEFECTS, PARTS.replace(",1\n", ",5\n")),
    "zeros": (bytes(5000), bytes(5000)),
    "a name of an absolute path": (
        DEFECTS.replace("a.png", "/etc/passwd"),
        PARTS.replace("a.png", "/etc/passwd"),
    ),
}

CASES = (
    *(
        Case(f"chart: {name}", partial(charted, text), exits)
        for name, (text, exits) in CHARTS.items()
    ),
    *(Case(f"limits: {name}", partial(limited, text)) for name, text in LIMITS.items()),
    *(
        Case(f"judge: {name}", partial(judged, *pair), ANSWERED if "absolute" in name else REFUSED)
        for name, pair in JUDGED.items()
    ),
)
