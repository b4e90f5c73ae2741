"""From hits to alerts: one for each episode, known by a key, until somebody acknowledges it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from flawline.core.spc.rule_table import RULES
from flawline.core.spc.rules import RuleSignal, describe

Book = Mapping[str, "Episode"]


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of a rule on one side of one panel of one series.

    `key` is the same for every message about the episode. Points are counted from 0: `since` is the first of the
    pattern, `first` the point that rang, `last` the latest that kept it going, `count` how many did. `level` is 1, and
    2 once it was escalated. `acknowledged_by` is empty until somebody did; `note` is what they said.
    """

    key: str
    series: str
    panel: str
    rule: int
    side: int
    since: int
    first: int
    last: int
    count: int
    text: str
    meaning: str
    action: str
    level: int = 1
    acknowledged_by: str = ""
    acknowledged_at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """When an episode is over and when it is raised to the next level.

    An episode is over after `quiet` points without a hit. One that nobody acknowledged is escalated once `escalate`
    points have kept it going.
    """

    quiet: int = 5
    escalate: int = 3


POLICY = AlertPolicy()
NO_MARKS: Mapping[int, str] = MappingProxyType({})


def update_alerts(
    book: Book,
    series: str,
    hits: Sequence[RuleSignal],
    labels: Mapping[int, str],
    policy: AlertPolicy = POLICY,
    marks: Mapping[int, str] = NO_MARKS,
) -> tuple[dict[str, Episode], tuple[Episode, ...]]:
    """Enter hits into a book of alerts; returns the new book and the alerts to send, in order.

    An acknowledged alert leaves the book when another episode of its kind begins.

    A hit that goes on with an episode changes its alert and sends nothing, but for the one that escalates it. The same
    hits in one call or in many give the same book; a hit that is already entered changes nothing.

    Args:
        book: alerts by key, as the last call returned it.
        series: what is charted, as it will be named in the key and the text.
        hits: new hits, in order of points.
        labels: the label of each point that a hit names; a point without one is named by its number from 1.
        policy: when an episode ends and when it is escalated.
        marks: what tells the point that rings from every other, for the key; its number from 0 where there is none.
            Numbers change with the first point that is charted; the key of a record does not.
    """
    now, sent = dict(book), []
    for hit in hits:
        going_on = _episode(now.values(), series, hit, policy)
        if going_on is None:
            alert = _new(series, hit, labels, marks)
            now = {
                key: old
                for key, old in now.items()
                if not (old.acknowledged_by and _same(old, alert))
            }
            sent.append(alert)
        elif hit.at <= going_on.last:
            continue
        else:
            alert = replace(going_on, last=hit.at, count=going_on.count + 1)
            if not alert.acknowledged_by and alert.level == 1 and alert.count > policy.escalate:
                alert = replace(alert, level=2)
                sent.append(alert)
        now[alert.key] = alert
    return now, tuple(sent)


def acknowledge(book: Book, key: str, *, by: str, at: str, note: str = "") -> dict[str, Episode]:
    """The book with one alert acknowledged; it stays silent until its episode is over and another begins.

    Args:
        book: alerts by key.
        key: which one.
        by: who.
        at: when, as the caller's clock writes it.
        note: the cause, if it is known.

    Raises:
        KeyError: no such alert.
    """
    return {**book, key: replace(book[key], acknowledged_by=by, acknowledged_at=at, note=note)}


def open_alerts(book: Book) -> tuple[Episode, ...]:
    """The alerts that nobody has acknowledged, the highest level first, then the oldest."""
    waiting = [alert for alert in book.values() if not alert.acknowledged_by]
    return tuple(sorted(waiting, key=lambda alert: (-alert.level, alert.first, alert.key)))


def unfinished(book: Book, seen: int, policy: AlertPolicy = POLICY) -> dict[str, Episode]:
    """The alerts whose episode a hit at the next point would go on with, where `seen` points are judged.

    With them alone `update_alerts` does the same; a book that keeps all others as well grows for ever.
    """
    return {key: alert for key, alert in book.items() if seen - alert.last <= policy.quiet}


def _same(one: Episode, other: Episode) -> bool:
    return (one.series, one.panel, one.rule, one.side) == (
        other.series,
        other.panel,
        other.rule,
        other.side,
    )


def _episode(
    alerts: Iterable[Episode], series: str, hit: RuleSignal, policy: AlertPolicy
) -> Episode | None:
    what = (series, hit.panel, hit.rule.number, hit.side)
    same = [a for a in alerts if (a.series, a.panel, a.rule, a.side) == what]
    latest = max(same, key=lambda alert: alert.last, default=None)
    return latest if latest is not None and hit.at - latest.last <= policy.quiet else None


def _new(
    series: str, hit: RuleSignal, labels: Mapping[int, str], marks: Mapping[int, str]
) -> Episode:
    number = hit.rule.number
    here = labels.get(hit.at, f"#{hit.at + 1}")
    start = labels.get(hit.first, f"#{hit.first + 1}")
    told = describe(hit.rule, hit.side)
    text = f"{series}, {hit.panel}: {told} at {here}"
    if hit.first < hit.at:
        text += f", since {start}"
    side = {1: "above", -1: "below"}.get(hit.side, "both")
    mark = marks.get(hit.at, str(hit.at))
    return Episode(
        key="/".join(map(_word, (series, hit.panel, f"rule-{number}", side, mark))),
        series=series,
        panel=hit.panel,
        rule=number,
        side=hit.side,
        since=hit.first,
        first=hit.at,
        last=hit.at,
        count=1,
        text=text,
        meaning=RULES[number].meaning,
        action=RULES[number].action,
    )


def _word(text: str) -> str:
    """A part of a key, to be typed without quotes."""
    return re.sub(r"[^\w.=+-]+", "-", text).strip("-")
