"""Study how well people, machines and a standard agree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from flawline.api.columns import columns_from
from flawline.api.records import StoreLike, Time, opened_records, where_of
from flawline.data.table_format import stated_format
from flawline.errors import FlawlineError, UsageError

if TYPE_CHECKING:
    from flawline.jobs.study.agreement_report import AgreementStudy
    from flawline.jobs.study.study_rows import StudyRows
    from flawline.records.record import StoredRecord
    from flawline.records.store import Store
    from flawline.records.where import Where

_AT_ONCE = 500


def study_agreement(
    measure: str | None = None,
    table: str | os.PathLike[str] | None = None,
    *,
    store: StoreLike | None = None,
    where: Mapping[str, str] | None = None,
    since: Time = None,
    until: Time = None,
    part: str | None = None,
    rater: str | None = None,
    reference: str | None = None,
    machine: bool = False,
    bad_answers: Sequence[str] = (),
    grades: Sequence[str] = (),
    confidence: float = 0.95,
    table_format: Mapping[str, str | int] | None = None,
) -> AgreementStudy:
    """Study how well those who decide about parts agree with themselves, with each other and with the right answer.

    Args:
        measure: the column of answers; of records, people's decisions are taken.
        table: CSV, Parquet or spreadsheet, one row per answer; or give `store`.
        store: open records, or their URL: the last decision of each person about each inspection.
        where, since, until: which records, as for `list_records`.
        part: the column of parts; an inspection of records is one.
        rater: the column of those who answer.
        reference: the column of right answers; of records, the name of the person who is right.
        machine: in records, the machine's verdict is the answer of one more rater.
        bad_answers: answers that mean a bad part; the usual words for it if not given.
        grades: all answers from the least to the most; numbers are grades by themselves.
        confidence: of the intervals.
        table_format: as for `chart`.

    Returns:
        The finding in plain words, agreement within, between and with the right answers, misses and false alarms.
        `flawline.jobs.study.agreement_report.agreement_report` describes it, and `study_files.write_study` writes that.

    Raises:
        UsageError: arguments that do not go together.
        SourceError: the table cannot be read or lacks a column.
        StoreError: the records cannot be read.
        FlawlineError: answers from which nothing follows.
    """
    from flawline.jobs.study.agreement_ratings import decisions, ratings_of
    from flawline.jobs.study.agreement_report import studied
    from flawline.jobs.study.study_rows import study_rows

    if not 0 < confidence < 1:
        raise UsageError(f"`confidence` must be above 0 and below 1, got {confidence:g}")
    chosen = where_of(where, since, until) if where or since or until or store else None
    if store is not None and table is None:
        if measure or part or rater:
            raise UsageError(
                "`measure`, `part` and `rater` name columns of a table, and records are given",
                hint="of records, the decisions of people are studied",
            )
        with opened_records(store) as open_:
            rows, standard = decisions(_decided(open_, chosen), reference, machine=machine)
        return studied(
            ratings_of(rows, standard, bad_answers=bad_answers, grades=grades), confidence
        )
    if measure is None or part is None:
        raise UsageError(
            "expected the columns of answers and of parts",
            hint="name them with `measure` and `part`",
        )
    if machine:
        raise UsageError("`machine` is for records", hint="in a table, the machine is a rater")
    names = list(dict.fromkeys(one for one in (measure, part, rater, reference) if one))
    columns, notes = columns_from(
        table, store, measure, names, [], chosen, stated_format(table_format)
    )
    found = study_rows(columns, [], names)
    who = ["rater"] * len(found) if rater is None else found.names[rater]
    rows = list(zip(found.names[part], who, found.names[measure], strict=True))
    standard = None if reference is None else _standard(found, part, reference)
    ratings = ratings_of(rows, standard, bad_answers=bad_answers, grades=grades)
    return studied(ratings, confidence, found.skipped, notes)


def _standard(found: StudyRows, part: str, reference: str) -> dict[str, str]:
    """Read the right answer of each part, which all its rows must share."""
    standard: dict[str, str] = {}
    for name, right in zip(found.names[part], found.names[reference], strict=True):
        if standard.setdefault(name, right) != right:
            raise FlawlineError(
                f"part {name} has the right answers {standard[name]!r} and {right!r}",
                hint="a part has one: mend the column `reference`",
                code="agreement-reference",
            )
    return standard


def _decided(store: Store, where: Where | None) -> Iterator[StoredRecord]:
    """Read the inspections about which somebody decided, the oldest first."""
    from dataclasses import replace

    assert where is not None
    after = None
    while True:
        page = store.page(replace(where, decided=True), after=after, count=_AT_ONCE, newest=False)
        yield from page.items
        if page.next is None:
            return
        after = page.next
