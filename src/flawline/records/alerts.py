"""Store alerts of watched charts, their escalation and acknowledgements; rows are added and never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, exists, insert, select

from flawline.data.times import from_micros, micros
from flawline.errors import StoreError, UsageError
from flawline.records.delivery import write_owed
from flawline.records.engine import reading, writing
from flawline.records.owed import Owed
from flawline.records.tables import alert, alert_entry
from flawline.records.upsert import insert_new
from flawline.records.write import clean
from flawline.types import EMPTY

ESCALATED, ACKNOWLEDGED = "escalated", "acknowledged"


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert as it was raised.

    `key` is the same in every message about it. `rule` is the number of a Nelson rule, `side` "above", "below" or
    "both". `inspection` is the number of the first inspection of the point that signals, `point` that point's name and
    `since` that of the first point of the pattern. `text` describes the signal, `meaning` its usual cause, `action`
    what to do.
    """

    key: str
    series: str
    panel: str
    rule: int
    side: str
    inspection: int | None
    point: str
    since: str
    text: str
    meaning: str
    action: str
    raised: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has seen an alert, when, and their note."""

    who: str
    note: str
    when: datetime


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert as the records have it, the oldest acknowledgement first; it is open while there is none."""

    alert: RaisedAlert
    escalated: datetime | None = None
    acknowledgements: tuple[Acknowledgement, ...] = ()

    @property
    def open(self) -> bool:
        """Whether nobody has acknowledged it."""
        return not self.acknowledgements


class AlertBook:
    """The alerts in a store: `Store.alerts`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        alerts: Sequence[RaisedAlert],
        escalated: Mapping[str, datetime] = EMPTY,
        owed: Sequence[Owed] = (),
    ) -> None:
        """Write new alerts, escalations (time by key) and the messages about them, in one transaction.

        Stored alerts and escalations stay as they are.

        Raises:
            StoreError: they could not be written.
        """
        if not alerts and not escalated and not owed:
            return
        with writing(self._engine) as connection:
            if alerts:
                connection.execute(insert_new(connection, alert), [_row(item) for item in alerts])
            for key, when in escalated.items():
                number = _number(connection, key)
                if number is not None:
                    row = _entry(number, ESCALATED, when)
                    connection.execute(insert_new(connection, alert_entry), row)
            write_owed(connection, owed)

    def list(
        self, *, only_open: bool = False, series: str | None = None, count: int | None = None
    ) -> tuple[StoredAlert, ...]:
        """List alerts, the latest first.

        Args:
            only_open: leave out acknowledged alerts.
            series: the series of the alerts; all by default.
            count: how many at most.
        """
        query = select(alert).order_by(alert.c.id.desc())
        if only_open:
            known = alert_entry.c.alert == alert.c.id, alert_entry.c.kind == ACKNOWLEDGED
            query = query.where(~exists().where(*known))
        if series is not None:
            query = query.where(alert.c.series == series)
        with reading(self._engine) as connection:
            return _whole(connection, connection.execute(query.limit(count)).all())

    def get(self, key: str) -> StoredAlert:
        """Return one alert.

        Raises:
            StoreError: ("store-unknown") there is none of this key.
        """
        query = select(alert).where(alert.c.digest == _digest(key))
        with reading(self._engine) as connection:
            found = _whole(connection, connection.execute(query).all())
        if not found:
            raise _unknown(key)
        return found[0]

    def acknowledged(self, keys: Iterable[str]) -> dict[str, Acknowledgement]:
        """Return the first acknowledgement of each of these alerts that has one."""
        digests = [_digest(key) for key in keys]
        if not digests:
            return {}
        query = select(alert).where(alert.c.digest.in_(digests))
        with reading(self._engine) as connection:
            found = _whole(connection, connection.execute(query).all())
        return {item.alert.key: item.acknowledgements[0] for item in found if not item.open}

    def acknowledge(self, key: str, *, who: str, note: str, when: datetime) -> StoredAlert:
        """Acknowledge an alert; earlier acknowledgements stay.

        Raises:
            UsageError: nobody's name, or a time without a zone.
            StoreError: ("store-unknown") there is none of this key.
        """
        if not who.strip():
            raise UsageError("an acknowledgement needs the name of who has seen the alert")
        with writing(self._engine) as connection:
            number = _number(connection, key)
            if number is None:
                raise _unknown(key)
            row = _entry(number, ACKNOWLEDGED, when, who=clean(who), note=clean(note))
            connection.execute(insert(alert_entry), row)
        return self.get(key)


def _number(connection: Connection, key: str) -> int | None:
    found = connection.execute(select(alert.c.id).where(alert.c.digest == _digest(key))).scalar()
    return None if found is None else int(found)


def _row(item: RaisedAlert) -> dict[str, Any]:
    texts = ("key", "series", "panel", "side", "point", "since", "text", "meaning", "action")
    return {
        **{name: clean(getattr(item, name)) for name in texts},
        "digest": _digest(item.key),
        "rule": item.rule,
        "inspection": item.inspection,
        "raised": micros(item.raised),
    }


def _entry(
    number: int, kind: str, when: datetime, *, who: str = "", note: str = ""
) -> dict[str, Any]:
    return {"alert": number, "kind": kind, "who": who, "note": note, "entered": micros(when)}


def _whole(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[StoredAlert, ...]:
    query = select(alert_entry).where(alert_entry.c.alert.in_([row.id for row in rows]))
    entries: dict[int, list[Row[Any]]] = {}
    for entry in connection.execute(query.order_by(alert_entry.c.id)) if rows else ():
        entries.setdefault(entry.alert, []).append(entry)
    return tuple(_stored(row, entries.get(row.id, ())) for row in rows)


def _stored(row: Row[Any], entries: Sequence[Row[Any]]) -> StoredAlert:
    fields = {name: getattr(row, name) for name in RaisedAlert.__dataclass_fields__}
    acknowledged = [entry for entry in entries if entry.kind == ACKNOWLEDGED]
    escalated = [from_micros(entry.entered) for entry in entries if entry.kind == ESCALATED]
    return StoredAlert(
        RaisedAlert(**{**fields, "raised": from_micros(row.raised)}),
        escalated[0] if escalated else None,
        tuple(Acknowledgement(one.who, one.note, from_micros(one.entered)) for one in acknowledged),
    )


def alert_as_dict(stored: StoredAlert) -> dict[str, Any]:
    """Convert an alert to what JSON can hold."""
    return {
        **asdict(stored.alert),
        "raised": stored.alert.raised.isoformat(),
        "escalated": None if stored.escalated is None else stored.escalated.isoformat(),
        "open": stored.open,
        "acknowledgements": [
            {"who": one.who, "note": one.note, "when": one.when.isoformat()}
            for one in stored.acknowledgements
        ],
    }


def _unknown(key: str) -> StoreError:
    return StoreError(
        f"there is no alert {key!r}",
        hint="`flawline alerts list` shows their keys",
        code="store-unknown",
    )


def _digest(key: str) -> bytes:
    return hashlib.sha256(clean(key).encode()).digest()[:16]
