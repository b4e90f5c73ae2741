"""Publish events as an edge node of Sparkplug B, for SCADA systems and historians that speak it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from flawline.data.process import PROCESS
from flawline.errors import UsageError
from flawline.outputs.events import Message
from flawline.outputs.mqtt_broker import BrokerEntries, broker_name, check_broker, reason_of
from flawline.outputs.mqtt_link import Link
from flawline.outputs.output import Failure, OutputKind, Say
from flawline.outputs.sparkplug_payload import (
    BOOLEAN,
    DATE_TIME,
    DOUBLE,
    INT64,
    STRING,
    Metric,
    check_library,
    decode,
    encode,
)
from flawline.recipe.checks import text
from flawline.recipe.entries import entry

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

REBIRTH = "Node Control/Rebirth"
Value = Callable[[Message], Any]


@dataclass(frozen=True, slots=True)
class SparkplugEntries(BrokerEntries):
    """sparkplug: an edge node at a broker."""

    group: str = entry(text(200), "Group of the edge node", "Flawline")
    node: str = entry(text(200), "Name of the edge node, such as that of the station", "flawline")


def _key(name: str) -> Value:
    return lambda message: message[name]


def _name(name: str) -> Value:
    return lambda message: message["part"] if name == "part" else message["names"].get(name)


def _time(message: Message) -> int:
    return round(1000 * datetime.fromisoformat(message["time"]).timestamp())


def _whole(message: Message) -> str:
    return json.dumps(dict(message), ensure_ascii=False, allow_nan=False)


_EVENT: Mapping[str, tuple[int, Value]] = {
    "Key": (STRING, _key("key")),
    "Time": (DATE_TIME, _time),
    "Event": (STRING, _whole),
}
METRICS: Mapping[str, Mapping[str, tuple[int, Value]]] = {
    "judged": {
        "Verdict": (STRING, _key("verdict")),
        "Score": (DOUBLE, _key("score")),
        "Image": (STRING, _key("image")),
        **{name.capitalize(): (STRING, _name(name)) for name in PROCESS},
        **_EVENT,
    },
    "alert": {"Text": (STRING, _key("text")), "Level": (INT64, _key("level")), **_EVENT},
    "health": {
        "Subject": (STRING, _key("subject")),
        "State": (STRING, _key("state")),
        "Text": (STRING, _key("text")),
        **_EVENT,
    },
}
"""The metrics of each kind of event, "Judged/Verdict" and so on: data type and value."""


@dataclass(slots=True)
class Sparkplug:
    """An edge node: NBIRTH at each connection, NDATA for each event, NDEATH as last will and at the end.

    The standard asks for NDATA of QoS 0, so that an event has arrived when it is on its way.

    Raises:
        UsageError: the URL, a certificate or a name cannot be used.
        DependencyError: paho-mqtt or protobuf is not installed.
    """

    entries: SparkplugEntries
    clock: Callable[[], float] = time.time
    _link: Link = field(init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)
    _births: int = field(default=-1, init=False)
    _seq: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be sent to, without connecting."""
        check_broker(self.entries)
        check_library()
        for name in ("group", "node"):
            value = getattr(self.entries, name)
            if not value or set(value) & set("/+#") or not value.isprintable():
                raise UsageError(
                    f"expected a {name} without /, + and #, got {value!r}",
                    hint="it is one level of the topics",
                )
        self._link = Link(self.entries, self._prepare, self._greet)

    @property
    def name(self) -> str:
        """Name the output for people."""
        return f"sparkplug:{broker_name(self.entries.url)}"

    @property
    def place(self) -> str:
        """Return broker and edge node."""
        return f"{self.entries.url}\n{self.entries.group}/{self.entries.node}"

    def open(self) -> None:
        """Do nothing: the connection is opened with a message, and again when it broke."""

    def close(self) -> None:
        """Say goodbye: a client that leaves by itself sends its own death (section 6.4.21)."""
        client = self._link.client
        if client is not None and client.is_connected():
            info = client.publish(self._topic("NDEATH"), self._death(), qos=1)
            # Where the broker is gone, it sends the last will.
            with suppress(RuntimeError):
                info.wait_for_publish(self.entries.timeout)
        self._link.drop()

    def send(self, message: Message) -> Failure | None:
        """Publish one event."""
        try:
            if why := self._link.up():
                return Failure(f"the broker is away: {why}")
            client = self._link.client
            assert client is not None
            with self._lock:
                self._seq = (self._seq + 1) % 256
                body = encode(metrics_of(message), _time(message), self._seq)
                info = client.publish(self._topic("NDATA"), body, qos=0)
            info.wait_for_publish(self.entries.timeout)
            if info.is_published():
                return None
        except (OSError, ValueError, RuntimeError) as error:
            self._link.drop()
            return Failure(f"the broker is away: {reason_of(error)}")
        self._link.drop()
        return Failure(f"it could not be sent within {self.entries.timeout:g} s")

    def _topic(self, kind: str) -> str:
        return f"spBv1.0/{self.entries.group}/{kind}/{self.entries.node}"

    def _death(self) -> bytes:
        return encode([Metric("bdSeq", INT64, self._births % 256)], self._now())

    def _now(self) -> int:
        return round(1000 * self.clock())

    def _prepare(self, client: Client) -> None:
        def before(client: Client, data: object) -> None:
            # Each connection has a will of its own, also where the client connects again by itself.
            self._births += 1
            client.will_set(self._topic("NDEATH"), self._death(), qos=1)

        client.on_pre_connect = before
        client.on_message = self._commanded

    def _greet(self, client: Client) -> None:
        client.subscribe(self._topic("NCMD"), 1)
        self._born(client)

    def _born(self, client: Client) -> None:
        """Publish the birth, which names every metric of this node; numbers of payloads begin anew."""
        unknown = [
            Metric(f"{kind.capitalize()}/{name}", form, None)
            for kind, metrics in METRICS.items()
            for name, (form, _) in metrics.items()
        ]
        own = [Metric("bdSeq", INT64, self._births % 256), Metric(REBIRTH, BOOLEAN, False)]
        with self._lock:
            self._seq = 0
            client.publish(self._topic("NBIRTH"), encode([*own, *unknown], self._now(), 0), qos=0)

    def _commanded(self, client: Client, data: object, message: MQTTMessage) -> None:
        """Be born again where a host asks; other commands and what is no payload are passed over."""
        try:
            asked = decode(bytes(message.payload))
        except ValueError:
            return
        if any(one.name == REBIRTH and one.value is True for one in asked):
            self._born(client)


def metrics_of(message: Message) -> list[Metric]:
    """Return the metrics of an event."""
    kind = message["kind"]
    return [
        Metric(f"{kind.capitalize()}/{name}", form, value(message))
        for name, (form, value) in METRICS[kind].items()
    ]


def _open(entries: SparkplugEntries, say: Say) -> Sparkplug:
    return Sparkplug(entries)


KIND = OutputKind(SparkplugEntries, _open, "sparkplug:URL", "url")
