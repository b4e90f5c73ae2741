"""Find parts that a second person should look at, and those about which people disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flawline.records.record import StoredRecord
from flawline.types import Verdict


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A part that people see differently: the last verdict of each, by name, in the order of their first decision."""

    kept: StoredRecord
    verdicts: Mapping[str, Verdict]


def verdicts_of(kept: StoredRecord) -> dict[str, Verdict]:
    """Return the last verdict of each person about an inspection, by name."""
    return {one.who: one.verdict for one in kept.decisions}


def second_looks(decided: Iterable[StoredRecord], who: str) -> list[StoredRecord]:
    """List the inspections that one person alone has decided about, and that person is not `who`."""
    found = []
    for kept in decided:
        people = verdicts_of(kept)
        if len(people) == 1 and who not in people:
            found.append(kept)
    return found


def disagreements(decided: Iterable[StoredRecord]) -> list[Disagreement]:
    """List the inspections about which the last verdicts of two persons differ."""
    known = [(kept, verdicts_of(kept)) for kept in decided]
    return [
        Disagreement(kept, verdicts) for kept, verdicts in known if len(set(verdicts.values())) > 1
    ]
