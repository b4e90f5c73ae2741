"""Process data of a part: the names by which parts are sorted."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Which part a picture shows, and where, from what and by whom the part was made.

    A field added here becomes a field of frames and records, a condition, a column of exports and imports and a name on
    the command line; the records need a migration too.
    """

    part: str | None = None
    station: str | None = None
    step: str | None = None
    product: str | None = None
    lot: str | None = None
    operator: str | None = None
    tool: str | None = None
    shift: str | None = None


PROCESS = tuple(item.name for item in fields(Process))
"""The names of all fields of `Process`."""
DIMENSIONS = tuple(name for name in PROCESS if name != "part")
"""The names of those with few values, by which a process engineer sorts."""
