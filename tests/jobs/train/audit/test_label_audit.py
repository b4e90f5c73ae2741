"""Audits of labels without PyTorch: ranks, notes, files and the report, on probabilities that are drawn."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from flawline.core.class_learning import ClassLearning
from flawline.core.segmentation_metrics import IGNORE
from flawline.data.masks import open_masks
from flawline.jobs.train.audit.audit_labels import audit_result
from flawline.jobs.train.audit.audit_notes import notes_of
from flawline.jobs.train.audit.audit_plan import make_plan
from flawline.jobs.train.audit.audit_scoring import AuditScores, score_pictures
from flawline.jobs.train.audit.audit_store import AuditStore
from flawline.jobs.train.audit.audit_tables import audit_as_coco, audit_as_dict
from flawline.jobs.train.audit.audited_pictures import draw_panels
from flawline.jobs.train.audit.label_audit import LabelAudit
from flawline.jobs.train.audit.label_audit_files import write_label_audit
from flawline.jobs.train.audit.label_audit_report import finding
from flawline.jobs.train.audit.label_quality import ConfidentJoint
from flawline.types import no_track
from helpers.audited_masks import CLASSES, Masks, mask_of, settings, shares_of


def audit_of(source, seen, folder):
    """An audit of segmenters that give the probabilities `seen(truth)`."""
    plan = make_plan(source, settings(), no_track)
    with AuditStore(folder) as kept:
        for number, sample in enumerate(plan.samples):
            truth = source.truth(int(sample.name.partition(".")[0]))
            kept.write(number, source.pair(sample)[1], seen(truth))
        return audit_result(source, plan, settings(), kept, "parts", no_track)


@pytest.fixture
def audited(tmp_path):
    """An audit whose segmenters see the truth, and its source."""
    source = Masks()
    return audit_of(source, shares_of, tmp_path / "work"), source


def test_wrong_masks_come_first_and_their_kinds_are_told(audited):
    audit, _ = audited
    assert {picture.image for picture in audit.pictures[:4]} == {"2.png", "5.png", "7.png", "9.png"}
    assert [picture.rank for picture in audit.pictures] == list(range(1, 13))
    kinds = {
        picture.image: {region.kind for region in picture.regions} for picture in audit.pictures
    }
    assert kinds["2.png"] == {"missing"}
    assert kinds["5.png"] == {"extra"}
    assert kinds["7.png"] == {"class"}
    assert kinds["9.png"] == {"border"}
    assert not any(kinds[f"{n}.png"] for n in (0, 1, 3, 4, 6, 8, 10, 11))
    assert audit.exit_code == 1
    assert 0 < audit.noise < 0.05
    assert finding(audit) == (
        "5 regions look wrong in 4 of 12 masks: 1 missing, 1 extra, 1 class, 2 border."
    )


def test_an_audit_that_finds_nothing(audited):
    audit, _ = audited
    clean = replace(audit, pictures=tuple(replace(p, regions=()) for p in audit.pictures))
    assert clean.exit_code == 0
    assert finding(clean) == "No region of 12 masks looks wrong."


def test_the_files(audited, tmp_path):
    audit, source = audited
    out = tmp_path
    for path in write_label_audit(audit, source, out):
        assert path.is_file()
    with (out / "label-audit.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == audit.suspects == 5
    assert [int(row["picture_rank"]) for row in rows] == sorted(
        int(r["picture_rank"]) for r in rows
    )
    document = json.loads((out / "label-audit.json").read_text(encoding="utf-8"))
    assert document == json.loads(json.dumps(audit_as_dict(audit)))
    assert document["suspects"] == 5
    assert len(document["pictures"]) == 12
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<article") == 4
    assert page.count('<img src="data:image/jpeg') == 16
    assert "http" not in page
    before = {path.name: path.read_bytes() for path in out.glob("*.*")}
    write_label_audit(audit, source, out)
    assert {path.name: path.read_bytes() for path in out.glob("*.*")} == before


def test_the_coco_file_is_read_as_masks(audited, tmp_path):
    audit, source = audited
    images = tmp_path / "images"
    images.mkdir()
    for sample in source.samples():
        cv2.imwrite(str(images / sample.name), source.pair(sample)[0].pixels)
    write_label_audit(audit, source, tmp_path)
    with open_masks(images, annotations=tmp_path / "label-audit-coco.json") as masks:
        assert masks.classes == CLASSES
        found = {sample.name: masks.mask(sample) for sample in masks.samples()}
    assert set(found) == {"2.png", "5.png", "7.png", "9.png"}
    assert np.array_equal(found["2.png"], source.truth(2))
    assert np.array_equal(found["7.png"] == 2, source.truth(7) == 2)
    # Suggested background is painted as what it is.
    assert not found["5.png"].any()


def test_the_coco_file_keeps_kinds_and_boxes(audited):
    document = audit_as_coco(audited[0])
    names = {one["id"]: one["name"] for one in document["categories"]}
    assert names == {1: "scratch", 2: "stain", 3: "background"}
    found = {one["kind"]: one for one in document["annotations"]}
    assert names[found["extra"]["category_id"]] == "background"
    assert found["extra"]["given"] == "stain"
    left, top, width, height = found["extra"]["bbox"]
    assert found["extra"]["area"] == sum(found["extra"]["segmentation"]["counts"][1::2])
    assert (left, top, width, height) == (3, 3, 19, 19)
    assert [one["id"] for one in document["annotations"]] == [1, 2, 3, 4, 5]


def test_panels_of_a_large_picture_show_the_worst_region(audited):
    picture = next(p for p in audited[0].pictures if p.regions)
    large = replace(picture, size=(1000, 1200), regions=())
    region = replace(picture.regions[0], box=(900, 100, 20, 20), runs=(1200 * 1000,))
    large = replace(large, regions=(region,))
    pixels = np.zeros((1000, 1200, 3), np.uint8)
    mask = np.zeros((1000, 1200), np.uint8)
    panels = draw_panels(large, pixels, mask, np.zeros((3, 1000, 1200), np.float32))
    assert all(image.shape == (420, 420, 3) for image in panels.images)
    assert panels.place == "700, 0 to 1120, 420 px"


def test_a_shifted_mark_says_where_it_lies_in_every_file(audited, tmp_path):
    audit, source = audited
    found = next(picture for picture in audit.pictures if picture.image == "9.png")
    words = "the mask lies about 5 px to the right of what is seen"
    assert [(one.shift, one.words) for one in found.regions] == [((5, 0), words)] * 2
    assert not any(one.words for p, one in audit.regions() if p.image != "9.png")
    write_label_audit(audit, source, tmp_path)
    with (tmp_path / "label-audit.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["image"] == "9.png"]
    assert [(row["shift_x"], row["shift_y"], row["words"]) for row in rows] == [
        ("5", "0", words)
    ] * 2
    assert words in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [one["words"] for one in audit_as_coco(audit)["annotations"]].count(words) == 2


def test_both_outlines_of_a_shifted_mark_are_drawn(audited):
    audit, source = audited
    found = next(picture for picture in audit.pictures if picture.image == "9.png")
    pixels, mask = source.pair(source.samples()[9])
    without = replace(found, regions=tuple(replace(one, shift=None) for one in found.regions))
    shares = np.zeros((3, *mask.shape), np.float32)
    drawn, plain = (
        draw_panels(one, pixels.pixels, mask, shares).images[3].astype(int)
        for one in (found, without)
    )
    scale = drawn.shape[0] / mask.shape[0]
    # Left of the disc as seen, and right of it as masked: each outline alone, at its outermost pixel.
    for column, colour in ((29, (0, 114, 178)), (54, (255, 255, 255))):
        at = int(40.5 * scale), int((column + 0.5) * scale)
        assert np.abs(drawn[at] - colour).max() < 60, column
        assert np.abs(drawn[at] - plain[at]).max() > 0


def test_a_class_that_one_fold_has_alone_is_not_audited(tmp_path):
    class Rare(Masks):
        def truth(self, number):
            return mask_of((2 if number == 4 else 1, 30 + number, 40, 10))

        def pair(self, sample):
            picture, _ = super().pair(sample)
            return picture, self.truth(int(sample.name.partition(".")[0]))

    audit = audit_of(Rare(), lambda truth: shares_of(np.where(truth == 1, truth, 0)), tmp_path)
    assert any("stain occurs in fold" in text for text in audit.notes)
    rare = next(picture for picture in audit.pictures if picture.image == "4.png")
    assert rare.regions == ()
    assert audit.thresholds[2] is None


def chance(truth):
    """Probabilities of a segmenter that learnt nothing: any class anywhere, and very sure of it."""
    rng = np.random.default_rng(int(truth.nonzero()[1].sum()))
    return shares_of(rng.integers(0, 3, truth.shape, np.uint8))


@pytest.mark.parametrize("seen", [lambda truth: shares_of(mask_of()), chance])
def test_segmenters_that_learnt_nothing_judge_no_mask(tmp_path, seen):
    audit = audit_of(Masks(), seen, tmp_path)
    assert audit.pictures == ()
    assert (audit.masks, audit.suspects, audit.noise, audit.exit_code) == (12, 0, None, 2)
    assert audit.unlearnt == ("scratch", "stain")
    assert audit.verdict.usable == "no"
    assert audit.verdict.text.startswith("Not audited: the segmenters learnt nothing, IoU")
    assert finding(audit) == "None of 12 masks was judged."
    written = write_label_audit(audit, Masks(), tmp_path)
    assert [path.is_file() for path in written] == [True] * 4
    assert "None of 12 masks was judged" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "label-audit.json").read_text(encoding="utf-8"))["noise"] is None


def test_masks_of_a_class_that_was_not_learnt_are_not_judged(tmp_path):
    def blind_to_stains(truth):
        seen = shares_of(np.where(truth == 1, truth, 0).astype(np.uint8))
        # What is no scratch is a stain as likely as not, all over the picture.
        seen[2] = seen[0] = (seen[0] + seen[2]) / 2
        return seen

    audit = audit_of(Masks(), blind_to_stains, tmp_path)
    assert audit.unlearnt == ("stain",)
    assert audit.exit_code == 2
    assert audit.verdict.text.startswith("Masks of stain not audited")
    # The stain that is labelled as a scratch is none for what knows scratches; the other wrong stains are not known.
    found = {(p.image, r.kind, r.given, r.seen) for p, r in audit.regions()}
    assert found == {
        ("2.png", "missing", "background", "scratch"),
        ("7.png", "extra", "scratch", "background"),
    }


def test_marks_that_are_often_not_seen_are_told(audited):
    audit, source = audited
    region = replace(next(audit.regions())[1], kind="extra", given="stain", seen="background")
    pictures = tuple(replace(p, regions=(region,)) for p in audit.pictures[:4])
    joint, marks = ConfidentJoint(3), np.array([0, 9, 29])
    plan = make_plan(source, settings(), no_track)
    learning = (ClassLearning(0.9, 0.1),) * 3
    scored = AuditScores(pictures, np.array([0.9, 0.5, 0.5]), joint, (), marks, learning)
    [text] = notes_of(plan, CLASSES, scored)
    assert text.startswith("4 of 29 marks of stain are not seen at all")
    assert notes_of(plan, CLASSES, replace(scored, marks=np.array([0, 9, 40]))) == ()


def test_pictures_without_a_known_pixel_have_no_rank(tmp_path):
    source = Masks()
    plan = make_plan(source, settings(), no_track)
    with AuditStore(tmp_path) as kept:
        for number, sample in enumerate(plan.samples):
            mask = source.pair(sample)[1]
            kept.write(number, np.full_like(mask, IGNORE) if number == 0 else mask, shares_of(mask))
        scored = score_pictures(source, plan, kept, settings(), no_track)
    assert scored.unknown == ("0.png",)
    assert len(scored.pictures) == 11


def test_the_exit_code_of_what_could_not_be_read(audited):
    audit: LabelAudit = audited[0]
    plan = make_plan(Masks(broken=(3,)), settings(), no_track)
    assert replace(audit, unjudged=plan.unjudged).exit_code == 2
