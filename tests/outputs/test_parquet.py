"""Parquet drops: whole files under final names, nothing lost at a kill, nothing twice when a drop is repeated."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from flawline.errors import UsageError
from flawline.outputs import Health, Judged, open_output
from flawline.outputs.parquet import PENDING, Parquet, ParquetEntries
from helpers.places import message, until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def judged(number, **more):
    return Judged(f"k{number}", NOW, f"{number}.png", "reject", ("a", "b"), **more).as_dict()


def parquet(folder, said=None, **more):
    settings = {"folder": str(folder), "every": 3600.0, "rows": 1000, **more}
    return Parquet(ParquetEntries(**settings), (said if said is not None else []).append)


def read(folder, kind="judged"):
    files = sorted(folder.glob(f"{kind}-*.parquet"))
    return pl.concat([pl.read_parquet(path) for path in files]) if files else None


def test_a_full_file_is_dropped_with_the_same_columns_whatever_is_known(tmp_path):
    output = parquet(tmp_path, rows=2)
    output.open()
    assert output.send(judged(1)) is None
    assert read(tmp_path) is None
    more = {"part": "P", "score": 3.5, "names": {"lot": "L1"}, "measures": {"total_area": 2.0}}
    assert output.send(judged(2, **more)) is None
    frame = read(tmp_path)
    assert frame["image"].to_list() == ["1.png", "2.png"]
    assert frame["lot"].to_list() == [None, "L1"]
    assert frame["score"].to_list() == [None, 3.5]
    assert frame["time"].to_list() == [NOW, NOW]
    assert frame["reasons"].to_list() == ["a; b"] * 2
    assert frame["measures"].to_list()[1] == '{"total_area": 2.0}'
    assert frame.schema["captured"] == pl.Datetime("us", "UTC")
    for number in (3, 4):
        output.send(judged(number))
    assert read(tmp_path).schema == frame.schema
    output.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet", ".parquet"]


def test_what_waits_is_dropped_in_time_and_at_the_end(tmp_path):
    output = parquet(tmp_path, every=0.05)
    output.open()
    output.send(judged(1))
    until(lambda: read(tmp_path) is not None)
    output.send(judged(2))
    output.close()
    assert sorted(read(tmp_path)["key"]) == ["k1", "k2"]


def test_a_killed_process_loses_nothing_that_it_took_and_repeats_no_file(tmp_path):
    killed = parquet(tmp_path)
    killed.open()
    for number in (1, 2):
        killed.send(judged(number))
    pending = (tmp_path / PENDING).read_bytes()
    killed._timer.cancel()
    # Killed in the middle of a third line, which was never acknowledged.
    (tmp_path / PENDING).write_bytes(pending + b'{"kind": "judg')
    following = parquet(tmp_path)
    following.open()
    assert read(tmp_path)["key"].to_list() == ["k1", "k2"]
    # Killed after the drop, before the waiting events were removed.
    (tmp_path / PENDING).write_bytes(pending)
    parquet(tmp_path).open()
    assert read(tmp_path)["key"].to_list() == ["k1", "k2"]


def test_each_kind_has_files_of_its_own(tmp_path):
    output = parquet(tmp_path)
    output.open()
    output.send(judged(1))
    output.send({**message(1), "time": NOW.isoformat(), "value": 2})
    output.send(Health(NOW, "records", "away", "r", "why").as_dict())
    output.close()
    assert read(tmp_path, "alert")["value"].to_list() == [2.0]
    assert read(tmp_path, "health")["state"].to_list() == ["away"]
    assert len(read(tmp_path)) == 1


def test_a_folder_that_went_away_is_a_failure_and_what_came_waits(tmp_path, owe, sending, store):
    place = tmp_path / "drops"
    output = parquet(place, rows=1)
    owe(judged(1))
    attempts = sending(output)
    assert attempts.attempt() > 0
    assert store.deliveries.waiting("place") == 1
    place.mkdir()
    attempts.hurry()
    attempts.attempt()
    assert store.deliveries.waiting("place") == 0
    assert read(place)["key"].to_list() == ["k1"]


def test_a_file_that_cannot_be_dropped_waits(tmp_path, monkeypatch):
    said = []
    output = parquet(tmp_path, said, rows=1)
    output.open()
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        assert output.send(judged(1)) is None
    assert "No space left; the events wait" in said[0]
    output.send(judged(2))
    output.close()
    assert read(tmp_path)["key"].to_list() == ["k1", "k2"]


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a folder"):
        open_output(f"parquet:{tmp_path}/none", say=print, environment={})
    names = {"FLAWLINE_PARQUET_ROWS": "0"}
    with pytest.raises(UsageError, match="rows: expected a whole number"):
        open_output(f"parquet:{tmp_path}", say=print, environment=names)
