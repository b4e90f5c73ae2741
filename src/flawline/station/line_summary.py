"""Sum up the last parts of a line in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flawline.core.words import counted
from flawline.records.alerts import RaisedAlert
from flawline.records.record import StoredRecord

LAST = 50
"""How many parts the sentence is about."""


@dataclass(frozen=True, slots=True)
class LineSummary:
    """What became of the last parts: a sentence, and their number by verdict ("unjudged" where there is none)."""

    sentence: str
    counts: Mapping[str, int]


def line_summary(last: Sequence[StoredRecord], alerts: Sequence[RaisedAlert] = ()) -> LineSummary:
    """Sum up the last inspections, the newest first, and the open alerts.

    A person's decision counts before the machine's verdict.
    """
    found = _verdicts(last)
    if not alerts:
        return found
    newest = alerts[0].text.rstrip(".")
    more = f", and {counted(len(alerts) - 1, 'more alert')}" if len(alerts) > 1 else ""
    sentence = f"{found.sentence.removesuffix('.')}; {newest}{more}."
    return LineSummary(sentence, found.counts)


def _verdicts(last: Sequence[StoredRecord]) -> LineSummary:
    """Sum up the verdicts, and of what kind most defects of the rejected ones are."""
    counts = Counter[str](kept.verdict or "unjudged" for kept in last)
    if not last:
        return LineSummary("No part has been inspected yet.", counts)
    of = f"of the last {counted(len(last), 'picture')}"
    texts = [
        f"{counts[verdict]} {words}"
        for verdict, words in (
            ("reject", "rejected"),
            ("review", "for review"),
            ("unjudged", "could not be judged"),
        )
        if counts[verdict]
    ]
    if not texts:
        return LineSummary(
            f"All {of} accepted." if len(last) > 1 else "The part was accepted.", counts
        )
    first = texts[0].split(" ", 1)
    text = f"{first[0]} {of} {first[1]}{_kind(last)}{_rest(texts[1:])}."
    return LineSummary(text, counts)


def _kind(last: Sequence[StoredRecord]) -> str:
    """Name the class of most defects of the rejected parts, where the recipe tells classes apart."""
    labels = Counter(
        label
        for kept in last
        if kept.verdict == "reject"
        for label in {defect.label for defect in kept.record.defects} - {"anomaly"}
    )
    return f", {labels.most_common(1)[0][1]} for {labels.most_common(1)[0][0]}" if labels else ""


def _rest(texts: Sequence[str]) -> str:
    return "".join(f", {text}" for text in texts)
