"""The pictures that a job works on: an upload, or a folder that the server was started with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import File, Form, UploadFile

from flawline.data.json_file import parse_json, write_json_document
from flawline.server.errors import ServerError
from flawline.server.state import ServerState
from flawline.server.uploads import safe_name
from flawline.server.work.staging import moved, source_of, staged

_ELSEWHERE = "source.json"
Files = Annotated[
    list[UploadFile] | None, File(description="Pictures, or one archive of them (zip or tar).")
]
FolderName = Annotated[
    str, Form(max_length=200, description="Instead of files: a folder that the server knows.")
]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Pictures for a job: `take` gives their source to open, once the job has a folder of its own."""

    title: str
    take: Callable[[Path], Path]


@contextmanager
def chosen(state: ServerState, files: Sequence[UploadFile] | None, folder: str) -> Iterator[Chosen]:
    """Give the pictures of a request for the length of a `with` in which its job is started.

    Raises:
        ServerError: ("usage") neither files nor a folder, or both; ("not-found") the server knows no such folder.
    """
    if bool(files) == bool(folder):
        raise ServerError(
            "expected files or the name of a folder" + (", got both" if files else ", got neither"),
            hint="send pictures or one archive of them, or name a folder of the server",
            code="usage",
        )
    if not files:
        place = known_folder(state, folder)
        yield Chosen(folder, partial(remembered, place))
        return
    first = safe_name(files[0].filename or "", 0)
    with staged(state.jobs, files) as sent:
        yield Chosen(f"{len(files)} pictures" if len(files) > 1 else first, partial(moved, sent))


def known_folder(state: ServerState, name: str) -> Path:
    """Return the folder of a name that the server was started with; what a client sends never names a path."""
    place = state.settings.folders.get(name)
    if place is None:
        known = ", ".join(state.settings.folders) or "none"
        raise ServerError(
            f"the server knows no folder {name[:80]!r}",
            hint=f"folders that it was started with: {known}; `folder` of `flawline serve` adds one",
            code="not-found",
        )
    return place


def pictures_of(folder: Path) -> Path:
    """Name the source that the job of a folder worked on.

    Raises:
        ServerError: ("not-found") its pictures are no longer there.
    """
    elsewhere = folder / _ELSEWHERE
    place = None
    if elsewhere.is_file():
        place = Path(parse_json(elsewhere.read_bytes())["path"])
    elif (folder / "pictures").is_dir():
        place = source_of(folder)
    if place is None or not place.exists():
        raise ServerError(
            "the pictures are no longer there", hint="send them again", code="not-found"
        )
    return place


def remembered(place: Path, folder: Path) -> Path:
    """Note in the folder of a job that its pictures lie elsewhere on this machine; returns their place."""
    write_json_document(folder / _ELSEWHERE, {"path": str(place.resolve())})
    return place


def handed_on(old: Path, new: Path) -> Path:
    """Give the pictures of a job that is over to another job; returns the source to open."""
    if (old / _ELSEWHERE).is_file():
        return remembered(pictures_of(old), new)
    (old / "pictures").rename(new / "pictures")
    return source_of(new)
