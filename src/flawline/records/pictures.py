"""Store pictures, maps and recipes under the hash of their content, in a folder or at a URL that fsspec opens."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from flawline.data.part_files import part_file, part_name
from flawline.data.remote import OBJECT_STORES
from flawline.errors import DependencyError, StoreError, install_extra

_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file: its SHA-256 in hex, and its bytes."""

    name: str
    size: int


class Pictures(Protocol):
    """Files by the SHA-256 of their content, in hex."""

    def put(self, data: bytes) -> str:
        """Store a file, whole or not at all; returns its hash. A stored one is not written again.

        Raises:
            StoreError: ("store-full" or "store-pictures") it cannot be written.
        """
        ...

    def get(self, name: str) -> bytes:
        """Read the file of a hash, checked against it.

        Raises:
            StoreError: ("picture-missing") there is none; ("picture-damaged") it has another content.
        """
        ...

    def files(self) -> Iterator[StoredFile]:
        """Yield the stored files, in any order; what has another kind of name is none of them."""
        ...

    def remove(self, name: str, before: float) -> bool:
        """Remove the file of a hash; False where it is gone already, or was stored again since `before` (Unix s).

        Raises:
            StoreError: ("store-pictures") it cannot be removed.
        """
        ...


def default_pictures(url: str) -> str | None:
    """Name the default place of pictures: `records-pictures` next to `records.db`, None for PostgreSQL."""
    path = url.removeprefix("sqlite:///")
    return None if "://" in path else str(Path(path).with_name(f"{Path(path).stem}-pictures"))


def open_pictures(place: str | Path) -> Pictures:
    """Open pictures in a folder, which is made when needed, or at a URL such as `s3://bucket/pictures`.

    Raises:
        DependencyError: it is a URL, and fsspec or a package that it needs is not installed.
        StoreError: fsspec cannot open the URL.
    """
    text = str(place)
    if "://" not in text:
        return FolderPictures(Path(text))
    if text.startswith("file://"):
        return FolderPictures(Path(text.removeprefix("file://")))
    try:
        import fsspec

        system, root = fsspec.core.url_to_fs(text)
    except ImportError as error:
        raise DependencyError(
            f"pictures in {text.partition('://')[0]} need a package that is not installed: {error}",
            hint=f"{install_extra('remote')}, and the package that it names",
        ) from error
    except ValueError as error:
        raise StoreError(f"{text} is no place for pictures: {error}") from error
    return RemotePictures(system, root)


class FolderPictures:
    """Pictures in a folder: `ab/cdef...`, so that no folder holds too many."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        """Store a file; see `Pictures.put`."""
        name = hashlib.sha256(data).hexdigest()
        path = self.folder / _path(name)
        try:
            # A crash of the whole machine can leave a file of another length.
            if not path.is_file() or path.stat().st_size != len(data):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(self.folder, path, data)
            else:
                # It is needed again: whoever is removing old files sees that by its time.
                with suppress(PermissionError):
                    os.utime(path)
        except OSError as error:
            raise _unwritten(str(self.folder), error) from error
        return name

    def get(self, name: str) -> bytes:
        """Read the file of a hash; see `Pictures.get`."""
        try:
            data = (self.folder / _path(name)).read_bytes()
        except OSError as error:
            raise _missing(name, str(self.folder), error) from error
        return _checked(data, name)

    def files(self) -> Iterator[StoredFile]:
        """Yield the stored files; see `Pictures.files`."""
        for part in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            with os.scandir(part) as entries:
                for entry in entries:
                    name = f"{part.name}{entry.name}"
                    if _NAME.fullmatch(name) and entry.is_file(follow_symlinks=False):
                        yield StoredFile(name, entry.stat().st_size)

    def remove(self, name: str, before: float) -> bool:
        """Remove a file; see `Pictures.remove`."""
        path = self.folder / _path(name)
        try:
            if path.stat().st_mtime >= before:
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unremoved(str(self.folder), error) from error
        return True


class RemotePictures:
    """Pictures on a file system of fsspec."""

    def __init__(self, system: Any, root: str) -> None:
        self._system, self._root = system, root.rstrip("/")
        kinds = system.protocol if isinstance(system.protocol, tuple | list) else [system.protocol]
        # An object appears there whole or not at all; elsewhere a part file is written and then renamed.
        self._whole = not OBJECT_STORES.isdisjoint(kinds)

    def put(self, data: bytes) -> str:
        """Store a file; see `Pictures.put`."""
        name = hashlib.sha256(data).hexdigest()
        path = f"{self._root}/{_path(name)}"
        try:
            if not self._system.exists(path) or self._system.size(path) != len(data):
                self._write(path, data)
        except Exception as error:  # each file system has errors of its own
            raise _unwritten(self._root, error) from error
        return name

    def get(self, name: str) -> bytes:
        """Read the file of a hash; see `Pictures.get`."""
        try:
            data = self._system.cat_file(f"{self._root}/{_path(name)}")
        except Exception as error:  # each file system has errors of its own
            raise _missing(name, self._root, error) from error
        return _checked(data, name)

    def files(self) -> Iterator[StoredFile]:
        """Yield the stored files; see `Pictures.files`."""
        try:
            found = self._system.find(self._root, detail=True)
        except Exception as error:  # each file system has errors of its own
            raise _unremoved(self._root, error) from error
        for path, known in found.items():
            name = "".join(str(path).split("/")[-2:])
            if _NAME.fullmatch(name):
                yield StoredFile(name, int(known.get("size") or 0))

    def remove(self, name: str, before: float) -> bool:
        """Remove a file; see `Pictures.remove`. Its time is that of its first storing, where there is one."""
        path = f"{self._root}/{_path(name)}"
        try:
            if not self._system.exists(path):
                return False
            self._system.rm_file(path)
        except Exception as error:  # each file system has errors of its own
            raise _unremoved(self._root, error) from error
        return True

    def _write(self, path: str, data: bytes) -> None:
        self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
        if self._whole:
            self._system.pipe_file(path, data)
            return
        part = f"{path}.{os.getpid()}.part"
        self._system.pipe_file(part, data)
        self._system.mv(part, path)


def _path(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise StoreError(
            f"expected a SHA-256 of 64 hexadecimal digits, got {name[:80]!r}",
            code="picture-missing",
        )
    return f"{name[:2]}/{name[2:]}"


def _write(folder: Path, path: Path, data: bytes) -> None:
    # Two threads may store the same picture at once. Part files lie in `folder` itself, where they are soon found.
    name = part_name(path.name, own=str(threading.get_ident()))
    with part_file(folder / name) as part:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)


def _checked(data: bytes, name: str) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != name:
        raise StoreError(
            f"the stored file {name[:16]} was altered: its content has the hash {found[:16]}",
            hint="take it from a backup; the record still holds what was decided about the true one",
            code="picture-damaged",
        )
    return data


def _missing(name: str, place: str, error: Exception) -> StoreError:
    reason = getattr(error, "strerror", None) or error
    return StoreError(
        f"there is no file {name[:16]} in {place}: {reason}",
        hint="give the place where pictures were stored",
        code="picture-missing",
    )


def _unremoved(place: str, error: Exception) -> StoreError:
    return StoreError(
        f"the pictures in {place} cannot be listed or removed: {getattr(error, 'strerror', None) or error}",
        hint="check that you may write there",
        code="store-pictures",
    )


def _unwritten(place: str, error: Exception) -> StoreError:
    full = getattr(error, "errno", None) == errno.ENOSPC
    return StoreError(
        f"a picture cannot be stored in {place}: {getattr(error, 'strerror', None) or error}",
        hint="make room there, or store fewer pictures"
        if full
        else "check that you may write there",
        code="store-full" if full else "store-pictures",
        transient=True,
    )
