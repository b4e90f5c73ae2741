"""Audits of labels with segmenters that are trained: what they find, and that a stopped audit goes on."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from flawline.errors import ModelError
from flawline.jobs.train.segment.segment_settings import NO_AUGMENTATION, SegmentSettings

REASON = "the extra [train] is not installed; `make test-train` runs this"
pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from flawline.jobs.train.audit import audit_folds as folds  # noqa: E402
from flawline.jobs.train.audit.audit_labels import audit_labels  # noqa: E402
from flawline.jobs.train.audit.audit_settings import AuditSettings, RegionLimits  # noqa: E402
from flawline.jobs.train.audit.audit_tables import audit_as_dict  # noqa: E402

QUICK = AuditSettings(
    folds=2,
    training=SegmentSettings(patch=(32, 32), epochs=1, patches=4, batch=4, precision="f32"),
)


class WrongMasks:
    """Drawn plates, of which some have wrong masks."""

    def __init__(self, source, wrong):
        self._source, self._wrong = source, wrong
        self.classes = source.classes

    def samples(self):
        return self._source.samples()

    def pair(self, sample):
        picture, mask = self._source.pair(sample)
        change = self._wrong.get(sample.name)
        return picture, change(mask) if change else mask


def nothing(mask):
    return np.zeros_like(mask)


def one_more(mask):
    more = mask.copy()
    free = [
        (y, x) for y in (4, 28, 50) for x in (4, 30, 56) if not mask[y : y + 18, x : x + 18].any()
    ]
    y, x = free[0]
    more[y : y + 18, x : x + 18] = 2
    return more


@pytest.mark.slow
def test_wrong_masks_are_found(drawn_source, tmp_path):
    wrong = {"1.png": nothing, "3.png": one_more, "6.png": nothing, "11.png": one_more}
    source = WrongMasks(drawn_source(16), wrong)
    # Sure of the background, as the unweighted loss makes them; and in so few steps the encoder has to keep pace.
    training = SegmentSettings(
        patch=(64, 64),
        epochs=8,
        patches=64,
        batch=8,
        rate=3e-3,
        loss="cross-entropy+dice",
        encoder_rate=1.0,
        augmentation=NO_AUGMENTATION,
    )
    # Segmenters that learned for seconds are not as sure as the usual limit asks.
    settings = AuditSettings(folds=2, training=training, limits=RegionLimits(quality=0.15))
    audit = audit_labels(source, tmp_path, settings)
    assert wrong.keys() <= {picture.image for picture in audit.pictures[:6]}
    kinds = {p.image: {region.kind for region in p.regions} for p in audit.pictures}
    assert "missing" in kinds["1.png"] | kinds["6.png"]
    assert "extra" in kinds["3.png"] | kinds["11.png"]


def test_every_picture_is_looked_at_by_a_segmenter_that_did_not_learn_from_it(
    drawn_source, tmp_path, monkeypatch
):
    learnt = []
    real = folds.train_segmenter

    def told(source, train, validation, folder, settings, **given):
        learnt.append({sample.name for sample in train})
        assert not validation
        return real(source, train, validation, folder, settings, **given)

    monkeypatch.setattr(folds, "train_segmenter", told)
    audit = audit_labels(drawn_source(8), tmp_path, QUICK)
    assert audit.masks == 8
    # One step may learn too little for an audit to rank anything; the plan has the folds.
    planned = json.loads((tmp_path / "work" / "plan.json").read_text(encoding="utf-8"))["folds"]
    assert len(planned) == 8
    for image, fold in planned.items():
        assert image not in learnt[fold - 1]
    assert learnt[0] | learnt[1] == {f"{n}.png" for n in range(8)}


def test_a_stopped_audit_goes_on_and_ends_the_same(drawn_source, tmp_path, monkeypatch):
    whole = audit_labels(drawn_source(8), tmp_path / "whole", QUICK)
    real, looked = folds.class_probabilities, []

    def stopped(*given):
        if len(looked) == 5:
            raise KeyboardInterrupt
        looked.append(given)
        return real(*given)

    monkeypatch.setattr(folds, "class_probabilities", stopped)
    with pytest.raises(KeyboardInterrupt):
        audit_labels(drawn_source(8), tmp_path / "stopped", QUICK)
    trained = []
    train = folds.train_segmenter
    monkeypatch.setattr(
        folds, "class_probabilities", lambda *given: looked.append(given) or real(*given)
    )
    monkeypatch.setattr(
        folds, "train_segmenter", lambda *a, **b: trained.append(a[3].name) or train(*a, **b)
    )
    again = audit_labels(drawn_source(8), tmp_path / "stopped", QUICK)
    # The finished fold is not touched, and of the other one only the pictures that are left are looked at.
    assert trained == ["fold-2"]
    assert len(looked) == 8
    assert audit_as_dict(again) == audit_as_dict(whole)
    done = audit_labels(drawn_source(8), tmp_path / "stopped", QUICK)
    assert len(looked) == 8
    assert audit_as_dict(done) == audit_as_dict(whole)


def test_a_training_that_was_stopped_goes_on(drawn_source, tmp_path, monkeypatch):
    two = replace(QUICK, training=replace(QUICK.training, epochs=2))
    whole = audit_labels(drawn_source(8), tmp_path / "whole", two)
    real = folds.train_segmenter

    def one_epoch(*given, **more):
        yield next(real(*given, **more))
        raise KeyboardInterrupt

    monkeypatch.setattr(folds, "train_segmenter", one_epoch)
    with pytest.raises(KeyboardInterrupt):
        audit_labels(drawn_source(8), tmp_path / "stopped", two)
    monkeypatch.setattr(folds, "train_segmenter", real)
    assert audit_as_dict(audit_labels(drawn_source(8), tmp_path / "stopped", two)) == audit_as_dict(
        whole
    )


def test_a_damaged_checkpoint_names_its_folder(drawn_source, tmp_path, monkeypatch):
    def stop(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folds, "class_probabilities", stop)
        with pytest.raises(KeyboardInterrupt):
            audit_labels(drawn_source(8), tmp_path, QUICK)
    checkpoint = tmp_path / "work" / "fold-1" / folds.CHECKPOINT
    checkpoint.write_bytes(b"damaged")
    with pytest.raises(ModelError) as caught:
        audit_labels(drawn_source(8), tmp_path, QUICK)
    assert str(checkpoint.parent) in caught.value.hint
