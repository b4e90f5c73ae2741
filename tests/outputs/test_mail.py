"""E-mails by SMTP against a real server of aiosmtpd, which is away, refuses and comes back."""

from __future__ import annotations

import email
import email.policy
import ssl

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from flawline.errors import UsageError
from flawline.outputs import open_output
from flawline.outputs.mail import Mail, MailEntries
from flawline.outputs.output import Chosen
from helpers.broker import free_port
from helpers.certificates import certificate
from helpers.places import message

WHEN = {"time": "2026-03-01T12:00:00+00:00"}


class Letters:
    """What a mail server took; `answers` are given one after the other, by command."""

    def __init__(self):
        self.got, self.answers = [], {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        envelope.rcpt_tos.append(address)
        return self.answers.get(address, "250 OK")

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith("250"):
            self.got.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return answer


@pytest.fixture
def served():
    """A running mail server: what it took, and a function that makes an output for it."""
    letters = Letters()
    controller = Controller(letters, hostname="127.0.0.1", port=free_port())
    controller.start()
    said = []

    def output(**more):
        settings = {"to": "ada@plant.example, bob@plant.example", "sender": "s1@plant.example"}
        server = f"smtp://127.0.0.1:{controller.port}"
        entries = MailEntries(**{**settings, "server": server, "starttls": False, **more})
        return Mail(entries, said.append)

    yield letters, output, said, controller
    if controller.server is not None:
        controller.stop()


def test_an_alert_is_a_letter_that_says_what_to_do(served):
    letters, output, _, _ = served
    sent = {**message(1), **WHEN, "text": "area: beyond the limit at Teil 7 µm\nBcc: eve@x"}
    assert output().send(sent) is None
    assert output().send(sent) is None
    one, copy = letters.got
    assert one["Subject"] == "ALERT: area: beyond the limit at Teil 7 µm Bcc: eve@x. look [k1]"
    assert one["Bcc"] is None
    assert one["To"] == "ada@plant.example, bob@plant.example"
    assert one["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    assert one["Message-ID"] == copy["Message-ID"]
    assert '"key": "k1"' in one.get_content()
    output().send({**sent, "level": 2})
    assert letters.got[2]["Message-ID"] != one["Message-ID"]


def test_some_refused_addresses_are_reported_and_all_are_a_failure(served):
    letters, output, said, _ = served
    letters.answers = {"bob@plant.example": "550 unknown"}
    assert output().send({**message(1), **WHEN}) is None
    assert "bob@plant.example: 550 unknown" in said[0]
    letters.answers["ada@plant.example"] = "450 later"
    failure = output().send({**message(1), **WHEN})
    assert failure.again
    assert "refuses all addresses: ada@plant.example: 450 later" in failure.reason


@pytest.mark.parametrize(("answer", "again"), [("451 busy", True), ("554 too much", False)])
def test_a_letter_that_will_never_be_taken_is_not_tried_again(served, answer, again):
    letters, output, _, _ = served
    letters.answers = {"DATA": answer}
    failure = output().send({**message(1), **WHEN})
    assert (failure.again, failure.reason) == (again, f"the mail server answered {answer}")


def test_owed_letters_wait_while_the_server_is_away(served, owe, sending, store, notes):
    letters, output, _, controller = served
    controller.stop()
    owe({**message(1), **WHEN}, {**message(2), **WHEN})
    attempts = sending(output())
    assert attempts.attempt() > 0
    assert store.deliveries.waiting("place") == 2
    assert "Connection refused" in notes[0]
    back = Controller(letters, hostname="127.0.0.1", port=controller.port)
    back.start()
    attempts.hurry()
    attempts.attempt()
    back.stop()
    assert [one["Subject"][-4:] for one in letters.got] == ["[k1]", "[k2]"]
    assert store.deliveries.waiting("place") == 0


def test_a_password_is_said_only_under_encryption_and_may_be_wrong(served, tmp_path):
    _, output, _, _ = served
    with pytest.raises(UsageError, match="in the clear"):
        output(user="ada", password="s3cret")
    with pytest.raises(UsageError, match="without its password"):
        output(user="ada")
    written, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(written, key)

    def check(server, session, envelope, mechanism, data):
        # Not handled here: the server itself answers 535.
        right = data.password == b"s3cret"
        return AuthResult(success=right, handled=right)

    letters = Letters()
    controller = Controller(
        letters,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=check,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
    )
    controller.start()
    place = {"server": f"smtp://127.0.0.1:{controller.port}", "ca": str(written)}
    signed_in = {**place, "starttls": True, "user": "ada"}
    try:
        failures = [
            output(**given).send({**message(1), **WHEN})
            for given in (
                place,
                {**place, "starttls": True},
                {**signed_in, "password": "wrong"},
                {**signed_in, "password": "s3cret", "ca": None},
                {**signed_in, "password": "s3cret"},
            )
        ]
    finally:
        controller.stop()
    reasons = [failure.reason for failure in failures[:4]]
    assert "STARTTLS" in reasons[0]
    assert "Authentication required" in reasons[1]
    assert "535" in reasons[2]
    assert "certificate verify failed" in reasons[3].lower()
    assert all(failure.again for failure in failures[:4])
    assert failures[4] is None
    assert len(letters.got) == 1
    assert "s3cret" not in repr(output(**signed_in, password="s3cret")) + "".join(reasons)


@pytest.mark.parametrize(
    "settings",
    [
        {"server": "mail.plant.example"},
        {"server": "smtp://"},
        {"server": "smtp://ada:pw@host"},
        {"server": "http://host"},
        {"to": ""},
        {"to": "ada"},
        {"to": "ada@x@y"},
        {"sender": "a@x, b@x"},
        {"ca": "/none.pem"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_connecting(settings):
    right = {"to": "ada@x.example", "sender": "s@x.example", "server": "smtp://host"}
    with pytest.raises(UsageError) as caught:
        Mail(MailEntries(**{**right, **settings}), print)
    assert "pw" not in caught.value.message


def test_by_name_it_gets_alerts_and_health():
    names = {
        "FLAWLINE_EMAIL_SERVER": "smtps://mail.plant.example",
        "FLAWLINE_EMAIL_SENDER": "s1@plant.example",
        "FLAWLINE_EMAIL_PASSWORD": "s3cret",
    }
    output = open_output("email:ada@plant.example", say=print, environment=names)
    assert isinstance(output, Chosen)
    assert output.kinds == {"alert", "health"}
    assert output.name == "email:ada@plant.example"
    with pytest.raises(UsageError, match="server: expected text"):
        open_output("email:ada@plant.example", say=print, environment={})
