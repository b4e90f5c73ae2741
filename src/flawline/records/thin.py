"""Let go by rules what records need not keep: pictures and maps first, then inspections; noted in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from flawline.errors import UsageError
from flawline.records.accounts import Action
from flawline.records.keep_rules import KeepRules
from flawline.records.pictures import Pictures
from flawline.records.removal import count_old, of_pictures, remove_old
from flawline.records.thinning import going_files
from flawline.types import Track, no_track

if TYPE_CHECKING:
    from flawline.records.store import Store

WHAT = "thin records"
"""What the audit trail calls it."""


@dataclass(frozen=True, slots=True)
class Thinned:
    """What goes, or went where `removed`: files of `stored` ones, their bytes, and inspections."""

    files: int
    bytes: int
    stored: int
    inspections: int
    removed: bool = False


def thin(
    store: Store,
    pictures: Pictures | None,
    rules: KeepRules,
    now: datetime,
    *,
    protected: frozenset[str] = frozenset(),
    remove: bool = False,
    who: str = "",
    track: Track = no_track,
) -> Thinned:
    """Find what the rules let go, and remove it where `remove` says so; it may be interrupted and called again.

    Nothing goes that is for review, that a decision, a note on a chart or an alert is about, or whose picture is
    `protected`; nor the picture of an inspection that keeps it.

    Args:
        store: the records.
        pictures: where their pictures are; None where there are none to remove.
        rules: what is kept, and for how long.
        now: when it is.
        protected: pictures that stay (SHA-256, hex).
        remove: whether to remove it; else it is counted.
        who: who removes it.
        track: shows how far it is.

    Raises:
        UsageError: nobody removes it.
        StoreError: records or pictures cannot be read or written; ("store-refused") the records are read only.
    """
    if remove:
        store.check_writable()
        if not who.strip():
            raise UsageError(
                "removing needs the name of who does it", hint="it is noted in the audit trail"
            )
    stored = () if pictures is None else pictures.files()
    going = going_files(store.engine, stored, rules, now, protected)
    before = None if rules.inspections is None else now - rules.inspections
    spared = frozenset() if before is None else of_pictures(store.engine, before, protected)
    old = 0 if before is None else count_old(store.engine, before) - len(spared)
    found = Thinned(len(going.files), going.size, going.stored, old)
    if not remove:
        return found
    gone = _Gone()
    try:
        if pictures is not None:
            for file in track(going.files, title="removing pictures", total=len(going.files)):
                if pictures.remove(file.name, now.timestamp()):
                    gone.files += 1
                    gone.bytes += file.size
        if before is not None:
            for count in remove_old(store.engine, before, spared, track=track):
                gone.inspections += count
    finally:
        # Also what went before an error or Ctrl-C.
        store.accounts.note(Action(now, who, WHAT, f"{gone.words()}; {rules.words()}", ""))
    return replace(
        found, files=gone.files, bytes=gone.bytes, inspections=gone.inspections, removed=True
    )


@dataclass(slots=True)
class _Gone:
    """What went so far."""

    files: int = 0
    bytes: int = 0
    inspections: int = 0

    def words(self) -> str:
        return (
            f"{self.files} pictures and maps ({self.bytes} bytes), {self.inspections} inspections"
        )
