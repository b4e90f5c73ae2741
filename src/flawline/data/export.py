"""Write chosen pictures of a source into a zip that every command takes as a source again."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

from flawline.data.source import Source
from flawline.types import Sample

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_zip(source: Source, samples: Iterable[Sample], path: Path) -> int:
    """Copy the files of `samples`, byte for byte and under their names; returns how many.

    The zip holds no times, so that the same pictures give the same bytes. It takes its place only when it is complete.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    count = 0
    # Stored, not deflated: pictures are compressed already.
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
        for sample in sorted(samples, key=lambda sample: sample.name):
            archive.writestr(zipfile.ZipInfo(sample.name, _EPOCH), source.read(sample.name))
            count += 1
    os.replace(unfinished, path)
    return count
