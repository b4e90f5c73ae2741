"""Keep an upload in a folder until its job takes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fastapi import UploadFile

from flawline.server.credentials import new_secret
from flawline.server.uploads import store_uploads
from flawline.server.work.runner import JobRunner

PICTURES = "pictures"


@contextmanager
def staged(jobs: JobRunner, files: Sequence[UploadFile]) -> Iterator[Path]:
    """Write the files of a request into a folder for the length of a `with`; after an error it is removed."""
    folder = jobs.folder.parent / "uploads" / new_secret()
    try:
        store_uploads(files, folder)
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def moved(sent: Path, folder: Path) -> Path:
    """Move a staged upload into the folder of its job; returns the source to open."""
    sent.rename(folder / PICTURES)
    return source_of(folder)


def source_of(folder: Path) -> Path:
    """Name the source of a job: its folder of pictures, or the one archive in it."""
    files = list((folder / PICTURES).iterdir())
    return files[0] if len(files) == 1 else folder / PICTURES
