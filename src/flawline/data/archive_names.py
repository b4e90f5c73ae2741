"""Decode and normalise the names of the members of archives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flawline.data.archive import REPACK, refuse
from flawline.data.name_encoding import decode_name, find_encoding
from flawline.errors import ArchiveError

_DRIVE = re.compile(r"[A-Za-z]:")
_STATE = "Give the encoding of names as `encoding`: shift_jis, gbk, big5, euc_kr, cp437, cp850 or another."


def member_name(raw: str) -> str:
    """Normalise the name of a member; raises ArchiveError for names that lead outside the archive or hold a NUL.

    Backslashes separate folders, as some programs for Windows write them.
    """
    flat = raw.replace("\\", "/")
    if flat.startswith("/") or _DRIVE.match(flat):
        raise refuse("absolute", f"the member {raw!r} has an absolute name", REPACK)
    parts = [part for part in flat.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise refuse("path-traversal", f"the member {raw!r} reaches outside the archive", REPACK)
    if "\0" in raw:
        raise refuse("name", f"the member {raw!r} has a NUL in its name", REPACK)
    return "/".join(parts)


def name_encoding(names: Sequence[bytes], stated: str | None) -> str | None:
    """Return the encoding of names that state none: the one given, else the one found; None where there is none."""
    if stated is None:
        return find_encoding(names) if names else "utf-8"
    for name in names:
        try:
            name.decode(stated)
        except UnicodeDecodeError as error:
            raise refuse(
                "encoding", f"expected names of members in {stated}, got {name!r}", _STATE
            ) from error
    return stated


def unknown_encoding(names: Sequence[bytes]) -> ArchiveError:
    """Make the error for names whose encoding is not stated and cannot be found out."""
    what = f"the name of a member, {names[0]!r}, states"
    if len(names) > 1:
        what = f"the names of {len(names)} members, such as {names[0]!r}, state"
    return refuse("encoding", f"{what} no encoding, and none that is known gives words", _STATE)


def guessed(names: Sequence[bytes], encoding: str, stated: str | None) -> tuple[str, ...]:
    """Say in which encoding names were read that state none."""
    if stated is not None or encoding == "utf-8":
        return ()
    words = f"Names in the archive that state no encoding were read as {encoding}"
    return (
        f"{words}, such as {decode_name(names[0], encoding)!r}; if they look wrong, give `encoding`.",
    )
