"""From the hits of new points to alerts: as messages to be sent, and as they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from flawline.core.spc.alerts import Alert, unfinished, update_alerts
from flawline.core.spc.rules import Hit
from flawline.jobs.chart.growing import Growing
from flawline.records.alerts import RaisedAlert
from flawline.types import EMPTY

_SIDES = {1: "above", -1: "below"}


@dataclass(frozen=True, slots=True)
class Alarms:
    """What has to be sent and kept: messages in order, new alerts, and when which were escalated."""

    messages: tuple[Mapping[str, Any], ...] = ()
    raised: tuple[RaisedAlert, ...] = ()
    escalated: Mapping[str, datetime] = field(default_factory=lambda: EMPTY)


def find_alarms(
    book: Mapping[str, Alert],
    name: str,
    growing: Growing,
    hits: Sequence[Hit],
    now: datetime,
    more: Mapping[str, Any],
) -> tuple[dict[str, Alert], Alarms]:
    """Enter hits into the book of unfinished episodes; returns the new book and what to send and keep.

    Args:
        book: alerts whose episode goes on.
        name: what is charted, as keys and texts name it.
        growing: the points up to and with those that were hit, all of them among those that are drawn.
        hits: new hits of Phase II.
        now: the time of the messages.
        more: what every message says beside, such as the measure.
    """
    before = growing.before
    told = {place for hit in hits for place in (hit.first, hit.at) if place >= before}
    labels = {place: growing.labels[place - before] for place in told}
    marks = {hit.at: str(growing.ids[hit.at - before]) for hit in hits}
    entered, sent = update_alerts(book, name, _without_echoes(hits, growing), labels, marks=marks)
    messages = [{**_message(alert, growing, now), **more} for alert in sent]
    return unfinished(entered, growing.state.seen), Alarms(
        tuple(messages),
        tuple(_raised(alert, growing, now) for alert in sent if alert.level == 1),
        {alert.key: now for alert in sent if alert.level > 1},
    )


def _without_echoes(hits: Sequence[Hit], growing: Growing) -> list[Hit]:
    """Without wide moving ranges to or from a point that rings for itself: they say the same once more."""
    beyond = {h.at for h in growing.hits if h.rule.number == 1 and h.panel == "individuals"}
    return [hit for hit in hits if hit.panel != "moving range" or not beyond & {hit.at, hit.at - 1}]


def _message(alert: Alert, growing: Growing, now: datetime) -> dict[str, Any]:
    kept = _raised(alert, growing, now)
    text = alert.text
    if alert.level > 1:
        text += f"; it goes on to {_label(growing, alert.last)}, and nobody has acknowledged it"
    return {
        "format": "flawline-alert",
        "version": 1,
        "key": alert.key,
        "level": alert.level,
        "text": text,
        "meaning": alert.meaning,
        "action": alert.action,
        "series": alert.series,
        "panel": alert.panel,
        "rule": alert.rule,
        "side": kept.side,
        "inspection": kept.inspection,
        "point": kept.point,
        "since": kept.since,
        "last": _label(growing, alert.last),
        "points": alert.count,
        **_values(alert, growing),
        "raised": now.isoformat(),
    }


def _raised(alert: Alert, growing: Growing, now: datetime) -> RaisedAlert:
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


def _values(alert: Alert, growing: Growing) -> dict[str, float | None]:
    """Value and limits at the latest point of the alert."""
    panel = next(panel for panel in growing.panels if panel.name == alert.panel)
    spot = int(np.searchsorted(panel.at, alert.last - growing.before))
    lines = {"lower": panel.lower, "centre": panel.centre, "upper": panel.upper}
    found = {name: None if line is None else float(line[spot]) for name, line in lines.items()}
    return {"value": float(panel.values[spot]), **found}
