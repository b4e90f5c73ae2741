"""Send events as e-mails by SMTP, for people who are not at the line."""

from __future__ import annotations

import hashlib
import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses

from flawline.errors import UsageError
from flawline.outputs.connections import server_address, tls_context
from flawline.outputs.console import line
from flawline.outputs.events import Message, message_id
from flawline.outputs.output import MOST, Failure, OutputKind, Say, path_entry, secret_entry
from flawline.recipe.checks import boolean, number, text
from flawline.recipe.entries import Section, entry

PORTS = {"smtp": 587, "smtps": 465}
TIMEOUT = 20.0
SUBJECT = 160


@dataclass(frozen=True, slots=True)
class MailEntries(Section):
    """email: e-mails by SMTP."""

    to: str = entry(text(MOST), "Who gets them: addresses with commas between")
    server: str = entry(
        text(MOST), "The mail server: smtp://HOST, or smtps://HOST; a port behind it"
    )
    sender: str = entry(text(320), "The address that sends")
    user: str | None = entry(text(MOST), "User at the server", None)
    password: str | None = secret_entry("Password of the user")
    starttls: bool = entry(boolean(), "smtp:// becomes encrypted before anything is said", True)
    ca: str | None = path_entry(
        "Certificates that sign the server's; those of the system if none", None
    )
    timeout: float = entry(number("s", 0, 600), "Each step takes at most so long", TIMEOUT)


@dataclass(frozen=True, slots=True)
class Mail:
    """Send each event as one e-mail in plain text, with the event as JSON below.

    `Message-ID` is the same in every copy of an event. An e-mail has arrived when the server took it for at least one
    address; `say` reports the others.

    Raises:
        UsageError: the server or an address cannot be used, or a password would be sent in the clear.
    """

    entries: MailEntries
    say: Say

    def __post_init__(self) -> None:
        """Refuse what cannot be sent to, without connecting."""
        wanted = self.entries
        scheme, _, _ = mail_server(wanted.server)
        if not addresses(wanted.to) or len(addresses(wanted.sender)) != 1:
            raise UsageError(
                "expected e-mail addresses to send to, and one that sends",
                hint="such as ada@plant.example",
            )
        if wanted.user is not None and wanted.password is None:
            raise UsageError("a user is given without its password", hint="give both or none")
        if wanted.password is not None and scheme == "smtp" and not wanted.starttls:
            raise UsageError(
                "the password would be sent in the clear",
                hint="leave starttls on, or write smtps://",
            )
        if wanted.ca is not None:
            tls_context(wanted.ca)

    @property
    def name(self) -> str:
        """Name the output for people."""
        return f"email:{self.entries.to}"

    @property
    def place(self) -> str:
        """Return addresses and server."""
        return f"{self.entries.to}\n{self.entries.server}"

    def open(self) -> None:
        """Do nothing: the server is connected to for each e-mail."""

    def close(self) -> None:
        """Do nothing: no connection stays open."""

    def send(self, message: Message) -> Failure | None:
        """Send one event."""
        try:
            with self._connected() as server:
                refused = server.send_message(email_of(message, self.entries))
        except smtplib.SMTPRecipientsRefused as error:
            return Failure(f"the mail server refuses all addresses: {_reasons(error.recipients)}")
        except smtplib.SMTPDataError as error:
            return Failure(f"the mail server answered {_said(error)}", again=error.smtp_code < 500)
        except smtplib.SMTPResponseException as error:
            return Failure(f"the mail server answered {_said(error)}")
        except (smtplib.SMTPException, OSError) as error:
            return Failure(f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}")
        if refused:
            self.say(f"{self.name}: some addresses were refused: {_reasons(refused)}")
        return None

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        wanted = self.entries
        scheme, host, port = mail_server(wanted.server)
        server = (
            smtplib.SMTP_SSL(host, port, timeout=wanted.timeout, context=tls_context(wanted.ca))
            if scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=wanted.timeout)
        )
        with server:
            if scheme == "smtp" and wanted.starttls:
                server.starttls(context=tls_context(wanted.ca))
            if wanted.user is not None:
                server.login(wanted.user, wanted.password or "")
            yield server


def email_of(message: Message, entries: MailEntries) -> EmailMessage:
    """Write an event as an e-mail; names of pictures and parts cannot add lines to its head."""
    said = " ".join(line(message).split())
    mail = EmailMessage()
    mail["Subject"] = said if len(said) <= SUBJECT else f"{said[:SUBJECT]} ..."
    mail["From"], mail["To"] = entries.sender, ", ".join(addresses(entries.to))
    mail["Date"] = format_datetime(datetime.fromisoformat(message["time"]))
    digest = hashlib.sha256(message_id(message).encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<{digest}@flawline.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    details = json.dumps(dict(message), ensure_ascii=False, allow_nan=False, indent=1)
    mail.set_content(f"{said}\n\n{details}\n")
    return mail


def addresses(given: str) -> list[str]:
    """Return the addresses of a list; none where one of them cannot be."""
    found = [address for _, address in getaddresses([given])]
    right = all(one.count("@") == 1 and one.isprintable() and " " not in one for one in found)
    return found if right else []


def mail_server(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a mail server.

    Raises:
        UsageError: it is not smtp or smtps, or says more than a host and a port.
    """
    return server_address(
        url,
        PORTS,
        what="mail server",
        example="smtp://mail.plant.example:587",
        hint="smtps:// is encrypted from the beginning",
    )


def _said(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return (
        f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    )


def _reasons(refused: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(
        f"{address}: {code} {said.decode('utf-8', 'replace')}"
        for address, (code, said) in refused.items()
    )


def _open(entries: MailEntries, say: Say) -> Mail:
    return Mail(entries, say)


KIND = OutputKind(MailEntries, _open, "email:ADDRESS", "to", events=("alert", "health"))
