"""Reach an MQTT broker: its settings and a client for it, for outputs and feeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flawline.errors import DependencyError, UsageError, install_extra
from flawline.outputs.connections import server_address, tls_context
from flawline.outputs.output import MOST, path_entry, secret_entry
from flawline.recipe.checks import number, one_of, text
from flawline.recipe.entries import Section, entry

if TYPE_CHECKING:
    import ssl

    from paho.mqtt.client import Client

PORTS = {"mqtt": 1883, "mqtts": 8883}
TIMEOUT = 10.0
KEEP_ALIVE = 30


@dataclass(frozen=True, slots=True)
class BrokerEntries(Section):
    """An MQTT broker, and who asks there."""

    url: str = entry(
        text(MOST), "The broker: mqtt://HOST, or mqtts://HOST with TLS; a port behind it"
    )
    client_id: str = entry(text(200), "Name of this client; one is given if empty", "")
    user: str | None = entry(text(MOST), "User at the broker", None)
    password: str | None = secret_entry("Password of the user")
    ca: str | None = path_entry(
        "Certificates that sign the broker's; those of the system if none", None
    )
    certificate: str | None = path_entry("Certificate of this client, for brokers that ask", None)
    key: str | None = path_entry("Its key; in the certificate's file if not given", None)
    protocol: str = entry(one_of("5", "3.1.1"), "Version of MQTT", "5")
    timeout: float = entry(number("s", 0, 600), "The broker answers within this time", TIMEOUT)


def check_broker(entries: BrokerEntries) -> None:
    """Refuse what cannot be connected to, without connecting.

    Raises:
        UsageError: the URL or a certificate cannot be used.
        DependencyError: paho-mqtt is not installed.
    """
    address(entries.url)
    _context(entries)
    try:
        import paho.mqtt.client  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            "MQTT needs paho-mqtt, which is not installed", hint=install_extra("factory")
        ) from error


def address(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a broker.

    Raises:
        UsageError: it is not mqtt or mqtts, or says more than a host and a port.
    """
    return server_address(
        url,
        PORTS,
        what="broker",
        example="mqtt://host:1883 or mqtts://host",
        hint="topics are settings of their own",
    )


def broker_name(url: str) -> str:
    """Name a broker for people."""
    scheme, host, port = address(url)
    return f"{scheme}://{host}:{port}"


def reason_of(error: Exception) -> str:
    """Say in a few words why a broker cannot be reached."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def new_client(entries: BrokerEntries, *, client_id: str = "", keeps: bool = False) -> Client:
    """Make a client that is not connected yet.

    Args:
        entries: of the broker.
        client_id: the name of the client where the entries give none.
        keeps: the client acknowledges each message itself, and the broker keeps those that were not for its next
            connection.
    """
    from paho.mqtt.client import Client, MQTTv5, MQTTv311
    from paho.mqtt.enums import CallbackAPIVersion

    five = entries.protocol == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=entries.client_id or client_id,
        protocol=MQTTv5 if five else MQTTv311,
        # In version 5 this is said when the client connects.
        clean_session=None if five else not keeps,
        manual_ack=keeps,
    )
    client.connect_timeout = entries.timeout
    if entries.user is not None:
        client.username_pw_set(entries.user, entries.password)
    if address(entries.url)[0] == "mqtts":
        client.tls_set_context(_context(entries))
    return client


def _context(entries: BrokerEntries) -> ssl.SSLContext | None:
    """Load the certificates; None without TLS.

    Raises:
        UsageError: a file cannot be used.
    """
    given = [name for name in ("ca", "certificate", "key") if getattr(entries, name) is not None]
    if address(entries.url)[0] != "mqtts":
        if given:
            raise UsageError(f"{given[0]} is given for a broker without TLS", hint="write mqtts://")
        return None
    return tls_context(entries.ca, entries.certificate, entries.key)
