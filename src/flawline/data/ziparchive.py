"""The directory of a zip file and its members, checked before anything is unpacked.

Layout: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5. The standard library's reader keeps an object of
some 600 bytes for every member, several hundred megabytes for the archives that Flawline lists, and
accepts overlapping members.
"""

from __future__ import annotations

import bz2
import stat
import struct
import zlib
from array import array
from functools import partial
from typing import BinaryIO

import numpy as np

from flawline.data.archive import (
    RATIO_FLOOR_BYTES,
    Archive,
    ArchiveLimits,
    MemberTable,
    RandomFile,
    check_members,
    check_totals,
    damaged,
    member_name,
    refuse,
)
from flawline.errors import ArchiveError

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
_ENCRYPTED = (
    0x2041  # bits 0, 6 and 13: traditional, strong and central-directory encryption (4.4.4)
)
_UTF8 = 0x800
_FULL = 0xFFFFFFFF
_USUAL_NAME = 256
_PACKED, _OFFSET, _SIZE, _CRC, _METHOD = range(5)


def open_zip(file: BinaryIO, limits: ArchiveLimits) -> Archive:
    """List a zip file; raises ArchiveError where it is hostile, encrypted, damaged or over
    `limits`.
    """
    file.seek(0, 2)
    length = file.tell()
    start, size, count, shift = _directory(file, length)
    table = _read_directory(file, start, size, count, shift, limits)
    packed, offsets, sizes = (
        np.array([table.numbers(row)[column] for row in range(len(table.names))], np.int64)
        for column in (_PACKED, _OFFSET, _SIZE)
    )
    _check_overlap(offsets, packed, start)
    _check_ratios(table, packed, sizes, limits)
    check_totals(int(sizes.sum()), length, limits)
    table.sort()
    return Archive("zip", RandomFile(file), table, partial(_read_member, limits))


def _directory(file: BinaryIO, length: int) -> tuple[int, int, int, int]:
    """Start of the central directory, its size, its entries, and the bytes put before the archive."""
    tail_size = min(length, 65557)
    file.seek(length - tail_size)
    tail = file.read(tail_size)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise damaged("its directory is missing; it is cut short or no zip file")
    _, disk, first_disk, _, count, size, offset, _ = _END.unpack_from(tail, at)
    end = length - tail_size + at
    if _FULL in (size, offset) or count == 0xFFFF:
        wide = _directory64(file, end)
        if wide is not None:
            end, disk, first_disk, count, size, offset = wide
    if disk or first_disk:
        raise refuse("multipart", "the archive is one part of several", "Join the parts first.")
    start = end - size
    if start < 0 or offset > start:
        raise damaged("its directory lies outside the file")
    return start, size, count, start - offset


def _directory64(file: BinaryIO, end: int) -> tuple[int, int, int, int, int, int] | None:
    if end < _LOCATOR64.size:
        return None
    file.seek(end - _LOCATOR64.size)
    magic, _, _, _ = _LOCATOR64.unpack(file.read(_LOCATOR64.size))
    end64 = end - _LOCATOR64.size - _END64.size
    if magic != b"PK\6\7" or end64 < 0:
        return None
    file.seek(end64)
    magic, _, _, _, disk, first_disk, _, count, size, offset = _END64.unpack(file.read(_END64.size))
    if magic != b"PK\6\6":
        raise damaged("its 64-bit directory is missing")
    return end64, disk, first_disk, count, size, offset


def _read_directory(
    file: BinaryIO, start: int, size: int, count: int, shift: int, limits: ArchiveLimits
) -> MemberTable:
    table, done, seen = MemberTable(5), 0, 0
    file.seek(start)
    while done < size:
        entry = file.read(_CENTRAL.size)
        if len(entry) < _CENTRAL.size or entry[:4] != b"PK\1\2":
            raise damaged("its directory holds an invalid entry")
        fields = _CENTRAL.unpack(entry)
        lengths = fields[12:15]
        texts = file.read(sum(lengths))
        done += _CENTRAL.size + sum(lengths)
        seen += 1
        check_members(seen, limits)
        if done > size or len(texts) < sum(lengths):
            raise damaged("its directory is cut short")
        _add_member(table, fields, texts[: lengths[0]], texts[lengths[0] : sum(lengths[:2])], shift)
    if seen & 0xFFFF != count & 0xFFFF:
        raise damaged(f"its directory states {count} members and lists {seen}")
    return table


def _add_member(
    table: MemberTable, fields: tuple[int, ...], raw: bytes, extra: bytes, shift: int
) -> None:
    system, flags, method, crc, attributes = (fields[i] for i in (2, 5, 6, 9, 17))
    text = _decode_name(raw, flags)
    name = member_name(text)
    if flags & _ENCRYPTED:
        raise refuse(
            "encrypted", f"the member {name!r} is encrypted", "Unpack it with its password."
        )
    if system == 3 and stat.S_ISLNK(attributes >> 16):
        raise refuse("link", f"the member {name!r} is a link", "Pack the files, not links to them.")
    size, packed, offset = _wide_sizes(fields[11], fields[10], fields[18], extra)
    if text.endswith("/"):
        return
    if not name:
        raise refuse("name", "a member has no name", "Pack the pictures again.")
    if max(size, packed, offset + shift) >= 1 << 62:
        raise damaged(f"the member {name!r} states impossible sizes")
    table.add(name, packed, offset + shift, size, crc, method)


def _decode_name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        if flags & _UTF8:
            raise damaged(f"the name {raw!r} is not valid UTF-8") from None
        return raw.decode("cp437")


def _wide_sizes(size: int, packed: int, offset: int, extra: bytes) -> tuple[int, int, int]:
    """Sizes and offset with those of the 64-bit extra field in place (4.5.3)."""
    if _FULL not in (size, packed, offset):
        return size, packed, offset
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            wide = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            values = [next(wide, _FULL) if v == _FULL else v for v in (size, packed, offset)]
            return values[0], values[1], values[2]
        at += 4 + length
    return size, packed, offset


def _check_overlap(offsets: np.ndarray, packed: np.ndarray, start: int) -> None:
    """Members that share bytes are the mark of a bomb that grows with the square of its size
    (Fifield 2019).
    """
    order = np.argsort(offsets, kind="stable")
    begins = offsets[order]
    ends = begins + packed[order] + _LOCAL.size
    limits = np.append(begins[1:], start)
    if (begins < 0).any() or (ends[-1:] > start).any():
        raise damaged("a member lies outside the file")
    if (ends > limits).any():
        raise refuse(
            "bomb", "members of the archive overlap", "Do not use archives from this origin."
        )


def _check_ratios(
    table: MemberTable, packed: np.ndarray, sizes: np.ndarray, limits: ArchiveLimits
) -> None:
    bombs = (sizes > RATIO_FLOOR_BYTES) & (sizes > limits.max_ratio * packed)
    if bombs.any():
        row = int(np.argmax(bombs))
        raise refuse(
            "bomb",
            f"the member {table.names[row]!r} unpacks {packed[row]} bytes to {sizes[row]}",
            "Raise --limits max_ratio=N (ArchiveLimits) only for an archive that you packed yourself.",
        )


def _read_member(
    limits: ArchiveLimits, file: RandomFile, name: str, numbers: array[int], checksum: bool
) -> bytes:
    packed, offset, size, crc, method = numbers
    if max(size, packed) > limits.max_member_bytes:
        raise refuse(
            "too-large",
            f"expected {name!r} to be at most {limits.max_member_bytes} bytes, it is {size}",
            "Raise --limits max_member_bytes=N (ArchiveLimits) if the picture is meant to be that large.",
        )
    body = file.read_at(_begin(file, name, offset), packed)
    if len(body) < packed:
        raise damaged(f"the member {name!r} is cut short")
    data = _unpack(body, method, size, name)
    if len(data) != size or (checksum and zlib.crc32(data) != crc):
        raise damaged(f"the member {name!r} fails its checksum")
    return data


def _begin(file: RandomFile, name: str, offset: int) -> int:
    """Where the content of a member begins, whose header at `offset` must have its name."""
    header = file.read_at(offset, _LOCAL.size + _USUAL_NAME)
    if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise damaged(f"the member {name!r} has no header")
    fields = _LOCAL.unpack_from(header)
    end = _LOCAL.size + fields[10]
    if len(header) < end:
        header = file.read_at(offset, end)
    if len(header) < end:
        raise damaged(f"the member {name!r} is cut short")
    if member_name(_decode_name(header[_LOCAL.size : end], fields[3])) != name:
        raise damaged(f"the member {name!r} has another name in its own header")
    return int(offset + end + fields[11])


def _unpack(packed: bytes, method: int, size: int, name: str) -> bytes:
    """At most one byte more than the stated size is ever unpacked."""
    try:
        if method == _STORED:
            return packed
        if method == _DEFLATED:
            return _bounded(zlib.decompressobj(-15).decompress(packed, size + 1), size, name)
        if method == _BZIP2:
            return _bounded(bz2.BZ2Decompressor().decompress(packed, size + 1), size, name)
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise damaged(f"the member {name!r} cannot be unpacked: {error}") from error
    raise refuse(
        "unsupported",
        f"the member {name!r} is packed by method {method}; stored, deflate and bzip2 are read",
        "Pack the archive again with deflate.",
    )


def _bounded(data: bytes, size: int, name: str) -> bytes:
    if len(data) > size:
        raise ArchiveError(
            f"the member {name!r} unpacks to more than the {size} bytes that it states",
            hint="Do not use archives from this origin.",
            code="archive-bomb",
        )
    return data
