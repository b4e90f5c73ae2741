"""Verdicts of the parts of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flawline.specification.judge import ClauseResult, Judgement, MeasuredPart
from flawline.specification.model import Spec
from flawline.types import Verdict

EXIT_ACCEPTED, EXIT_FLAGGED, EXIT_UNJUDGED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Change:
    """A part whose verdict changes under the new specification; None is not judged."""

    image: str
    before: Verdict | None
    after: Verdict | None
    findings: tuple[ClauseResult, ...]


@dataclass(frozen=True, slots=True, eq=False)
class JudgedTable:
    """All parts of a table judged by one specification, optionally compared with an older one.

    `parts` and `judgements` correspond, in the order of the table. `notes` say what was understood of it.
    """

    table: str
    spec: Spec
    parts: tuple[MeasuredPart, ...]
    judgements: tuple[Judgement, ...]
    against: Spec | None = None
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of parts by verdict: accept, review, reject, and "unjudged"."""
        counted = Counter(item.verdict or "unjudged" for item in self.judgements)
        return {name: counted[name] for name in ("accept", "review", "reject", "unjudged")}

    @property
    def ways(self) -> Mapping[str, int]:
        """Number of changed verdicts by change, such as "accept to reject", the most frequent first."""
        counted = Counter(
            f"{change.before or 'unjudged'} to {change.after or 'unjudged'}"
            for change in self.changes
        )
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def exit_code(self) -> int:
        """0 all accepted, 1 a review or reject, 2 something could not be judged."""
        counts = self.counts
        if counts["unjudged"]:
            return EXIT_UNJUDGED
        return EXIT_FLAGGED if counts["review"] or counts["reject"] else EXIT_ACCEPTED
