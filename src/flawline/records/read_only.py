"""Read records on a medium that cannot be written to."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import URL

from flawline.data.part_files import scratch_folder
from flawline.records.engine import new_engine, reading, translated
from flawline.records.schema import HEAD, migrate, revision_of


def is_read_only(url: URL) -> bool:
    """Tell whether the SQLite file of a URL is there and it, or its folder, cannot be written to."""
    path = Path(str(url.database))
    if url.drivername != "sqlite" or not path.is_file():
        return False
    return not (os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK))


def readable(url: URL, stack: ExitStack) -> URL:
    """Return the URL of records that can be read as they are: `url`, or that of a copy that `stack` removes.

    A copy is made where their schema is an earlier one, or where the log of a process that ended must be read first.
    """
    path = Path(str(url.database))
    log, journal, shared = (
        path.with_name(f"{path.name}-{ending}") for ending in ("wal", "journal", "shm")
    )
    logs = [each for each in (log, journal) if each.is_file() and each.stat().st_size]
    if (not logs or shared.is_file()) and _revision(url) in (None, HEAD):
        return url
    folder = stack.enter_context(scratch_folder())
    for each in (path, *logs):
        shutil.copyfile(each, folder / each.name)
    copy = url.set(database=os.fspath(folder / path.name))
    engine = new_engine(copy)
    try:
        with translated(url):
            migrate(engine, create=False)
    finally:
        engine.dispose()
    return copy


def _revision(url: URL) -> str | None:
    engine = new_engine(url, read_only=True)
    try:
        with reading(engine) as connection:
            return revision_of(connection)
    finally:
        engine.dispose()
