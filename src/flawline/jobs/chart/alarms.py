"""Turn the signals of new points into alerts: events to send, and entries of the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.alerts import Episode, unfinished, update_alerts
from flawline.core.spc.rules import RuleSignal
from flawline.jobs.chart.growing import Growing
from flawline.outputs import Alert
from flawline.records.alerts import RaisedAlert
from flawline.types import EMPTY

_SIDES = {1: "above", -1: "below"}


class _Values(TypedDict):
    value: float
    lower: float | None
    centre: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Alarms:
    """What has to be sent and kept: events in order, new alerts, and when which were escalated."""

    events: tuple[Alert, ...] = ()
    raised: tuple[RaisedAlert, ...] = ()
    escalated: Mapping[str, datetime] = field(default_factory=lambda: EMPTY)


def find_alarms(
    book: Mapping[str, Episode],
    name: str,
    growing: Growing,
    hits: Sequence[RuleSignal],
    now: datetime,
    more: Mapping[str, str],
) -> tuple[dict[str, Episode], Alarms]:
    """Enter hits into the book of unfinished episodes; returns the new book and what to send and keep.

    Args:
        book: alerts whose episode goes on.
        name: what is charted, as keys and texts name it.
        growing: the points up to and with those that were hit, all of them among those that are drawn.
        hits: new hits of Phase II.
        now: the time of the events.
        more: `measure`, `unit` and `store` of the events.
    """
    before = growing.before
    told = {place for hit in hits for place in (hit.first, hit.at) if place >= before}
    labels = {place: growing.labels[place - before] for place in told}
    marks = {hit.at: str(growing.ids[hit.at - before]) for hit in hits}
    entered, sent = update_alerts(
        book, name, _without_echoes(hits, growing), labels, point_keys=marks
    )
    events = [_event(episode, growing, now, more) for episode in sent]
    return unfinished(entered, growing.state.seen), Alarms(
        tuple(events),
        tuple(_raised(alert, growing, now) for alert in sent if alert.level == 1),
        {alert.key: now for alert in sent if alert.level > 1},
    )


def _without_echoes(hits: Sequence[RuleSignal], growing: Growing) -> list[RuleSignal]:
    """Without wide moving ranges to or from a point that rings for itself: they say the same once more."""
    beyond = {h.at for h in growing.hits if h.rule.number == 1 and h.panel == "individuals"}
    return [hit for hit in hits if hit.panel != "moving range" or not beyond & {hit.at, hit.at - 1}]


def _event(alert: Episode, growing: Growing, now: datetime, more: Mapping[str, str]) -> Alert:
    kept = _raised(alert, growing, now)
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
        side=kept.side,
        inspection=kept.inspection,
        point=kept.point,
        since=kept.since,
        last=_label(growing, alert.last),
        points=alert.count,
        **_values(alert, growing),
        **more,
    )


def _raised(alert: Episode, growing: Growing, now: datetime) -> RaisedAlert:
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


def _label(growing: Growing, place: int) -> str:
    """The name of a point; its number from 1 where it is no longer among those that are drawn."""
    here = place - growing.before
    return growing.labels[here] if here >= 0 else f"#{place + 1}"


def _values(alert: Episode, growing: Growing) -> _Values:
    """Value and limits at the latest point of the alert."""
    panel = next(panel for panel in growing.panels if panel.name == alert.panel)
    spot = int(np.searchsorted(panel.at, alert.last - growing.before))

    def at(line: NDArray[np.float64] | None) -> float | None:
        return None if line is None else float(line[spot])

    return _Values(
        value=float(panel.values[spot]),
        lower=at(panel.lower),
        centre=at(panel.centre),
        upper=at(panel.upper),
    )
