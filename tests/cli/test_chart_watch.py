"""`flawline chart --watch` and `flawline alerts` as a person, a program and a service meet them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from flawline.cli.alerts import alerts
from flawline.cli.chart_watch import only_watch
from flawline.cli.main import app, run
from flawline.core.spc.limits import ControlLimits
from flawline.jobs.chart.chart_files import write_limits
from flawline.records import open_store
from helpers.browser import browser
from helpers.examples import times
from helpers.inspected_records import record
from helpers.receivers import Receiver, receiving

if not any(group.typer_instance is alerts for group in app.registered_groups):
    app.add_typer(alerts)

ROOT = Path(__file__).parents[2]
AREA = "LargestStainArea"
CALM = [10 + (n * 7 % 5 - 2) / 2 for n in range(40)]
WATCH = ["chart", "--store", "records.db", "--measure", AREA, "--label", "part", "--watch"]


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes parts in records.db in the working folder, where limits.json holds frozen limits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    write_limits(ControlLimits("i-mr", 10.0, 1.0), Path("limits.json"))
    made = [0]

    def make(*areas):
        records = []
        for area in areas:
            records.append(record(made[0], measures={AREA: float(area)}))
            made[0] += 1
        with open_store("records.db") as store:
            store.add(records)

    return make


def as_json(capsys, *arguments, code=0):
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


def sent(path="alerts.jsonl"):
    file = Path(path)
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return [(m["point"], m["level"]) for m in map(json.loads, lines)]


def test_one_reading_judges_what_is_new_and_ends(make, capsys):
    once = [*WATCH, "--once", "--limits", "limits.json", "--alert", "file:alerts.jsonl"]
    make(*CALM)
    assert as_json(capsys, *once)["alerts"] == []
    make(10, 20)
    told = as_json(capsys, *once, code=1)
    assert (told["new"], told["in_control"]) == (2, False)
    assert [message["point"] for message in told["alerts"]] == ["P000041"]
    assert run([*once]) == 0, "nothing is new"
    assert "going on after 42 points" in capsys.readouterr().err
    assert sent() == [("P000041", 1)]
    assert json.loads(Path("flawline-chart/chart.json").read_text(encoding="utf-8"))["signals"]
    page = Path("flawline-chart/chart.html").read_text("utf-8")
    assert "<script>" not in page
    assert "Watched until" in page
    assert "1 open alert<" in page


def test_the_console_is_told_in_one_line(make, capsys):
    make(*CALM, 20)
    assert run([*WATCH, "--once", "--limits", "limits.json", "--quiet"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith(f"ALERT: {AREA}, individuals: beyond the upper limit at P000040. Hold")
    assert line.endswith(f"[{AREA}/individuals/rule-1/above/41]")


def test_limits_of_phase_one_are_frozen_and_written(make, capsys):
    once = [*WATCH, "--once", "--phase1", "30", "-o", "out"]
    make(*CALM[:20])
    assert run([*once, "--freeze", "frozen.json"]) == 0
    assert "10 more points until there are limits" in capsys.readouterr().err
    make(*CALM[20:], 20)
    assert run([*once, "--freeze", "frozen.json"]) == 1
    shown = capsys.readouterr().err
    assert "limits from 30 points, frozen" in shown
    assert "at P000040" in shown
    assert json.loads(Path("frozen.json").read_text(encoding="utf-8"))["points"] == 30
    page = Path("out/chart.html").read_text("utf-8")
    assert "Phase II" in page
    assert "1 open alert<" in page


def test_phases_of_a_chart_that_is_not_watched(make, capsys):
    make(*CALM, 20)
    told = as_json(capsys, *WATCH[:-1], "--phase1", "30", code=1)
    assert [(s["name"], s["phase"]) for s in told["stages"]] == [("Phase I", 1), ("Phase II", 2)]
    assert [s["rang"] for s in told["signals"] if s["panel"] == "individuals"] == ["P000040"]
    assert run([*WATCH[:-1], "--phase1", "50"]) == 2
    assert "expected at least 50 points for Phase I, got 41" in " ".join(
        capsys.readouterr().err.split()
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--json"], "needs --once"),
        (["--every", "0"], "0.1 to 86400"),
        (["--alert", "mail:ada"], "an output of console, file:PATH, webhook:URL"),
        (["--alert", "webhook:ftp://x"], "http and https"),
        (["--stage", "lot"], "stages have limits of their own"),
        (["--chart", "run"], "no limits"),
        (["--chart", "pareto"], "not watched"),
        (["--limits", "limits.json", "--phase1", "30"], "or are given"),
        (["--last", "20"], "at least 200"),
    ],
)
def test_what_does_not_go_together_is_said(make, capsys, more, told):
    make(*CALM)
    assert run([*WATCH, *more]) == 2
    shown = capsys.readouterr()
    assert told in " ".join((shown.out + shown.err).split())


def test_other_options_without_a_watch(make, capsys):
    make(*CALM)
    for more in (["--once"], ["--every", "5"], ["--last", "500"], ["--alert", "console"]):
        assert run([*WATCH[:-1], *more]) == 2
        assert "go with --watch" in capsys.readouterr().err
    Path("t.csv").write_text("a\n1\n2\n")
    assert run(["chart", "t.csv", "--measure", "a", "--watch"]) == 2
    assert "records are watched" in capsys.readouterr().err
    assert run([*WATCH[:-1], "--limits", "limits.json", "--phase1", "3"]) == 2
    assert "these are given" in capsys.readouterr().err


def test_alerts_are_listed_and_acknowledged(make, capsys):
    make(*CALM, 20)
    assert run(["alerts", "list", "--store", "records.db"]) == 0
    assert capsys.readouterr().err == "no alerts\n"
    run([*WATCH, "--once", "--limits", "limits.json", "-q"])
    (alert,) = as_json(capsys, "alerts", "list", "--store", "records.db", "--open")["alerts"]
    assert (alert["point"], alert["rule"], alert["open"]) == ("P000040", 1, True)
    said = ["--store", "records.db", "--by", "Kim", "--note", "new coil"]
    assert run(["alerts", "acknowledge", alert["key"], *said]) == 0
    shown = capsys.readouterr().out
    assert "acknowledged: LargestStainArea" in shown
    assert "Kim: new coil" in shown
    kept = as_json(
        capsys, "alerts", "acknowledge", alert["key"], "--store", "records.db", "--by", "Ada"
    )
    assert [one["who"] for one in kept["acknowledgements"]] == ["Kim", "Ada"]
    assert as_json(capsys, "alerts", "list", "--store", "records.db", "--open")["alerts"] == []
    assert run(["alerts", "list", "--store", "records.db"]) == 0
    assert alert["key"] in capsys.readouterr().out
    error = as_json(
        capsys, "alerts", "acknowledge", "x", "--store", "records.db", "--by", "A", code=2
    )
    assert error["error"]["code"] == "store-unknown"


class Service:
    """A watch in a process of its own."""

    def __init__(self, *more):
        command = [*WATCH, "--limits", "limits.json", "--every", "0.1", *more]
        # A file and no pipe, so that a test can wait for a word of a service that goes on.
        with Path("service.txt").open("w") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "flawline", *command],
                stderr=words,
                env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            )

    def said(self):
        return Path("service.txt").read_text(encoding="utf-8")

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(timeout=120)
        return self.said()


def until(condition, seconds=120.0):
    """Wait for what comes within moments; the limit ends a test that would hang."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def judged():
    path = Path("flawline-chart/watch.json")
    return json.loads(path.read_text(encoding="utf-8"))["state"]["seen"] if path.is_file() else 0


def test_a_service_that_is_killed_and_a_receiver_that_is_dead(make):
    receiver = Receiver()
    receiver.stop()
    more = ["--alert", "file:alerts.jsonl", "--alert", f"webhook:{receiver.url}"]
    make(*CALM, 20)
    service = Service(*more)
    until(lambda: sent() == [("P000040", 1)])
    until(lambda: judged() == 41)
    until(lambda: "do not reach webhook" in service.said())
    service.end(signal.SIGKILL)
    make(20, *CALM[:6])
    service = Service(*more)
    until(lambda: judged() == 48)
    make(0)
    until(lambda: judged() == 49)
    said = service.end(signal.SIGINT)
    assert service.process.returncode == 130
    assert "2 messages wait for webhook" in said
    assert "Traceback" not in said
    assert "Watched until" in Path("flawline-chart/chart.html").read_text("utf-8")
    assert sent() == [("P000040", 1), ("P000048", 1)]
    with receiving(receiver.port) as again:
        service = Service(*more)
        until(lambda: len(again.messages) == 2)
        service.end(signal.SIGINT)
        assert [m["point"] for m in again.messages] == ["P000040", "P000048"]
        assert again.messages[0]["action"].startswith("Hold the parts")
    assert sent() == [("P000040", 1), ("P000048", 1)], "nobody is told twice"


def test_two_watches_do_not_share_a_folder(make, capsys):
    make(*CALM)
    Path("flawline-chart").mkdir()
    with only_watch(Path("flawline-chart")):
        assert run([*WATCH, "--limits", "limits.json", "--once"]) == 2
    assert "another watch writes to flawline-chart" in capsys.readouterr().err
    assert run([*WATCH, "--limits", "limits.json", "--once", "-q"]) == 0


@pytest.mark.slow
def test_the_page_follows_the_parts_by_itself(make, tmp_path):
    make(*CALM)
    service = Service("--every", "1.5")
    try:
        until(lambda: Path("flawline-chart/chart.html").is_file())
        with browser() as page:
            from selenium.common.exceptions import WebDriverException

            page.get((tmp_path / "flawline-chart" / "chart.html").as_uri())

            def text():
                # The page may be reloading at this very moment.
                with suppress(WebDriverException):
                    return page.execute_script(
                        "return document.body ? document.body.innerText : ''"
                    )
                return ""

            until(lambda: "In control" in text())
            until(lambda: "Watched: last read" in text())
            make(10, 20)
            until(lambda: "P000041 is above the upper limit" in text())
            until(lambda: "42 points judged" in text())
            until(lambda: "1 open alert" in text())
            complaints = [e for e in page.get_log("browser") if e["level"] == "SEVERE"]
            assert complaints == []
    finally:
        service.end(signal.SIGINT)


@pytest.mark.slow
@pytest.mark.explore
def test_killed_at_random_moments_while_parts_arrive(make):
    """Whatever the moment, everybody is told of every alert; who looks at keys is told of each once."""
    draw = random.Random(7)
    kills = times(2, 8)
    parts = 30 * kills
    areas = [20 if draw.random() < 0.12 else 10 + draw.gauss(0, 0.5) for _ in range(parts)]
    Path("whole").mkdir()
    moments: list[int] = []
    with receiving() as receiver:
        more = ["--alert", "file:alerts.jsonl", "--alert", f"webhook:{receiver.url}"]
        for start in range(0, parts, 30):
            service = Service(*more)
            # Every other one is surely at work when it is killed, the others perhaps still starting.
            if start % 60:
                until(lambda there=start: judged() >= there)
            for place in range(start, start + 25, 5):
                make(*areas[place : place + 5])
                time.sleep(draw.uniform(0, 0.35))
            if start % 60:
                until(lambda there=start: judged() > there)
            moments.append(judged() - start)
            make(*areas[start + 25 : start + 30])
            service.end(signal.SIGKILL)
        service = Service(*more)
        until(lambda: judged() == parts)
        service.end(signal.SIGINT)
        arrived = receiver.messages
    # In records of its own: alerts that a store knows are not sent again.
    with open_store("whole.db") as store:
        store.add([record(n, measures={AREA: float(area)}) for n, area in enumerate(areas)])
    undisturbed = ["--once", "-q", "-o", "whole", "--alert", "file:whole.jsonl"]
    watched = [("whole.db" if word == "records.db" else word) for word in WATCH]
    run([*watched, "--limits", "limits.json", *undisturbed])
    expected = [json.loads(text) for text in Path("whole.jsonl").read_text("utf-8").splitlines()]
    wanted = [(m["key"], m["level"]) for m in expected]
    assert len(wanted) > 4
    lines = map(json.loads, Path("alerts.jsonl").read_text("utf-8").splitlines())
    for told in (list(lines), arrived):
        names = [(m["key"], m["level"]) for m in told]
        assert list(dict.fromkeys(names)) == wanted
        assert len(names) <= len(wanted) + kills, "a kill costs one copy at most"
    assert any(0 < moment < 30 for moment in moments), moments
