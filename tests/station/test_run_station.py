"""A station runs as its file describes it, and takes a changed file over without losing a frame."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import ModelError, SourceError, UsageError
from flawline.records import open_store
from flawline.records.where import Where
from flawline.station.camera import Camera
from flawline.station.run_feeds import run_feeds, summed
from flawline.station.watch import Watched
from helpers.captures import FakeCapture
from helpers.discs import disc, spoilt, write
from helpers.places import until

EXAMPLES = Path(__file__).parents[2] / "examples" / "station"
FILE = """\
recipe = "disc.flaw"
[names]
station = "{station}"
[records]
store = "line.db"
[[feeds]]
folder = "one"
settle = 0
[[feeds]]
folder = "two"
settle = 0
[[outputs]]
kind = "file"
path = "{out}"
events = ["judged"]
"""


@pytest.fixture
def place(tmp_path, disc_recipe):
    """A folder with a station of two feeds."""
    shutil.copy(disc_recipe, tmp_path / "disc.flaw")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    describe(tmp_path)
    return tmp_path


def describe(place, station="s1", out="v.jsonl"):
    text = FILE.format(station=station, out=out)
    (place / "station.toml").write_text(text, encoding="utf-8")


def sent(place, name="v.jsonl"):
    path = place / name
    return [json.loads(line)["image"] for line in path.read_text("utf-8").splitlines()]


def recorded(place):
    with open_store(str(place / "line.db")) as store:
        rows = store.page(Where(), count=1000).items
    return sorted((row.record.image, row.record.station) for row in rows)


def test_two_feeds_are_judged_recorded_and_sent_once(place):
    write(place / "one" / "a.png", disc(1))
    write(place / "two" / "b.png", spoilt(2))
    found = {}
    watched = flawline.run_station(
        place / "station.toml", once=True, each=lambda name, one: found.update({name: one.verdict})
    )
    assert sum(watched.counts.values()) == 2
    assert found["b.png"] == "reject"
    assert recorded(place) == [("a.png", "s1"), ("b.png", "s1")]
    assert sorted(sent(place)) == ["a.png", "b.png"]
    again = flawline.run_station(place / "station.toml", once=True)
    assert (sum(again.counts.values()), again.unjudged) == (0, 0)


def test_a_changed_file_is_taken_over_and_a_wrong_one_is_not(place):
    """Pictures arrive before, between and after; each is recorded once, under the settings of its time."""
    said, asked, stop = [], threading.Event(), threading.Event()
    ended = []

    def reload():
        was = asked.is_set()
        asked.clear()
        return was

    def go():
        ended.append(
            flawline.run_station(
                place / "station.toml", stop=stop.is_set, reload=reload, say=said.append
            )
        )

    def wait_for(words):
        until(lambda: any(words in text for text in said), 60)
        said.clear()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        write(place / "one" / "1.png", disc(1))
        until(lambda: (place / "line.db").exists() and len(recorded(place)) == 1, 60)
        (place / "station.toml").write_text("recipe = 3\n", encoding="utf-8")
        asked.set()
        wait_for("goes on as before")
        describe(place, station="s2", out="other.jsonl")
        right = (place / "station.toml").read_text("utf-8")
        (place / "station.toml").write_text(right.replace("two", "three"), encoding="utf-8")
        asked.set()
        wait_for("expected a folder to watch")
        (place / "station.toml").write_text(right, encoding="utf-8")
        write(place / "two" / "2.png", disc(2))
        until(lambda: len(recorded(place)) == 2, 60)
        asked.set()
        wait_for("was read again")
        write(place / "one" / "3.png", disc(3))
        until(lambda: len(recorded(place)) == 3, 60)
    finally:
        stop.set()
        thread.join(60)
    assert recorded(place) == [("1.png", "s1"), ("2.png", "s1"), ("3.png", "s2")]
    assert sorted(sent(place)) == ["1.png", "2.png"]
    assert sent(place, "other.jsonl") == ["3.png"]
    assert sum(ended[0].counts.values()) == 3


def test_a_video_file_is_a_feed_beside_a_folder(place):
    writer = cv2.VideoWriter(str(place / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (96, 96))
    for pixels in (disc(101), spoilt(7)):
        writer.write(pixels[..., ::-1])
    writer.release()
    write(place / "one" / "a.png", disc(102))
    text = (place / "station.toml").read_text("utf-8")
    file = place / "station.toml"
    file.write_text(
        text.replace('folder = "two"\nsettle = 0', 'kind = "camera"\ncamera = "v.avi"'), "utf-8"
    )
    judged = flawline.run_station(file, once=True)
    assert sum(judged.counts.values()) == 3
    assert sorted(sent(place)) == ["a.png", "v-000000.png", "v-000001.png"]
    twice = file.read_text("utf-8").replace(
        'folder = "one"\nsettle = 0', 'kind = "camera"\ncamera = "v.avi"'
    )
    file.write_text(twice, "utf-8")
    with pytest.raises(UsageError, match="another feed has this camera"):
        flawline.run_station(file, once=True)


def test_pictures_that_came_too_fast_are_summed_over_feeds_and_files():
    counts = {"accept": 3, "review": 0, "reject": 1}
    both = summed([Watched(counts, 3, dropped=2), Watched(counts, 1, dropped=1)])
    assert (both.counts["accept"], both.unjudged, both.dropped) == (6, 4, 3)


def test_once_and_a_camera_that_never_ends(place, monkeypatch):
    camera = Camera("0", opener=lambda _: FakeCapture([]))
    with pytest.raises(UsageError, match="0 never ends"):
        run_feeds([camera], None, stop=lambda: True, once=True)


def test_a_station_that_cannot_begin_says_why(place):
    shutil.rmtree(place / "two")
    with pytest.raises(SourceError, match="two"):
        flawline.run_station(place / "station.toml", once=True)
    describe(place)
    text = (place / "station.toml").read_text("utf-8").replace("disc.flaw", "none.flaw")
    (place / "station.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError):
        flawline.check_station(place / "station.toml")


def test_the_command_checks_and_signals_end_it(place, capsys):
    file = str(place / "station.toml")
    assert run(["station", file, "--check"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{file} is right: 2 feeds, with records, 1 output (file)")
    assert not (place / "line.db").exists()
    assert run(["station", file, "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == ["file"]
    command = [sys.executable, "-m", "flawline", "station", file, "--json"]
    said = place / "said"
    with said.open("wb") as file:
        # As a script of the shell starts it in the background.
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
    write(place / "one" / "a.png", spoilt(1))
    until(lambda: (place / "v.jsonl").exists() and sent(place), 60)
    describe(place, out="other.jsonl")
    process.send_signal(signal.SIGHUP)
    until(lambda: "read again" in said.read_text("utf-8"), 60)
    write(place / "two" / "b.png", spoilt(2))
    until(lambda: (place / "other.jsonl").exists() and sent(place, "other.jsonl"), 60)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert json.loads(out)["reject"] == 2


def test_the_example_is_a_right_file(place, monkeypatch):
    shutil.copy(EXAMPLES / "station.toml", place / "station.toml")
    (place / "disc.flaw").rename(place / "part.flaw")
    (place / "pictures").mkdir()
    plan = flawline.check_station(place / "station.toml", environment={"PLANT_TOKEN": "t"})
    assert [one.kind for one in plan.outputs] == ["file", "webhook"]
    monkeypatch.delenv("PLANT_TOKEN", raising=False)
    assert run(["station", str(place / "station.toml"), "--check"]) == 2


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    """The program of the unit is replaced by one of this machine; the rest stands as it is in the example."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed")
    text = (EXAMPLES / "flawline-station.service").read_text("utf-8")
    assert text.count("/opt/flawline/bin/flawline ") == 2
    unit = tmp_path / "flawline-station.service"
    unit.write_text(text.replace("/opt/flawline/bin/flawline ", "/bin/true "), encoding="utf-8")
    done = subprocess.run([tool, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_container_file_names_what_there_is():
    root = EXAMPLES.parents[1]
    text = (EXAMPLES / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    words = {line.split()[0] for line in lines}
    assert words == set("FROM COPY RUN USER WORKDIR VOLUME STOPSIGNAL ENTRYPOINT CMD".split())
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert len(copied) == 6
    assert all((root / name).exists() for name in copied)
    extras = text.partition('"/source[')[2].partition("]")[0].split(",")
    project = (root / "pyproject.toml").read_text("utf-8")
    assert extras == ["factory", "codes", "postgres"]
    assert all(f"\n{extra} = [" in project for extra in extras)
    (entry,) = [line.partition(" ")[2] for line in lines if line.startswith("ENTRYPOINT")]
    (given,) = [line.partition(" ")[2] for line in lines if line.startswith("CMD")]
    assert [*json.loads(entry), *json.loads(given)] == ["flawline", "station", "station.toml"]
