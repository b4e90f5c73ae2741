"""Tables that name files elsewhere, and archives that do."""

from __future__ import annotations

import csv
import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hostile_inputs.case import Case, Shared, copy_parts

NAMES = {
    "a name that leads out": lambda s: "../secret.png",
    "a name with backslashes": lambda s: "..\\secret.png",
    "a name that goes down and up": lambda s: "parts/../../secret.png",
    "an absolute name": lambda s: str(s.secret),
    "/etc/passwd": lambda s: "/etc/passwd",
    "a file of the process": lambda s: "/proc/self/environ",
    "memory of the process": lambda s: "/proc/self/mem",
    "a device without end": lambda s: "/dev/zero",
    "a link to a file outside": lambda s: "link.png",
    "a link to a folder outside": lambda s: "out/secret.png",
    "a pipe": lambda s: "pipe.png",
    "a name with NUL": lambda s: "a\0b.png",
    "a name of 10,000 characters": lambda s: "a" * 10_000 + ".png",
    "a folder": lambda s: "parts",
    "itself": lambda s: "m.csv",
}


def table(names: Callable[[Shared], str], kind: str, folder: Path, shared: Shared) -> list[str]:
    """A manifest with sound rows and a hostile one, inspected with every picture kept."""
    inner = folder / "in"
    copy_parts(shared, inner)
    (inner / "link.png").symlink_to(shared.secret)
    (inner / "out").symlink_to(shared.folder)
    os.mkfifo(inner / "pipe.png")
    (folder / "secret.png").write_bytes(shared.secret.read_bytes())
    sound = sorted(f"parts/good/{p.name}" for p in (inner / "parts" / "good").iterdir())
    name = names(shared)
    rows = [[one, ""] for one in sound]
    rows.append([sound[0], name] if kind == "mask" else [name, ""])
    with (inner / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "mask"], *rows])
    if kind == "mask":
        return ["measure", "in/m.csv", "-o", "out.csv", "--classes", "255=stain"]
    return [
        "inspect",
        str(shared.recipe),
        "in/m.csv",
        "-o",
        "out",
        "--store",
        "r.db",
        "--keep",
        "all",
    ]


def strange(text: bytes, name: str, folder: Path, shared: Shared) -> list[str]:
    copy_parts(shared, folder)
    (folder / name).write_bytes(text)
    return ["rank", name, "-o", "out"]


STRANGE = {
    "no column": (b"a,b\n1,2\n", "m.csv"),
    "no row": (b"image\n", "m.csv"),
    "an open quote": (b'image\n"parts/good/00.png', "m.csv"),
    "a cell of 30 MB": (b"image\n" + b"a" * 30_000_000, "m.csv"),
    "a million empty rows": (b"image\n" + b"\n" * 1_000_000, "m.csv"),
    "100,000 columns": (b"image," + b",".join(b"c%d" % n for n in range(100_000)) + b"\n", "m.csv"),
    "zeros": (bytes(10_000), "m.csv"),
    "no Parquet": (b"PAR1" + bytes(100) + b"PAR1", "m.parquet"),
}

PNG = b"\x89PNG\r\n\x1a\n"


def zipped(write: Callable[[zipfile.ZipFile], None], folder: Path, shared: Shared) -> list[str]:
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        write(archive)
    return ["rank", "x.zip", "-o", "out"]


def linked(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("link.png")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    archive.writestr(info, "/etc/passwd")


def twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("a.png", PNG)
    archive.writestr("./a.png", PNG)


def many(archive: zipfile.ZipFile) -> None:
    for number in range(100_000):
        archive.writestr(f"{number}.png", b"")


ZIPS: dict[str, Callable[[zipfile.ZipFile], None]] = {
    "a name that leads out": lambda z: z.writestr("../x.png", PNG),
    "an absolute name": lambda z: z.writestr("/x.png", PNG),
    "a drive": lambda z: z.writestr("C:/x.png", PNG),
    "a link": linked,
    "the same name twice": lambda z: twice(z),
    "a bomb": lambda z: z.writestr("a.png", bytes(1 << 28)),
    "100,000 names": lambda z: many(z),
    "a zip in it alone": lambda z: z.writestr("a.zip", b"PK\5\6" + bytes(18)),
    "a manifest in it": lambda z: z.writestr("samples.csv", b"image\n/etc/passwd\n"),
    "nothing": lambda z: None,
}


def tarred(members: list[tuple[tarfile.TarInfo, bytes]], folder: Path, shared: Shared) -> list[str]:
    with tarfile.open(folder / "x.tar", "w") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return ["rank", "x.tar", "-o", "out"]


def member(
    name: str, kind: bytes = tarfile.REGTYPE, target: str = "", **headers: str
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.pax_headers = kind, target, headers
    return info


TARS = {
    "a name that leads out": [(member("../x.png"), PNG)],
    "an absolute name": [(member("/x.png"), PNG)],
    "a link": [(member("x.png", tarfile.SYMTYPE, "/etc/passwd"), b"")],
    "a hard link": [(member("x.png", tarfile.LNKTYPE, "/etc/passwd"), b"")],
    "a device": [(member("x.png", tarfile.CHRTYPE), b"")],
    "a size in its headers": [(member("x.png", size=str(1 << 50)), PNG)],
    "a header of 30 MB": [(member("x.png", comment="a" * 30_000_000), PNG)],
}


def gzipped(folder: Path, shared: Shared) -> list[str]:
    """A tar.gz of 4 GB of zeros."""
    with gzip.open(folder / "x.tar.gz", "wb", 1) as file:
        info = member("a.png")
        info.size = 4 << 30
        file.write(info.tobuf())
        for _ in range(4 << 8):
            file.write(bytes(1 << 20)) if _ < 600 else None
    return ["rank", "x.tar.gz", "-o", "out"]


CASES = (
    *(Case(f"table: {name}", partial(table, names, "image")) for name, names in NAMES.items()),
    *(
        Case(f"table: mask, {name}", partial(table, names, "mask"))
        for name, names in NAMES.items()
        if name not in ("a folder", "itself", "a name of 10,000 characters")
    ),
    *(Case(f"table: {name}", partial(strange, *pair)) for name, pair in STRANGE.items()),
    *(Case(f"zip: {name}", partial(zipped, write)) for name, write in ZIPS.items()),
    *(Case(f"tar: {name}", partial(tarred, members)) for name, members in TARS.items()),
    Case("tar.gz: 4 GB stated, cut short", gzipped),
)
