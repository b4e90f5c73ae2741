"""Letting pictures and inspections go by rules: what must stay stays, whenever the process ends."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from flawline.errors import UsageError
from flawline.records import removal
from flawline.records.engine import reading, writing
from flawline.records.keep_rules import KeepRule, parse_keep_rules
from flawline.records.pictures import FolderPictures, open_pictures
from flawline.records.tables import class_count, defect
from flawline.records.thin import WHAT, thin
from flawline.records.where import Where
from helpers.inspected_records import record

NOW = datetime(2026, 9, 1, tzinfo=UTC)
OLD, LATELY = NOW - timedelta(days=100), NOW - timedelta(days=5)


def test_rules_are_read():
    rules = parse_keep_rules({"accept": "30d:100", "reject": "8w", "inspections": "10y"})
    assert rules.pictures["accept"] == KeepRule(timedelta(days=30), 100)
    assert rules.pictures["reject"] == KeepRule(timedelta(days=56))
    assert rules.inspections == timedelta(days=3652.5)
    assert (
        rules.words()
        == "accept for 30 days and 1 in 100 after, reject for 56 days, inspections for 3652.5 days"
    )


@pytest.mark.parametrize(
    "keep",
    [
        {},
        {"review": "5y"},
        {"acept": "5y"},
        {"accept": "0d"},
        {"accept": "-3d"},
        {"accept": "30"},
        {"accept": "30d:0"},
        {"inspections": "10y:2"},
        {"accept": "999999y"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(keep):
    with pytest.raises(UsageError):
        parse_keep_rules(keep)


def test_one_in_a_hundred_is_the_same_hundredth_every_time():
    rule = KeepRule(timedelta(days=1), 100)
    kept = [n for n in range(20_000) if rule.samples(sha256(b"%d" % n).digest())]
    assert 150 < len(kept) < 250
    assert not KeepRule(timedelta(days=1)).samples(bytes(32))


class House:
    """Records with pictures."""

    def __init__(self, store, folder):
        self.store, self.pictures, self.count = store, FolderPictures(folder), 0
        self.names = {}

    def add(self, name, when, verdict="accept", content=None, **changes):
        """Add an inspection with its picture; returns its number."""
        self.count += 1
        data = content or b"picture of " + name.encode()
        kept = self.pictures.put(data)
        self.names[name] = kept
        made = record(
            self.count, captured=when, picture=kept, verdict=verdict, image=name, **changes
        )
        self.store.add([made])
        (item,) = self.store.page(Where(names={"part": made.part})).items
        return item.id

    def aged(self):
        """Make all files a year old, as they are where they go."""
        for path in self.pictures.folder.rglob("*"):
            os.utime(path, (NOW.timestamp() - 3e7,) * 2)

    def left(self):
        there = {file.name for file in self.pictures.files()}
        return {name for name, kept in self.names.items() if kept in there}

    def thin(self, keep, **options):
        self.aged()
        rules = parse_keep_rules(keep)
        return thin(self.store, self.pictures, rules, NOW, **options)


@pytest.fixture
def house(store, tmp_path):
    return House(store, tmp_path / "pictures")


def test_pictures_go_by_verdict_and_age_and_are_counted_first(house):
    house.add("good, old", OLD)
    house.add("good, new", LATELY)
    house.add("bad, old", OLD, "reject")
    house.pictures.put(b"a recipe, which no inspection names")
    keep = {"accept": "30d", "reject": "5y"}
    told = house.thin(keep)
    assert (told.files, told.stored, told.inspections, told.removed) == (1, 4, 0, False)
    assert told.bytes == len(b"picture of good, old")
    assert house.left() == {"good, old", "good, new", "bad, old"}
    done = house.thin(keep, remove=True, who="Ada")
    assert (done.files, done.bytes, done.removed) == (1, told.bytes, True)
    assert house.left() == {"good, new", "bad, old"}
    assert len(list(house.pictures.files())) == 3
    assert house.store.count() == 3
    [(_, action)] = house.store.accounts.actions()
    assert (action.who, action.what) == ("Ada", WHAT)
    assert "1 pictures and maps (20 bytes), 0 inspections; accept for 30 days" in action.about


def test_what_something_refers_to_stays(house):
    store = house.store
    decided = house.add("decided", OLD)
    house.add("for review", OLD, "review")
    noted = house.add("noted on a chart", OLD)
    house.add("learnt from", OLD)
    house.add("of no use", OLD)
    house.add("the same content", OLD, content=b"twice")
    house.add("and lately", LATELY, content=b"twice")
    store.decide(decided, "reject", who="Ada", why="dust", when=NOW)
    store.charts.add("score", "note", who="Ada", text="new tool", when=NOW, inspection=noted)
    known = frozenset({house.names["learnt from"]})
    keep = {"accept": "30d", "inspections": "60d"}
    done = house.thin(keep, protected=known, remove=True, who="Ada")
    assert house.left() == set(house.names) - {"of no use"}
    assert done.files == 1
    left = {one.record.image for one in store.page().items}
    assert left == {"decided", "for review", "noted on a chart", "learnt from", "and lately"}
    assert done.inspections == 2


def test_of_old_pictures_one_in_so_many_stays(house):
    for number in range(24):
        house.add(f"{number}", OLD + timedelta(seconds=number))
    rule = KeepRule(timedelta(days=30), 4)
    wanted = {name for name, kept in house.names.items() if rule.samples(bytes.fromhex(kept))}
    house.thin({"accept": "30d:4"}, remove=True, who="Ada")
    assert house.left() == wanted
    assert 2 < len(wanted) < 12
    assert house.thin({"accept": "30d:4"}).files == 0


def test_a_picture_that_is_stored_again_meanwhile_stays(house):
    house.add("good, old", OLD)
    real = house.pictures.remove

    def late(name, before):
        house.pictures.put(b"picture of good, old")
        return real(name, datetime.now(UTC).timestamp() - 3600)

    house.pictures.remove = late
    assert house.thin({"accept": "30d"}, remove=True, who="Ada").files == 0
    assert house.left() == {"good, old"}


def test_inspections_go_with_their_defects_in_steps_that_may_be_interrupted(house, monkeypatch):
    store = house.store
    # Those of June stay in part, those of May go whole.
    made = [
        record(n, captured=datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=n)) for n in range(30)
    ]
    made += [
        record(n, captured=datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=n))
        for n in range(30, 40)
    ]
    made += [record(n, frame_key=f"shot {n}", captured=OLD) for n in range(40, 45)]
    store.add(made)
    [first] = [one for one in store.page(count=100).items if one.record == made[0]]
    store.decide(first.id, "accept", who="Ada", why="dust", when=NOW)
    monkeypatch.setattr(removal, "_AT_ONCE", 4)
    real, calls = removal._remove, []

    def killed(*arguments):
        calls.append(arguments)
        real(*arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt

    keep = {"inspections": "80d"}
    expected = [one for one in made if one.captured >= NOW - timedelta(days=80)] + [made[0]]
    told = house.thin(keep)
    assert told.inspections == len(made) - len(expected)
    with monkeypatch.context() as patched:
        patched.setattr(removal, "_remove", killed)
        with pytest.raises(KeyboardInterrupt):
            house.thin(keep, remove=True, who="Ada")
    between = store.count()
    assert len(expected) < between < len(made)
    done = house.thin(keep, remove=True, who="Ada")
    assert done.inspections == between - len(expected)
    left = [one.record for one in store.page(count=100).items]
    assert sorted(left, key=lambda r: r.image) == sorted(expected, key=lambda r: r.image)
    with reading(store.engine) as connection:
        for table in (defect, class_count):
            owners = connection.execute(table.select()).all()
            assert len(owners) == sum(
                (2 if table is defect else 1) for one in expected if one.defects
            )
    assert len(store.accounts.actions()) == 2
    # What went may come again, once.
    again = [replace(one, judged=NOW) for one in made[-5:]]
    assert store.add(again).new == 5
    assert store.add(again).new == 0


def test_a_decision_that_was_made_meanwhile_keeps_its_inspection(house, monkeypatch):
    store = house.store
    number = house.add("good, old", OLD)
    house.add("good, lately", LATELY)
    monkeypatch.setattr(removal, "_empty_months", lambda *_: iter(()))
    real = removal.count_old

    def counted(*arguments):
        count = real(*arguments)
        store.decide(number, "reject", who="Ada", why="dust", when=NOW)
        return count

    monkeypatch.setattr(removal, "count_old", counted)
    assert house.thin({"inspections": "60d"}, remove=True, who="Ada").inspections == 0
    assert store.get(number).decisions[0].why == "dust"


def test_removing_needs_a_name(house):
    with pytest.raises(UsageError, match="name"):
        house.thin({"accept": "30d"}, remove=True)


def test_pictures_at_a_url_are_listed_and_removed():
    pytest.importorskip("fsspec")
    remote = open_pictures("memory://thin")
    name = remote.put(b"x")
    assert [(file.name, file.size) for file in remote.files()] == [(name, 1)]
    assert remote.remove(name, 0)
    assert not remote.remove(name, 0)
    assert list(remote.files()) == []


def test_inspections_are_still_not_changed(house):
    house.add("good", OLD)
    with pytest.raises(Exception, match="never changed"), writing(house.store.engine) as connection:
        connection.exec_driver_sql("UPDATE inspection SET verdict = 'reject'")
