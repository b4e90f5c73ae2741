"""The files that a person gives as annotations, listed and parsed once for every format that looks at them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from xml.etree.ElementTree import Element

from flawline.data.archive import DEFAULT_LIMITS
from flawline.data.folder import Folder
from flawline.data.masks.documents import MOST_BYTES, read_json
from flawline.data.masks.shapes import BrokenShape
from flawline.data.masks.xml_file import read_xml
from flawline.data.names import suffix
from flawline.data.tables import read_table
from flawline.errors import FlawlineError, SourceError

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")

_MOST_FILES = 5_000_000
_DOCUMENTS, _ELEMENTS = 20, 5


@dataclass(frozen=True, eq=False)
class AnnotationFiles:
    """A file or folder of annotations: its path, the most pixels a picture may state, the classes that were named.

    `root` is the folder that was given where `path` is a file in it.
    """

    path: Path
    most_pixels: int
    classes: tuple[str, ...] = ()
    root: Path | None = None

    @property
    def name(self) -> str:
        """The name in messages."""
        return self.path.name

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def suffix(self) -> str:
        """The extension of a file in lower case, empty for a folder."""
        return "" if self.is_folder else suffix(self.path.name)

    @cached_property
    def folder(self) -> Path:
        """The folder, or the one that holds the file."""
        return self.path if self.is_folder else self.path.parent

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files below `folder` by their paths with forward slashes, folder by folder, without hidden ones.

        Raises:
            SourceError: more files than any export has, or a link that leaves the folder.
        """
        found: list[str] = []
        for root, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if _is_listed(name))
            inside = os.path.relpath(root, self.folder).replace(os.sep, "/")
            prefix = "" if inside == "." else f"{inside}/"
            # Opening a pipe would wait for ever.
            regular = (
                name
                for name in files
                if _is_listed(name) and os.path.isfile(os.path.join(root, name))
            )
            own = sorted(regular)
            self._refuse_links([os.path.join(root, name) for name in own])
            found += [prefix + name for name in own]
            if len(found) > _MOST_FILES:
                raise SourceError(
                    f"expected at most {_MOST_FILES} files of annotations, {str(self.folder)!r} holds more",
                    hint="Give the folder of one set.",
                    code="annotations-too-large",
                )
        return tuple(found)

    def _refuse_links(self, paths: list[str]) -> None:
        """Raise SourceError for a link that leads outside; left out, its picture would count as without defects."""
        bounds = [
            os.path.realpath(folder) + os.sep for folder in (self.folder, self.root) if folder
        ]
        for path in filter(os.path.islink, paths):
            if not os.path.realpath(path).startswith(tuple(bounds)):
                raise SourceError(
                    f"{os.path.relpath(path, self.folder)!r} is a link that leaves the folder of the annotations",
                    hint="Copy the file there, or give the folder that holds both.",
                    code="annotations",
                )

    @cached_property
    def document(self) -> Any:
        """The content of a .json file, None for any other; raises SourceError where it is no JSON."""
        return read_json(self.path) if self.suffix == ".json" else None

    @cached_property
    def heads(self) -> tuple[Mapping[str, type], ...]:
        """The entries of the .json file, or of the first readable ones of a folder, with the types of their values."""
        if not self.is_folder:
            return (head_of(self.document),)
        return self._first(".json", lambda file: head_of(read_json(self.folder / file)), _DOCUMENTS)

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """The root of the .xml file, or of the first readable ones of a folder, enough to tell the format."""
        return self._first(".xml", lambda file: read_xml(self.folder / file), _ELEMENTS)

    @cached_property
    def table(self) -> pl.DataFrame | None:
        """The rows of a .csv file as text, None for any other; raises SourceError where it is no table."""
        if self.suffix != ".csv":
            return None
        if self.path.stat().st_size > MOST_BYTES:
            raise SourceError(
                f"expected {self.name!r} to be at most {MOST_BYTES} bytes, it is larger",
                hint="Split the export into several sets.",
                code="annotations-too-large",
            )
        return read_table(self.path).frame

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """List the files with the extension `kind`: the file itself, or those below the folder."""
        files = self.files if self.is_folder else (self.name,)
        return tuple(file for file in files if suffix(file) == kind)

    def read_named(self, *names: str) -> bytes:
        """Read the first file that exists of those that the annotations may mean; it must lie below `folder` or `root`.

        Raises:
            BrokenShape: none exists, or it lies elsewhere, also by a link.
        """
        if (found := self._named(names)) is not None:
            return _read_below(*found)
        given = (self.root or self.folder).name
        raise BrokenShape(
            f"expected the file {names[0][:200]!r} below the annotations in {given!r}, found none "
            "(give the folder that holds both)"
        )

    def path_named(self, *names: str) -> Path | None:
        """Return the path of the file that `read_named` reads, None where it cannot."""
        folder, name = self._named(names) or (self.folder, "")
        path = Path(os.path.realpath(folder / name))
        return path if Path(os.path.realpath(folder)) in path.parents else None

    def _named(self, names: Iterable[str]) -> tuple[Path, str] | None:
        """Find the folder and the name of the first file that exists, wherever that lies."""
        folders = (self.folder, self.root or self.folder)
        places = ((folder, name) for folder in folders for name in names)
        return next((place for place in places if Path(*place).is_file()), None)

    def _first(self, kind: str, read: Callable[[str], T], most: int) -> tuple[T, ...]:
        def readable() -> Iterator[T]:
            for file in self.of_kind(kind):
                with suppress(SourceError):
                    yield read(file)

        return tuple(islice(readable(), most))


def head_of(document: Any) -> dict[str, type]:
    """Return the entries of a JSON object with the types of their values; none for anything else."""
    entries = document if isinstance(document, dict) else {}
    return {key: type(value) for key, value in entries.items()}


def _is_listed(name: str) -> bool:
    """Whether a file or folder is neither hidden nor what macOS adds to archives."""
    return not name.startswith(".") and name != "__MACOSX"


def _read_below(folder: Path, name: str) -> bytes:
    try:
        return Folder(folder, None, DEFAULT_LIMITS.max_member_bytes).read(name)
    except FlawlineError as error:
        raise BrokenShape(error.message) from error
