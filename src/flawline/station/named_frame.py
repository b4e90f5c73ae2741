"""Name the part of a frame by its file's name or a code on the part."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from flawline.data.frame import Frame
from flawline.data.image import read_image
from flawline.data.part_codes import codes_of
from flawline.data.part_names import PartPattern
from flawline.data.process import PROCESS
from flawline.errors import ImageError


def named_frame(frame: Frame, pattern: PartPattern | None, data: bytes = b"") -> Frame:
    """Fill in what a name and a code say; a frame about which neither says anything stays as it is.

    A code comes before the name; of several codes the first from the top and left is the part's. Fields of the pattern
    that are no names of the process, such as "view", go into `further`. A field `captured` is a time of this machine's
    zone.

    Args:
        frame: of a file called `name`.
        pattern: of names; None for none.
        data: the file in which codes are read; empty for none.
    """
    found = dict((pattern.read(frame.name) or {}) if pattern is not None else {})
    further = {}
    if data and (code := _code(data)) is not None:
        found["part"], further["code"] = code
    if not found:
        return frame
    captured = frame.captured
    if "captured" in found:
        captured = datetime.fromisoformat(found.pop("captured")).astimezone()
    own: dict[str, Any] = {name: found.pop(name) for name in PROCESS if name in found}
    return replace(frame, captured=captured, further={**frame.further, **found, **further}, **own)


def _code(data: bytes) -> tuple[str, str] | None:
    """Read the first code, its text and kind; None where there is none, or no picture."""
    try:
        codes = codes_of(read_image(data))
    except ImageError:
        return None
    return (codes[0].text, codes[0].kind) if codes else None
