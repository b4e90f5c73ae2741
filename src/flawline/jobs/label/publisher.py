"""Write finished masks of a set to where training reads them, while people draw."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.json_file import parse_json, write_json_document
from flawline.errors import FlawlineError
from flawline.jobs.label.mask_png import indexed_png
from flawline.jobs.label.published import COCO, coco_entry, mask_paths, write_bytes, write_coco
from flawline.types import Sample

if TYPE_CHECKING:
    from flawline.jobs.label.label_store import LabelStore

SOON_SECONDS = 1.0


class Publisher:
    """Writes a PNG when its mask is finished, and the COCO file of all of them soon after."""

    def __init__(self, store: LabelStore) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._paths: dict[str, str] = {}
        if self._left.is_file():
            self.soon()

    @property
    def _left(self) -> Path:
        """Says that the COCO file is older than the masks."""
        return self._store.folder / "coco-left"

    def publish(self, sample: Sample, key: str, mask: NDArray[np.uint8]) -> None:
        """Write the finished mask of a picture; OSError where that fails."""
        settings = self._store.settings
        path = self._path(sample)
        if path is not None:
            if settings.masks == "replaced":
                self._keep_original(path, key)
            write_bytes(path, indexed_png(mask, settings.grey_levels()))
        self._remember(key, mask)
        self.soon()

    def soon(self) -> None:
        """Write the COCO file in a moment; many calls in that time are one."""
        with self._lock:
            self._left.touch()
            if self._timer is None:
                self._timer = threading.Timer(SOON_SECONDS, self._in_time)
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> Path:
        """Write the COCO file of all finished masks, those that were given among them; returns its path."""
        store = self._store
        with self._lock:
            self._stop()
            self._left.unlink(missing_ok=True)
            entries: dict[str, dict[str, Any]] = {}
            for key in store.pictures.in_order():
                sample = store.pictures.sample(key)
                entry = self._entry(sample, key)
                if entry is not None:
                    entries[sample.name] = entry
            out = Path(store.settings.out)
            return write_coco(out / COCO, store.settings.classes, entries)

    def close(self) -> None:
        """Write what waits to be written."""
        with self._lock:
            waits = self._timer is not None
            self._stop()
            if waits:
                self._quietly()

    def _in_time(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._quietly()

    def _quietly(self) -> None:
        """Write, and try again with the next mask where that fails: PNG and versions are safe already."""
        try:
            self.write()
        except (OSError, FlawlineError):
            self._timer = None
            self._left.touch()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _entry(self, sample: Sample, key: str) -> dict[str, Any] | None:
        """Return what COCO says of a picture; None where its mask is not finished or cannot be read."""
        path = self._coco(key)
        if path.is_file():
            found: dict[str, Any] = parse_json(path.read_bytes())
            return found
        if self._store.pictures.has_mask(sample):
            try:
                return self._remember(key, self._store.pictures.given_mask(sample))
            except FlawlineError:
                return None
        return None

    def _remember(self, key: str, mask: NDArray[np.uint8]) -> dict[str, Any]:
        entry = {"size": list(mask.shape), "annotations": coco_entry(mask)}
        self._coco(key).parent.mkdir(exist_ok=True)
        write_json_document(self._coco(key), entry)
        return entry

    def _coco(self, key: str) -> Path:
        return self._store.folder / "coco" / f"{key}.json"

    def _path(self, sample: Sample) -> Path | None:
        settings = self._store.settings
        if settings.masks == "none":
            return None
        if settings.masks == "replaced":
            return None if sample.mask is None else Path(settings.out) / sample.mask
        if sample.name not in self._paths:
            self._paths = mask_paths(one.name for one in self._store.pictures.samples())
        return Path(settings.out) / self._paths[sample.name]

    def _keep_original(self, path: Path, key: str) -> None:
        """Keep the mask that was given before it is replaced for the first time."""
        kept = self._store.folder / "originals" / f"{key}{path.suffix}"
        if path.is_file() and not kept.exists():
            write_bytes(kept, path.read_bytes())
