"""The contract of outputs: a message arrives, or the failure has a reason."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import socket
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import create_engine, text

from flawline.errors import UsageError
from flawline.outputs import Health, Judged, open_output
from flawline.outputs.console import Console, line
from flawline.outputs.file import File
from flawline.outputs.mail import Mail, MailEntries
from flawline.outputs.mqtt import Mqtt, MqttEntries
from flawline.outputs.parquet import PENDING, Parquet, ParquetEntries
from flawline.outputs.registry import OUTPUTS
from flawline.outputs.sql_table import SqlEntries, SqlTable
from flawline.outputs.webhook import Webhook, signature
from helpers.broker import broker, free_port, listening
from helpers.places import until
from helpers.receivers import receiving

MESSAGE = {
    "kind": "alert",
    "key": "area/individuals/rule-1/above/7",
    "level": 1,
    "text": "area, individuals: beyond the upper limit at Teil 7 µm",
    "action": "Hold the parts.",
    "value": 3.25,
    "time": "2026-03-01T12:00:00+00:00",
}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(params=["console", "file", "webhook", "mqtt", "email", "sql", "parquet"])
def output(request, tmp_path):
    """An output of each kind, and a function that reads back its messages."""
    if request.param == "console":
        notes = []
        yield Console(notes.append), lambda: [MESSAGE for text in notes if text == line(MESSAGE)]
    elif request.param == "file":
        path = tmp_path / "alerts.jsonl"
        yield File(path), lambda: [json.loads(t) for t in path.read_text("utf-8").splitlines()]
    elif request.param == "email":
        yield from mailed()
    elif request.param == "sql":
        yield from inserted(tmp_path)
    elif request.param == "parquet":
        where = Parquet(ParquetEntries(folder=str(tmp_path)), print)
        yield where, lambda: [json.loads(t) for t in (tmp_path / PENDING).read_text().splitlines()]
        where.close()
    elif request.param == "mqtt":
        with broker(tmp_path) as running, listening(running.port) as listener:
            where = Mqtt(MqttEntries(url=f"mqtt://127.0.0.1:{running.port}"))
            yield where, lambda: payloads(listener, 2)
            where.close()
    else:
        with receiving() as receiver:
            yield Webhook(receiver.url), lambda: receiver.messages


def mailed():
    """A real mail server, and what e-mails say in JSON."""
    letters = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            return "250 OK"

    def arrived():
        texts = [letter.get_content() for letter in letters]
        return [json.loads(text[text.index("{") :]) for text in texts]

    controller = Controller(Handler(), hostname="127.0.0.1", port=free_port())
    controller.start()
    server = f"smtp://127.0.0.1:{controller.port}"
    yield Mail(MailEntries("ada@x.example", server, "s1@x.example", starttls=False), print), arrived
    controller.stop()


def inserted(folder):
    """A table of another program, and what it holds."""
    engine = create_engine(f"sqlite:///{folder}/others.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (kind TEXT, key TEXT)"))
    columns = {"kind": "{kind}", "key": "{key}"}
    where = SqlTable(SqlEntries(url=str(engine.url), table="t", columns=columns))

    def arrived():
        with engine.begin() as connection:
            rows = [row._asdict() for row in connection.execute(text("SELECT * FROM t"))]
        return [MESSAGE for row in rows if row == {name: MESSAGE[name] for name in columns}]

    yield where, arrived
    where.close()
    engine.dispose()


def payloads(listener, count):
    """What a broker passed on, as soon as there are so many."""
    until(lambda: len(listener.got) >= count)
    return [json.loads(payload) for _, payload, _ in listener.got]


def test_a_message_arrives_whole(output):
    where, arrived = output
    assert where.send(MESSAGE) is None
    assert where.send(MESSAGE) is None
    assert arrived() == [MESSAGE, MESSAGE]
    assert where.name.partition(":")[0] in OUTPUTS


def test_every_kind_of_event_arrives_and_has_a_line(output):
    where, _ = output
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for event in (
        Judged("k", now, "a.png", "reject", ("too large", "too many")),
        Judged("l", now, "b.png", None, ("could not be judged: it is cut",)),
        Health(now, "output", "failing", "webhook:https://host", "refused"),
    ):
        assert where.send(event.as_dict()) is None
        assert json.loads(json.dumps(event.as_dict())) == event.as_dict()
        assert "\n" not in line(event.as_dict())


def test_lines_say_what_happened():
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    told = [
        line(event.as_dict())
        for event in (
            Judged("k", now, "a.png", "reject", ("too large", "too many")),
            Judged("l", now, "b.png", None, ("it is cut",)),
            Health(now, "output", "failing", "webhook:https://host", "refused"),
            Health(now, "station", "opened", "s1"),
        )
    ]
    assert told == [
        "reject: a.png: too large; too many",
        "not judged: b.png: it is cut",
        "output webhook:https://host failing: refused",
        "station s1 opened",
    ]


def test_an_escalated_alert_says_so_in_its_line():
    assert line(MESSAGE).startswith("ALERT: area, individuals: beyond")
    assert line({**MESSAGE, "level": 2}).startswith("ALERT, escalated: ")
    assert "\n" not in line(MESSAGE)


def test_a_line_that_a_crash_has_cut_does_not_swallow_the_next(tmp_path):
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"key": "a')
    assert File(path).send(MESSAGE) is None
    assert json.loads(path.read_text("utf-8").splitlines()[1]) == MESSAGE


def test_a_file_that_cannot_be_written_is_a_failure_to_be_tried_again():
    failure = File(Path("/dev/full")).send(MESSAGE)
    assert failure.again
    assert "No space" in failure.reason


def test_a_webhook_carries_key_token_and_signature():
    with receiving() as receiver:
        hook = Webhook(receiver.url, "to-ken", "se-cret", clock=lambda: 1767225600.9)
        assert hook.send(MESSAGE) is None
        ((path, headers, body),) = receiver.requests
    assert path == "/alarms?line=1"
    assert headers["Authorization"] == "Bearer to-ken"
    assert headers["Content-Type"].startswith("application/json")
    seconds, _, digest = headers["Flawline-Signature"].partition(",v1=")
    assert seconds == "t=1767225600"
    signed = hmac.new(b"se-cret", b"1767225600." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(digest, signed)
    assert len(headers["Idempotency-Key"]) == 32
    assert "to-ken" not in repr(hook)
    assert "se-cret" not in repr(hook)
    assert "alarms" not in hook.name


def test_the_signature_is_that_of_a_published_vector():
    """RFC 4231, test case 2, whose data is here a body behind the time 0 and a full stop."""
    told = signature("Jefe", 0, b"what do ya want for nothing?")
    whole = b"0.what do ya want for nothing?"
    assert told == f"t=0,v1={hmac.new(b'Jefe', whole, hashlib.sha256).hexdigest()}"


def test_copies_of_a_message_have_one_key_and_an_escalation_has_another():
    with receiving() as receiver:
        hook = Webhook(receiver.url)
        for message in (MESSAGE, {**MESSAGE, "value": 4}, {**MESSAGE, "level": 2}):
            hook.send(message)
        first, copy, risen = (headers["Idempotency-Key"] for _, headers, _ in receiver.requests)
    assert first == copy != risen


@pytest.mark.parametrize(
    ("status", "again"), [(500, True), (503, True), (401, True), (404, True), (429, True)]
)
def test_what_may_change_is_tried_again(status, again):
    with receiving() as receiver:
        receiver.answers = [(status, {"Retry-After": "7"})]
        failure = Webhook(receiver.url).send(MESSAGE)
    assert (failure.again, failure.pause) == (again, 7.0)
    assert str(status) in failure.reason


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_message_that_will_never_be_taken_is_not(status):
    with receiving() as receiver:
        receiver.answers = [status]
        assert not Webhook(receiver.url).send(MESSAGE).again


def test_nobody_there_is_a_failure():
    with receiving() as receiver:
        url = receiver.url
    failure = Webhook(url).send(MESSAGE)
    assert failure.again
    assert "refused" in failure.reason


def test_a_receiver_that_says_nothing_costs_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        failure = Webhook(url, timeout=0.2).send(MESSAGE)
    assert failure.again
    assert failure.reason == "timed out after 0.2 s"


@contextmanager
def dripping(text: bytes, pause: float):
    """A receiver that sends its answer one byte at a time; gives its URL and the bytes that it has sent."""
    sent, gone = [], Event()

    def serve(server):
        connection, _ = server.accept()
        with connection, suppress(OSError):
            for byte in text:
                connection.sendall(bytes([byte]))
                sent.append(byte)
                if gone.wait(pause):
                    return
            # Closing before the request is read would break the connection.
            gone.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve, args=[server])
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", sent
        gone.set()
        thread.join()


def test_a_receiver_that_drips_is_given_up_after_the_whole_timeout():
    """Each byte comes in a fifth of the time-out, and all of them would take a minute."""
    timeout = 1.5
    with dripping(b"HTTP/1.1 204 No Content\r\nX: " + b"x" * 600, timeout / 5) as (url, sent):
        began = time.monotonic()
        failure = Webhook(url, timeout=timeout).send(MESSAGE)
        took = time.monotonic() - began
    assert failure.again
    assert failure.reason == f"timed out after {timeout:g} s"
    assert len(sent) >= 3, "it did drip"
    assert timeout <= took < timeout + 10


def test_an_answer_that_drips_within_the_timeout_is_an_answer():
    with dripping(b"HTTP/1.1 204 No Content\r\n\r\n", 0.001) as (url, _):
        assert Webhook(url, timeout=30).send(MESSAGE) is None


def test_a_redirect_to_the_same_host_is_followed_with_the_message():
    with receiving() as receiver:
        receiver.answers = [(307, {"Location": "/elsewhere"})]
        assert Webhook(receiver.url, "to-ken").send(MESSAGE) is None
        assert [path for path, _, _ in receiver.requests] == ["/alarms?line=1", "/elsewhere"]
        assert receiver.messages == [MESSAGE, MESSAGE]
        assert receiver.requests[1][1]["Authorization"] == "Bearer to-ken"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_or_to_a_page_is_not_followed(status):
    with receiving() as receiver, receiving() as other:
        receiver.answers = [(status, {"Location": other.url})]
        failure = Webhook(receiver.url, "to-ken").send(MESSAGE)
        assert other.requests == []
    assert failure.again
    assert "elsewhere" in failure.reason


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_to_another_kind_of_place_is_not_followed(place):
    with receiving() as receiver:
        receiver.answers = [(307, {"Location": place})]
        assert Webhook(receiver.url).send(MESSAGE).again


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "file:///etc/passwd",
        "host/x",
        "http://",
        "https://ada:secret@host/",
        "http://[::1",
        "http://host/a b",
        "http://host/\n",
    ],
)
def test_a_url_that_is_not_to_be_asked_is_refused(url):
    with pytest.raises(UsageError) as caught:
        Webhook(url)
    assert "secret" not in caught.value.message
    with pytest.raises(UsageError):
        Webhook("http://host/", "to\nken")


def test_outputs_by_name(tmp_path):
    names = {"FLAWLINE_WEBHOOK_TOKEN": "t", "FLAWLINE_WEBHOOK_SECRET": "s"}

    def opened(text):
        return open_output(text, say=print, environment=names)

    assert opened("console") == Console(print)
    assert opened(f"file:{tmp_path}/a.jsonl") == File(tmp_path / "a.jsonl")
    assert opened("webhook:https://host/x") == Webhook("https://host/x", "t", "s")
    for wrong in (
        "",
        "mail:ada",
        "console:x",
        "file:",
        f"file:{tmp_path}",
        "file:/nowhere/x",
        "webhook:",
        "webhook",
    ):
        with pytest.raises(UsageError):
            opened(wrong)
