"""Folds of an audit, what is kept between two runs of it, and settings that make no sense."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flawline.errors import ModelError, SourceError, UsageError
from flawline.jobs.train.audit.audit_plan import PLAN, claim, make_plan
from flawline.jobs.train.audit.audit_settings import AuditSettings, RegionLimits
from flawline.jobs.train.audit.audit_store import AuditStore
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.types import Sample, no_track
from helpers.audited_masks import Masks, settings


def test_folds_never_tear_groups_apart_and_hold_every_picture():
    source = Masks()
    source._samples = [Sample(f"{n}.png", group=str(n // 2)) for n in range(12)]
    plan = make_plan(source, settings(folds=3), no_track)
    assert set(plan.folds) == {0, 1, 2}
    for fold in range(3):
        own = {plan.samples[n].group for n in plan.of_fold(fold)}
        assert own.isdisjoint({sample.group for sample in plan.learnt_from(fold)})


def test_copies_of_a_picture_without_groups_stay_together():
    class Copies(Masks):
        def pair(self, sample):
            picture, mask = super().pair(sample)
            return replace(picture, sha256=str(int(sample.name.partition(".")[0]) // 3)), mask

    plan = make_plan(Copies(groups=False), settings(folds=4), no_track)
    folds = {}
    for sample, fold in zip(plan.samples, plan.folds, strict=True):
        folds.setdefault(int(sample.name.partition(".")[0]) // 3, set()).add(fold)
    assert all(len(own) == 1 for own in folds.values())


def test_what_cannot_be_read_is_told_and_the_rest_goes_on():
    plan = make_plan(Masks(broken=(3,)), settings(), no_track)
    assert len(plan.samples) == 11
    assert [(item.image, item.code) for item in plan.unjudged] == [("3.png", "image-empty")]


def test_nothing_that_can_be_read_is_an_error():
    with pytest.raises(SourceError, match="0 readable ones without any: expected a picture"):
        make_plan(Masks(broken=range(12)), settings(), no_track)


def test_fewer_groups_than_folds_are_an_error():
    source = Masks()
    source._samples = [replace(sample, group="one") for sample in source._samples]
    with pytest.raises(UsageError, match="at least 4 parts"):
        make_plan(source, settings(), no_track)


def test_work_of_another_audit_is_not_gone_on_with(tmp_path):
    source = Masks()
    plan = make_plan(source, settings(), no_track)
    claim(plan, tmp_path)
    claim(make_plan(source, settings(limits=RegionLimits(quality=0.2)), no_track), tmp_path)
    other = [
        make_plan(source, settings(folds=3), no_track),
        make_plan(source, AuditSettings(training=SegmentSettings(epochs=2)), no_track),
        make_plan(Masks(broken=(3,)), settings(), no_track),
    ]
    for wrong in other:
        with pytest.raises(UsageError, match="an audit of other"):
            claim(wrong, tmp_path)
    (tmp_path / PLAN).write_text("{")
    with pytest.raises(UsageError, match="an audit of other"):
        claim(plan, tmp_path)


def test_kept_probabilities_come_back_to_a_step(tmp_path):
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3), (6, 7)).transpose(2, 0, 1).astype(np.float32)
    mask = rng.integers(0, 3, (6, 7), np.uint8)
    with AuditStore(tmp_path / "work") as kept:
        assert not kept.has(3)
        kept.write(3, mask, shares)
    with AuditStore(tmp_path / "work") as kept:
        assert kept.has(3)
        again, found = kept.read(3)
    assert np.array_equal(again, mask)
    assert found == pytest.approx(shares, abs=0.006)
    assert found.sum(0) == pytest.approx(np.ones((6, 7)), abs=1e-6)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_kept_probabilities_that_are_damaged(tmp_path, content):
    if content is not None:
        (tmp_path / "probabilities").write_bytes(content)
    with AuditStore(tmp_path) as kept:
        assert not kept.has(0)
        with pytest.raises(ModelError, match="cannot be read") as caught:
            kept.read(0)
    assert "run the audit again" in caught.value.hint


@pytest.mark.parametrize("folds", [1, 101])
def test_folds_that_are_none(folds):
    with pytest.raises(UsageError, match="2 to 100 folds"):
        AuditSettings(folds=folds)


@pytest.mark.parametrize("wrong", [{"smallest": 0}, {"border": -1}, {"quality": 0}, {"quality": 1}])
def test_limits_that_are_none(wrong):
    with pytest.raises(UsageError, match="expected regions of at least 1 px"):
        RegionLimits(**wrong)


def test_minutes_are_shared_over_the_folds():
    whole = AuditSettings(folds=5, training=SegmentSettings(epochs=None, minutes=20))
    assert whole.of_fold.minutes == 4
    assert AuditSettings().of_fold.minutes is None
