"""Learning from pictures without masks as well: when it begins, what it keeps, and that it can be resumed."""

import pytest

from flawline.core import class_learning
from flawline.errors import UsageError
from flawline.jobs.train.segment import pseudo_masks
from flawline.jobs.train.segment.progress_record import EpochRecord
from flawline.jobs.train.segment.pseudo_masks import (
    Kept,
    PseudoMasks,
    kept_network,
    levelled_off,
    mask_file,
    pseudo_messages,
)
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.types import Sample

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from flawline.jobs.train.segment.checkpoint import CHECKPOINT, read_saved  # noqa: E402
from flawline.jobs.train.segment.fit import train_segmenter  # noqa: E402
from flawline.jobs.train.segment.trained import training_pseudo, training_records  # noqa: E402

SMALL = SegmentSettings(patch=(32, 32), epochs=5, patches=12, batch=4, precision="f32")


class Unmasked:
    """Plates 20 to 25 without their masks, named as by a hash."""

    def __init__(self, drawn):
        self._drawn = drawn
        self.samples = {f"h{n}": Sample(f"{n}.png") for n in range(20, 26)}

    def picture(self, sha256):
        return self._drawn.pair(self.samples[sha256])[0]


def trained(drawn, folder, until=None, **given):
    samples = drawn.samples()
    training = train_segmenter(drawn, samples[:8], samples[8:12], folder, SMALL, **given)
    records = []
    for record in training:
        records.append(record)
        if record.epoch == until:
            break
    training.close()
    return records


@pytest.fixture
def levelled(monkeypatch):
    """Pictures without masks are learnt from as early as they may, by a network that nothing is asked of."""
    monkeypatch.setattr(pseudo_masks, "_LEAST_GAIN", 2.0)
    monkeypatch.setattr(class_learning, "LEAST", -10.0)


def test_an_interrupted_training_goes_on_with_the_masks_that_it_predicted(
    drawn_source, tmp_path, levelled
):
    drawn = drawn_source(26)
    more = Unmasked(drawn)
    whole = trained(drawn, tmp_path / "whole", unmasked=more)
    pseudo = training_pseudo(tmp_path / "whole")
    assert pseudo.epochs == 2
    assert pseudo.used
    assert set(pseudo.pictures) <= set(more.samples)
    assert all(mask_file(tmp_path / "whole", one).is_file() for one in pseudo.pictures)
    trained(drawn, tmp_path / "cut", until=3, unmasked=more)
    rest = trained(drawn, tmp_path / "cut", unmasked=more, resume=True)
    assert [r.losses for r in rest] == [r.losses for r in whole[3:]]
    assert training_pseudo(tmp_path / "cut") == pseudo
    one, other = (read_saved(tmp_path / name / CHECKPOINT).tensors for name in ("whole", "cut"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(UsageError, match="on other pictures"):
        trained(drawn, tmp_path / "cut", resume=True)


def test_where_nothing_was_learnt_the_training_is_the_one_on_masks_alone(
    drawn_source, tmp_path, levelled, monkeypatch
):
    monkeypatch.setattr(class_learning, "LEAST", 2.0)
    drawn = drawn_source(26)
    alone = trained(drawn, tmp_path / "alone")
    found = trained(drawn, tmp_path / "found", unmasked=Unmasked(drawn))
    assert [r.losses for r in found] == [r.losses for r in alone]
    pseudo = training_pseudo(tmp_path / "found")
    assert (pseudo.epochs, pseudo.used) == (2, False)
    lines = pseudo_messages(pseudo, training_records(tmp_path / "found"))
    assert [line.partition(":")[0] for line in lines] == [
        "scratch is not predicted on pictures without masks",
        "stain is not predicted on pictures without masks",
        "pictures without masks were not learnt from",
    ]


def record(epoch, decision):
    unmeasured = dict.fromkeys(("validation_loss", "mean_iou", "mean_dice", "accuracy"))
    return EpochRecord(
        epoch=epoch,
        steps=1,
        rate=0.1,
        losses={},
        iou={},
        decision=decision,
        best=False,
        seconds=0,
        seconds_left=0,
        **unmeasured,
    )


def test_masks_alone_teach_until_half_of_the_epochs_gained_less_than_a_point():
    def level(*values):
        return levelled_off([record(number, value) for number, value in enumerate(values, 1)])

    assert [level(), level(0.3), level(0.3, 0.5), level(0.3, 0.5, 0.52)] == [False] * 4
    assert not level(0.3, 0.5, 0.49, 0.511)
    assert level(0.3, 0.5, 0.49, 0.505)
    assert level(0.4, 0.3)


def test_pictures_that_teach_nothing_are_counted():
    pseudo = PseudoMasks(1, (), ("h", "i"), 1, blank=3, skipped=4)
    line = pseudo_messages(pseudo, [record(1, 0.3), record(2, 0.4)])[0]
    assert line == (
        "after epoch 1, masks of 2 pictures without one were predicted, 1 with defects; on 3 nothing is certain, so "
        "they teach nothing; 4 were left for lack of time"
    )


@pytest.mark.parametrize(("after", "kept"), [(0.6, True), (0.5, False), (0.4, False)])
def test_the_network_is_kept_that_is_better_on_validation(after, kept):
    pseudo = PseudoMasks(2, (), ("h",), 1)
    records = [record(1, 0.3), record(2, 0.5), record(3, after)]
    assert kept_network(pseudo, records) == Kept(0.5, after)
    assert kept_network(pseudo, records).with_unmasked is kept
    which = "them as well" if kept else "masks alone"
    last = pseudo_messages(pseudo, records)[-1]
    assert last.startswith(f"the network that learnt from {which} is kept")
    assert f"{100 * after:.1f} % against 50.0 %" in last
