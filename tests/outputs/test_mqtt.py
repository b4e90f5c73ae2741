"""MQTT against a real Mosquitto: it is away, refuses, comes back; state, last will, topics, TLS."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from flawline.errors import UsageError
from flawline.outputs import open_output
from flawline.outputs.mqtt import Mqtt, MqttEntries, topic_of
from helpers.broker import Broker, broker, listening
from helpers.certificates import certificate
from helpers.places import message, until


def mqtt(port, scheme="mqtt", **more):
    return Mqtt(MqttEntries(url=f"{scheme}://127.0.0.1:{port}", **{"timeout": 10.0, **more}))


def test_owed_messages_wait_while_the_broker_is_away_and_arrive_in_order(
    tmp_path, owe, sending, store, notes
):
    away = Broker(tmp_path)
    owe(*(message(number) for number in range(3)))
    output = mqtt(away.port)
    attempts = sending(output)
    assert attempts.attempt() > 0
    assert store.deliveries.waiting("place") == 3
    assert "the broker is away: Connection refused; they are kept" in notes[0]
    away.start()
    with listening(away.port) as listener:
        attempts.hurry()
        attempts.attempt()
        until(lambda: len(listener.got) == 3)
    assert [json.loads(body)["key"] for _, body, _ in listener.got] == ["k0", "k1", "k2"]
    assert store.deliveries.waiting("place") == 0
    away.stop()
    owe(message(3))
    until(lambda: attempts.attempt() > 0.6 or attempts.hurry())
    assert store.deliveries.waiting("place") == 1
    away.start()
    with listening(away.port) as listener:
        until(lambda: attempts.hurry() or attempts.attempt() is None or listener.got)
    assert json.loads(listener.got[0][1])["key"] == "k3"
    attempts.close()
    away.stop()


def test_a_broker_that_refuses_says_why(tmp_path):
    (tmp_path / "acl").write_text("topic write allowed/#\n", encoding="utf-8")
    more = f"allow_anonymous true\nacl_file {tmp_path}/acl"
    with broker(tmp_path, more) as running:
        output = mqtt(running.port, topic="allowed/{kind}")
        assert output.send(message(1)) is None
        output.close()
        output = mqtt(running.port, topic="other/{kind}")
        failure = output.send(message(1))
        output.close()
    assert failure.again
    assert failure.reason == "the broker answered: Not authorized"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_password_is_needed_where_the_broker_asks(tmp_path, protocol):
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed: apt-get install mosquitto")
    passwords = tmp_path / "passwords"
    subprocess.run([tool, "-b", "-c", str(passwords), "ada", "s3cret"], check=True)
    passwords.chmod(0o644)
    more = f"allow_anonymous false\npassword_file {passwords}"
    with broker(tmp_path, more) as running:
        failure = mqtt(running.port, protocol=protocol, timeout=2.0).send(message(1))
        assert failure.again
        assert "not authori" in failure.reason.lower()
        right = mqtt(running.port, protocol=protocol, user="ada", password="s3cret")
        assert right.send(message(1)) is None
        right.close()
    assert "s3cret" not in repr(right)


def test_the_state_is_retained_and_the_last_will_changes_it(tmp_path):
    with broker(tmp_path) as running:
        output = mqtt(running.port, state_topic="s1/state", retain=True)
        assert output.send({**message(1), "kind": "judged", "names": {"station": "s1"}}) is None
        with listening(running.port) as late:
            until(lambda: len(late.got) == 2)
            assert ("s1/state", b"online", True) in late.got
            assert any(topic == "flawline/s1/judged" and kept for topic, _, kept in late.got)
            # The process is killed: nobody says goodbye.
            output._link.client.socket().shutdown(2)
            until(lambda: (("s1/state", b"offline", False)) in late.got)
            until(lambda: late.got[-1] == ("s1/state", b"online", False))
            output.close()
            until(lambda: late.got[-1] == ("s1/state", b"offline", False))


def test_topics_take_names_and_nothing_that_a_topic_cannot_hold():
    judged = {"kind": "judged", "names": {"station": "a/b#", "lot": ""}, "part": "+", "key": "k"}
    template = "{station}/{lot}/{part}/{verdict}"
    assert topic_of(template, {**judged, "verdict": "accept"}) == "a_b_/-/_/accept"
    assert topic_of(template, {**judged, "verdict": None}) == "a_b_/-/_/-"
    health = {"kind": "health", "subject": "station", "name": "s1", "key": "k"}
    assert topic_of("x/{station}/{kind}", health) == "x/s1/health"
    assert topic_of("x/{station}/{kind}", message(1)) == "x/-/alert"


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://host"},
        {"url": "mqtt://"},
        {"url": "mqtt://ada:pw@host"},
        {"url": "mqtt://host/topic"},
        {"topic": "{stations}/x"},
        {"topic": "{station/x"},
        {"topic": "a/#"},
        {"state_topic": "{station}/x"},
        {"ca": "/none.pem"},
        {"url": "mqtts://host", "ca": "/none.pem"},
        {"url": "mqtts://host", "key": "/none.pem"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_connecting(settings):
    with pytest.raises(UsageError) as caught:
        Mqtt(MqttEntries(**{"url": "mqtt://host", **settings}))
    assert "pw" not in caught.value.message


def test_by_name_with_settings_of_the_environment():
    names = {
        "FLAWLINE_MQTT_USER": "ada",
        "FLAWLINE_MQTT_TIMEOUT": "2.5",
        "FLAWLINE_MQTT_RETAIN": "true",
    }
    output = open_output("mqtt:mqtts://host", say=print, environment=names)
    assert (output.entries.user, output.entries.timeout, output.entries.retain) == (
        "ada",
        2.5,
        True,
    )
    assert output.name == "mqtt:mqtts://host:8883"
    with pytest.raises(UsageError, match="timeout: expected a finite number"):
        open_output("mqtt:mqtt://h", say=print, environment={"FLAWLINE_MQTT_TIMEOUT": "soon"})
    with pytest.raises(UsageError, match="usr: there is no such entry"):
        open_output("mqtt:mqtt://h", say=print, environment={"FLAWLINE_MQTT_USR": "ada"})


# The client leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_with_a_certificate_of_the_plant(tmp_path):
    written, key = certificate(tmp_path)
    more = f"allow_anonymous true\ncertfile {written}\nkeyfile {key}"
    with broker(tmp_path, more) as running:
        right = mqtt(running.port, "mqtts", ca=str(written))
        assert right.send(message(1)) is None
        right.close()
        failure = mqtt(running.port, "mqtts").send(message(1))
        assert failure.again
        assert "certificate verify failed" in failure.reason.lower()
