"""Turn the signals of new points into alerts to send and store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.alerts import Episode, unfinished, update_alerts
from flawline.core.spc.charts_short_runs import Z
from flawline.core.spc.rules import RuleSignal
from flawline.jobs.chart.growing_chart import GrowingChart
from flawline.outputs import Alert
from flawline.records.alerts import RaisedAlert
from flawline.types import EMPTY

_LEVELS = ("individuals", Z)
_SIDES = {1: "above", -1: "below"}


class _Values(TypedDict):
    value: float
    lower: float | None
    centre: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class NewAlerts:
    """Events to send in order, new alerts to store, and times of escalation by key."""

    events: tuple[Alert, ...] = ()
    raised: tuple[RaisedAlert, ...] = ()
    escalated: Mapping[str, datetime] = field(default_factory=lambda: EMPTY)


def find_new_alerts(
    episodes: Mapping[str, Episode],
    name: str,
    growing: GrowingChart,
    signals: Sequence[RuleSignal],
    now: datetime,
    more: Mapping[str, str],
) -> tuple[dict[str, Episode], NewAlerts]:
    """Add signals to the unfinished episodes; returns the new episodes, and what to send and store.

    Args:
        episodes: alerts that have not ended.
        name: name of the series in keys and texts.
        growing: the points up to and including those with new signals, all of them drawn.
        signals: new signals of Phase II.
        now: the time of the events.
        more: `measure`, `unit` and `store` of the events.
    """
    before = growing.before
    places = {place for signal in signals for place in (signal.first, signal.at)}
    labels = {place: growing.labels[place - before] for place in places if place >= before}
    keys = {signal.at: str(growing.ids[signal.at - before]) for signal in signals}
    entered, sent = update_alerts(
        episodes, name, _without_echoes(signals, growing), labels, point_keys=keys
    )
    events = [_event(episode, growing, now, more) for episode in sent]
    return unfinished(entered, growing.state.seen), NewAlerts(
        tuple(events),
        tuple(_raised(alert, growing, now) for alert in sent if alert.level == 1),
        {alert.key: now for alert in sent if alert.level > 1},
    )


def _without_echoes(signals: Sequence[RuleSignal], growing: GrowingChart) -> list[RuleSignal]:
    """Drop signals of moving ranges next to a point beyond a limit: they report it a second time."""
    beyond = {s.at for s in growing.signals if s.rule.number == 1 and s.panel in _LEVELS}
    return [s for s in signals if s.panel != "moving range" or not beyond & {s.at, s.at - 1}]


def _event(alert: Episode, growing: GrowingChart, now: datetime, more: Mapping[str, str]) -> Alert:
    raised = _raised(alert, growing, now)
    text = alert.text
    if alert.level > 1:
        text += f"; it goes on to {_label(growing, alert.last)}, and nobody has acknowledged it"
    return Alert(
        key=alert.key,
        time=now,
        level=alert.level,
        text=text,
        meaning=alert.meaning,
        action=alert.action,
        series=alert.series,
        panel=alert.panel,
        rule=alert.rule,
        side=raised.side,
        inspection=raised.inspection,
        point=raised.point,
        since=raised.since,
        last=_label(growing, alert.last),
        points=alert.count,
        **_values(alert, growing),
        **more,
    )


def _raised(alert: Episode, growing: GrowingChart, now: datetime) -> RaisedAlert:
    return RaisedAlert(
        key=alert.key,
        series=alert.series,
        panel=alert.panel,
        rule=alert.rule,
        side=_SIDES.get(alert.side, "both"),
        inspection=int(alert.key.rpartition("/")[2]),
        point=_label(growing, alert.first),
        since=_label(growing, alert.since),
        text=alert.text,
        meaning=alert.meaning,
        action=alert.action,
        raised=now,
    )


def _label(growing: GrowingChart, place: int) -> str:
    """Return the name of a point; its number from 1 if it is no longer drawn."""
    index = place - growing.before
    return growing.labels[index] if index >= 0 else f"#{place + 1}"


def _values(alert: Episode, growing: GrowingChart) -> _Values:
    """Return value and limits at the latest point of the alert."""
    panel = next(panel for panel in growing.panels if panel.name == alert.panel)
    index = int(np.searchsorted(panel.at, alert.last - growing.before))

    def at(line: NDArray[np.float64] | None) -> float | None:
        return None if line is None else float(line[index])

    return _Values(
        value=float(panel.values[index]),
        lower=at(panel.lower),
        centre=at(panel.centre),
        upper=at(panel.upper),
    )
