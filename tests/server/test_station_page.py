"""A station and its page in one process: the same records, and requests that ask its camera for pictures."""

from __future__ import annotations

import shutil
import threading
from functools import partial
from socket import create_server

import httpx
import numpy as np
import pytest

import flawline
from flawline.api import station as api_station
from flawline.cli.main import run
from flawline.errors import UsageError
from flawline.records import open_store
from flawline.server.station_page import settings_of, station_page
from flawline.station.camera import Camera
from flawline.station.station_file import read_station_file
from flawline.station.triggers import MOST, Triggers
from helpers.broker import free_port
from helpers.captures import FakeCapture
from helpers.discs import disc, spoilt, write
from helpers.places import until
from helpers.served_app import served_app

FILE = """\
recipe = "disc.flaw"
[records]
store = "line.db"
[page]
port = 0
{more}
"""
FOLDER = '[[feeds]]\nfolder = "in"\nsettle = 0\n'
CAMERA = '[[feeds]]\nkind = "camera"\ncamera = "0"\n[feeds.trigger]\nkind = "api"\n'


@pytest.fixture
def place(tmp_path, disc_recipe):
    shutil.copy(disc_recipe, tmp_path / "disc.flaw")
    (tmp_path / "in").mkdir()
    return tmp_path


def describe(place, text):
    file = place / "station.toml"
    file.write_text(text, "utf-8")
    return file


class Discs(FakeCapture):
    def __init__(self):
        super().__init__([])

    def read(self):
        return True, disc(101)[..., ::-1]


def test_one_process_judges_serves_and_takes_triggers(place, monkeypatch):
    monkeypatch.setattr(api_station, "Camera", partial(Camera, opener=lambda _: Discs()))
    write(place / "in" / "a.png", spoilt(2))
    file = describe(place, FILE.format(more=FOLDER + CAMERA))
    said, judged, ended = [], [], threading.Event()

    def go():
        with station_page(file, said.append, environment={}) as triggers:
            flawline.run_station(
                file,
                stop=ended.is_set,
                triggers=triggers,
                each=lambda name, found: judged.append(found.verdict),
            )

    thread = threading.Thread(target=go)
    thread.start()
    try:
        until(lambda: len(said) == 2 and len(judged) == 1, 90)
        address, _, link = said[0].rpartition(" ")[2].partition("/sign-in#")
        with httpx.Client(base_url=address, timeout=60) as client:
            begun = client.post("/api/sign-in/link", json={"link": link})
            client.headers["X-CSRF-Token"] = begun.json()["csrf"]
            asked = client.post("/api/trigger", data={"part": "P7"})
            assert (asked.status_code, asked.json()) == (202, {"camera": "0"})
            until(lambda: len(judged) == 2, 90)
            until(lambda: len(client.get("/api/records").json()["records"]) == 2, 90)
            rows = client.get("/api/records").json()["records"]
            number = next(row["id"] for row in rows if row["image"] == "a.png")
            assert client.get(f"/api/records/{number}/picture").status_code == 200
    finally:
        ended.set()
        thread.join(90)
    assert not thread.is_alive()
    with open_store(str(place / "line.db")) as store:
        parts = {one.record.part for one in store.page(count=10).items}
    assert parts == {None, "P7"}


def test_a_page_needs_records_and_requests_need_a_page(place):
    lacking = FILE.format(more=FOLDER).replace('[records]\nstore = "line.db"\n', "")
    with pytest.raises(UsageError, match="page: a page shows records"):
        read_station_file(describe(place, lacking), {})
    file = describe(place, 'recipe = "disc.flaw"\n' + CAMERA)
    with pytest.raises(UsageError, match="there is no page"), station_page(file, print):
        pass
    with pytest.raises(UsageError, match="none can"):
        flawline.run_station(file)
    wrong = FILE.format(more=CAMERA + 'topic = "t"\n')
    with pytest.raises(UsageError, match="topic: there is no such entry"):
        read_station_file(describe(place, wrong), {})


def test_settings_of_the_page(place):
    more = 'host = "0.0.0.0"\nallow_host = ["line1.example"]\n' + FOLDER
    settings = settings_of(read_station_file(describe(place, FILE.format(more=more)), {}))
    assert (settings.host, settings.port, settings.hosts) == ("0.0.0.0", 0, ("line1.example",))
    assert settings.data == place / "flawline-server"
    assert settings.store == str(place / "line.db")
    assert str(settings.pictures) == str(place / "line-pictures")


def test_a_taken_port_is_said_before_anything_is_judged(place, capsys):
    port = free_port()
    text = FILE.format(more=FOLDER).replace("port = 0", f"port = {port}")
    with create_server(("127.0.0.1", port)):
        assert run(["station", str(describe(place, text))]) == 2
    assert f"port {port}: Address already in use" in capsys.readouterr().err


def test_which_camera_is_asked(tmp_path, disc_recipe):
    with served_app(tmp_path, disc_recipe) as served:
        client = served.client("operator")
        assert client.post("/api/trigger").json()["error"]["code"] == "camera-unknown"
        triggers = {"0": Triggers(), "1": Triggers()}
        object.__setattr__(served.state, "triggers", triggers)
        assert client.post("/api/trigger").status_code == 404
        answer = client.post(
            "/api/trigger", data={"camera": "1"}, headers={"Idempotency-Key": "k1"}
        )
        assert answer.json() == {"camera": "1"}
        assert triggers["1"].take(np.inf).fields == {"key": "k1"}
        assert client.post("/api/trigger", data={"camera": "1", "part": "a\nb"}).status_code == 422
        for _ in range(MOST):
            triggers["1"].ask({})
        assert client.post("/api/trigger", data={"camera": "1"}).status_code == 429
