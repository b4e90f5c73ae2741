"""Take pictures and archives that a browser or program sends, into memory or a folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from fastapi import UploadFile

from flawline.server.errors import ServerError

MOST_FILES = 20_000
_LEVELS = 5


async def picture_bytes(upload: UploadFile, most: int) -> bytes:
    """Read an uploaded picture.

    Raises:
        ServerError: ("too-large") it has more than `most` bytes.
    """
    data = await upload.read(most + 1)
    if len(data) > most:
        raise ServerError(
            f"expected a picture of at most {most // 1024**2} MiB, got a larger one",
            hint="send it smaller",
            code="too-large",
        )
    return data


def store_uploads(uploads: Sequence[UploadFile], folder: Path) -> Path:
    """Write uploaded files into a folder under names that cannot leave it; their folders stay, which may be labels.

    Returns:
        The source to open: the archive where one file alone was sent, else the folder.

    Raises:
        ServerError: nothing was sent, or too many files.
    """
    if not 0 < len(uploads) <= MOST_FILES:
        raise ServerError(
            f"expected 1 to {MOST_FILES} files, got {len(uploads)}",
            hint="send more pictures as one zip",
            code="usage",
        )
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for number, upload in enumerate(uploads):
        place = _free_place(upload.filename or "", number, taken)
        path = folder.joinpath(*place)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(upload.file, file)
    return path if len(uploads) == 1 else folder


def _free_place(name: str, number: int, taken: set[str]) -> tuple[str, ...]:
    """Give safe names of a file and its folders; what is `taken`, as a file or as a folder, is left alone."""
    parts = [part for part in name.replace("\\", "/").split("/") if part.strip(". ")]
    folders = tuple(safe_name(part, number) for part in parts[-_LEVELS:-1])
    own = safe_name(parts[-1] if parts else "", number)
    above = ["/".join(folders[:k]).casefold() for k in range(1, len(folders) + 1)]
    if any(f"file {one}" in taken for one in above):
        folders, above, own = (), [], safe_name(name, number)
    while {f"file {_joined(folders, own)}", f"folder {_joined(folders, own)}"} & taken:
        own = f"{number}-{own}"
    taken.update(f"folder {one}" for one in above)
    taken.add(f"file {_joined(folders, own)}")
    return (*folders, own)


def _joined(folders: tuple[str, ...], own: str) -> str:
    return "/".join((*folders, own)).casefold()


def safe_name(name: str, number: int) -> str:
    """Make a plain file name of what a client sent; folders in it become a part of the name."""
    plain = re.sub(r"[^\w.() -]+", "_", name.replace("\\", "/").strip("/").replace("/", "__"))
    plain = plain.strip(". ")[-150:]
    return plain or f"file-{number}"
