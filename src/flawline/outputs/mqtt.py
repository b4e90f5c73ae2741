"""Publish events to an MQTT broker, each acknowledged (QoS 1).

With paho-mqtt: a thread of its own sends each message and waits for the acknowledgement, so that the asyncio layer of
aiomqtt, which rests on paho-mqtt too, would add a loop and nothing else.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flawline.data.process import PROCESS
from flawline.errors import UsageError
from flawline.outputs.events import Message
from flawline.outputs.mqtt_broker import BrokerEntries, broker_name, check_broker, reason_of
from flawline.outputs.mqtt_link import Link
from flawline.outputs.output import MOST, Failure, OutputKind, Say
from flawline.recipe.checks import boolean, text
from flawline.recipe.entries import entry

if TYPE_CHECKING:
    from paho.mqtt.client import Client

TOPIC = "flawline/{station}/{kind}"
FIELDS = ("kind", "verdict", *PROCESS)
# Packet too large, topic name invalid, payload format invalid (MQTT 5, section 3.4.2.1): this message will never do.
_NEVER = (0x95, 0x90, 0x99)


@dataclass(frozen=True, slots=True)
class MqttEntries(BrokerEntries):
    """mqtt: messages to a broker."""

    topic: str = entry(text(MOST), "The topic of an event, with fields such as {station}", TOPIC)
    state_topic: str = entry(
        text(MOST), 'Where "online" is retained, and "offline" by the last will; none if empty', ""
    )
    retain: bool = entry(boolean(), "The broker keeps the last event of each topic", False)


@dataclass(slots=True)
class Mqtt:
    """Publish each event as JSON under a topic.

    The connection is opened with the first message, kept, and opened again when the broker comes back. A message that
    is not acknowledged in time is published again later, so that one may arrive twice; its `key` tells.

    Raises:
        UsageError: the URL, a topic or a certificate cannot be used.
        DependencyError: paho-mqtt is not installed.
    """

    entries: MqttEntries
    _link: Link = field(init=False, repr=False)
    _answers: dict[int, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be sent to, without connecting."""
        check_broker(self.entries)
        check_topic(self.entries.topic, FIELDS)
        check_topic(self.entries.state_topic, ())
        self._link = Link(self.entries, self._prepare, self._greet)

    @property
    def name(self) -> str:
        """Name the output for people."""
        return f"mqtt:{broker_name(self.entries.url)}"

    @property
    def place(self) -> str:
        """Return broker and topic."""
        return f"{self.entries.url}\n{self.entries.topic}"

    def open(self) -> None:
        """Do nothing: the connection is opened with a message, and again when it broke."""

    def close(self) -> None:
        """Say goodbye, so that the state is "offline" without the last will."""
        client = self._link.client
        if client is not None and client.is_connected() and self.entries.state_topic:
            self._publish(self.entries.state_topic, b"offline", retain=True)
        self._link.drop()

    def send(self, message: Message) -> Failure | None:
        """Publish one event, and wait until the broker has it."""
        try:
            if why := self._link.up():
                return Failure(f"the broker is away: {why}")
            body = json.dumps(dict(message), ensure_ascii=False, allow_nan=False).encode()
            topic = topic_of(self.entries.topic, message)
            return self._publish(topic, body, retain=self.entries.retain)
        except (OSError, ValueError) as error:
            self._link.drop()
            return Failure(f"the broker is away: {reason_of(error)}")

    def _prepare(self, client: Client) -> None:
        if self.entries.state_topic:
            client.will_set(self.entries.state_topic, b"offline", qos=1, retain=True)
        client.on_publish = self._published

    def _greet(self, client: Client) -> None:
        if self.entries.state_topic:
            client.publish(self.entries.state_topic, b"online", qos=1, retain=True)

    def _published(
        self, client: Client, data: object, number: int, code: Any, more: object
    ) -> None:
        self._answers[number] = code

    def _publish(self, topic: str, body: bytes, *, retain: bool) -> Failure | None:
        client = self._link.client
        if client is None:
            return Failure("the broker is away")
        self._answers.clear()
        info = client.publish(topic, body, qos=1, retain=retain)
        try:
            info.wait_for_publish(self.entries.timeout)
            acknowledged = info.is_published()
        except RuntimeError:  # the connection broke before it was sent
            acknowledged = False
        code = self._answers.get(info.mid)
        if acknowledged and (code is None or not code.is_failure):
            return None
        if not acknowledged or code is None:
            # What waits in the client would be sent beside the message that is tried again.
            self._link.drop()
            return Failure(f"the broker did not acknowledge within {self.entries.timeout:g} s")
        return Failure(f"the broker answered: {code}", code.value not in _NEVER)


def check_topic(template: str, fields: tuple[str, ...]) -> None:
    """Refuse a template of topics with wildcards or unknown fields.

    Raises:
        UsageError: naming the field or character.
    """
    try:
        names = [
            name for _, name, form, turn in string.Formatter().parse(template) if name is not None
        ]
    except ValueError as error:
        raise UsageError(f"expected a topic such as {TOPIC}, got {template!r}: {error}") from error
    wrong = next((name for name in names if name not in fields), None)
    if wrong is not None:
        known = ", ".join(f"{{{name}}}" for name in fields) or "none here"
        raise UsageError(
            f"the topic {template!r} has an unknown field {{{wrong}}}", hint=f"known: {known}"
        )
    if any(sign in template for sign in "+#\0"):
        raise UsageError(
            f"the topic {template!r} has a wildcard", hint="events go to one topic, without + and #"
        )


def topic_of(template: str, message: Message) -> str:
    """Fill the fields of a template; what a topic cannot hold becomes "_", and what is unknown "-"."""
    names = message.get("names", {})
    own = (
        message["name"] if message["kind"] == "health" and message["subject"] == "station" else None
    )
    values: Mapping[str, Any] = {
        **dict.fromkeys(FIELDS),
        **names,
        "station": names.get("station") or own,
        "part": message.get("part"),
        "kind": message["kind"],
        "verdict": message.get("verdict"),
    }
    return template.format(**{name: _level(value) for name, value in values.items()})


def _level(value: Any) -> str:
    """Return a value as one level of a topic."""
    text = "".join("_" if sign in "/+#$" or ord(sign) < 32 else sign for sign in str(value or ""))
    return text[:200] or "-"


def _open(entries: MqttEntries, say: Say) -> Mqtt:
    return Mqtt(entries)


KIND = OutputKind(MqttEntries, _open, "mqtt:URL", "url")
