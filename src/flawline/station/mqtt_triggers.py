"""Triggers of a camera by MQTT: a message on a topic asks for a picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flawline.data.frame import Frame
from flawline.data.part_names import part_pattern
from flawline.data.process import PROCESS
from flawline.errors import FlawlineError, UsageError
from flawline.outputs.mqtt_broker import (
    KEEP_ALIVE,
    BrokerEntries,
    address,
    broker_name,
    check_broker,
    new_client,
)
from flawline.outputs.output import MOST
from flawline.recipe.checks import text
from flawline.recipe.entries import entry
from flawline.station.mqtt_pictures import check_filter
from flawline.station.named_frame import named_frame
from flawline.station.stated_fields import FIELDS, stated_fields
from flawline.station.triggers import Triggers

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

MOST_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class TriggerEntries(BrokerEntries):
    """feeds.trigger: messages of an MQTT broker that ask for pictures."""

    topic: str = entry(text(MOST), "The topics of the triggers; + and # stand for levels", "")
    part_from: str | None = entry(
        text(1000),
        "Pattern of topics, such as line/{lot}/{part}; without / of the last level",
        None,
    )


class MqttTriggers(Triggers):
    """Asks for a picture at each message; its payload is empty or a JSON object with the part and so on.

    What was published while nobody listened is not made up for: the part is gone.

    Raises:
        UsageError: the URL, a certificate, the topic or the pattern cannot be used.
        DependencyError: paho-mqtt is not installed.
    """

    def __init__(self, entries: TriggerEntries) -> None:
        """Check the settings; nothing is connected yet."""
        super().__init__()
        check_broker(entries)
        check_filter(entries.topic)
        self._pattern = None if entries.part_from is None else part_pattern(entries.part_from)
        self.entries = entries
        self._client: Client | None = None
        self.name = f"{broker_name(entries.url)} {entries.topic}"
        self._say: Callable[[str], None] = print
        self._away = False

    def start(self, say: Callable[[str], None]) -> None:
        """Listen in a thread, which connects again and again while the broker is away."""
        self._say = say
        client = new_client(self.entries)
        client.reconnect_delay_set(1, 2)
        client.on_connect, client.on_message = self._on_connect, self._on_message
        client.on_disconnect, client.on_connect_fail = self._on_disconnect, self._on_fail
        client.on_subscribe = self._on_subscribe
        _, host, port = address(self.entries.url)
        client.connect_async(host, port, keepalive=KEEP_ALIVE)
        client.loop_start()
        self._client = client

    def stop(self) -> None:
        """Leave."""
        client, self._client = self._client, None
        if client is not None:
            client.on_disconnect = None
            client.disconnect()
            client.loop_stop()

    def _on_connect(
        self, client: Client, data: object, flags: object, code: Any, more: object
    ) -> None:
        if code.is_failure:
            self._gone(str(code))
        else:
            client.subscribe(self.entries.topic, 1)

    def _on_subscribe(
        self, client: Client, data: object, number: int, codes: list[Any], more: object
    ) -> None:
        if any(code.is_failure for code in codes):
            self._gone(f"it refuses the topic: {codes[0]}")
        elif self._away:
            self._away = False
            self._say(f"the broker of the trigger {self.name} is back")

    def _on_disconnect(
        self, client: Client, data: object, flags: object, code: Any, more: object
    ) -> None:
        self._gone(str(code))

    def _on_fail(self, client: Client, data: object) -> None:
        self._gone("nobody answers there")

    def _gone(self, why: str) -> None:
        if not self._away:
            self._say(f"the broker of the trigger {self.name} is away: {why}; waiting")
        self._away = True

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        if message.retain:
            return
        fields = self._of_topic(message.topic)
        try:
            self.ask({**fields, **payload_fields(bytes(message.payload))})
        except FlawlineError as error:
            self.refuse(fields, error)

    def _of_topic(self, topic: str) -> Mapping[str, Any]:
        # A pattern reads the name without its extension; a topic has none.
        frame = named_frame(Frame(b"", f"{topic}."), self._pattern)
        found = {name: getattr(frame, name) for name in ("captured", *PROCESS)}
        return {name: value for name, value in found.items() if value is not None}


def payload_fields(payload: bytes) -> Mapping[str, Any]:
    """Read what a trigger says of its part: nothing, or a JSON object such as {"part": "P7", "key": "4711"}.

    Raises:
        UsageError: it is no such object, or a value cannot be meant.
    """
    if not payload:
        return {}
    try:
        given = json.loads(payload.decode()) if len(payload) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not set(given) <= set(FIELDS):
        raise UsageError(
            "the trigger is no JSON object of known fields, and no picture was taken",
            hint=f"send nothing, or an object with {', '.join(FIELDS)}",
        )
    return stated_fields(given.items())
