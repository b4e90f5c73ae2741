"""What outputs to a server have in common: its address, and the certificates of an encrypted connection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flawline.errors import UsageError

if TYPE_CHECKING:
    import ssl


def server_address(
    url: str, ports: Mapping[str, int], *, what: str, example: str, hint: str
) -> tuple[str, str, int]:
    """Return scheme, host and port of a server.

    Args:
        url: scheme, host and perhaps a port, and nothing else.
        ports: the usual port of each scheme.
        what: names the server for people, such as "broker".
        example: an address as it is expected.
        hint: what else helps.

    Raises:
        UsageError: another scheme, no host, or more than that; the URL is not told, for it may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ports or not parts.hostname or parts.path.strip("/") or parts.query:
        raise UsageError(f"expected a {what} such as {example}, got another kind of URL", hint=hint)
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"the URL of the {what} holds a user or password", hint="they are settings of their own"
        )
    return parts.scheme, parts.hostname, port or ports[parts.scheme]


def tls_context(
    ca: str | None, certificate: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """Load the certificates of an encrypted connection.

    Args:
        ca: the file of certificates that sign the server's; those of the system if None.
        certificate: the file of the client's own, for servers that ask.
        key: the file of its key; in the certificate's file if None.

    Raises:
        UsageError: a file cannot be used, or a key is given alone.
    """
    import ssl

    if key is not None and certificate is None:
        raise UsageError("a key is given without its certificate", hint="give both")
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            # Without a password; the dialogue of OpenSSL would wait for a person.
            context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        files = ", ".join(Path(one).name for one in (ca, certificate, key) if one is not None)
        raise UsageError(
            f"the certificates cannot be used: {error}", hint=f"they are read from {files}"
        ) from error
    return context
