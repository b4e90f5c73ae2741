"""`flawline inspect --output` as a person, a program and a receiver meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flawline.cli.main import run
from flawline.recipe import write_recipe
from flawline.records import open_store
from helpers.discs import train, write_discs
from helpers.networks import write_network
from helpers.receivers import Receiver, receiving


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    return train(write_discs(root / "parts", good=20), network).recipe


@pytest.fixture(autouse=True)
def here(recipe, tmp_path, monkeypatch):
    """r.flaw and six good and two bad parts in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    write_recipe(recipe, tmp_path / "r.flaw")
    write_discs(tmp_path / "parts", good=6, bad=2, first=100)


INSPECT = ["inspect", "r.flaw", "parts", "-q", "-o", "out"]


def judged(messages):
    return {m["image"]: m["verdict"] for m in messages if m["kind"] == "judged"}


def lines(path="sent.jsonl"):
    return [json.loads(text) for text in Path(path).read_text("utf-8").splitlines()]


def verdicts():
    found = [json.loads(t) for t in Path("out/inspections.jsonl").read_text("utf-8").splitlines()]
    return {item["image"]: item["verdict"] for item in found}


@pytest.mark.parametrize("more", [[], ["--store", "line.db"]])
def test_each_verdict_is_sent_once(more, capsys):
    options = [*INSPECT, *more, "--output", "file:sent.jsonl", "--output", "console"]
    assert run([*options, "--set", "station=s1"]) == 1
    assert judged(lines()) == verdicts()
    assert len(judged(lines())) == 8
    first, *middle, last = lines()
    assert (first["state"], last["state"]) == ("opened", "closed")
    assert {m["names"]["station"] for m in middle} == {"s1"}
    told = capsys.readouterr().err
    assert "reject: bad/100.png: " in told
    if more:
        before = len(lines())
        assert run([*options, "--set", "station=s1"]) == 1
        assert len(lines()) == before + 2, "what the records know is not sent again"


def test_a_picture_that_cannot_be_judged_is_sent(capsys):
    Path("parts/good/cut.png").write_bytes(b"nothing")
    assert run([*INSPECT, "--output", "file:sent.jsonl"]) == 2
    assert judged(lines()) == verdicts()
    assert judged(lines())["good/cut.png"] is None


def test_a_receiver_that_is_gone_gets_everything_from_the_next_run(capsys):
    receiver = Receiver()
    receiver.stop()
    options = [*INSPECT, "--store", "line.db", "--output", f"webhook:{receiver.url}"]
    assert run(options) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "messages do not reach webhook" in told
    assert "8 messages wait for webhook" in told
    assert "alarms" not in told, "the path of a webhook is a secret"
    with receiving(receiver.port) as again:
        assert run(options) == 1
        assert judged(again.messages) == verdicts()
    with open_store("line.db") as store:
        assert store.count() == 8


def test_without_records_what_did_not_arrive_is_reported(capsys):
    receiver = Receiver()
    receiver.stop()
    assert run([*INSPECT, "--output", f"webhook:{receiver.url}"]) == 1
    assert "8 messages did not reach webhook" in " ".join(capsys.readouterr().err.split())


def test_an_output_that_cannot_be_is_refused_before_anything_is_judged(capsys):
    assert run([*INSPECT, "--output", "mail:ada"]) == 2
    assert "an output of console, file:PATH, webhook:URL" in " ".join(
        capsys.readouterr().err.split()
    )
    assert not Path("out/inspections.csv").exists()
