"""Sources of pictures in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from flawline.data.as_picture import PictureLike, mask_bytes, picture_bytes
from flawline.data.names import Findings, natural_key
from flawline.errors import ImageError, SourceError

NAME = "pictures"
"""The name of a source of pictures in memory, in outputs."""


class GivenPictures:
    """Pictures by name; the folders of a name state labels and splits, as on disk."""

    def __init__(
        self, pictures: Mapping[str, PictureLike] | Sequence[PictureLike], max_bytes: int
    ) -> None:
        self._pictures = dict(pictures) if isinstance(pictures, Mapping) else _named(pictures)
        self._max_bytes = max_bytes
        for name in self._pictures:
            if not isinstance(name, str) or {"", ".", ".."} & set(name.split("/")):
                raise SourceError(
                    f"expected the name of a picture, such as 'bad/7', got {name!r}",
                    hint="give a mapping of names to pictures, or a list of pictures",
                    code="source-names",
                )

    def names(self, findings: Findings, *, ordered: bool = True) -> Iterator[str]:
        """List the names, in natural order if `ordered`."""
        return iter(sorted(self._pictures, key=natural_key) if ordered else self._pictures)

    def siblings(self, folder: str) -> list[str]:
        """List the last parts of the names directly in `folder`."""
        parts = (name.rpartition("/") for name in self._pictures)
        return sorted((last for own, _, last in parts if own == folder), key=natural_key)

    def read(self, name: str) -> bytes:
        """Read the file of a picture, that of an array without losses; raises ImageError."""
        return picture_bytes(self._picture(name), max_bytes=self._max_bytes)

    def read_mask(self, name: str) -> bytes:
        """Read the file of a mask, with its alpha channel and palette; raises ImageError."""
        return mask_bytes(self._picture(name), max_bytes=self._max_bytes)

    def _picture(self, name: str) -> PictureLike:
        if name not in self._pictures:
            raise ImageError(
                f"there is no picture {name!r}",
                hint="use names as `samples()` gives them",
                code="image-unreadable",
            )
        return self._pictures[name]

    def close(self) -> None:
        """Do nothing: the pictures belong to the caller."""


def _named(pictures: Sequence[PictureLike]) -> dict[str, PictureLike]:
    """Name paths after their files, other pictures by their place: "0000" first."""
    named: dict[str, PictureLike] = {}
    for place, picture in enumerate(pictures):
        name = Path(picture).name if isinstance(picture, str | os.PathLike) else f"{place:04d}"
        if name in named:
            raise SourceError(
                f"two pictures are called {name!r}",
                hint="give a mapping of names to pictures",
                code="source-names",
            )
        named[name] = picture
    return named
