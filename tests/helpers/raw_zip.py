"""Write a zip whose names are any bytes, as programs of other systems do."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

_NO_NAMES: Mapping[bytes, str] = {}


def raw_zip(
    path: Path, files: Mapping[bytes, bytes], *, unicode_names: Mapping[bytes, str] = _NO_NAMES
) -> Path:
    """Store files under names that state no encoding; some with their name in UTF-8 beside it (APPNOTE 4.6.9)."""
    body, directory = b"", b""
    for name, data in files.items():
        extra = b""
        if name in unicode_names:
            field = struct.pack("<BL", 1, zlib.crc32(name)) + unicode_names[name].encode()
            extra = struct.pack("<2H", 0x7075, len(field)) + field
        sizes = zlib.crc32(data), len(data), len(data), len(name), len(extra)
        common = struct.pack("<5H3L2H", 20, 0, 0, 0, 0x21, *sizes)
        directory += b"PK\1\2" + struct.pack("<H", 20) + common
        directory += struct.pack("<3H2L", 0, 0, 0, 0, len(body)) + name + extra
        body += b"PK\3\4" + common + name + extra + data
    end = struct.pack("<4H2LH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\5\6" + end)
    return path
