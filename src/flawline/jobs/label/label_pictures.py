"""The pictures of a set to label, and the masks that were given with them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from flawline.data.image import ImageLimits
from flawline.data.masks import MaskedSource, open_masks
from flawline.data.source import Source, open_source
from flawline.errors import UsageError
from flawline.jobs.label.label_set import LabelSet
from flawline.jobs.label.published import mask_paths
from flawline.types import Sample


def key_of(name: str) -> str:
    """Make the key of a picture for addresses and files, from its name."""
    return sha256(name.encode()).hexdigest()[:20]


class LabelPictures:
    """The pictures of a set in their order, by key; files that the set has written itself are none."""

    def __init__(self, settings: LabelSet, limits: ImageLimits) -> None:
        self._settings, self._limits, self._lock = settings, limits, RLock()
        self._masked: MaskedSource | None = None
        self.source = self._opened()
        self._samples = self._own(self.source)

    def _opened(self) -> Source:
        return open_source(Path(self._settings.pictures), image_limits=self._limits)

    def _own(self, source: Source) -> dict[str, Sample]:
        samples = list(source.samples())
        if self._settings.masks == "beside":
            masks = set(mask_paths(sample.name for sample in samples).values())
            samples = [sample for sample in samples if sample.name not in masks]
        return {key_of(sample.name): sample for sample in samples}

    def refresh(self) -> None:
        """List the pictures anew: some may have come, or gone."""
        with self._lock:
            fresh = self._opened()
            found = self._own(fresh)
            self.close()
            self.source, self._samples, self._masked = fresh, found, None

    def samples(self) -> Sequence[Sample]:
        """List the pictures."""
        return tuple(self._samples.values())

    def in_order(self) -> tuple[str, ...]:
        """List the keys of the pictures in their order."""
        return tuple(self._samples)

    def sample(self, key: str) -> Sample:
        """Return a picture by its key.

        Raises:
            UsageError: ("not-found") there is none.
        """
        found = self._samples.get(key)
        if found is None:
            raise UsageError(f"there is no picture {key[:40]!r} in this set", code="not-found")
        return found

    def has_mask(self, sample: Sample) -> bool:
        """Whether a mask was given with a picture."""
        return bool(self._settings.values) and sample.mask is not None

    def given_mask(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the mask that was given with a picture, as classes of the set; what was to be ignored is background.

        Raises:
            ImageError: it cannot be read.
        """
        with self._lock:
            if self._masked is None:
                settings = self._settings
                names = dict(zip(settings.values, settings.classes, strict=False))
                self._masked = open_masks(self.source, classes=names)
        return self._masked.mask(sample)

    def close(self) -> None:
        """Close the source."""
        self.source.close()
