"""Read what the names of pictures say about their parts: a pattern such as "{lot}_{part}_{view}"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flawline.errors import UsageError

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TIMES = {12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S", 8: "%Y%m%d"}
_OWN = ("image", "label", "mask", "split", "group", "suggested")


@dataclass(frozen=True, slots=True)
class PartPattern:
    """A pattern of names: `text` as it was given, its `fields` in order, and whether folders belong to it."""

    text: str
    fields: tuple[str, ...]
    expression: re.Pattern[str]
    whole: bool

    def read(self, name: str) -> Mapping[str, str] | None:
        """Read the fields of a picture's name, without its extension; None where it does not fit."""
        stem = name.rpartition(".")[0] or name
        found = self.expression.fullmatch(stem if self.whole else stem.rpartition("/")[2])
        if found is None:
            return None
        values = found.groupdict()
        if "captured" in values:
            time = _time(values["captured"])
            if time is None:
                return None
            values["captured"] = time
        return values


def part_pattern(text: str) -> PartPattern:
    """Build the pattern of a text with fields in braces; "*" stands for anything, the rest for itself.

    A field takes as few characters as will do, and none of a folder's name where the pattern has no "/". `captured`
    takes times of 8, 12 or 14 digits, such as 200828110014.

    Raises:
        UsageError: no field `part`, a name twice, or one that cannot be a column.
    """
    fields: list[str] = []
    pieces: list[str] = []
    last = 0
    for match in _FIELD.finditer(text):
        name = match[1]
        if not _NAME.fullmatch(name) or name in _OWN:
            raise UsageError(
                f"`part_from` takes fields such as {{part}} and {{lot}}, got {match[0]!r}",
                hint="small letters, digits and underscores; image, label, mask, split and group are taken",
            )
        if name in fields:
            raise UsageError(
                f"`part_from` has {match[0]} twice", hint="call the second one otherwise"
            )
        pieces += [_literal(text[last : match.start()]), f"(?P<{name}>[^/]+?)"]
        fields.append(name)
        last = match.end()
    pieces.append(_literal(text[last:]))
    if "part" not in fields:
        raise UsageError(
            f"`part_from` needs the field {{part}}, got {text[:80]!r}",
            hint='such as "{lot}_{part}_{view}"',
        )
    return PartPattern(text, tuple(fields), re.compile("".join(pieces)), "/" in text)


def _literal(text: str) -> str:
    return ".*?".join(re.escape(piece) for piece in text.split("*"))


def _time(digits: str) -> str | None:
    form = _TIMES.get(len(digits))
    try:
        # Of no zone: a camera's own clock.
        return None if form is None else datetime.strptime(digits, form).isoformat()
    except ValueError:
        return None
