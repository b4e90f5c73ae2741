"""Open a source once more, to read files by name: in another process, without listing its pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from flawline.data.archive import ArchiveLimits
from flawline.data.closing import Closing
from flawline.data.image import ImageLimits
from flawline.data.listing import open_listing
from flawline.data.manifest import SourceManifest
from flawline.data.mask_places import Tree
from flawline.data.remote import is_remote


@dataclass(frozen=True, slots=True)
class Opening:
    """What a source was opened with: its location, and the settings of `open_source`."""

    location: str
    limits: ArchiveLimits
    image_limits: ImageLimits
    root: Path | None = None
    encoding: str | None = None

    def anywhere(self) -> Opening:
        """Return the same with whole paths, for a process with another working folder."""
        text = self.location
        if not is_remote(text):
            text = os.path.abspath(Path(text).expanduser())
        return replace(self, location=text, root=None if self.root is None else self.root.resolve())

    def files(self) -> SourceFiles:
        """Open the files; errors as for `open_source`."""
        path = Path(self.location).expanduser()
        _, listing = open_listing(self.location, path, self.limits, self.root, self.encoding)
        return SourceFiles(listing, self.image_limits)


class SourceFiles(Closing):
    """The files of a source by name; a `Readable` of `map_pictures`."""

    def __init__(self, listing: SourceManifest | Tree, image_limits: ImageLimits) -> None:
        self._listing, self.image_limits = listing, image_limits

    def read(self, name: str) -> bytes:
        """Read one picture; errors as for `Source.read`."""
        return self._listing.read(name)

    def close(self) -> None:
        """Release the archive, if the source is one."""
        self._listing.close()
