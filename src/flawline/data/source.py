"""Open a folder, archive, manifest, pattern or picture as one stream of samples."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, Union

from flawline.data.archive import DEFAULT_LIMITS, Archive, ArchiveLimits
from flawline.data.as_picture import PictureLike
from flawline.data.closing import Closing
from flawline.data.folder import split_pattern
from flawline.data.given_pictures import NAME, GivenPictures
from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits
from flawline.data.labels import label_meaning, meaning
from flawline.data.layout import Layout, Meaning, detect
from flawline.data.listing import open_listing
from flawline.data.manifest import SourceManifest
from flawline.data.mask_places import MaskPlaces, Tree
from flawline.data.name_encoding import checked_encoding
from flawline.data.names import Findings, natural_key
from flawline.data.opening import Opening
from flawline.data.remote import is_remote
from flawline.data.tree_samples import count_labels, tree_samples
from flawline.errors import SourceError, UsageError
from flawline.types import Sample, Unjudged

_MANIFEST_NAMES = ("samples.csv", "manifest.csv", "samples.parquet", "manifest.parquet")


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """Contents of a source.

    `labels` gives for each label the number of its pictures and its meaning (True bad, False good, None
    unknown); pictures without a label count in `pictures` only. `passed_over` counts files that are no
    samples by reason, `problems` describes what could not be listed, `hints` how else to open the source, and `notes`
    what was understood of a manifest or archive.
    """

    location: str
    kind: str
    layout: str
    pictures: int
    labels: Mapping[str, tuple[int, bool | None]] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Source(Closing):
    """Pictures in a fixed order, listed as a stream and read by name from any thread.

    `kind` is "folder", "zip", "tar", "manifest", "glob", "file", "url" or "pictures"; `layout` is "labels", "mvtec",
    "pairs", "manifest" or "flat". `opening` opens its files in another process, None for pictures in memory. Close it,
    or use it as a context manager.
    """

    def __init__(
        self,
        location: str,
        kind: str,
        listing: SourceManifest | tuple[Tree, Layout],
        meaning: Meaning,
        summary: SourceSummary,
    ) -> None:
        self.location = location
        self.kind = kind
        self.layout = summary.layout
        self.meaning = meaning
        self.image_limits = DEFAULT_IMAGE_LIMITS
        self.opening: Opening | None = None
        self._listing = listing
        self._summary = summary
        self._change: Callable[[Sample], Sample] | None = None

    @property
    def name(self) -> str:
        """The last part of the location; that of the folder itself where the location is "." or ends in ".."."""
        name = Path(self.location).expanduser().name
        return name if name not in ("", "..") else Path(self.location).expanduser().resolve().name

    def changed(self, change: Callable[[Sample], Sample]) -> Source:
        """Return the same pictures with each sample as `change` returns it; it closes with this one."""
        other = Source(self.location, self.kind, self._listing, self.meaning, self._summary)
        other.image_limits, other.opening, other._change = self.image_limits, self.opening, change
        return other

    def samples(self) -> Iterator[Sample]:
        """List all samples, each time from the start in the same order, without holding them all."""
        listing = self._listing
        if isinstance(listing, SourceManifest):
            found = listing.samples(self.meaning, Findings())
        else:
            found = tree_samples(*listing, self.meaning)
        return found if self._change is None else map(self._change, found)

    def read(self, name: str) -> bytes:
        """Read one picture; safe from threads.

        Raises ImageError where it is missing, unreadable or too large, ArchiveError where it is not
        what its archive states, and SourceError after `close`.
        """
        return self._reader().read(name)

    def read_mask(self, name: str) -> bytes:
        """Read a mask as `read` does; one in memory keeps its alpha channel and palette."""
        reader = self._reader()
        return reader.read_mask(name) if isinstance(reader, GivenPictures) else reader.read(name)

    def summary(self) -> SourceSummary:
        """Return the contents of the source as of its opening."""
        return self._summary

    def unlisted(self) -> tuple[Unjudged, ...]:
        """Return the inputs that could not be listed as samples, and so cannot be judged."""
        return tuple(
            Unjudged("(not listed)", "source-listing", problem)
            for problem in self._summary.problems
        )

    def folder(self) -> Path | None:
        """Return the folder to which names are relative; None for an archive, a URL or pictures in memory."""
        location = Path(self.location).expanduser()
        if self.kind in ("zip", "tar", "pictures") or is_remote(self.location):
            return None
        if self.kind == "glob":
            return Path(split_pattern(self.location)[0]).expanduser()
        return location if self.kind == "folder" else location.parent

    def close(self) -> None:
        """Release the archive, if the source is one."""
        self._reader().close()

    def _reader(self) -> SourceManifest | Tree:
        return self._listing if isinstance(self._listing, SourceManifest) else self._listing[0]


SourceLike: TypeAlias = Union[
    str, "os.PathLike[str]", Source, Mapping[str, PictureLike], Sequence[PictureLike]
]
"""A source as every job takes it: an open one, or anything that `open_source` takes."""


def open_source(
    location: str | os.PathLike[str] | Mapping[str, PictureLike] | Sequence[PictureLike],
    *,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    limits: ArchiveLimits = DEFAULT_LIMITS,
    image_limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
    root: str | os.PathLike[str] | None = None,
    encoding: str | None = None,
) -> Source:
    """Open `location` and read its names once.

    `location` is a folder, a zip, a tar (plain, gz, bz2, xz), a CSV, Parquet or spreadsheet manifest, a pattern
    such as "parts/**/*.png", one picture, or the URL of a folder or manifest in an object store, such as
    "s3://bucket/parts"; the content of a file decides, not its extension. Or it
    is a list of pictures, or a mapping of names such as "bad/7" to pictures, each as `as_picture`
    takes it: folders in a name state the label, as on disk.
    `good` and `bad` name labels whose meaning is stated; `limits` bounds archives and single files,
    `image_limits` what a picture may unpack to when it is decoded.
    The files that a manifest names lie below its folder, links resolved; `root` names another folder
    below which they may lie. `encoding` is that of names in a zip or tar that do not state theirs ("shift_jis",
    "gbk", "cp850"); without it, it is found from the names.

    Raises SourceError for what is missing, unreadable or without pictures, ArchiveError for
    hostile, encrypted or damaged archives, ManifestError for a manifest without its columns,
    UsageError for a label that is not there, a `root` that is no folder or has no manifest, or an `encoding` that is
    unknown or has no archive.
    """
    bound, codec = _root(root), checked_encoding(encoding)
    if not isinstance(location, str | os.PathLike):
        _no_root(bound, "pictures")
        _no_encoding(codec, "pictures")
        return _opened(NAME, "pictures", _given(location, limits), good, bad, image_limits)
    text = os.fspath(location)
    if not text:
        # The system takes an empty path for the working folder; here it is a mistake.
        raise SourceError(
            "expected the name of a source, got an empty one",
            hint='Give "." for the folder that you are in.',
            code="source-missing",
        )
    kind, listing = open_listing(text, Path(text).expanduser(), limits, bound, codec)
    if kind != "manifest" or is_remote(text):
        _no_root(bound, kind)
    if kind not in ("zip", "tar"):
        _no_encoding(codec, kind)
    source = _opened(text, kind, listing, good, bad, image_limits)
    source.opening = Opening(text, limits, image_limits, bound, codec)
    return source


def opened(
    source: SourceLike, good: Sequence[str] = (), bad: Sequence[str] = ()
) -> AbstractContextManager[Source]:
    """Open a source for a `with` block; one that is open already stays open after it."""
    if isinstance(source, Source):
        return nullcontext(source)
    return open_source(source, good=good, bad=bad)


def _opened(
    text: str,
    kind: str,
    listing: SourceManifest | Tree,
    good: Sequence[str],
    bad: Sequence[str],
    image_limits: ImageLimits,
) -> Source:
    try:
        source = _survey(text, kind, listing, good, bad)
        source.image_limits = image_limits
        return source
    except BaseException:
        listing.close()
        raise


def _root(root: str | os.PathLike[str] | None) -> Path | None:
    if root is None:
        return None
    folder = Path(root).expanduser()
    if not os.fspath(root) or not folder.is_dir():
        raise UsageError(
            f"expected a folder as `root`, got {os.fspath(root)!r}",
            hint="Give the folder below which all pictures of the manifest lie.",
        )
    return folder


def _no_root(root: Path | None, kind: str) -> None:
    if root is not None:
        raise UsageError(
            f"expected a CSV or Parquet manifest with `root`, the source is of kind {kind!r}",
            hint="Leave it out: other sources name no files outside.",
        )


def _no_encoding(encoding: str | None, kind: str) -> None:
    if encoding is not None:
        raise UsageError(
            f"expected a zip or tar with `encoding`, the source is of kind {kind!r}",
            hint="Leave it out: it is for names in archives.",
        )


def _given(pictures: object, limits: ArchiveLimits) -> GivenPictures:
    if isinstance(pictures, Mapping | list | tuple):
        return GivenPictures(pictures, limits.max_member_bytes)
    raise SourceError(
        f"expected a location, a list of pictures or a mapping of names to pictures, got {type(pictures).__name__}",
        hint="put one picture into a list: [picture]",
        code="source-unsupported",
    )


def _survey(
    location: str,
    kind: str,
    listing: SourceManifest | Tree,
    good: Sequence[str],
    bad: Sequence[str],
) -> Source:
    findings, hints, defects = Findings(), tuple[str, ...](), frozenset[str]()
    counts: Counter[str | None]
    if isinstance(listing, SourceManifest):
        opened: SourceManifest | tuple[Tree, Layout] = listing
        layout = "manifest"
        counts = Counter(sample.label for sample in listing.samples({}, findings))
    else:
        found = detect(listing, findings)
        opened, layout = (listing, found), found.name
        hints, defects = _mask_hints(found.mask_places), found.labels_of_roots()
        counts = count_labels(listing, found, findings)
    if not counts:
        raise _no_pictures(location, kind, findings)
    labels = {label: count for label, count in counts.items() if label is not None}
    meanings = _meanings(labels, good, bad, defects)
    summary = SourceSummary(
        location=location,
        kind=kind,
        layout=layout,
        pictures=sum(counts.values()),
        labels={
            label: (labels[label], meanings[label]) for label in sorted(labels, key=natural_key)
        },
        passed_over=dict(sorted(findings.passed_over.items())),
        problems=findings.all_problems(),
        hints=(*_hints(location, kind), *hints),
        notes=listing.notes if isinstance(listing, SourceManifest | Archive) else (),
    )
    return Source(location, kind, opened, meanings, summary)


def _meanings(
    labels: Mapping[str, int], good: Sequence[str], bad: Sequence[str], defects: Collection[str]
) -> dict[str, bool | None]:
    """Read the meaning of labels; `defects` are those of test folders next to train/good, which name defects."""
    stated = meaning(labels, good, bad)
    if not defects:
        return stated
    named = {name.casefold() for name in (*good, *bad)}
    known = {label: label_meaning(label) for label in labels}
    return {
        label: stated[label]
        if label.casefold() in named
        else (True if known[label] is None and label in defects else known[label])
        for label in labels
    }


def _no_pictures(location: str, kind: str, findings: Findings) -> SourceError:
    passed = ", ".join(f"{count} {why}" for why, count in sorted(findings.passed_over.items()))
    problems = findings.all_problems()
    text = f"; the first problem: {problems[0]}" if problems else ""
    return SourceError(
        f"{location!r} holds no pictures" + (f" (passed over: {passed})" if passed else "") + text,
        hint="Give a folder, zip, tar or manifest with "
        "JPEG, PNG, TIFF, BMP, GIF, WebP, JPEG 2000, AVIF or PGM/PPM files.",
        code="source-empty",
    )


def _hints(location: str, kind: str) -> tuple[str, ...]:
    if kind != "folder":
        return ()
    path = Path(location).expanduser()
    found = [path / name for name in _MANIFEST_NAMES if (path / name).is_file()]
    return tuple(f"The folder holds a manifest; give {str(name)!r} to use it." for name in found)


def _mask_hints(places: MaskPlaces) -> tuple[str, ...]:
    texts = (
        (places.alone, "No mask in {} has the name of a picture."),
        (
            places.photos,
            "{} do not look like masks of the pictures beside them; they are listed as pictures.",
        ),
    )
    return tuple(text.format(_first(names)) for names, text in texts if names)


def _first(names: Sequence[str]) -> str:
    return repr(names[0]) + (f" and {len(names) - 1} more" if len(names) > 1 else "")
