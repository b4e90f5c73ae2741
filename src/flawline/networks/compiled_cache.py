"""Compiled networks, and graphs on their maps, kept for the next start: each is compiled once on a machine.

What is kept lies in the user's cache folder and was compiled there out of a network whose hash had been checked; a
recipe can neither bring one nor name one. It is taken only where nobody but the user could have written it, and where
it is unaltered: whoever can place one there can as well change the installed package. It is found by the hash of the
network and everything else that decides the result, so that it computes, bit for bit, what compiling anew gives.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flawline.data.cores import cpu_count
from flawline.data.whole_file import replacing
from flawline.networks.cache import cache_folder
from flawline.networks.openvino_import import openvino
from flawline.networks.openvino_runtime import core
from flawline.version import __version__

SWITCH = "FLAWLINE_KEEP_COMPILED"
_FORMAT = 1
_MOST_BYTES, _MOST_FILES = 100 * 2**20, 64
_HASH_LENGTH = 64
_NOWHERE = (OSError, RuntimeError)
"""What is raised where a folder cannot be used, or a user has no home."""


def keeps_compiled() -> bool:
    """Whether compiled networks are kept and looked for: unless `FLAWLINE_KEEP_COMPILED` is 0, false, no."""
    return os.environ.get(SWITCH, "").strip().lower() not in ("0", "false", "no")


def compiled_folder() -> Path:
    """Where they lie; it need not exist."""
    return cache_folder() / "compiled"


def compiled_key(**facts: Any) -> str:
    """A name for what these facts, this machine and these versions make of a network; facts are what JSON can hold."""
    machine = {
        "format": _FORMAT,
        "flawline": __version__,
        "openvino": openvino().get_version(),
        "processor": core().get_property("CPU", "FULL_DEVICE_NAME"),
        "computes in": sorted(core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
        "cores": cpu_count(),
    }
    return hashlib.sha256(json.dumps([machine, facts], sort_keys=True).encode()).hexdigest()


def find_compiled(key: str) -> tuple[dict[str, Any], Any] | None:
    """What was kept under a key: what was said of it, and the compiled network as an OpenVINO tensor of bytes.

    None where nothing fit to use is.
    """
    try:
        path = compiled_folder() / key
        if not _is_own(os.lstat(path.parent)):
            return None
        with open(path, "rb", opener=_opened_itself) as file:
            found = os.fstat(file.fileno())
            if not _is_own(found):
                return None
            said = file.readline()
            # Memory of OpenVINO's own: what is imported goes on using it, and makes no copy.
            compiled = openvino().Tensor(openvino().Type.u8, [found.st_size - len(said)])
            file.readinto(compiled.data)
    except _NOWHERE:
        return None
    with suppress(OSError):
        os.utime(path)
    told, ending = said[:_HASH_LENGTH], said[_HASH_LENGTH:]
    if told != _hash(ending, compiled.data.data):
        return None
    known: dict[str, Any] = json.loads(ending)
    return (known, compiled) if known.pop("key") == key else None


def keep_compiled(key: str, about: Mapping[str, Any], compiled: bytes) -> None:
    """Keep an exported network and what is said of it; where that cannot be written, nothing is kept."""
    if len(compiled) > _MOST_BYTES:
        return
    said = json.dumps({**about, "key": key}).encode() + b"\n"
    with suppress(*_NOWHERE):
        folder = compiled_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(folder / key) as part, open(part, "wb", opener=_private) as file:
            file.write(_hash(said, compiled) + said + compiled)
        _clear_away(folder)


def exported(compiled: Any) -> bytes:
    """What OpenVINO gives of a compiled network, to be kept."""
    content = compiled.export_model()
    return content if isinstance(content, bytes) else content.read()


def _hash(said: bytes, compiled: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(said)
    digest.update(compiled)
    return digest.hexdigest().encode()


def _is_own(found: os.stat_result) -> bool:
    """Whether it is the user's, and nobody else may write to it; on Windows the cache folder is private anyway."""
    if sys.platform == "win32":
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _opened_itself(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _clear_away(folder: Path) -> None:
    """Remove those that were not used for longest, beyond a number of files."""
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_MOST_FILES:]:
        path.unlink()
