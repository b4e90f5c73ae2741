"""Read the queue files of version 0.1, in which alerts waited next to a watched chart."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.outputs.events import Message, message_id
from flawline.records.owed import Owed

if TYPE_CHECKING:
    from flawline.records.store import Store

_HEADER = hashlib.sha256(b"flawline alerts 1").hexdigest().encode() + b"\n"


def take_over(folder: Path, text: str, address: str, store: Store) -> None:
    """Move waiting messages from a queue file into the records.

    Args:
        folder: the folder of the chart.
        text: the output as it was written for version 0.1.
        address: the output's name in the records.
        store: the records.

    Raises:
        StoreError: the records cannot be written; the file stays.
    """
    path = queue_path(folder, text)
    store.deliveries.add(
        [
            Owed(address, message_id(message), json.dumps(message, ensure_ascii=False))
            for message in waiting_messages(path)
        ]
    )
    path.unlink(missing_ok=True)


def queue_path(folder: Path, text: str) -> Path:
    """Return the queue file of version 0.1 for the output `text`."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return folder / f"alerts-{text.partition(':')[0]}-{digest}.queue"


def waiting_messages(path: Path) -> list[Message]:
    """Read the waiting messages of a queue file in their order, as events of today; none where there is no file.

    Each line is a CRC-32 and the list of "+" (waits) or "-" (done) with the message's name, and an object with its
    number and the message. A line that is cut or fails its CRC ends the file.
    """
    if not path.is_file():
        return []
    waiting: dict[str, tuple[int, Any]] = {}
    done = set()
    with path.open("rb") as file:
        if file.readline() != _HEADER:
            return []
        for line in file:
            if not line.endswith(b"\n") or line[:8] != b"%08x" % zlib.crc32(line[9:-1]):
                break
            name, value = json.loads(line[9:-1])
            if name.startswith("-"):
                done.add(name[1:])
            else:
                waiting[name[1:]] = value["number"], value["message"]
    left = sorted(
        (entry for name, entry in waiting.items() if name not in done), key=lambda e: e[0]
    )
    return [{**message, "kind": "alert", "time": message["raised"]} for _, message in left]
