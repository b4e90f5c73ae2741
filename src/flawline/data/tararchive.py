"""List the members of a tar, compressed or not, and read them by offset."""

from __future__ import annotations

import bz2
import lzma
import tarfile
import tempfile
import zlib
from array import array
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

from flawline.data.archive import (
    Archive,
    ArchiveLimits,
    MemberTable,
    RandomFile,
    check_member_size,
    check_members,
    check_totals,
    damaged,
    refuse,
)
from flawline.data.archive_names import guessed, member_name, name_encoding
from flawline.data.name_encoding import decode_name
from flawline.data.names import is_unicode
from flawline.errors import SourceError

_CHUNK = 1 << 18
_KEPT = "surrogateescape"
# Headers with long names are a few kilobytes; tarfile would read a hostile one of any stated size.
_MOST_HEADER_BYTES = 1 << 20
_UNPACKERS: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": lambda: lzma.LZMADecompressor(memlimit=1 << 28),
}


def is_packed(head: bytes) -> bool:
    """Whether a file that starts with `head` is packed by gzip, bzip2 or xz."""
    return head.startswith(tuple(_UNPACKERS))


def is_tar(head: bytes) -> bool:
    """Whether a file that starts with `head` is a tar (POSIX.1-1988 and GNU; older ones have no mark)."""
    return head[257:262] == b"ustar"


def open_tar(file: BinaryIO, limits: ArchiveLimits, encoding: str | None = None) -> Archive:
    """List a tar; a packed one is unpacked once into a nameless temporary file. Raises ArchiveError.

    `encoding` is that of names that do not state theirs; without it they are UTF-8 where all are, else it is found from
    these names.
    """
    head = file.read(8)
    file.seek(0)
    if is_packed(head):
        file = _unpacked(file, head, limits)
    try:
        if is_packed(head) and not is_tar(file.read(512)):
            raise refuse(
                "not-an-archive",
                "expected a tar inside the packed file, got something else",
                "Only packed tars are read as archives; unpack other files first.",
            )
        table, unstated = _read_headers(file, limits)
        notes = _decode_names(table, unstated, encoding)
        table.sort()
    except (tarfile.TarError, ValueError, OverflowError, EOFError, RecursionError) as error:
        file.close()
        raise damaged(str(error) or type(error).__name__) from error
    except BaseException:
        file.close()
        raise
    return Archive("tar", RandomFile(file), table, partial(_read_member, limits), notes)


def _unpacked(file: BinaryIO, head: bytes, limits: ArchiveLimits) -> BinaryIO:
    make = next(make for magic, make in _UNPACKERS.items() if head.startswith(magic))
    out = tempfile.TemporaryFile()  # noqa: SIM115 - the archive holds it until it is closed
    try:
        _copy_unpacked(file, out, make, limits)
    except (zlib.error, lzma.LZMAError, EOFError) as error:
        out.close()
        raise damaged(f"it cannot be unpacked: {error}") from error
    except OSError as error:
        out.close()
        if error.errno is None:
            raise damaged(f"it cannot be unpacked: {error}") from error
        raise SourceError(
            f"cannot write the unpacked archive to the temporary folder: {error.strerror}",
            hint="Free disk space, or set TMPDIR to a larger disk.",
            code="source-unreadable",
        ) from error
    except BaseException:
        out.close()
        raise
    out.seek(0)
    file.close()
    return out


def _copy_unpacked(
    file: BinaryIO, out: BinaryIO, make: Callable[[], Any], limits: ArchiveLimits
) -> None:
    unpacker, came, written = make(), 0, 0
    while chunk := file.read(_CHUNK):
        came += len(chunk)
        while chunk:
            if unpacker.eof:  # several streams in a row, as parallel packers write them
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    break
                unpacker = make()
            data = unpacker.decompress(chunk, _CHUNK)
            while data:
                written += len(data)
                check_totals(written, came, limits)
                out.write(data)
                data = b"" if unpacker.eof else _more(unpacker)
            chunk = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        raise EOFError("it is cut short")


def _more(unpacker: Any) -> bytes:
    """Unpack the rest of the last chunk, a bounded piece at a time."""
    if hasattr(unpacker, "unconsumed_tail"):
        return bytes(unpacker.decompress(unpacker.unconsumed_tail, _CHUNK))
    return b"" if unpacker.needs_input else bytes(unpacker.decompress(b"", _CHUNK))


class _HeaderReads:
    """The file as tarfile reads it: headers up to a limit, never the content of members."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_HEADER_BYTES:
            raise refuse("bomb", f"a header states {size} bytes", "Pack the pictures again.")
        return self._file.read(size)


def _read_headers(file: BinaryIO, limits: ArchiveLimits) -> tuple[MemberTable, dict[int, bytes]]:
    """List the members, and by row the names whose encoding is not stated."""
    length = file.seek(0, 2)
    file.seek(0)
    table, total, seen = MemberTable(2), 0, 0
    unstated: dict[int, bytes] = {}
    reads: Any = _HeaderReads(file)
    with tarfile.open(fileobj=reads, mode="r:", encoding="utf-8", errors=_KEPT) as tar:
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined] # tarfile keeps every header otherwise
            seen += 1
            total += member.size
            check_members(seen, limits)
            check_totals(total, max(total, 1), limits)
            if not member.name.isascii() and "path" not in member.pax_headers and member.isreg():
                unstated[len(table.names)] = member.name.encode("utf-8", _KEPT)
            _add_member(table, member, length)
        end = tar.offset
    file.seek(end)
    block = file.read(512)
    if len(block) < 512 or block.strip(b"\0"):
        raise damaged("it has no end mark; it is cut short or a header is broken")
    return table, unstated


def _decode_names(
    table: MemberTable, unstated: dict[int, bytes], encoding: str | None
) -> tuple[str, ...]:
    """Decode the names whose encoding is not stated; returns what to say of it.

    Those that no encoding fits stay as they are, no valid text.
    """
    names = [*unstated.values()]
    if encoding is None and all(is_unicode(table.names[row]) for row in unstated):
        return ()
    codec = name_encoding(names, encoding)
    if codec is None:
        return ()
    for row, name in unstated.items():
        table.names[row] = member_name(decode_name(name, codec))
    return guessed(names, codec, encoding)


def _add_member(table: MemberTable, member: tarfile.TarInfo, length: int) -> None:
    name = member_name(member.name)
    if member.isdir():
        return
    if member.issym() or member.islnk():
        raise refuse("link", f"the member {name!r} is a link", "Pack the files, not links to them.")
    if not member.isreg():
        raise refuse("device", f"the member {name!r} is a device or pipe", "Pack pictures only.")
    if member.issparse():
        raise refuse(
            "unsupported", f"the member {name!r} is sparse", "Pack it without sparse files."
        )
    if member.offset_data + member.size > length or member.size < 0:
        raise damaged(f"the member {name!r} is cut short")
    if not name:
        raise refuse("name", "a member has no name", "Pack the pictures again.")
    table.add(name, member.offset_data, member.size)


def _read_member(
    limits: ArchiveLimits, file: RandomFile, name: str, numbers: array[int], _: bool
) -> bytes:
    offset, size = numbers  # a tar has no checksum of content
    check_member_size(name, size, limits)
    data = file.read_at(offset, size)
    if len(data) < size:
        raise damaged(f"the member {name!r} is cut short")
    return data
