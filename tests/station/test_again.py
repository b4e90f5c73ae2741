"""Pictures that the records have already, inspected again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flawline.api.inspect import inspect
from flawline.data.frame import Frame
from flawline.data.source import open_source
from flawline.errors import SourceError, StoreError, UsageError
from flawline.inspector import Inspector
from flawline.records import open_store
from flawline.records.where import Where
from flawline.station.inspect_source import inspect_source
from flawline.station.station import Station
from helpers.discs import disc, spoilt, train, write, write_discs
from helpers.networks import write_network

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def inspector(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    return Inspector(train(write_discs(root / "parts", good=20), network).recipe)


@pytest.fixture
def parts(tmp_path):
    for number in range(3):
        write(tmp_path / "parts" / f"{number}.png", disc(number))
    return tmp_path / "parts"


@pytest.fixture
def store(tmp_path):
    with open_store(str(tmp_path / "r.db")) as opened:
        yield opened


def run(inspector, parts, store, lot=None, **more):
    constant = {} if lot is None else {"lot": lot}
    return inspect(inspector, parts, store=store, keep="none", constant=constant, **more)


def lots(store):
    items = store.page(count=100, newest=False).items
    return sorted((item.record.lot or "", item.record.image) for item in items)


def test_pictures_of_another_lot_are_refused_and_the_others_recorded(inspector, parts, store):
    run(inspector, parts, store, "A")
    first = lots(store)
    assert run(inspector, parts, store, "A").unjudged == ()
    assert run(inspector, parts, store).unjudged == ()
    with pytest.raises(SourceError, match="none of the 3 pictures was inspected: the records have"):
        run(inspector, parts, store, "B")
    assert lots(store) == first
    write(parts / "3.png", spoilt(1))
    done = run(inspector, parts, store, "B")
    assert [item.sample.name for item in done.inspections] == ["3.png"]
    assert {item.code for item in done.unjudged} == {"record-repeated"}
    assert "already under lot A (inspection" in done.unjudged[0].reason
    assert done.exit_code == 2
    assert lots(store) == [*first, ("B", "3.png")]


def test_again_makes_new_captures_each_time(inspector, parts, store):
    run(inspector, parts, store, "A")
    first = lots(store)
    write(parts / "3.png", spoilt(1))
    assert run(inspector, parts, store, "B", again=True).unjudged == ()
    second = [*first, *(("B", f"{n}.png") for n in range(4))]
    assert lots(store) == second
    assert run(inspector, parts, store, "B").unjudged == ()
    assert lots(store) == second
    run(inspector, parts, store, "A", again=True)
    assert store.count(Where(names={"lot": "A"})) == 7
    with pytest.raises(SourceError) as caught:
        run(inspector, parts, store, "C")
    assert "under lot A and lot B" in caught.value.hint


def test_an_interrupted_run_goes_on_with_its_own_captures(inspector, parts, store, tmp_path):
    run(inspector, parts, store, "A")
    write(parts / "3.png", spoilt(1))

    def stop_after(count):
        def track(items, *, title, total):
            for number, item in enumerate(items):
                if number == count:
                    raise KeyboardInterrupt
                yield item

        return track

    def again(track):
        with (
            open_source(parts) as source,
            Station(
                inspector, records=store, keep="none", constant={"lot": "B"}, again=True
            ) as station,
        ):
            return inspect_source(source, station, unfinished=tmp_path / "work", track=track)

    for count in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            again(stop_after(count))
    done = again(lambda items, *, title, total: items)
    assert done.resumed == 3
    assert store.count(Where(names={"lot": "B"})) == 4
    assert store.count() == 7


def test_a_frame_with_a_time_or_key_is_another_one(inspector, store):
    picture = disc(0)
    with Station(inspector, records=store, keep="none") as station:
        station.inspect(Frame(picture, "a", NOW, lot="A"))
        station.inspect(Frame(picture, "a", key="7", lot="A"))
        station.inspect(Frame(picture, "a", lot="A", station="s1"))
    with Station(inspector, records=store, keep="none") as station:
        station.inspect(Frame(picture, "a", NOW + timedelta(seconds=1), lot="B"))
        station.inspect(Frame(picture, "a", key="8", lot="B"))
        for frame, place in (
            (Frame(picture, "a", NOW, lot="B"), "under lot A"),
            (Frame(picture, "a", lot="B", station="s1"), "and lot A"),
            (Frame(picture, "b", lot="A", station="s2"), "station s1"),
            (Frame(picture, "a", lot="A", tool="t"), "no tool"),
        ):
            with pytest.raises(StoreError, match=place) as caught:
                station.inspect(frame)
            assert caught.value.code == "record-repeated"
        station.inspect(Frame(picture, "a", lot="A", station="s1"))
    assert store.count() == 5


@pytest.mark.parametrize("again", [False, True])
def test_a_picture_may_come_twice_while_the_station_is_open(inspector, store, again):
    with Station(inspector, records=store, keep="none", again=again) as station:
        for lot in ("A", "A", "B"):
            frame = Frame(disc(0), "a", lot=lot)
            if again or lot == "A":
                station.inspect(frame)
                continue
            with pytest.raises(StoreError, match=r"already under lot A; `again`"):
                station.inspect(frame)
    assert [lot for lot, _ in lots(store)] == (["A", "B"] if again else ["A"])


def test_again_is_about_records(inspector, parts):
    with pytest.raises(UsageError, match="`again`"):
        inspect(inspector, parts, again=True)
