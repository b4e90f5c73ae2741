"""Turn rule signals into alerts: one per episode, with a stable key, open until somebody acknowledges it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from flawline.core.spc.rules import RuleSignal, describe
from flawline.core.spc.signal_texts import text_of

Alerts = Mapping[str, "Episode"]


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of a rule on one side of one panel of one series.

    `key` is the same for every message about the episode. Points are counted from 0: `since` is the first of the
    pattern, `first` the point that raised the alert, `last` the latest point of the episode, `count` the number of its
    points. `level` is 1, and 2 after escalation. `acknowledged_by` and `note` are empty until somebody acknowledges.
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
    """When an episode is over and when its alert is escalated.

    An episode is over after `quiet` points without a signal. An alert that nobody acknowledged is escalated after
    `escalate` more points of the episode.
    """

    quiet: int = 5
    escalate: int = 3


POLICY = AlertPolicy()
NO_KEYS: Mapping[int, str] = MappingProxyType({})


def update_alerts(
    alerts: Alerts,
    series: str,
    signals: Sequence[RuleSignal],
    labels: Mapping[int, str],
    policy: AlertPolicy = POLICY,
    point_keys: Mapping[int, str] = NO_KEYS,
) -> tuple[dict[str, Episode], tuple[Episode, ...]]:
    """Update alerts with new signals; returns the new alerts by key, and those to send, in order.

    A signal within an episode updates its alert; only escalation sends it again. An acknowledged alert is dropped when
    another episode of its kind begins. The same signals in one call or in many give the same alerts; a signal that
    was processed before changes nothing.

    Args:
        alerts: alerts by key, as the last call returned them.
        series: the name of the charted series, for the key and the text.
        signals: new signals, in order of points.
        labels: the label of each point of a signal; a point without one is named by its number from 1.
        policy: when an episode ends and when its alert is escalated.
        point_keys: a unique key of each point that may raise an alert; by default its number from 0. Numbers change
            with the first point that is charted; the key of a record does not.
    """
    now, sent = dict(alerts), []
    for signal in signals:
        current = _episode(now.values(), series, signal, policy)
        if current is None:
            alert = _new(series, signal, labels, point_keys)
            now = {
                key: old
                for key, old in now.items()
                if not (old.acknowledged_by and _same(old, alert))
            }
            sent.append(alert)
        elif signal.at <= current.last:
            continue
        else:
            alert = replace(current, last=signal.at, count=current.count + 1)
            if not alert.acknowledged_by and alert.level == 1 and alert.count > policy.escalate:
                alert = replace(alert, level=2)
                sent.append(alert)
        now[alert.key] = alert
    return now, tuple(sent)


def acknowledge(
    alerts: Alerts, key: str, *, by: str, at: str, note: str = ""
) -> dict[str, Episode]:
    """Acknowledge one alert; it stays silent until its episode is over and another begins.

    Args:
        alerts: alerts by key.
        key: the alert to acknowledge.
        by: the person.
        at: the time, as the caller's clock writes it.
        note: the cause, if it is known.

    Raises:
        KeyError: no such alert.
    """
    return {**alerts, key: replace(alerts[key], acknowledged_by=by, acknowledged_at=at, note=note)}


def open_alerts(alerts: Alerts) -> tuple[Episode, ...]:
    """List the alerts that nobody has acknowledged, the highest level first, then the oldest."""
    waiting = [alert for alert in alerts.values() if not alert.acknowledged_by]
    return tuple(sorted(waiting, key=lambda alert: (-alert.level, alert.first, alert.key)))


def unfinished(alerts: Alerts, points: int, policy: AlertPolicy = POLICY) -> dict[str, Episode]:
    """Select the alerts whose episode may continue after `points` judged points.

    `update_alerts` needs only these; without this selection the alerts grow for ever.
    """
    return {key: alert for key, alert in alerts.items() if points - alert.last <= policy.quiet}


def _same(one: Episode, other: Episode) -> bool:
    return (one.series, one.panel, one.rule, one.side) == (
        other.series,
        other.panel,
        other.rule,
        other.side,
    )


def _episode(
    alerts: Iterable[Episode], series: str, signal: RuleSignal, policy: AlertPolicy
) -> Episode | None:
    kind = (series, signal.panel, signal.rule.number, signal.side)
    same = [a for a in alerts if (a.series, a.panel, a.rule, a.side) == kind]
    latest = max(same, key=lambda alert: alert.last, default=None)
    return latest if latest is not None and signal.at - latest.last <= policy.quiet else None


def _new(
    series: str, signal: RuleSignal, labels: Mapping[int, str], point_keys: Mapping[int, str]
) -> Episode:
    number = signal.rule.number
    here = labels.get(signal.at, f"#{signal.at + 1}")
    start = labels.get(signal.first, f"#{signal.first + 1}")
    found, told = describe(signal.rule, signal.side), text_of(number, signal.panel, signal.side)
    text = f"{series}, {signal.panel}: {found} at {here}"
    if signal.first < signal.at:
        text += f", since {start}"
    side = {1: "above", -1: "below"}.get(signal.side, "both")
    point_key = point_keys.get(signal.at, str(signal.at))
    return Episode(
        key="/".join(map(_word, (series, signal.panel, f"rule-{number}", side, point_key))),
        series=series,
        panel=signal.panel,
        rule=number,
        side=signal.side,
        since=signal.first,
        first=signal.at,
        last=signal.at,
        count=1,
        text=text,
        meaning=told.meaning,
        action=told.action,
    )


def _word(text: str) -> str:
    """Make a part of a key that can be typed without quotes."""
    return re.sub(r"[^\w.=+-]+", "-", text).strip("-")
