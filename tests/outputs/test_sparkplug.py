"""Sparkplug B at a real broker: birth, data, death and rebirth, with their numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from flawline.errors import UsageError
from flawline.outputs import Health, open_output
from flawline.outputs.sparkplug import METRICS, REBIRTH, Sparkplug, SparkplugEntries, metrics_of
from flawline.outputs.sparkplug_payload import BOOLEAN, Metric, _message, decode, encode
from helpers.broker import broker, listening, publish
from helpers.places import until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MILLISECONDS = 1_772_366_400_000


def health(state="opened"):
    return Health(NOW, "station", state, "s1", "why").as_dict()


def judged(verdict="reject"):
    return {
        "kind": "judged",
        "key": "k1",
        "time": NOW.isoformat(),
        "image": "a.png",
        "part": "P7",
        "names": {"lot": "L1"},
        "verdict": verdict,
        "score": 2.5,
    }


def sparkplug(port, **more):
    return Sparkplug(SparkplugEntries(url=f"mqtt://127.0.0.1:{port}", node="s1", **more))


def values(payload):
    return {one.name: one.value for one in decode(payload)}


def seq(payload):
    message = _message("Payload")
    message.ParseFromString(payload)
    return message.seq if message.HasField("seq") else None


def test_a_payload_has_the_bytes_of_the_standard():
    """Written down field by field: keys are (number << 3 | wire type), numbers of Sparkplug 3.0.0, 6.4.1."""
    name = b"bdSeq"
    metric = b"\x0a" + bytes([len(name)]) + name + b"\x18\x05" + b"\x20\x04" + b"\x58\x07"
    expected = b"\x08\x05" + b"\x12" + bytes([len(metric)]) + metric + b"\x18\x09"
    assert encode([Metric("bdSeq", 4, 7)], 5, 9) == expected
    null = encode([Metric("x", 12, None)], 5)
    assert null == b"\x08\x05\x12\x09\x0a\x01x\x18\x05\x20\x0c\x38\x01"
    assert decode(null) == [Metric("x", 12, None)]


def test_birth_data_death_and_rebirth_have_their_numbers(tmp_path):
    with broker(tmp_path) as running, listening(running.port, "spBv1.0/#") as host:
        output = sparkplug(running.port)
        assert output.send(health()) is None
        assert output.send(judged()) is None
        until(lambda: len(host.got) == 3, 90)
        kinds = [topic.split("/")[2] for topic, _, _ in host.got]
        assert kinds == ["NBIRTH", "NDATA", "NDATA"]
        assert {topic for topic, _, _ in host.got} == {
            "spBv1.0/Flawline/NBIRTH/s1",
            "spBv1.0/Flawline/NDATA/s1",
        }
        assert [seq(payload) for _, payload, _ in host.got] == [0, 1, 2]
        birth, data = values(host.got[0][1]), values(host.got[2][1])
        assert (birth["bdSeq"], birth[REBIRTH]) == (0, False)
        assert set(values(host.got[1][1])) | set(data) <= set(birth)
        assert (data["Judged/Verdict"], data["Judged/Part"], data["Judged/Lot"]) == (
            "reject",
            "P7",
            "L1",
        )
        assert (data["Judged/Score"], data["Judged/Time"]) == (2.5, MILLISECONDS)
        assert data["Judged/Shift"] is None
        assert json.loads(data["Judged/Event"])["key"] == "k1"
        asked = encode([Metric(REBIRTH, BOOLEAN, True)], 1)
        publish(running.port, ("spBv1.0/Flawline/NCMD/s1", b"\xff", {}))
        publish(running.port, ("spBv1.0/Flawline/NCMD/s1", asked, {}))
        until(lambda: [t for t, _, _ in host.got].count("spBv1.0/Flawline/NBIRTH/s1") == 2, 90)
        assert output.send(judged()) is None
        until(lambda: seq(host.got[-1][1]) == 1, 90)
        # The process is killed: the broker tells the death of this birth, and the client is born again.
        output._link.client.socket().shutdown(2)
        until(lambda: "spBv1.0/Flawline/NDEATH/s1" in [t for t, _, _ in host.got], 90)
        until(lambda: [t for t, _, _ in host.got].count("spBv1.0/Flawline/NBIRTH/s1") == 3, 90)
        output.close()
        until(lambda: [t for t, _, _ in host.got].count("spBv1.0/Flawline/NDEATH/s1") == 2, 90)
    of = [(topic.split("/")[2], payload) for topic, payload, _ in host.got]
    deaths = [payload for kind, payload in of if kind == "NDEATH"]
    births = [payload for kind, payload in of if kind == "NBIRTH"]
    assert [values(one) for one in deaths] == [{"bdSeq": 0}, {"bdSeq": 1}]
    assert [values(one)["bdSeq"] for one in births] == [0, 0, 1]
    assert [seq(one) for one in births] == [0, 0, 0]
    assert seq(deaths[0]) is None
    assert not any(kept for _, _, kept in host.got)


def test_numbers_of_payloads_go_round_at_256(tmp_path):
    with broker(tmp_path) as running, listening(running.port, "spBv1.0/+/NDATA/+") as host:
        output = sparkplug(running.port)
        for _ in range(257):
            assert output.send(health()) is None
        until(lambda: len(host.got) == 257, 90)
        output.close()
    assert [seq(payload) for _, payload, _ in host.got] == [*range(1, 256), 0, 1]


def test_a_broker_that_is_away_is_a_failure_to_be_tried_again(tmp_path):
    with broker(tmp_path) as running:
        running.stop()
        output = sparkplug(running.port, timeout=5.0)
        failure = output.send(health())
        assert failure.again
        assert "away" in failure.reason
        running.start()
        assert output.send(health()) is None
        output.close()


def test_each_kind_of_event_has_its_metrics():
    assert {one.name for one in metrics_of(judged(None))} == {
        f"Judged/{n}" for n in METRICS["judged"]
    }
    alert = {"kind": "alert", "key": "k", "time": NOW.isoformat(), "level": 2, "text": "look"}
    found = {one.name: one.value for one in metrics_of(alert)}
    assert (found["Alert/Level"], found["Alert/Text"]) == (2, "look")


@pytest.mark.parametrize("settings", [{"node": "a/b"}, {"group": "#"}, {"node": ""}, {"url": "x"}])
def test_settings_that_cannot_be_used_are_refused(settings):
    with pytest.raises(UsageError):
        Sparkplug(SparkplugEntries(**{"url": "mqtt://host", **settings}))


def test_by_name():
    output = open_output(
        "sparkplug:mqtt://host", say=print, environment={"FLAWLINE_SPARKPLUG_NODE": "s7"}
    )
    assert output.name == "sparkplug:mqtt://host:1883"
    assert output.place.endswith("Flawline/s7")
