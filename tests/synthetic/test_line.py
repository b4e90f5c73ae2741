import csv
import json

import cv2
import numpy as np
import pytest

import flawline
from flawline.errors import UsageError
from flawline.synthetic.line import CAUSES, LineSettings, draw_line


def test_the_same_settings_write_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        flawline.synth_line(tmp_path / name, parts=2, days=1, seed=3)
    one, two = (
        sorted(p for p in (tmp_path / name).rglob("*") if p.is_file()) for name in ("one", "two")
    )
    assert len(one) == 3 + 8
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_tables_name_each_inspection_and_its_defects(tmp_path):
    written = flawline.synth_line(tmp_path / "line", parts=5, pictures=False, causes=["gripper"])
    with written.inspections.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with written.defects.open(encoding="utf-8") as file:
        defects = list(csv.DictReader(file))
    assert len(rows) == 20
    assert {row["image"] for row in defects} <= {row["image"] for row in rows}
    assert sum(written.counts.values()) == len(defects)
    assert not (tmp_path / "line" / "pictures").exists()
    truth = json.loads((tmp_path / "line" / "causes.json").read_text(encoding="utf-8"))
    assert truth["causes"] == {"gripper": CAUSES["gripper"]}


def test_a_defect_stays_where_it_is_after_the_step_that_made_it():
    line = draw_line(LineSettings(200, 5))
    steps = line.step[line.owner]
    many = np.flatnonzero(np.bincount(line.born) == 4)
    assert len(many) > 20
    for born in many[:20]:
        seen = line.born == born
        assert sorted(steps[seen]) == [0, 1, 2, 3]
        assert np.ptp(line.places[seen], axis=0).max() < 6


def test_the_camera_fades_in_the_pictures_too(tmp_path):
    flawline.synth_line(tmp_path / "line", parts=6, days=1, causes=["camera"])
    names = sorted((tmp_path / "line" / "pictures").iterdir())
    first, last = (cv2.imread(str(names[k])).astype(float) for k in (0, -1))
    assert last.mean() < 0.9 * first.mean()


def test_a_folder_with_a_line_and_unknown_causes_are_refused(tmp_path):
    flawline.synth_line(tmp_path / "line", parts=1, pictures=False)
    with pytest.raises(UsageError, match="holds a line already"):
        flawline.synth_line(tmp_path / "line", parts=1, pictures=False)
    with pytest.raises(UsageError, match="causes of gripper, bath, tool, camera, got 'wind'"):
        flawline.synth_line(tmp_path / "new", causes=["wind"])
    with pytest.raises(UsageError, match="1 to 1000000 parts"):
        flawline.synth_line(tmp_path / "new", parts=0)
