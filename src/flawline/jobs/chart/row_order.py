"""Note where rows are not in order of time, a time occurs twice, or the rows of a group are apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time
from itertools import groupby
from typing import Any

from flawline.core.words import counted
from flawline.data.day_texts import day_or_month, iso_text
from flawline.errors import UsageError
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.row_groups import row_keys
from flawline.jobs.chart.series_table import Columns, as_text

_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?")


def time_notes(columns: Columns, how: Forming) -> list[str]:
    """List what is wrong with the times of rows, if the column that names points or groups holds times."""
    name = how.label or how.by
    if name is None:
        return []
    texts = [text for text in map(as_text, columns[name]) if text]
    times = _times(texts)
    if len(times) < 2:
        return []
    notes = []
    earlier = [] if isinstance(times[0], time) else _earlier(times)
    if earlier:
        notes.append(
            f"{counted(len(earlier), 'row')} with an earlier {name} than the row before, the first "
            f"{texts[earlier[0]]}: rows are charted as they stand; sort the table by {name} if parts were made in that "
            "order"
        )
    twice = [text for text, count in Counter(texts).items() if count > 1]
    if twice and not how.by and not how.every:
        notes.append(
            f"{counted(len(twice), 'time')} of {name} on more than one row, the first {twice[0]}: a part that was "
            "recorded twice is charted twice"
        )
    return notes


def groups_apart(columns: Columns, measure: str, how: Forming) -> list[str]:
    """List which groups of a column have rows of others in between, within one stage."""
    if not how.by:
        return []
    keys = [(run, name) for run, name, _ in row_keys(columns, measure, how) if name]
    runs = Counter(key for key, _ in groupby(keys))
    apart = list(dict.fromkeys(name for (_, name), count in runs.items() if count > 1))
    if not apart:
        return []
    return [
        f"rows of {counted(len(apart), how.by)} have rows of others in between, the first {apart[0]}: all rows of one "
        f"{how.by} are one point; if names were used again, name the periods in a column and give it as `stage`"
    ]


def _earlier(times: Sequence[Any]) -> list[int]:
    return [place for place in range(1, len(times)) if times[place] < times[place - 1]]


def _times(texts: Sequence[str]) -> Sequence[datetime] | Sequence[time]:
    """Read all texts as times; an empty list if one is none, or if some have a zone and others not."""
    try:
        if all(map(_CLOCK.fullmatch, texts)):
            return [time.fromisoformat(text.zfill(5)) for text in texts]
        first = day_or_month(texts)
        times = [_time(iso_text(text, first)) for text in texts]
    except (ValueError, UsageError):
        return []
    return times if len({one.tzinfo is None for one in times}) == 1 else []


def _time(text: str) -> datetime:
    # A number of eight digits is a part more often than a day.
    if text.isdecimal():
        raise ValueError("a number")
    return datetime.fromisoformat(text)
