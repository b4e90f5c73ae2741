"""List a zip file with the standard library, check every member before one is unpacked, and read members by offset.

Reading and the check for overlaps are our own: `zipfile` stops an over-long member only by its checksum, refuses some
sound archives as overlapping (CPython issue 109858), and holds some 550 bytes for every member.
"""

from __future__ import annotations

import bz2
import stat
import struct
import zipfile
import zlib
from array import array
from functools import partial
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from flawline.data.archive import (
    RATIO_FLOOR_BYTES,
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
from flawline.data.archive_names import guessed, member_name, name_encoding, unknown_encoding
from flawline.data.name_encoding import decode_name

_LOCAL = struct.Struct("<4s2B4HL2L2H")  # PKWARE APPNOTE 6.3.10, 4.3.7
_END = struct.Struct("<4s4H")
_WIDE = 0xFFFF  # the number stands in a 64-bit record
_ENCRYPTED = (
    0x2041  # bits 0, 6 and 13: traditional, strong and central-directory encryption (4.4.4)
)
_UTF8 = 0x800
_UNICODE_PATH = 0x7075
_USUAL_NAME = 256
_MEMBER_BYTES = 4096  # of the directory, on average; names and extra fields take fewer
_OFFSET, _PACKED, _SIZE = range(3)


def open_zip(file: BinaryIO, limits: ArchiveLimits, encoding: str | None = None) -> Archive:
    """List a zip file; raises ArchiveError where it is hostile, encrypted, damaged or over `limits`.

    `encoding` is that of names that do not state theirs; without it, it is found from these names.
    """
    length = file.seek(0, 2)
    try:
        listed = zipfile.ZipFile(_DirectoryReads(file, limits))
    except NotImplementedError as error:
        raise refuse(
            "unsupported", f"the archive is not supported: {error}", "Pack it again with deflate."
        ) from error
    except UnicodeDecodeError as error:
        raise refuse(
            "encoding",
            f"a member's name, {error.object!r}, is marked as UTF-8 and is none",
            "Pack the archive again.",
        ) from error
    except (zipfile.BadZipFile, ValueError, struct.error, EOFError) as error:
        raise damaged(f"its directory cannot be read: {error}") from error
    _check_end(file, length, len(listed.infolist()))
    table, unstated = MemberTable(5), _unstated(listed)
    codec = name_encoding(unstated, encoding)
    if codec is None:
        raise unknown_encoding(unstated)
    for info in listed.infolist():
        _add_member(table, info, length, codec)
    numbers = table.columns()
    _check_overlap(numbers[:, _OFFSET], numbers[:, _PACKED], listed.start_dir)
    _check_ratios(table.names, numbers[:, _PACKED], numbers[:, _SIZE], limits)
    check_totals(int(numbers[:, _SIZE].sum()), length, limits)
    table.sort()
    notes = guessed(unstated, codec, encoding)
    return Archive("zip", RandomFile(file), table, partial(_read_member, limits, codec), notes)


class _DirectoryReads:
    """The file as zipfile reads it while listing, with a limit on the number of members."""

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._file, self._limits = file, limits
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; raises ArchiveError for a directory of more members than the limits allow."""
        if size > _MEMBER_BYTES * self._limits.max_members:
            raise damaged(f"its directory states {size} bytes")
        data = self._file.read(size)
        check_members(data.count(b"PK\1\2"), self._limits)
        return data


def _check_end(file: BinaryIO, length: int, listed: int) -> None:
    """Refuse a last record that names several disks or another number of members than are listed (4.3.16)."""
    tail_size = min(length, 65557)
    file.seek(length - tail_size)
    tail = file.read(tail_size)
    _, disk, first, _, count = _END.unpack_from(tail, tail.rfind(b"PK\5\6"))
    if not {disk, first} <= {0, _WIDE}:
        raise refuse("multipart", "the archive is one part of several", "Join the parts first.")
    if count not in (_WIDE, listed & _WIDE):
        raise damaged(f"its directory states {count} members and lists {listed}")


def _unstated(listed: zipfile.ZipFile) -> list[bytes]:
    """List the names whose encoding is not stated."""
    infos = (info for info in listed.infolist() if not info.orig_filename.isascii())
    raw = ((_raw_name(info), info) for info in infos if not info.flag_bits & _UTF8)
    return [name for name, info in raw if _unicode_name(name, info.extra) is None]


def _add_member(table: MemberTable, info: zipfile.ZipInfo, length: int, codec: str) -> None:
    text = info.orig_filename
    if not text.isascii():
        text = _decoded(_raw_name(info), info.flag_bits, info.extra, codec)
    name = member_name(text)
    if info.flag_bits & _ENCRYPTED:
        raise refuse(
            "encrypted", f"the member {name!r} is encrypted", "Unpack it with its password."
        )
    if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
        raise refuse("link", f"the member {name!r} is a link", "Pack the files, not links to them.")
    if text.endswith(("/", "\\")):
        return
    if not name:
        raise refuse("name", "a member has no name", "Pack the pictures again.")
    if info.header_offset < 0 or max(info.header_offset, info.compress_size) > length:
        raise damaged(f"the member {name!r} lies outside the file")
    if info.file_size >= 1 << 62:
        raise damaged(f"the member {name!r} states impossible sizes")
    sizes = info.header_offset, info.compress_size, info.file_size
    table.add(name, *sizes, info.CRC, info.compress_type)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a name that zipfile decoded."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _decoded(raw: bytes, flags: int, extra: bytes, codec: str) -> str:
    """Decode a name: as it states itself, else by `codec`."""
    if flags & _UTF8:
        return raw.decode()
    return _unicode_name(raw, extra) or decode_name(raw, codec)


def _unicode_name(raw: bytes, extra: bytes) -> str | None:
    """Find the name in UTF-8 that stands beside one of another encoding (4.6.9), where it belongs to it."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + size]
        if kind == _UNICODE_PATH and field[:1] == b"\1" and len(field) > 5:
            if int.from_bytes(field[1:5], "little") != zlib.crc32(raw):
                return None
            try:
                return field[5:].decode()
            except UnicodeDecodeError:
                return None
        at += 4 + size
    return None


def _check_overlap(offsets: NDArray[np.int64], packed: NDArray[np.int64], start: int) -> None:
    """Refuse members that share bytes, as in a bomb that grows with the square of its size (Fifield 2019)."""
    order = np.argsort(offsets, kind="stable")
    begins = offsets[order]
    ends = begins + packed[order] + _LOCAL.size
    if (ends[-1:] > start).any():
        raise damaged("a member lies outside the file")
    if (ends[:-1] > begins[1:]).any():
        raise refuse(
            "bomb", "members of the archive overlap", "Do not use archives from this origin."
        )


def _check_ratios(
    names: list[str], packed: NDArray[np.int64], sizes: NDArray[np.int64], limits: ArchiveLimits
) -> None:
    bombs = (sizes > RATIO_FLOOR_BYTES) & (sizes > limits.max_ratio * packed)
    if bombs.any():
        row = int(np.argmax(bombs))
        raise refuse(
            "bomb",
            f"the member {names[row]!r} unpacks {packed[row]} bytes to {sizes[row]}",
            "Raise `max_ratio` of ArchiveLimits only for an archive that you packed yourself.",
        )


def _read_member(
    limits: ArchiveLimits,
    codec: str,
    file: RandomFile,
    name: str,
    numbers: array[int],
    checksum: bool,
) -> bytes:
    offset, packed, size, crc, method = numbers
    check_member_size(name, max(size, packed), limits)
    body = file.read_at(_begin(file, name, offset, codec), packed)
    if len(body) < packed:
        raise damaged(f"the member {name!r} is cut short")
    data = _unpack(body, method, size, name)
    if len(data) > size:
        raise refuse(
            "bomb",
            f"the member {name!r} unpacks to more than the {size} bytes that it states",
            "Do not use archives from this origin.",
        )
    if len(data) != size or (checksum and zlib.crc32(data) != crc):
        raise damaged(f"the member {name!r} fails its checksum")
    return data


def _begin(file: RandomFile, name: str, offset: int, codec: str) -> int:
    """Find where the content of a member begins; its header at `offset` must have its name."""
    header = file.read_at(offset, _LOCAL.size + _USUAL_NAME)
    if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise damaged(f"the member {name!r} has no header")
    _, _, _, flags, *_, name_length, extra_length = _LOCAL.unpack_from(header)
    end = _LOCAL.size + name_length
    begin = end + extra_length
    if len(header) < begin:
        header = file.read_at(offset, begin)
    raw, extra = header[_LOCAL.size : end], header[end:begin]
    try:
        same = member_name(_decoded(raw, flags, extra, codec)) == name
    except UnicodeDecodeError:
        same = False
    if len(raw) < name_length or not same:
        raise damaged(f"the member {name!r} has another name in its own header")
    return int(offset + begin)


def _unpack(packed: bytes, method: int, size: int, name: str) -> bytes:
    """Unpack a member, at most one byte more than its stated size."""
    try:
        if method == zipfile.ZIP_STORED:
            return packed
        if method == zipfile.ZIP_DEFLATED:
            return zlib.decompressobj(-15).decompress(packed, size + 1)
        if method == zipfile.ZIP_BZIP2:
            return bz2.BZ2Decompressor().decompress(packed, size + 1)
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise damaged(f"the member {name!r} cannot be unpacked: {error}") from error
    raise refuse(
        "unsupported",
        f"the member {name!r} is packed by method {method}; stored, deflate and bzip2 are read",
        "Pack the archive again with deflate.",
    )
