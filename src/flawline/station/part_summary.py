"""Sum up all inspections of one part."""

from __future__ import annotations

from collections.abc import Sequence

from flawline.core.words import counted
from flawline.records.record import StoredRecord

_WORDS = {"accept": "accepted", "review": "for review", "reject": "rejected"}


def part_summary(inspections: Sequence[StoredRecord]) -> str:
    """Say what became of a part, in one sentence, from its inspections, the oldest first, at least one."""
    last = inspections[-1]
    steps = list(dict.fromkeys(one.record.step for one in inspections if one.record.step))
    pictures = counted(len(inspections), "picture")
    over = f" in {counted(len(steps), 'step')}" if len(steps) > 1 else ""
    now = _WORDS.get(last.verdict or "", "not judged")
    where = f" at {last.record.step}" if len(steps) > 1 and last.record.step else ""
    by = f" by {last.decisions[-1].who}" if last.decisions else ""
    reason = last.record.reasons[0] if last.record.reasons and not last.decisions else ""
    why = f": {last.decisions[-1].why}" if last.decisions else f": {reason}" if reason else ""
    return f"{pictures}{over}; {now}{by} at last{where}{why}."
