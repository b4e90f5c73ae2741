"""Open an archive by its content."""

from __future__ import annotations

from pathlib import Path

from flawline.data.archive import DEFAULT_LIMITS, Archive, ArchiveLimits, refuse
from flawline.data.sniff import HEAD_BYTES, describe, picture_format
from flawline.data.tararchive import is_packed, is_tar, open_tar
from flawline.data.ziparchive import open_zip


def open_archive(
    path: Path, limits: ArchiveLimits = DEFAULT_LIMITS, encoding: str | None = None
) -> Archive:
    """List the zip or tar at `path`; raises ArchiveError where it is neither, hostile, damaged or over `limits`.

    `encoding` is that of names that do not state theirs.
    """
    file = open(path, "rb")  # noqa: SIM115 - the archive holds it until it is closed
    try:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if head.startswith((b"PK\3\4", b"PK\5\6")):
            return open_zip(file, limits, encoding)
        if is_tar(head) or is_packed(head):
            return open_tar(file, limits, encoding)
        came = picture_format(head) or (describe(head) if head else "an empty file")
        raise refuse(
            "not-an-archive",
            f"expected a zip or tar, {path.name!r} is {came}",
            "The content decides, not the extension; unpack other archives into a folder first.",
        )
    except BaseException:
        file.close()
        raise
