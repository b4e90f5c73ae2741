"""Read a picture a second time, for the overlay of its inspection."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flawline.data.as_picture import PictureLike
from flawline.data.image import read_image
from flawline.data.source import Source
from flawline.errors import ImageError
from flawline.types import Picture

ValueRange = tuple[float, float] | None


def picture_again(
    image: PictureLike, picture: Picture, value_range: ValueRange, *, keep: bool
) -> Callable[[], Picture] | None:
    """Say how to read `image`, decoded as `picture`, again; None where nothing may hold it.

    A path is read again, whose file must still be the same. Bytes and what an array held are kept where `keep` says so.
    A `Picture` is its owner's.
    """
    if isinstance(image, str | os.PathLike):
        return partial(_read_file, Path(image), value_range, picture.sha256)
    if isinstance(image, Picture) or not keep:
        return None
    if isinstance(image, bytes):
        return partial(read_image, image, value_range=value_range)
    return partial(_itself, picture)


def read_again(source: Source, name: str, value_range: ValueRange) -> Picture:
    """Read a picture of a source that is still open; errors as for `Source.read` and `read_image`."""
    return read_image(source.read(name), value_range=value_range, limits=source.image_limits)


def _read_file(path: Path, value_range: ValueRange, sha256: str) -> Picture:
    picture = read_image(path, value_range=value_range)
    if picture.sha256 != sha256:
        raise ImageError(
            f"{path.name!r} is another file than the one that was inspected",
            hint="inspect it again",
            code="image-changed",
        )
    return picture


def _itself(picture: Picture) -> Picture:
    return picture
