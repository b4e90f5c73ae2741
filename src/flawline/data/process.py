"""What the process tells of a part: the names by which parts are sorted, written down once for the whole house."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Which part a picture shows, and where, from what and by whom the part was made.

    A field more here is a field of every frame and record, a condition, a column of exports and imports and a name that
    the command line takes; the records need a migration beside it.
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
"""Those by which a process engineer sorts; each has few values, a part has its own."""
