"""List and read pictures behind a URL that fsspec opens: S3, Google Cloud Storage, Azure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from flawline.data.manifest import MANIFEST_SUFFIXES, SourceManifest
from flawline.data.named_files import OUTSIDE
from flawline.data.names import (
    PICTURE_SUFFIXES,
    Findings,
    natural_key,
    suffix,
    why_passed_over,
)
from flawline.data.part_files import scratch_folder
from flawline.data.tree_walk import walked
from flawline.errors import DependencyError, ImageError, ManifestError, SourceError, install_extra

OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "memory"})
"""Schemes of places where an object is there whole or not at all, and where no object names another."""
_PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gc": "gcsfs",
    "az": "adlfs",
    "ab": "adlfs",
    "os": "ossfs",
}
_NO_NAME = "name that is no path"


def is_remote(text: str) -> bool:
    """Whether a location is the URL of an object store."""
    return text.partition("://")[0] in OBJECT_STORES and "://" in text and "::" not in text


def open_remote(text: str, most: int) -> tuple[str, RemoteFolder | SourceManifest]:
    """Open a folder or a manifest behind a URL: its kind, "url" or "manifest", and what lists and reads it.

    Args:
        text: such as "s3://bucket/folder" or "gs://bucket/parts.csv".
        most: the largest size of a picture or manifest in bytes.

    Raises:
        SourceError: ("source-missing") nothing is there; ("source-unreadable") the store refuses or does not answer.
        ManifestError: it is no table with a column of pictures.
        DependencyError: fsspec or the package for this store is missing.
    """
    system, root = _system(text)
    folder = RemoteFolder(text, system, root, most)
    try:
        is_file = suffix(root) in MANIFEST_SUFFIXES and system.isfile(root)
        if not is_file and not system.isdir(root):
            raise SourceError(
                f"expected a folder or a manifest (.csv, .parquet) at {text!r}, there is none",
                hint="Check the name of the bucket and of the folder in it.",
                code="source-missing",
            )
    except SourceError:
        raise
    except Exception as error:  # each store has errors of its own
        raise _unreadable(text, error) from error
    return ("manifest", _manifest(text, folder)) if is_file else ("url", folder)


class RemoteFolder:
    """A tree of objects, listed one folder at a time; safe from any thread."""

    def __init__(self, url: str, system: Any, root: str, max_bytes: int) -> None:
        self.url, self.root = url, root.rstrip("/")
        self.system, self.most = system, max_bytes

    def names(self, findings: Findings, *, ordered: bool = True) -> Iterator[str]:
        """List the pictures in natural order, counting in `findings` what is passed over."""
        return walked(lambda folder: self._directory(folder, findings, ordered))

    def _directory(
        self, folder: str, findings: Findings, ordered: bool
    ) -> Iterator[tuple[str, bool]]:
        files, folders = list[str](), set[str]()
        try:
            for last, is_folder in self._entries(folder):
                reason = _why_not(last, is_folder)
                if reason is not None:
                    findings.passed_over[reason] += 1
                    if reason == _NO_NAME:
                        findings.problem(f"{_joined(folder, last)!r}: {reason}")
                elif is_folder:
                    folders.add(last)
                else:
                    files.append(last)
        except Exception as error:  # each store has errors of its own
            if not folder:
                raise _unreadable(self.url, error) from error
            findings.passed_over["unreadable folder"] += 1
            findings.problem(f"cannot list the folder {folder!r}: {_said(error)}")
        found = [*((last, False) for last in files), *((last, True) for last in folders)]
        if ordered:
            found.sort(key=lambda entry: natural_key(entry[0]))
        return ((_joined(folder, last), is_folder) for last, is_folder in found)

    def _entries(self, folder: str) -> Iterator[tuple[str, bool]]:
        """List the last parts of the names directly in a folder, and whether each is a folder."""
        prefix = f"{_joined(self.root, folder)}/"
        for entry in self.system.ls(prefix.rstrip("/"), detail=True):
            name = str(entry["name"])
            if name.rstrip("/") == prefix.rstrip("/"):
                continue  # the object that some programs write for an empty folder
            last = name[len(prefix) :] if name.startswith(prefix) else ""
            is_folder = entry["type"] == "directory"
            yield (last.removesuffix("/") if is_folder else last), is_folder

    def siblings(self, folder: str) -> list[str]:
        """List the file names of the pictures directly in `folder`, in natural order."""
        try:
            found = [last for last, is_folder in self._entries(folder) if not is_folder]
        except Exception:  # each store has errors of its own; `names` has told of this one
            return []
        pictures = [last for last in found if suffix(last) in PICTURE_SUFFIXES]
        return sorted((p for p in pictures if _why_not(p, False) is None), key=natural_key)

    def read(self, name: str) -> bytes:
        """Read one picture below the folder; raises ImageError."""
        if not is_inside(name):
            raise ImageError(
                f"{name!r} lies outside {self.url}",
                hint="Use names as `samples()` gives them.",
                code="image-unreadable",
            )
        data = self.content(_joined(self.root, name), name)
        if len(data) > self.most:
            raise ImageError(
                f"expected {name!r} to be at most {self.most} bytes, it holds more",
                hint="Raise `max_member_bytes` of ArchiveLimits if the picture is meant to be that large.",
                code="image-too-large",
            )
        return data

    def content(self, path: str, name: str) -> bytes:
        """Read an object, one byte beyond the limit at most; raises ImageError."""
        try:
            return self._bytes(path)
        except Exception as error:  # each store has errors of its own
            raise ImageError(
                f"cannot read {name!r}: {_said(error)}",
                hint="Check that the file exists and may be read.",
                code="image-unreadable",
            ) from error

    def _bytes(self, path: str) -> bytes:
        try:
            data = self.system.cat_file(path, start=0, end=self.most + 1)
        except Exception:
            # A store has no range of an empty object.
            if self.system.info(path).get("size") == 0:
                return b""
            raise
        return bytes(data)

    def close(self) -> None:
        """Do nothing: fsspec keeps its connections."""


class RemoteFiles:
    """The files that a manifest names, below its own folder in the store."""

    def __init__(self, folder: RemoteFolder) -> None:
        self._folder = folder

    def why_not(self, name: str) -> str | None:
        """Give the reason why `name` may not be read; whether it is there shows when it is read."""
        return None if is_inside(name.removeprefix("./")) else OUTSIDE

    def read(self, name: str, most: int) -> bytes | None:
        """Read a file; None where its name leads outside."""
        plain = name.removeprefix("./")
        return self._folder.read(plain) if is_inside(plain) else None


def is_inside(name: str) -> bool:
    """Whether a name is a plain relative path with forward slashes."""
    return "\0" not in name and all(part not in ("", ".", "..") for part in name.split("/"))


def _why_not(last: str, is_folder: bool) -> str | None:
    """Give the reason why an entry is passed over."""
    if "/" in last or not is_inside(last):
        return _NO_NAME
    if not is_folder:
        return why_passed_over(last)
    if last == "__MACOSX":
        return "system file"
    return "hidden folder" if last.startswith(".") else None


def _manifest(text: str, folder: RemoteFolder) -> SourceManifest:
    """Fetch a manifest, whose rows are read as often as its samples are listed."""
    parent, _, last = folder.root.rpartition("/")
    with ExitStack() as stack:
        path = stack.enter_context(scratch_folder()) / f"manifest{suffix(last)}"
        try:
            data = folder.content(folder.root, last)
        except ImageError as error:
            raise ManifestError(error.message, hint=error.hint) from error
        if len(data) > folder.most:
            raise ManifestError(
                f"expected {last!r} to be at most {folder.most} bytes, it holds more",
                hint="Raise `max_member_bytes` of ArchiveLimits, or write it as Parquet.",
            )
        path.write_bytes(data)
        below = RemoteFolder(text.rpartition("/")[0], folder.system, parent, folder.most)
        manifest = SourceManifest(path, folder.most, files=RemoteFiles(below))
        manifest.at_close(stack.pop_all().close)
    return manifest


def _system(text: str) -> tuple[Any, str]:
    """Open the file system of a URL; its folders are listed anew each time, in bounded memory."""
    scheme = text.partition("://")[0]
    try:
        import fsspec

        system, root = fsspec.core.url_to_fs(text, use_listings_cache=False)
    except ImportError as error:
        package = _PACKAGES.get(scheme[:2], "fsspec")
        raise DependencyError(
            f"{scheme}:// needs a package that is not installed: {error}",
            hint=f"{install_extra('remote')} and pip install {package}",
        ) from error
    except Exception as error:  # each store has errors of its own
        raise _unreadable(text, error) from error
    return system, str(root)


def _unreadable(text: str, error: Exception) -> SourceError:
    return SourceError(
        f"cannot open {text!r}: {_said(error)}",
        hint="Check the name, and the address and keys of the store in the environment.",
        code="source-unreadable",
    )


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _joined(folder: str, last: str) -> str:
    return f"{folder}/{last}" if folder and last else folder or last
