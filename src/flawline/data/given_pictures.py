"""Pictures that are handed over in memory, as the tree of a source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from flawline.data.as_picture import PictureLike, picture_bytes
from flawline.data.names import Findings, natural_key
from flawline.errors import ImageError, SourceError

NAME = "pictures"
"""What outputs call a source of pictures that were handed over."""


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
        """The names, in natural order where asked."""
        return iter(sorted(self._pictures, key=natural_key) if ordered else self._pictures)

    def siblings(self, folder: str) -> list[str]:
        """The last parts of the names directly in `folder`."""
        parts = (name.rpartition("/") for name in self._pictures)
        return sorted((last for own, _, last in parts if own == folder), key=natural_key)

    def read(self, name: str) -> bytes:
        """The file of a picture, a lossless one of an array; raises ImageError."""
        if name not in self._pictures:
            raise ImageError(
                f"there is no picture {name!r}",
                hint="use names as `samples()` gives them",
                code="image-unreadable",
            )
        return picture_bytes(self._pictures[name], max_bytes=self._max_bytes)

    def close(self) -> None:
        """Let go of nothing: the pictures are their owner's."""


def _named(pictures: Sequence[PictureLike]) -> dict[str, PictureLike]:
    """Paths by their file's names, the others by their place, "0000" first."""
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
