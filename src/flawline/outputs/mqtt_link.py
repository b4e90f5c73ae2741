"""A connection to an MQTT broker that is made when it is needed, and made again when it broke."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, Any

from flawline.outputs.mqtt_broker import KEEP_ALIVE, BrokerEntries, address, new_client

if TYPE_CHECKING:
    from paho.mqtt.client import Client


class Link:
    """The connection of one output; `client` is None until it is needed."""

    def __init__(
        self,
        entries: BrokerEntries,
        prepare: Callable[[Client], None],
        greet: Callable[[Client], None],
    ) -> None:
        """Begin without a connection.

        Args:
            entries: of the broker.
            prepare: sets up a new client: its last will, and what it does with messages.
            greet: sends what comes first on every connection; in the thread of the client.
        """
        self.client: Client | None = None
        self.reason = ""
        self._entries, self._prepare, self._greet = entries, prepare, greet
        self._ready, self._answered = Event(), Event()

    def up(self) -> str:
        """Connect where there is no connection; return why it cannot be, empty where there is one.

        Raises:
            OSError, ValueError: nobody listens there.
        """
        if not self._ready.is_set():
            self._connect()
        if self._ready.is_set():
            return ""
        why = self.reason or f"no answer within {self._entries.timeout:g} s"
        self.drop()
        return why

    def drop(self) -> None:
        """Leave; what waits in the client is not sent."""
        client, self.client = self.client, None
        self._ready.clear()
        if client is not None:
            client.on_disconnect = None
            client.disconnect()
            client.loop_stop()

    def _connect(self) -> None:
        client = new_client(self._entries)
        client.reconnect_delay_set(1, 30)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        self._prepare(client)
        self.drop()
        self.reason = ""
        self._answered.clear()
        _, host, port = address(self._entries.url)
        client.connect(host, port, keepalive=KEEP_ALIVE)
        # From here on the client connects again by itself, so that the state is right between messages.
        client.loop_start()
        self.client = client
        self._answered.wait(self._entries.timeout)

    def _connected(
        self, client: Client, data: object, flags: object, code: Any, more: object
    ) -> None:
        if code.is_failure:
            self.reason = str(code)
            self._answered.set()
            return
        self.reason = ""
        self._greet(client)
        self._ready.set()
        self._answered.set()

    def _disconnected(
        self, client: Client, data: object, flags: object, code: Any, more: object
    ) -> None:
        self._ready.clear()
        self.reason = self.reason or str(code)
