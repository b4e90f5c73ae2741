"""From pictures with masks to a recipe that inspects, through the Python call and the command."""

import csv
import json
import re
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from flawline.cli.main import run
from flawline.core import class_learning
from flawline.data.masks import open_masks
from flawline.errors import ModelError, SourceError, UsageError
from flawline.inspector import Inspector
from flawline.jobs.train.segment import pseudo_masks
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.recipe import known_pictures, read_recipe, write_recipe

REASON = "the extra [train] is not installed; `make test-train` runs this"
pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from flawline.jobs.train.segment.progress_record import EpochRecord  # noqa: E402
from flawline.jobs.train.segment.segmenter_report import iou_curves  # noqa: E402
from flawline.jobs.train.segment.train_segment import FINDINGS, TrainSegmentSettings, train_segment  # noqa: E402

TRAINING = SegmentSettings(
    patch=(64, 64), epochs=2, patches=24, batch=8, rate=3e-3, precision="f32"
)
LIMIT = {"limit": "area", "class": "stain", "max": "40 px2"}


@pytest.fixture
def parts(drawn_source, tmp_path):
    """Twenty-four plates on disk; one in four is good."""
    drawn = drawn_source(24)
    folder = tmp_path / "parts"
    rows = ["image,mask,group"]
    for sample in drawn.samples():
        picture, mask = drawn.pair(sample)
        for kind, pixels in (("images", picture.pixels), ("masks", mask)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / kind / sample.name), pixels)
        rows.append(f"images/{sample.name},masks/{sample.name},{sample.group}")
    (folder / "samples.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "samples.csv"


def learnt(parts, folder, settings=None, **more):
    with open_masks(str(parts), classes=["scratch", "stain"]) as source:
        return train_segment(
            source, settings or TrainSegmentSettings("plate", TRAINING), folder=folder, **more
        )


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_recipe_says_what_it_was_made_of(parts, tmp_path):
    found = learnt(parts, tmp_path / "work")
    recipe, split = found.recipe, found.split
    settings = recipe.settings.segmenter
    assert settings.classes == ("scratch", "stain")
    assert settings.thresholds == tuple(one.threshold for one in found.chosen)
    roles = {picture.name: picture.role for picture in recipe.manifest.pictures}
    assert len(roles) == 24
    assert {roles[sample.name] for sample in split.train} == {"train"}
    assert {roles[sample.name] for sample in split.validation} == {"calibration"}
    assert {roles[sample.name] for sample in split.test} == {"test"}
    assert len(known_pictures(recipe)) == 24 - len(split.test)
    network = recipe.manifest.settings["network"]
    assert network["network"] == "light"
    assert network["encoder_weights"]["from"] == "embedded"
    assert recipe.manifest.metrics["export_difference"] < 1e-3
    good = sum(int(s.name[7:-4]) % 4 == 3 for s in split.validation)
    assert len(recipe.arrays.get("calibration_scores", ())) == good


def test_the_same_seed_gives_the_same_recipe_also_after_an_interruption(parts, tmp_path):
    whole = learnt(parts, tmp_path / "a").recipe

    def stop(record, split):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learnt(parts, tmp_path / "b", each=stop)
    with pytest.raises(UsageError, match="earlier training"):
        learnt(parts, tmp_path / "b")
    resumed = learnt(parts, tmp_path / "b", resume=True).recipe
    assert resumed.sha256 == whole.sha256
    assert write_recipe(resumed, tmp_path / "b.flaw").read_bytes() == (
        write_recipe(whole, tmp_path / "a.flaw").read_bytes()
    )


def test_a_specification_that_cannot_be_used_ends_it_before_the_training(parts, tmp_path):
    settings = TrainSegmentSettings("plate", TRAINING, spec={"limits": [{**LIMIT, "max": "1 mm2"}]})
    with pytest.raises(ModelError, match="mm"):
        learnt(parts, tmp_path / "work", settings)
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("wrong", [{"overkill": 3.0}, {"confidence": 0.0}])
def test_a_share_out_of_range_ends_it_before_the_training(parts, tmp_path, wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        learnt(parts, tmp_path / "work", TrainSegmentSettings("plate", TRAINING, **wrong))
    assert not (tmp_path / "work").exists()


def test_parts_that_are_in_two_splits_are_refused(parts, tmp_path):
    lines = parts.read_text(encoding="utf-8").splitlines()
    rows = [f"{line},{'test' if k % 5 == 0 else 'train'}" for k, line in enumerate(lines[1:])]
    text = "\n".join([f"{lines[0]},split", *rows]).replace(",1,", ",0,")
    parts.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        learnt(parts, tmp_path / "work")
    assert caught.value.code == "group-leak"
    rows = read_csv(tmp_path / "work" / FINDINGS)
    leaked = [row for row in rows if row["code"] == "group-leak"]
    assert {row["detail"] for row in leaked} == {"train", "test"}
    assert len(leaked) >= text.count(",0,") > 1
    assert FINDINGS in caught.value.hint


def test_copies_with_different_masks_and_classes_without_a_pixel_are_told(parts, tmp_path):
    lines = parts.read_text(encoding="utf-8").splitlines()
    image, mask, group = lines[1].split(",")
    other = next(
        line.split(",")[1]
        for line in lines[2:]
        if not np.array_equal(
            cv2.imread(str(parts.parent / line.split(",")[1]), 0),
            cv2.imread(str(parts.parent / mask), 0),
        )
    )
    shutil.copy(parts.parent / image, parts.parent / "images" / "copy.png")
    lines.append(f"images/copy.png,{other},{group}")
    parts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_masks(str(parts), classes=["scratch", "stain", "dent"]) as source:
        done = train_segment(
            source, TrainSegmentSettings("plate", TRAINING), folder=tmp_path / "work"
        )
    told = "\n".join(done.messages)
    assert "no pixel is 'dent'" in told
    assert f"the same picture, different masks: {image}, images/copy.png" in told
    codes = [row["code"] for row in read_csv(tmp_path / "work" / FINDINGS)]
    assert codes == ["empty-class", "duplicate-masks", "duplicate-masks"]


def test_the_command_trains_a_recipe_that_inspects_and_judges(parts, tmp_path, capsys):
    spec = tmp_path / "spec.toml"
    spec.write_text('name = "A"\n[[limits]]\nlimit = "area"\nclass = "stain"\nmax = "40 px2"\n')
    out = tmp_path / "plate.flaw"
    options = "--epochs 4 --patch 64 --batch 8 --rate 3e-3 --precision f32 --quiet --json"
    options = [*options.split(), "--rotation", "180"]
    asked = ["train", "segment", str(parts), "--classes", "scratch,stain", "-o", str(out)]
    assert run([*asked, "--spec", str(spec), *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told["thresholds"]] == ["scratch", "stain"]
    assert len(told["epochs"]) == 4
    page = out.with_suffix(".html").read_text(encoding="utf-8")
    assert "IoU of each class by epoch" in page
    assert page.count("<article") >= 3
    examples = sorted((out.with_suffix(".training") / "examples").iterdir())
    assert examples[0].name == "epoch-001.jpg"
    assert cv2.imread(str(examples[0])).shape[1] == 3 * 80 + 12

    recipe = read_recipe(out)
    assert recipe.settings.spec["name"] == "A"
    pictures = parts.parent / "images"
    run(["inspect", str(out), str(pictures), "-o", str(tmp_path / "out"), "--json", "--quiet"])
    inspected = json.loads(capsys.readouterr().out)["inspections"]
    assert len(inspected) == 24
    for one in inspected:
        largest = max(
            (d["measures"]["area"] for d in one["defects"] if d["label"] == "stain"), default=0
        )
        # No clause covers scratches: a part with one is never accepted.
        scratched = any(d["label"] == "scratch" for d in one["defects"])
        passed = "review" if scratched else "accept"
        assert one["verdict"] == ("reject" if largest > 40 else passed)
        assert one["measures"]["NumberOfStains"] == sum(
            d["label"] == "stain" for d in one["defects"]
        )


def test_pictures_without_masks_are_learnt_from_and_named_by_the_recipe(
    parts, drawn_source, tmp_path, capsys, monkeypatch
):
    # As early as they may, by a network of which nothing is asked.
    monkeypatch.setattr(pseudo_masks, "_LEAST_GAIN", 2.0)
    monkeypatch.setattr(class_learning, "LEAST", -10.0)
    drawn, more = drawn_source(27), tmp_path / "more"
    more.mkdir()
    for sample in drawn.samples()[22:]:
        cv2.imwrite(str(more / sample.name), drawn.pair(sample)[0].pixels)
    (more / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "plate.flaw"
    options = "--epochs 3 --patch 64 --rotation 10 --precision f32 --quiet --json".split()
    asked = ["train", "segment", str(parts), "--classes", "scratch,stain", "-o", str(out)]
    assert run([*asked, "--unmasked", str(more), *options]) == 0
    told = json.loads(capsys.readouterr().out)
    unmasked = told["metrics"]["unmasked"]
    assert unmasked["pictures"] == 3
    assert unmasked["left_out"] == {"masked": 2, "unreadable": 1}
    assert unmasked["after_epoch"] == 2
    assert any("broken.png" in line for line in told["messages"])
    assert any("3 pictures without a mask" in line for line in told["messages"])
    known = [one for one in read_recipe(out).manifest.pictures if "/" not in one.name]
    assert {one.name for one in known} <= {"24.png", "25.png", "26.png"}
    assert len(known) == unmasked["learnt_from"]
    assert {one.role for one in known} <= {"train"}


def test_the_recipe_marks_what_the_network_sees(parts, tmp_path):
    settings = TrainSegmentSettings("plate", replace(TRAINING, epochs=4))
    found = learnt(parts, tmp_path / "work", settings)
    inspector = Inspector(found.recipe)
    with open_masks(str(parts), classes=["scratch", "stain"]) as source:
        picture, _ = source.pair(found.split.validation[0])
    inspection = inspector.inspect(picture)
    shares = inspector.probabilities(picture)
    ratio = shares[1:] / np.array(found.recipe.settings.segmenter.thresholds)[:, None, None]
    expected = np.where(ratio.max(0) >= 1, ratio.argmax(0) + 1, 0)
    assert (inspection.class_mask != expected).mean() < 1e-3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--shares", "0.5,0.5"], "three numbers"),
        (["--network", "nonsense"], "no network"),
        (["--unlabelled", "maybe"], "leave-out or empty"),
        (["--patch", "100"], "multiples of"),
        (["--recall", "2"], "recall"),
        (["--rotation", "-1"], "rotation is from 0"),
        (["--rotation", "45", "--no-augment"], "leave one of them out"),
    ],
)
def test_wrong_options_are_clear_errors(parts, tmp_path, capsys, options, words):
    asked = ["train", "segment", str(parts), "-o", str(tmp_path / "a.flaw"), "--epochs", "1"]
    assert run([*asked, "--patch", "64", *options]) == 2
    assert words in capsys.readouterr().err


def record(iou):
    return EpochRecord(1, 3, 1e-3, {"total": 1.0}, None, iou, None, None, None, None, True, 1, 0)


def test_the_curve_of_one_epoch_can_be_seen():
    drawn = iou_curves([record({"background": 0.9, "stain": 0.4})], ["stain"])
    assert re.search(r'<g clip-path="[^"]+">\s*<use', drawn)
    assert "no validation picture" not in drawn
    assert "no validation picture shows a defect" in iou_curves(
        [record({"stain": None})], ["stain"]
    )
