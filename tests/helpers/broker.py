"""A real MQTT broker for tests: Mosquitto on loopback, which goes away, refuses and comes back as a test asks."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.places import until


def free_port() -> int:
    """A port of the loopback address that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Broker:
    """Mosquitto with `more` lines of settings; `start` and `stop` may be called again and again."""

    def __init__(self, folder: Path, more: str = "allow_anonymous true") -> None:
        program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
        if program is None:
            pytest.skip("mosquitto is not installed: apt-get install mosquitto")
        self.program, self.folder, self.port = program, folder, free_port()
        self.more = more
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run, and wait until it listens."""
        path = self.folder / "mosquitto.conf"
        # Run as root it would become a user who cannot read the folder.
        lines = [f"user {getpass.getuser()}", f"listener {self.port} 127.0.0.1", self.more]
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        self.process = subprocess.Popen(
            [self.program, "-c", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            until(self._listens)
        except AssertionError:
            self.stop()
            raise

    def stop(self) -> None:
        """Be gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Listener:
    """A subscriber of all topics: (topic, payload, retained) in the order in which they come."""

    def __init__(self, port: int, topic: str = "#") -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.got: list[tuple[str, bytes, bool]] = []
        self.ready = False
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.client.on_subscribe = self._subscribed
        self.client.on_message = lambda c, d, m: self.got.append((m.topic, m.payload, m.retain))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        until(lambda: self.ready)

    def _subscribed(self, *_: Any) -> None:
        self.ready = True

    def stop(self) -> None:
        """End."""
        self.client.disconnect()
        self.client.loop_stop()


def publish(port: int, *messages: tuple[str, bytes, dict[str, str]], retain: bool = False) -> None:
    """Publish (topic, payload, user properties), each acknowledged."""
    from paho.mqtt.client import Client, MQTTv5
    from paho.mqtt.enums import CallbackAPIVersion
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for topic, payload, names in messages:
        said = Properties(PacketTypes.PUBLISH)
        said.UserProperty = list(names.items())
        info = client.publish(topic, payload, qos=1, retain=retain, properties=said)
        info.wait_for_publish(60)
        assert info.is_published()
    client.disconnect()
    client.loop_stop()


@contextmanager
def broker(folder: Path, more: str = "allow_anonymous true") -> Iterator[Broker]:
    """A running broker while the block runs."""
    one = Broker(folder, more)
    one.start()
    try:
        yield one
    finally:
        one.stop()


@contextmanager
def listening(port: int, topic: str = "#") -> Iterator[Listener]:
    """A subscriber while the block runs."""
    one = Listener(port, topic)
    try:
        yield one
    finally:
        one.stop()
