"""Read pictures inside a zip or tar without extracting anything to disk."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from flawline.data.names import (
    PICTURE_SUFFIXES,
    Findings,
    did_you_mean,
    natural_key,
    suffix,
    why_passed_over,
)
from flawline.errors import ArchiveError, ImageError, SourceError

# Below this size no ratio is checked: an evenly black bitmap packs a thousandfold and is harmless.
RATIO_FLOOR_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits of what an archive may hold.

    `max_member_bytes` bounds one picture (of a folder too) and `max_total_bytes` all members
    together, both unpacked; `max_ratio` is unpacked over packed size, checked from 64 MiB on.
    """

    max_members: int = 1_000_000
    max_member_bytes: int = 1_000_000_000
    max_total_bytes: int = 1_000_000_000_000
    max_ratio: float = 200.0


DEFAULT_LIMITS = ArchiveLimits()


def refuse(code: str, message: str, hint: str) -> ArchiveError:
    """Make an ArchiveError whose code is "archive-" and `code`."""
    return ArchiveError(message, hint=hint, code=f"archive-{code}")


def damaged(what: str) -> ArchiveError:
    """Make the error for an archive whose structure is broken."""
    return refuse("damaged", f"the archive is damaged: {what}", "Copy or download it again.")


def check_totals(total: int, packed: int, limits: ArchiveLimits) -> None:
    """Raise ArchiveError ("archive-bomb", "archive-too-large") for a sum of unpacked sizes over the limits."""
    if total > limits.max_total_bytes:
        raise refuse(
            "too-large",
            f"expected at most {limits.max_total_bytes} bytes unpacked, the archive holds {total}",
            "Raise `max_total_bytes` of ArchiveLimits if that is meant.",
        )
    if total > RATIO_FLOOR_BYTES and total > limits.max_ratio * packed:
        raise refuse(
            "bomb",
            f"{packed} bytes unpack to {total}, more than {limits.max_ratio:g} times as much",
            "Raise `max_ratio` of ArchiveLimits only for an archive that you packed yourself.",
        )


def check_members(count: int, limits: ArchiveLimits) -> None:
    """Raise ArchiveError ("archive-too-many") for more members than the limits allow."""
    if count > limits.max_members:
        raise refuse(
            "too-many",
            f"expected at most {limits.max_members} members, the archive holds more",
            "Raise `max_members` of ArchiveLimits if that is meant.",
        )


def check_member_size(name: str, size: int, limits: ArchiveLimits) -> None:
    """Raise ArchiveError ("archive-too-large") for a member of more bytes than the limits allow."""
    if size > limits.max_member_bytes:
        raise refuse(
            "too-large",
            f"expected {name!r} to be at most {limits.max_member_bytes} bytes, it is {size}",
            "Raise `max_member_bytes` of ArchiveLimits if the picture is meant to be that large.",
        )


REPACK = "Pack the pictures again with relative names, from a source you trust."


class RandomFile:
    """Read a shared file by offset, from any thread."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to `size` bytes from `offset`; raises SourceError after `close`."""
        try:
            with self._lock:
                self._file.seek(offset)
                return self._file.read(size)
        except ValueError as error:
            raise SourceError(
                "the source is closed",
                hint="Read pictures while the source is open.",
                code="source-closed",
            ) from error
        except OSError as error:
            raise damaged(f"it cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """Close the file; later reads raise."""
        with self._lock:
            self._file.close()


class MemberTable:
    """Names of the files of an archive and `width` numbers for each, in compact columns."""

    def __init__(self, width: int) -> None:
        self.names: list[str] = []
        self._width = width
        self._numbers = array("q")

    def add(self, name: str, *numbers: int) -> None:
        """Add one file with its numbers, all below 2**63."""
        self.names.append(name)
        self._numbers.extend(numbers)

    def numbers(self, row: int) -> array[int]:
        """Return the numbers of one row."""
        return self._numbers[row * self._width : (row + 1) * self._width]

    def columns(self) -> NDArray[np.int64]:
        """Copy all numbers into an array, one row for each file."""
        return np.array(self._numbers, dtype=np.int64).reshape(-1, self._width)

    def sort(self) -> None:
        """Sort the rows in natural order; raises ArchiveError ("archive-duplicate") for equal names."""
        keys = list(map(natural_key, self.names))
        order = sorted(range(len(keys)), key=keys.__getitem__)
        del keys
        names, numbers = self.names, self._numbers
        self.names = [names[row] for row in order]
        self._numbers = array("q")
        for row in order:
            self._numbers.extend(numbers[row * self._width : (row + 1) * self._width])
        for one, other in zip(self.names, self.names[1:], strict=False):
            if one == other:
                raise refuse("duplicate", f"the archive holds {one!r} more than once", REPACK)

    def find(self, name: str) -> int | None:
        """Find the row of `name`; None where there is none."""
        row = bisect_left(self.names, natural_key(name), key=natural_key)
        return row if row < len(self.names) and self.names[row] == name else None

    def below(self, folder: str) -> Iterator[str]:
        """List the names below `folder`, with its prefix."""
        prefix = f"{folder}/" if folder else ""
        row = bisect_left(self.names, natural_key(folder) + "\0", key=natural_key) if folder else 0
        while row < len(self.names) and self.names[row].startswith(prefix):
            yield self.names[row]
            row += 1


class Archive:
    """The pictures of an opened archive; `read_row` unpacks one member from its numbers.

    `notes` say what was guessed when it was opened.
    """

    def __init__(
        self,
        kind: str,
        file: RandomFile,
        table: MemberTable,
        read_row: Callable[[RandomFile, str, array[int], bool], bytes],
        notes: tuple[str, ...] = (),
    ) -> None:
        self.kind = kind
        self.notes = notes
        self._file = file
        self._table = table
        self._read_row = read_row

    def names(self, findings: Findings, *, ordered: bool = True) -> Iterator[str]:
        """List the pictures in natural order, counting in `findings` what is passed over."""
        for name in self._table.names:
            reason = why_passed_over(name)
            if reason is None:
                yield name
            else:
                findings.passed_over[reason] += 1

    def files(self) -> list[str]:
        """List all files in natural order, pictures or not."""
        return list(self._table.names)

    def siblings(self, folder: str) -> list[str]:
        """List the file names of the pictures directly in `folder`, in natural order."""
        skip = len(folder) + 1 if folder else 0
        names = (name[skip:] for name in self._table.below(folder))
        return [name for name in names if "/" not in name and suffix(name) in PICTURE_SUFFIXES]

    def read(self, name: str, *, checksum: bool = True) -> bytes:
        """Read one member; raises ImageError for an unknown name, ArchiveError for a bad member.

        `checksum`: False skips the archive's own checksum, for callers that check a better hash.
        """
        row = self._table.find(name)
        if row is None:
            raise ImageError(
                f"the archive holds no {name!r}",
                hint=did_you_mean(name, self._table.names)
                or "Use names as `samples()` gives them.",
                code="image-unreadable",
            )
        return self._read_row(self._file, name, self._table.numbers(row), checksum)

    def close(self) -> None:
        """Close the archive."""
        self._file.close()
