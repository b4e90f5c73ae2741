"""Gather ratings from the rows of a table, or from the decisions of people in the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from flawline.core.msa.agreement import Ratings
from flawline.data.labels import label_meaning
from flawline.errors import FlawlineError, UsageError
from flawline.records.record import StoredRecord

MACHINE = "machine"
"""The rater's name under which the machine's verdicts stand."""
Row = tuple[str, str, str]


def ratings_of(
    rows: Sequence[Row],
    standard: dict[str, str] | None,
    *,
    bad_answers: Sequence[str] = (),
    grades: Sequence[str] = (),
) -> Ratings:
    """Gather ratings, in the order of their trials.

    Args:
        rows: part, rater and what was said of it.
        standard: the right answer of each part.
        bad_answers: answers that mean a bad part; by the usual words for it if not given.
        grades: all answers from the least to the most; answers that are numbers are grades by themselves.

    Raises:
        UsageError: `bad_answers` or `grades` name other answers than there are.
        FlawlineError: ("agreement-few") a part has no standard.
    """
    parts = tuple(dict.fromkeys(part for part, _, _ in rows))
    raters = tuple(dict.fromkeys(rater for _, rater, _ in rows))
    said = {answer for _, _, answer in rows} | set((standard or {}).values())
    categories, ordered = _categories(said, grades)
    number = {name: place for place, name in enumerate(categories)}
    given: dict[tuple[str, str], list[int]] = {}
    for part, rater, answer in rows:
        given.setdefault((rater, part), []).append(number[answer])
    right = None
    if standard is not None:
        lacking = [part for part in parts if part not in standard]
        if lacking:
            raise FlawlineError(
                f"{len(lacking)} of {len(parts)} parts have no right answer, {lacking[0]} first",
                hint="leave these out, or leave out `reference`",
                code="agreement-few",
            )
        right = np.array([number[standard[part]] for part in parts])
    return Ratings(
        parts,
        raters,
        categories,
        tuple(tuple(tuple(given.get((who, one), ())) for one in parts) for who in raters),
        right,
        _bad(categories, bad_answers),
        ordered,
    )


def _categories(said: set[str], grades: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    if grades:
        other = sorted(said - set(grades))
        if other or len(set(grades)) < len(grades):
            what = f"{other[0]!r} is not among them" if other else "one is given twice"
            raise UsageError(
                f"`grades` are all answers from the least to the most, and {what}",
                hint=f"the answers are {', '.join(sorted(said))}",
            )
        return tuple(grades), True
    try:
        return tuple(sorted(said, key=float)), len(said) > 2
    except ValueError:
        return tuple(sorted(said)), False


def _bad(categories: Sequence[str], bad: Sequence[str]) -> np.ndarray | None:
    """Tell which categories mean a bad part; None where that is not known of all, or all mean the same."""
    unknown = [name for name in bad if name not in categories]
    if unknown:
        raise UsageError(
            f"`bad_answers` names answers, and nobody answered {unknown[0]!r}",
            hint=f"the answers are {', '.join(categories)}",
        )
    if bad:
        return np.array([name in bad for name in categories])
    meant = [label_meaning(name) for name in categories]
    if None in meant or len(set(meant)) < 2:
        return None
    return np.array(meant, dtype=bool)


def decisions(
    records: Iterable[StoredRecord], reference: str | None, *, machine: bool
) -> tuple[list[Row], dict[str, str] | None]:
    """List the decisions of people about inspections, the last of each person about each, and the standard.

    Args:
        records: inspections about which somebody decided.
        reference: who is always right, if anybody is; inspections without a decision of theirs are left out.
        machine: whether the machine's own verdicts are those of one more rater.

    Raises:
        FlawlineError: ("agreement-few") nobody decided, or not the one who is right.
    """
    rows: list[Row] = []
    standard: dict[str, str] = {}
    for stored in records:
        last: dict[str, str] = {one.who: one.verdict for one in stored.decisions}
        if not last or (reference is not None and reference not in last):
            continue
        part = f"{stored.record.image} (#{stored.id})"
        if reference is not None:
            standard[part] = last.pop(reference)
        if machine and stored.record.verdict is not None:
            last[MACHINE] = stored.record.verdict
        rows += [(part, who, verdict) for who, verdict in sorted(last.items())]
    if not rows:
        raise FlawlineError(
            "nobody has decided about these inspections"
            + ("" if reference is None else f" beside {reference}, or {reference} has not"),
            hint="let several people decide about the same inspections on the page, or by `flawline records decide`",
            code="agreement-few",
        )
    return rows, None if reference is None else standard
