"""A trial goes through each output marked as one, and what came back is said in one line each."""

from __future__ import annotations

import json

import pytest

import flawline
from flawline.cli.main import run
from flawline.outputs import Failure
from flawline.outputs.output import Chosen
from flawline.outputs.trial import try_output
from helpers.broker import free_port
from helpers.places import Clock, Place
from helpers.receivers import receiving


@pytest.fixture
def station(tmp_path):
    """A function that writes station.toml with outputs."""

    def station(outputs):
        text = 'recipe = "none.flaw"\n[names]\nstation = "s1"\n[[feeds]]\nfolder = "in"\n' + outputs
        (tmp_path / "station.toml").write_text(text, encoding="utf-8")
        return str(tmp_path / "station.toml")

    return station


def test_a_trial_says_that_it_is_one_and_has_no_verdict():
    place = Place()
    found = try_output(place, "s1", Clock())
    assert (found.output, found.arrived, found.seconds, found.reason) == ("place", True, 0.0, "")
    (event,) = place.got
    assert (event["image"], event["verdict"], event["names"]) == ("trial", None, {"station": "s1"})
    assert event["key"].startswith("trial/")
    assert "no part was judged" in event["reasons"][0]
    assert place.calls == ["open", "close"]


@pytest.mark.parametrize("live", [True, False])
def test_what_takes_no_verdicts_gets_health_and_no_gate_moves(live):
    place = Place()
    place.live = live
    try_output(place if live else Chosen(place, frozenset({"alert", "health"})), "s1")
    assert [(event["kind"], event["state"]) for event in place.got] == [("health", "trial")]


def test_a_failure_or_an_error_is_what_came_back():
    assert try_output(Place(Failure("it is full"))).reason == "it is full"

    class Broken(Place):
        def open(self):
            raise OSError("no way")

    found = try_output(Broken())
    assert (found.arrived, found.reason) == (False, "OSError: no way")


def test_the_command_has_a_line_for_each_output(station, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    away = f"http://127.0.0.1:{free_port()}/"
    with receiving() as receiver:
        hook = '[[outputs]]\nkind = "webhook"\nurl = "{}"\n'
        drop = '[[outputs]]\nkind = "file"\npath = "v.jsonl"\nevents = ["judged"]\n'
        modbus = f'[[outputs]]\nkind = "modbus"\naddress = "127.0.0.1:{free_port()}"\n'
        file = station(hook.format(receiver.url) + hook.format(away) + drop + modbus)
        assert run(["outputs", "test", file]) == 2
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 5
        assert ": arrived (" in lines[0]
        assert "did not arrive: ConnectError: Connection refused" in lines[1]
        assert lines[2].startswith("file:")
        assert lines[3].startswith("modbus:127.0.0.1:")
        assert lines[4] == "1 of 4 outputs did not take the trial"
        assert receiver.messages[0]["image"] == "trial"
        assert "trial" in (tmp_path / "v.jsonl").read_text("utf-8")
        assert run(["outputs", "test", station(drop), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["outputs"][0]["arrived"] is True
    assert run(["outputs", "test", station("")]) == 0
    assert "has no outputs" in capsys.readouterr().out
    assert flawline.try_outputs(station("")) == ()
    assert run(["outputs", "test", station("[[outputs]]\n")]) == 2
