"""Waiting messages of a queue file of version 0.1 move into the records, once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from flawline.outputs.console import line
from flawline.outputs.old_queue import queue_path, take_over, waiting_messages

# As version 0.1 wrote it: the alerts of inspections 41, 48 and 50, of which 48 has arrived.
WRITTEN = Path(__file__).parent / "version_0_1"
OUTPUT = "file:alerts.jsonl"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(WRITTEN, tmp_path / "chart")
    assert queue_path(tmp_path / "chart", OUTPUT).is_file()
    return tmp_path / "chart"


def inspections(deliveries):
    return [json.loads(item.body)["inspection"] for item in deliveries]


def test_what_waits_is_owed_once(folder, store):
    for _ in range(2):
        take_over(folder, OUTPUT, "place", store)
    assert list(folder.iterdir()) == []
    waiting = store.deliveries.due("place", store.deliveries.first("place").due)
    assert inspections(waiting) == [41, 50]
    first = json.loads(waiting[0].body)
    assert (first["kind"], first["time"]) == ("alert", first["raised"])
    assert line(first).startswith("ALERT: LargestStainArea, individuals: beyond the upper limit")


def test_queues_of_other_outputs_stay(folder, store):
    take_over(folder, "console", "place", store)
    assert len(list(folder.iterdir())) == 1
    assert store.deliveries.waiting("place") == 0


@pytest.mark.parametrize(("cut", "left"), [(0, [41, 50]), (5, [41, 48, 50]), (400, [41, 48])])
def test_a_file_that_was_cut_loses_the_cut_line_alone(folder, cut, left):
    path = queue_path(folder, OUTPUT)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - cut])
    assert [message["inspection"] for message in waiting_messages(path)] == left


def test_another_file_of_that_name_holds_no_messages(folder):
    path = queue_path(folder, OUTPUT)
    path.write_bytes(b"something else\n")
    assert waiting_messages(path) == []
