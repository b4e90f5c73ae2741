"""A station judges, records and sends frames, from any thread, in whatever form their pictures come."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from flawline.data.array_file import npy_array
from flawline.data.frame import Frame
from flawline.data.source import open_source
from flawline.errors import ImageError, ModelError, UsageError
from flawline.inspector import Inspector
from flawline.outputs import Failure
from flawline.outputs.file import File
from flawline.recipe import recipe_with
from flawline.records import StoreError, open_store
from flawline.records.pictures import open_pictures
from flawline.station.feeds import source_frames
from flawline.station.replay import replay
from flawline.station.station import Station
from flawline.types import Unjudged
from helpers.discs import disc, spoilt, write, write_discs
from helpers.places import Place, until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def inspector(disc_inspector):
    return disc_inspector


@pytest.fixture
def store(tmp_path):
    with open_store(str(tmp_path / "r.db")) as opened:
        yield opened


@pytest.fixture
def pictures(tmp_path):
    return open_pictures(tmp_path / "pictures")


def png(pixels):
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def records(store):
    return [kept.record for kept in store.page(count=1000, newest=False).items]


def test_a_frame_is_judged_recorded_kept_and_sent(inspector, store, pictures):
    place = Place()
    frame = Frame(
        png(spoilt(7)), "7.png", NOW, "bad", {"weather": "fine"}, part="P7", lot="L1", station="s2"
    )
    constant = {"station": "s1", "tool": "t"}
    with Station(
        inspector, records=store, pictures=pictures, outputs=[place], constant=constant
    ) as station:
        found = station.inspect(frame)
    assert (found.image, found.verdict) == ("7.png", "reject")
    assert found.overlay().size == (96, 96)
    (record,) = records(store)
    assert (record.image, record.captured, record.verdict) == ("7.png", NOW, "reject")
    assert (record.part, record.lot, record.station, record.tool) == ("P7", "L1", "s2", "t")
    assert record.further == {"weather": "fine", "label": "bad"}
    assert pictures.get(record.picture) == frame.picture
    np.testing.assert_array_equal(npy_array(pictures.get(record.map)), found.map)
    opened, sent, closed = place.got
    assert (opened["state"], closed["state"]) == ("opened", "closed")
    assert (sent["kind"], sent["image"], sent["verdict"]) == ("judged", "7.png", "reject")
    assert (sent["part"], sent["names"]) == ("P7", {"station": "s2", "lot": "L1", "tool": "t"})
    assert sent["reasons"] == list(found.reasons)
    assert (sent["defects"], sent["classes"]) == (
        len(found.regions),
        {"anomaly": len(found.regions)},
    )
    assert sent["measures"]["largest_area"] == max(region.area for region in found.regions)
    assert datetime.fromisoformat(sent["captured"]) == NOW


def test_pictures_come_as_arrays_paths_bytes_or_when_they_are_needed(
    inspector, store, pictures, tmp_path
):
    pixels = spoilt(7)
    path = write(tmp_path / "7.png", pixels)
    given = (pixels, Image.fromarray(pixels), str(path), path, path.read_bytes(), path.read_bytes)
    with Station(inspector, records=store, pictures=pictures, keep="all") as station:
        found = [
            station.inspect(Frame(picture, captured=NOW + timedelta(seconds=place)))
            for place, picture in enumerate(given)
        ]
    assert len({inspection.score for inspection in found}) == 1
    assert [inspection.image for inspection in found] == ["", "", "7.png", "7.png", "", ""]
    for number, record in enumerate(records(store), start=1):
        assert hashlib.sha256(pictures.get(record.picture)).hexdigest() == record.picture
        assert replay(store, pictures, number).same


def test_many_threads_give_frames_at_once(inspector, store, pictures):
    place, count = Place(), 60
    alone = {n: inspector.inspect(disc(n)).score for n in range(count)}
    with Station(inspector, records=store, pictures=pictures, outputs=[place]) as station:

        def one(number):
            frame = Frame(disc(number), f"{number}.png", NOW + timedelta(seconds=number))
            return station.inspect(frame).score

        with ThreadPoolExecutor(12) as pool:
            scores = list(pool.map(one, range(count)))
    assert scores == [alone[n] for n in range(count)]
    kept = records(store)
    assert [(r.image, r.score) for r in kept] == [(f"{n}.png", alone[n]) for n in range(count)]
    judged = [m for m in place.got if m["kind"] == "judged"]
    assert sorted(m["image"] for m in judged) == sorted(f"{n}.png" for n in range(count))
    assert len({m["key"] for m in judged}) == count


def test_what_is_given_is_in_the_records_soon_though_nothing_follows(inspector, store):
    """A second on a quiet machine; the test only waits for it to happen while the station stays open."""
    with Station(inspector, records=store, keep="none") as station:
        station.inspect(Frame(disc(1), "1.png"))
        until(lambda: store.count() == 1)


def test_a_picture_that_cannot_be_judged_is_recorded_and_sent(inspector, store, pictures):
    place, broken = Place(), b"\x89PNG\r\n\x1a\n cut"
    with Station(inspector, records=store, pictures=pictures, outputs=[place]) as station:
        with pytest.raises(ImageError):
            station.inspect(Frame(broken, "cut.png"))
        for picture in (broken, np.zeros((2, 2, 7), np.uint8)):
            with pytest.raises(ImageError):
                station.inspect(Frame(picture))
    # Without a time the same file is the same picture, whatever it is called.
    named, unnamed = sorted(records(store), key=lambda record: record.image)
    assert (named.image, named.verdict) == ("cut.png", None)
    with pytest.raises(StoreError, match="there is no file"):
        pictures.get(named.picture)  # what is no picture may be any file: it is never copied
    assert unnamed.image.startswith("unnamed, ")
    sent = [m for m in place.got if m["kind"] == "judged"]
    assert [m["verdict"] for m in sent] == [None, None]
    assert "could not be judged" in sent[0]["reasons"][0]


def test_a_feed_is_inspected_in_order_and_in_bounded_memory(inspector, store, tmp_path):
    write_discs(tmp_path / "parts", good=9, bad=3)
    (tmp_path / "parts" / "good" / "x.png").write_bytes(b"nothing")
    taken, most = [], []

    def feed(source):
        for place, frame in enumerate(source_frames(source)):
            taken.append(frame.name)
            yield replace(frame, captured=NOW + timedelta(seconds=place))

    with (
        open_source(tmp_path / "parts") as source,
        Station(inspector, records=store, keep="none") as station,
    ):
        names = [sample.name for sample in source.samples()]
        done = []
        for frame, result in station.run(feed(source), workers=2, ahead=3):
            done.append((frame.name, result))
            most.append(len(taken) - len(done))
    assert [name for name, _ in done] == names
    assert max(most) <= 3
    missed = [result for _, result in done if isinstance(result, Unjudged)]
    assert [item.image for item in missed] == ["good/x.png"]
    assert [record.image for record in records(store)] == names
    assert {record.further.get("label") for record in records(store)} == {"good", "bad"}


def test_a_source_of_a_table_gives_times_and_names(inspector, store, tmp_path):
    write(tmp_path / "0.png", disc(1))
    (tmp_path / "s.csv").write_text("image,lot,captured\n0.png,7,2026-03-01T06:00:00Z\n")
    with (
        open_source(tmp_path / "s.csv") as source,
        Station(inspector, records=store, keep="none") as station,
    ):
        list(station.run(source_frames(source)))
    (record,) = records(store)
    assert (record.lot, record.captured.hour) == ("7", 6)


def test_a_frame_that_its_sender_named_is_recorded_and_sent_once(inspector, store):
    place = Place()
    with Station(inspector, records=store, keep="none", outputs=[place]) as station:
        for number in (1, 2):
            station.inspect(Frame(disc(number), f"{number}.png", key="order 7, shot 1"))
    assert [record.image for record in records(store)] == ["1.png"]
    assert sum(m["kind"] == "judged" for m in place.got) == 1


def test_without_records_events_are_sent_and_what_is_lost_is_reported(inspector):
    place, dead, said = Place(), Place(*[Failure("gone")] * 99), []
    dead.name = "dead"
    with Station(inspector, outputs=[place, dead], say=said.append) as station:
        station.inspect(Frame(disc(1), "1.png"))
        until(lambda: any(m["kind"] == "judged" for m in place.got))
    assert "1 message did not reach dead, and no records keep them" in said
    failing = next(m for m in place.got if m.get("state") == "failing")
    assert (failing["subject"], failing["name"]) == ("output", "dead")


def test_records_that_are_away_are_told_of_and_lose_nothing(inspector, store, monkeypatch):
    place, real = Place(), store.add
    with Station(inspector, records=store, keep="none", outputs=[place]) as station:

        def away(*_, **__):
            raise StoreError("gone", code="store-away", transient=True)

        monkeypatch.setattr(store, "add", away)
        station.inspect(Frame(disc(1), "1.png"))
        until(lambda: "away" in [m.get("state") for m in place.got])
        monkeypatch.setattr(store, "add", real)
        station.flush()
        until(lambda: "back" in [m.get("state") for m in place.got])
    assert len(records(store)) == 1
    assert [m["image"] for m in place.got if m["kind"] == "judged"] == ["1.png"]


def test_a_station_that_cannot_judge_or_keep_is_not_opened(inspector, store):
    bare = recipe_with(
        inspector.recipe, settings=replace(inspector.recipe.settings, threshold=None)
    )
    with pytest.raises(ModelError, match="threshold"):
        Station(Inspector(bare))
    with pytest.raises(UsageError, match="no place for pictures"):
        Station(inspector, records=store)


SERVICE = """
import sys
from pathlib import Path
from flawline.data.frame import Frame
from flawline.inspector import Inspector
from flawline.outputs.file import File
from flawline.records import open_store
from flawline.station.station import Station
from helpers.discs import disc
folder = Path(sys.argv[1])
with open_store(str(folder / "r.db")) as store, Station(
    Inspector.open(folder / "r.flaw"), records=store, keep="none", outputs=[File(folder / "sent.jsonl")],
    spool=folder / "spool",
) as station:
    for number in range(int(sys.argv[2]), 10_000):
        station.inspect(Frame(disc(number), f"{number}.png"))
        print(number, flush=True)
"""


@pytest.mark.slow
def test_a_killed_station_loses_no_inspection_and_no_event(inspector, tmp_path):
    """Everything that `inspect` has returned is recorded and sent by the next station, each once but for a copy."""
    from flawline.recipe import write_recipe

    write_recipe(inspector.recipe, tmp_path / "r.flaw")
    roots = [str(Path(__file__).parents[2] / "src"), str(Path(__file__).parents[1])]
    given = 0
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(tmp_path), str(given)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)},
        ) as service:
            for _ in range(15):
                given = int(service.stdout.readline()) + 1
            time.sleep(0.01 * given % 0.3)
            service.send_signal(signal.SIGKILL)
            given = max([given, *(int(text) + 1 for text in service.stdout.read().split())])
    with (
        open_store(str(tmp_path / "r.db")) as store,
        Station(
            inspector,
            records=store,
            keep="none",
            outputs=[File(tmp_path / "sent.jsonl")],
            spool=tmp_path / "spool",
        ) as station,
    ):
        station.flush()
        found = {record.image for record in records(store)}
    lines = map(json.loads, (tmp_path / "sent.jsonl").read_text("utf-8").splitlines())
    sent = [message["image"] for message in lines if message["kind"] == "judged"]
    wanted = {f"{number}.png" for number in range(given)}
    assert wanted <= found
    assert set(sent) == found
    assert len(sent) <= len(found) + 2, "a kill costs one copy at most"
