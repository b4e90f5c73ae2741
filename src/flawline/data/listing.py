"""Open what a location names: a folder, pattern, archive, manifest or picture."""

from __future__ import annotations

import os
from pathlib import Path

from flawline.data.archive import ArchiveLimits
from flawline.data.folder import Folder, PictureFile, split_pattern
from flawline.data.manifest import MANIFEST_SUFFIXES, SourceManifest
from flawline.data.mask_places import Tree
from flawline.data.names import ARCHIVE_SUFFIXES, did_you_mean
from flawline.data.openarchive import open_archive
from flawline.data.remote import is_remote, open_remote
from flawline.data.sniff import HEAD_BYTES, describe, other_picture, picture_format
from flawline.data.spreadsheet import SPREADSHEETS
from flawline.data.tararchive import is_packed, is_tar
from flawline.errors import SourceError


def open_listing(
    text: str, path: Path, limits: ArchiveLimits, root: Path | None, encoding: str | None
) -> tuple[str, SourceManifest | Tree]:
    """Open `path`, given as `text`: its kind, and what lists and reads it.

    Raises:
        SourceError, ArchiveError, ManifestError: as for `open_source`.
    """
    if is_remote(text):
        return open_remote(text, limits.max_member_bytes)
    try:
        if path.is_dir():
            os.scandir(path).close()
            return "folder", Folder(path, None, limits.max_member_bytes)
        if path.is_file():
            return _open_file(path, limits, root, encoding)
        if path.exists():
            raise _unsupported(text, "a device or pipe")
    except (OSError, ValueError) as error:
        raise SourceError(
            f"cannot open {text!r}: {getattr(error, 'strerror', None) or error}",
            hint="Check the name and that it may be read.",
            code="source-unreadable",
        ) from error
    start, pattern = split_pattern(text)
    if pattern:
        folder = Path(start).expanduser()
        if folder.is_dir():
            return "glob", Folder(folder, pattern, limits.max_member_bytes)
        raise _missing(start, folder)
    raise _missing(text, path)


def _open_file(
    path: Path, limits: ArchiveLimits, root: Path | None, encoding: str | None
) -> tuple[str, SourceManifest | Tree]:
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    extension = path.suffix.lower()
    if extension in SPREADSHEETS:
        return "manifest", SourceManifest(path, limits.max_member_bytes, root)
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return "zip", open_archive(path, limits, encoding)
    if is_tar(head) or is_packed(head):
        return "tar", open_archive(path, limits, encoding)
    if extension in MANIFEST_SUFFIXES:
        return "manifest", SourceManifest(path, limits.max_member_bytes, root)
    if picture_format(head):
        return "file", PictureFile(path, limits.max_member_bytes)
    if extension in ARCHIVE_SUFFIXES:
        return "tar" if extension == ".tar" else "zip", open_archive(path, limits, encoding)
    raise _unsupported(
        path.name, other_picture(head) or describe(head) if head else "an empty file"
    )


def _unsupported(name: str, came: str) -> SourceError:
    return SourceError(
        f"expected a folder, zip, tar, manifest (.csv, .parquet) or picture, {name!r} is {came}",
        hint="Give the folder that the pictures are in.",
        code="source-unsupported",
    )


def _missing(text: str, path: Path) -> SourceError:
    if "://" in text:
        return SourceError(
            f"expected a path on this machine or the URL of an object store (s3://, gs://, az://), got {text!r}",
            hint="Download it first.",
            code="source-missing",
        )
    parent = path.absolute()
    while not parent.parent.is_dir():
        parent = parent.parent
    try:
        near = did_you_mean(parent.name, sorted(os.listdir(parent.parent)))
    except OSError:
        near = ""
    return SourceError(
        f"{text!r} does not exist",
        hint=near or f"Look into {str(parent.parent)!r}.",
        code="source-missing",
    )
