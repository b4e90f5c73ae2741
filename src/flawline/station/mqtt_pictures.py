"""Pictures from an MQTT broker as a feed: each taken once, and acknowledged when it is recorded."""

from __future__ import annotations

import platform
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from flawline.data.closing import Closing
from flawline.data.frame import Frame
from flawline.data.part_codes import check_reader
from flawline.data.part_names import part_pattern
from flawline.errors import FlawlineError, ImageError, UsageError
from flawline.outputs.mqtt_broker import (
    KEEP_ALIVE,
    BrokerEntries,
    address,
    broker_name,
    check_broker,
    new_client,
    reason_of,
)
from flawline.outputs.output import MOST
from flawline.recipe.checks import boolean, integer, text
from flawline.recipe.entries import entry
from flawline.station.named_frame import named_frame
from flawline.station.stated_fields import MOST_TEXT, stated_fields

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

RETRY = 2.0
"""Seconds between two tries to reach a broker that went away."""
TICK = 0.05
SESSION = 86_400
"""Seconds for which a broker keeps pictures for a station that is away."""
MOST_PACKET = 64_000_000
"""A larger message, in bytes, is not taken from the broker at all."""
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class PictureTopicEntries(BrokerEntries):
    """feeds: pictures from an MQTT broker."""

    topic: str = entry(text(MOST), "The topics of the pictures; + and # stand for levels", "")
    part_from: str | None = entry(
        text(1000),
        "Pattern of topics, such as line/{lot}/{part}; without / of the last level",
        None,
    )
    codes: bool = entry(boolean(), "Take the part from a code in the picture", False)
    waiting: int = entry(
        integer(0, 1000), "Pictures that may wait; one that comes on top is not judged", 8
    )
    largest: int = entry(
        integer(1, MOST_PACKET), "Bytes of the largest picture that is judged", 8_000_000
    )


class MqttPictures(Closing):
    """Yields the pictures that are published under topics, each once, as frames for `film`.

    The broker keeps what was not acknowledged, and a picture is acknowledged when it is recorded: one that was in work
    when the process was killed comes again. A picture is the same as one before where its key is: the user property
    `key` of MQTT 5, or else topic and content.

    Raises:
        UsageError: the URL, a certificate, the topic or the pattern cannot be used.
        DependencyError: paho-mqtt, or zxing-cpp for codes, is not installed.
    """

    waits = False
    """A sender does not wait: what comes while too many others wait is dropped."""

    def __init__(self, entries: PictureTopicEntries) -> None:
        """Check the settings; nothing is connected yet."""
        check_broker(entries)
        check_filter(entries.topic)
        self._pattern = None if entries.part_from is None else part_pattern(entries.part_from)
        if entries.codes:
            check_reader()
        self.entries, self.waiting = entries, entries.waiting
        self.name = f"{broker_name(entries.url)} {entries.topic}"
        self.since: float | None = None
        self.repeated = 0
        """Messages that brought a picture again."""
        self._client: Client | None = None
        self._reason = ""
        self._answered = False
        self._arrived: deque[tuple[float, Client, MQTTMessage]] = deque()
        self._judged: deque[str] = deque()
        # Messages of each picture in work: a broker sends one again after a broken connection.
        self._held: dict[str, list[tuple[Client, MQTTMessage]]] = {}
        self._known: OrderedDict[str, None] = OrderedDict()

    def close(self) -> None:
        """Acknowledge what is recorded, and leave; what is not, the broker keeps."""
        self._acknowledge()
        self._leave()

    def frames(
        self,
        stop: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda text: None,
    ) -> Iterator[Frame]:
        """Yield frames until `stop` says so; while the broker is away it is asked again and again.

        Args:
            stop: asked several times a second.
            say: writes a line for people when the broker goes away or comes back.
        """
        away = False
        while not stop():
            why = self._served() if self._client is not None else self._connected()
            if why:
                self._leave()
                if not away:
                    say(f"the broker of {self.name} is away: {why}; waiting")
                away = True
                again = time.monotonic() + RETRY
                while not stop() and time.monotonic() < again:
                    time.sleep(TICK)
                continue
            if away:
                say(f"the broker of {self.name} is back")
                away = False
            while self._arrived:
                since, client, message = self._arrived.popleft()
                if (frame := self._frame(client, message)) is not None:
                    self.since = since
                    yield frame

    def named(self, frame: Frame) -> Frame:
        """Fill in the code in a picture, where codes are asked for."""
        if not self.entries.codes or not isinstance(frame.picture, bytes):
            return frame
        return named_frame(frame, None, frame.picture)

    def done(self, frame: Frame) -> None:
        """Note that a frame is recorded; from any thread."""
        assert frame.key is not None
        self._judged.append(frame.key)

    def _connected(self) -> str:
        """Connect, subscribe and wait for the answer; return why it cannot be, empty where it could."""
        from paho.mqtt.enums import MQTTErrorCode
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        own = sha256(f"{platform.node()} {self.entries.topic}".encode()).hexdigest()[:12]
        client = new_client(self.entries, client_id=f"flawline-{own}", keeps=True)
        more: dict[str, Any] = {}
        if self.entries.protocol == "5":
            asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            asked.SessionExpiryInterval, asked.MaximumPacketSize = SESSION, MOST_PACKET
            more = {"clean_start": False, "properties": asked}
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_message = self._on_message
        self._reason, self._answered = "", False
        _, host, port = address(self.entries.url)
        try:
            client.connect(host, port, keepalive=KEEP_ALIVE, **more)
        except (OSError, ValueError) as error:
            return reason_of(error)
        self._client = client
        until = time.monotonic() + self.entries.timeout
        while not self._answered and not self._reason:
            code = client.loop(TICK)
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return self._reason or code.name
            if time.monotonic() > until:
                return f"no answer within {self.entries.timeout:g} s"
        return self._reason

    def _served(self) -> str:
        """Take what has come and send acknowledgements; return why the broker is away, empty where it is there."""
        from paho.mqtt.enums import MQTTErrorCode

        assert self._client is not None
        self._acknowledge()
        code = self._client.loop(TICK)
        return "" if code == MQTTErrorCode.MQTT_ERR_SUCCESS else self._reason or code.name

    def _on_connect(
        self, client: Client, data: object, flags: object, code: Any, more: object
    ) -> None:
        if code.is_failure:
            self._reason = str(code)
        else:
            client.subscribe(self.entries.topic, 1)

    def _on_subscribe(
        self, client: Client, data: object, number: int, codes: list[Any], more: object
    ) -> None:
        if any(code.is_failure for code in codes):
            self._reason = f"it refuses the topic: {codes[0]}"
        self._answered = True

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        self._arrived.append((time.monotonic(), client, message))

    def _frame(self, client: Client, message: MQTTMessage) -> Frame | None:
        """Make the frame of a message; None for an old picture that a topic retains, and for one that came before."""
        if message.retain:
            client.ack(message.mid, message.qos)
            return None
        frame = frame_of_message(message, self.entries.largest)
        if self._pattern is not None:
            # A pattern reads the name without its extension; a topic has none.
            topic = replace(frame, name=f"{message.topic}.")
            frame = replace(named_frame(topic, self._pattern), name=frame.name)
        key = str(frame.key)
        if key in self._known:
            self.repeated += 1
            client.ack(message.mid, message.qos)
            return None
        held = self._held.setdefault(key, [])
        held.append((client, message))
        self.repeated += len(held) > 1
        return frame if len(held) == 1 else None

    def _acknowledge(self) -> None:
        while self._judged:
            key = self._judged.popleft()
            for client, message in self._held.pop(key, []):
                # The numbers of messages are those of a connection.
                if client is self._client:
                    client.ack(message.mid, message.qos)
            self._known[key] = None
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)

    def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()


def frame_of_message(message: MQTTMessage, largest: int) -> Frame:
    """Make the frame of a message; what cannot be taken is a frame whose picture raises the reason when it is judged.

    User properties of MQTT 5 fill the fields of their names: `key`, `captured`, `part`, `lot` and so on.

    Args:
        message: as it came.
        largest: bytes of the largest picture.
    """
    now = datetime.now(UTC)
    topic = message.topic
    name = f"{_plain(topic)}/{now:%Y%m%dT%H%M%S.%fZ}"
    key = sha256(topic.encode("utf-8", "surrogatepass") + b"\0" + message.payload).hexdigest()
    frame = Frame(
        bytes(message.payload), name, now, further={"topic": _plain(topic)}, key=f"mqtt {key}"
    )
    try:
        if len(message.payload) > largest:
            raise ImageError(
                f"the picture has {len(message.payload)} bytes, and at most {largest} are taken",
                hint="send a smaller one, or let the feed take larger ones",
                code="picture-too-large",
            )
        given = getattr(message.properties, "UserProperty", None) or []
        return replace(frame, **stated_fields(given))
    except FlawlineError as error:
        return replace(frame, picture=partial(_refused, error))


def check_filter(topic: str) -> None:
    """Refuse what no subscription takes.

    Raises:
        UsageError: the topic is empty, or has wildcards where none can be.
    """
    levels = topic.split("/")
    right = topic and all(level in ("+", "#") or not set("+#\0") & set(level) for level in levels)
    if not right or "#" in levels[:-1]:
        raise UsageError(
            f"expected the `topic` of pictures, got {topic!r}",
            hint="such as line/+/pictures; + stands for one level, # at the end for the rest",
        )


def _plain(topic: str) -> str:
    """Return a topic as a name of a picture: nothing in it leads elsewhere."""
    levels = ("_" if level in ("", ".", "..") else level for level in topic.split("/"))
    text = "/".join(levels)[:MOST_TEXT]
    return "".join(sign if sign.isprintable() and sign != "\\" else "_" for sign in text)


def _refused(error: FlawlineError) -> bytes:
    raise error
