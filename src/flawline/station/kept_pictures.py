"""Read the pictures that records kept, by the numbers of their inspections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits
from flawline.errors import StoreError
from flawline.records.pictures import Pictures

if TYPE_CHECKING:
    from flawline.records.store import Store


class KeptPictures:
    """Pictures of inspections; `name` is the number of one. Read from several threads, as a `Source` is."""

    def __init__(
        self, store: Store, pictures: Pictures, image_limits: ImageLimits = DEFAULT_IMAGE_LIMITS
    ) -> None:
        self._store, self._pictures, self.image_limits = store, pictures, image_limits

    def read(self, name: str) -> bytes:
        """Read the file of a picture.

        Raises:
            StoreError: ("picture-missing") none was kept; ("picture-damaged") it was altered.
        """
        kept = self._store.get(int(name)).record.picture
        if kept is None:
            raise StoreError(f"no picture of inspection {name} was kept", code="picture-missing")
        return self._pictures.get(kept)
