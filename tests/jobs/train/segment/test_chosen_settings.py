"""What is chosen of the training of a segmenter by its pictures and masks."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from flawline.data.masks import open_masks
from flawline.data.masks.check import check_masks
from flawline.jobs.train.segment.chosen_settings import CHOICES, choose_settings
from flawline.jobs.train.segment.segment_settings import SegmentSettings


@pytest.fixture
def plates(tmp_path):
    """Write plates with stripes and one defect each, and choose by them."""

    def chosen(size, defect, *, turned=False, count=12, choose=CHOICES, training=None):
        folder = tmp_path / f"{size}-{defect}-{turned}"
        rows = ["image,mask"]
        for kind in ("images", "masks"):
            (folder / kind).mkdir(parents=True)
        y, x = np.mgrid[: size[0], : size[1]]
        for k in range(count):
            angle = np.pi * k / count if turned else 0.1
            pixels = np.uint8(128 + 80 * np.sin(0.2 * (x * np.cos(angle) + y * np.sin(angle))))
            mask = np.zeros(size, np.uint8)
            mask[4 : 4 + defect[0], 4 : 4 + defect[1]] = 1
            cv2.imwrite(str(folder / "images" / f"{k}.png"), pixels)
            cv2.imwrite(str(folder / "masks" / f"{k}.png"), mask)
            rows.append(f"images/{k}.png,masks/{k}.png")
        (folder / "samples.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        with open_masks(str(folder / "samples.csv"), classes=["dent"]) as source:
            report = check_masks(source)
            asked = training or SegmentSettings()
            return choose_settings(asked, choose, source, source.samples(), report)

    return chosen


def test_small_pictures_get_patches_of_their_size(plates):
    found = plates((100, 130), (6, 9))
    assert found.training.patch == (128, 160)
    assert "no picture is larger than 100 x 130 px" in found.messages[0]


@pytest.mark.parametrize(("defect", "patch"), [((9, 20), 256), ((9, 300), 384), ((9, 590), 512)])
def test_patches_hold_the_defects(plates, defect, patch):
    found = plates((600, 600), defect, count=2)
    assert found.training.patch == (patch, patch)
    assert str(max(defect)) in found.messages[0]


def test_parts_that_lie_anyhow_are_turned_by_any_angle(plates):
    assert plates((80, 80), (6, 9), turned=True).training.augmentation.rotation == 180
    assert plates((80, 80), (6, 9)).training.augmentation.rotation == 10


def test_a_rare_class_counts_more_in_the_loss(plates):
    assert plates((100, 100), (2, 3)).training.loss == "balanced+dice"
    assert plates((100, 100), (30, 30)).training.loss == "cross-entropy+dice"


def test_few_pictures_are_shown_more_often(plates):
    found = plates((60, 60), (6, 9))
    assert (found.training.epochs, found.training.patches) == (40, 750)
    assert "750 patches from 12 pictures" in found.messages[-1]


def test_what_is_not_chosen_stays(plates):
    asked = replace(SegmentSettings(), patch=(64, 96), loss="focal", epochs=3)
    found = plates((100, 100), (30, 30), choose=(), training=asked)
    assert (found.training, found.messages) == (asked, ())
