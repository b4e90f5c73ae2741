"""Finished masks of a set as one zip."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator

from flawline.errors import FlawlineError
from flawline.jobs.label.label_store import LabelStore
from flawline.jobs.label.mask_png import indexed_png
from flawline.jobs.label.published import COCO, mask_paths

_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20


def zipped(store: LabelStore) -> Iterator[bytes]:
    """Yield a zip of the finished masks and their COCO file; the same masks give the same bytes."""
    levels = tuple(range(len(store.settings.classes) + 1))
    paths = mask_paths(sample.name for sample in store.pictures.samples())
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for key in store.pictures.in_order():
                label = store.label(key)
                if not label.done:
                    continue
                try:
                    data = indexed_png(store.mask(key)[0], levels)
                except FlawlineError:
                    # A picture that cannot be read has no mask that fits it.
                    continue
                archive.writestr(zipfile.ZipInfo(paths[label.name], _EPOCH), data)
            coco = zipfile.ZipInfo(COCO, _EPOCH)
            archive.writestr(coco, store.write_all().read_bytes(), zipfile.ZIP_DEFLATED)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk
