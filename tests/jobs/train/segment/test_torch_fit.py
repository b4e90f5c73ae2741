"""Training: what it learns, what it keeps, and that an interrupted one ends like one that was not."""

import json
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from flawline.core.segmentation_metrics import IGNORE
from flawline.data.interrupt import held_interrupt
from flawline.errors import ModelError, SourceError, UsageError
from flawline.jobs.train.segment.segment_settings import (
    NO_AUGMENTATION,
    Augmentation,
    NetworkSettings,
    SegmentSettings,
)

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from flawline.jobs.train.segment import loop  # noqa: E402
from flawline.jobs.train.segment import torch_settings as machine  # noqa: E402
from flawline.jobs.train.segment.checkpoint import BEST, CHECKPOINT, read_saved  # noqa: E402
from flawline.jobs.train.segment.fit import train_segmenter  # noqa: E402
from flawline.jobs.train.segment.pairs import Pairs  # noqa: E402
from flawline.jobs.train.segment.prediction import validate  # noqa: E402
from flawline.jobs.train.segment.schedule import (  # noqa: E402
    Average,
    Clock,
    learning_rate,
    progress,
)
from flawline.jobs.train.segment.trained import load_trained, training_records  # noqa: E402

SMALL = SegmentSettings(patch=(32, 32), epochs=3, patches=12, batch=4, precision="f32")


def trained(source, folder, settings=SMALL, **given):
    samples = source.samples()
    return list(train_segmenter(source, samples[:8], samples[8:], folder, settings, **given))


def weights(folder, name=CHECKPOINT):
    return read_saved(folder / name).tensors


def same(one, other):
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert different == []


def without_time(records):
    return [replace(record, seconds=0, seconds_left=0) for record in records]


def test_a_segmenter_learns_to_see_scratches_and_stains(drawn_source, tmp_path):
    settings = replace(SMALL, patch=(64, 64), epochs=6, patches=64, batch=8, rate=3e-3)
    records = trained(drawn_source(12), tmp_path, settings)
    assert [record.epoch for record in records] == [1, 2, 3, 4, 5, 6]
    last = records[-1]
    assert last.iou.keys() == {"background", "scratch", "stain"}
    assert last.mean_iou > 0.4 > records[0].mean_iou
    assert last.losses["total"] < records[0].losses["total"]
    assert last.losses["total"] == pytest.approx(last.losses["balanced"] + last.losses["dice"])
    assert last.validation_loss < records[0].validation_loss
    assert last.seconds_left == 0
    assert records[0].seconds_left > records[4].seconds_left > 0
    found = load_trained(tmp_path)
    assert found.classes == drawn_source.classes
    assert found.settings == settings
    best = max(records, key=lambda record: record.decision)
    assert found.records == tuple(records[: best.epoch])
    assert found.built.record["encoder_weights"]["from"] == "embedded"


def test_the_kept_weights_give_the_recorded_figures(drawn_source, tmp_path):
    source = drawn_source(12)
    records = trained(source, tmp_path)
    found = load_trained(tmp_path)
    pairs = Pairs(source, source.samples()[8:])
    matrix, loss = validate(
        found.built.network,
        pairs,
        found.built.preparation,
        SMALL.framing,
        machine.Machine("cpu", "f32"),
    )
    best = found.records[-1]
    assert best in records
    assert matrix.mean() == best.mean_iou
    assert loss == pytest.approx(best.validation_loss)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", ["light", "unet-original"])
def test_an_interrupted_training_resumes_to_the_same_bits(drawn_source, tmp_path, name, workers):
    settings = replace(SMALL, network=NetworkSettings(name), workers=workers, accumulate=2)
    source = drawn_source(12)
    whole = trained(source, tmp_path / "whole", settings)
    # Left between two epochs, then stopped by Ctrl-C within one.
    samples = source.samples()
    for record in train_segmenter(source, samples[:8], samples[8:], tmp_path / "cut", settings):
        assert record.epoch == 1
        break
    steps = [0]
    update = Average.update

    def pressed(self, *given):
        update(self, *given)
        steps[0] += 1
        if steps[0] == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Average, "update", pressed)
        with pytest.raises(KeyboardInterrupt):
            trained(source, tmp_path / "cut", settings, resume=True)
    told = read_saved(tmp_path / "cut" / CHECKPOINT).values
    assert (told["step"], told["in_epoch"], len(told["records"])) == (5, 2, 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    rest = trained(source, tmp_path / "cut", replace(settings, workers=1), resume=True)
    assert without_time(rest) == without_time(whole[1:])
    assert without_time(training_records(tmp_path / "cut")) == without_time(whole)
    same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))
    same(weights(tmp_path / "whole", BEST), weights(tmp_path / "cut", BEST))


def test_a_checkpoint_that_cannot_be_written_ends_the_training(drawn_source, tmp_path, monkeypatch):
    write = loop.write_saved
    written = []

    def full(path, saved):
        written.append(path.name)
        if written.count(CHECKPOINT) == 2:
            raise OSError(28, "No space left on device")
        write(path, saved)

    monkeypatch.setattr(loop, "write_saved", full)
    source, samples = drawn_source(12), drawn_source(12).samples()
    records = train_segmenter(source, samples[:8], samples[8:], tmp_path, replace(SMALL, epochs=4))
    with pytest.raises(OSError, match="No space left"):
        list(records)
    # The one before it is as it was.
    assert len(training_records(tmp_path)) == 1


def test_the_same_seed_gives_the_same_bits_in_bf16_too(drawn_source, tmp_path):
    if not machine.native_bf16():
        pytest.skip("this CPU does not compute in bf16")
    settings = replace(SMALL, precision="bf16", epochs=2)
    torch.manual_seed(1)
    trained(drawn_source(12), tmp_path / "one", settings)
    torch.manual_seed(2)
    trained(drawn_source(12), tmp_path / "other", settings)
    same(weights(tmp_path / "one"), weights(tmp_path / "other"))
    trained(drawn_source(12), tmp_path / "seed", replace(settings, seed=1))
    one, seed = weights(tmp_path / "one"), weights(tmp_path / "seed")
    assert not torch.equal(one["network.head.weight"], seed["network.head.weight"])


def test_a_second_ctrl_c_ends_at_once():
    def press_twice():
        with held_interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupt.asked
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_training_in_another_thread_leaves_ctrl_c_alone(drawn_source, tmp_path):
    found = []
    thread = threading.Thread(
        target=lambda: found.extend(trained(drawn_source(12), tmp_path, replace(SMALL, epochs=1)))
    )
    thread.start()
    thread.join()
    assert len(found) == 1


def test_gradients_of_parts_add_up_to_those_of_the_batch(drawn_source, tmp_path):
    """Without batch norm and unknown pixels, the mean over parts is the mean over the batch."""
    settings = replace(
        SMALL, network=NetworkSettings("unet-original"), loss="cross-entropy", epochs=1, patches=4
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Dropout, "forward", lambda self, x: x)
        whole = trained(drawn_source(12), tmp_path / "whole", settings)
        parts = trained(drawn_source(12), tmp_path / "parts", replace(settings, accumulate=2))
    assert parts[0].losses["total"] == pytest.approx(whole[0].losses["total"], rel=1e-5)
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    moments = [name for name in one if name.endswith("exp_avg")]
    assert moments
    for name in moments:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-6)


class Ticks(Clock):
    """A clock on which nothing takes time but to look at it, 10 ms, and what a test says."""

    now = 0.0

    def seconds(self):
        type(self).now += 0.01
        return self.before + self.now


@pytest.fixture
def ticks(monkeypatch):
    """The clock of trainings, so that they end at the same step however slow the machine is."""
    clock = type("Ticks", (Ticks,), {})
    monkeypatch.setattr(loop, "Clock", clock)
    return clock


def test_time_bounds_a_training(drawn_source, tmp_path, ticks):
    settings = replace(SMALL, epochs=None, minutes=2 / 60, patches=10_000)
    (record,) = trained(drawn_source(12), tmp_path, settings)
    assert 2 <= record.seconds < 2.1
    assert 10 < record.steps < 200
    assert record.rate < SMALL.rate / 10
    assert record.seconds_left == 0


def test_an_epoch_is_longer_where_validation_would_take_most_of_the_time(
    drawn_source, tmp_path, monkeypatch, ticks
):
    validate = loop.validate

    def slowly(*given):
        ticks.now += 0.2
        return validate(*given)

    monkeypatch.setattr(loop, "validate", slowly)
    settings = replace(SMALL, epochs=None, minutes=6 / 60, patches=4)
    records = trained(drawn_source(12), tmp_path, settings)
    assert 2 < len(records) < 6
    assert all(record.steps > 5 for record in records[1:-1])


def test_an_encoder_with_weights_learns_slower(drawn_source, tmp_path):
    source = drawn_source(12)
    settings = replace(SMALL, epochs=1, patches=4, encoder_rate=0.0, average=0.0)
    folders = []
    for number, first in enumerate(("none", None)):
        folders.append(tmp_path / str(number))
        network = NetworkSettings("light", None, first)
        trained(source, folders[-1], replace(settings, network=network, warm_up=0.0))
    random, known = (weights(folder) for folder in folders)
    key = "network.encoder.stages.0.0.widen.1.weight"
    first = loop.build_network(NetworkSettings("light"), 3, seed=0).network.state_dict()
    torch.testing.assert_close(known[key], first[key.removeprefix("network.")])
    drawn = loop.build_network(NetworkSettings("light", None, "none"), 3, seed=0).network
    assert not torch.equal(random[key], drawn.state_dict()[key.removeprefix("network.")])
    head = "head.weight"
    assert not torch.equal(known[f"network.{head}"], first[head])


def test_training_stops_early_where_the_decision_metric_rises_no_more(drawn_source, tmp_path):
    settings = replace(SMALL, epochs=10, rate=1e-12, patience=2, average=0.0)
    records = trained(drawn_source(12), tmp_path, settings)
    assert [record.best for record in records] == [True, False, False]
    assert trained(drawn_source(12), tmp_path, settings, resume=True) == []


def test_without_validation_the_last_weights_are_kept(drawn_source, tmp_path):
    source = drawn_source(8)
    records = trained(source, tmp_path)
    assert all(record.best and record.validation_loss is None for record in records)
    assert all(value is None for value in records[-1].iou.values())
    assert len(load_trained(tmp_path).records) == 3


def test_pictures_that_are_unknown_everywhere_do_no_harm(drawn_source, tmp_path):
    class Unknown(drawn_source):
        def pair(self, sample):
            picture, mask = super().pair(sample)
            return picture, mask if sample.name == "1.png" else np.full_like(mask, IGNORE)

    records = trained(Unknown(12), tmp_path)
    assert records[-1].validation_loss is None
    assert np.isfinite(records[-1].losses["total"])


def test_shrunk_pictures_and_other_losses(drawn_source, tmp_path):
    settings = replace(
        SMALL,
        resolution="fit",
        loss="focal+0.5*lovasz+tversky+boundary",
        augmentation=NO_AUGMENTATION,
        epochs=1,
    )
    (record,) = trained(drawn_source(12), tmp_path, settings)
    assert record.losses.keys() == {"total", "focal", "lovasz", "tversky", "boundary"}
    assert 0 <= record.accuracy <= 1


@pytest.mark.parametrize(("name", "encoder"), [("unet", "resnet50"), ("unet", "vgg16")])
def test_the_encoders_of_the_story_run_a_few_steps(drawn_source, tmp_path, name, encoder):
    settings = replace(SMALL, network=NetworkSettings(name, encoder), epochs=1, patches=8)
    (record,) = trained(drawn_source(10), tmp_path, settings)
    assert record.steps == 2
    assert load_trained(tmp_path).built.record["encoder"] == encoder


def test_what_cannot_be_resumed_is_told(drawn_source, tmp_path):
    source = drawn_source(12)
    with pytest.raises(ModelError, match="no training at"):
        trained(source, tmp_path, resume=True)
    trained(source, tmp_path, replace(SMALL, epochs=1))
    with pytest.raises(UsageError, match="other settings: epochs, rate") as caught:
        trained(source, tmp_path, replace(SMALL, rate=1e-4), resume=True)
    assert caught.value.hint
    with pytest.raises(UsageError, match="other pictures"):
        trained(drawn_source(11), tmp_path, replace(SMALL, epochs=1), resume=True)
    file = tmp_path / CHECKPOINT
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ModelError, match="cannot be used as a training"):
        trained(source, tmp_path, replace(SMALL, epochs=1), resume=True)


def test_what_is_no_trained_segmenter_is_told(drawn_source, tmp_path):
    from safetensors.torch import save_file

    with pytest.raises(ModelError, match="no training at"):
        load_trained(tmp_path)
    save_file(
        {"a": torch.zeros(1)},
        tmp_path / BEST,
        metadata={"flawline.jobs.train": json.dumps({"kind": "?"})},
    )
    with pytest.raises(ModelError, match="cannot be used as a segmenter"):
        load_trained(tmp_path)


def test_nothing_to_learn_from_is_told(drawn_source, tmp_path):
    class Good(drawn_source):
        def pair(self, sample):
            picture, mask = super().pair(sample)
            return picture, np.zeros_like(mask)

    with pytest.raises(SourceError, match="none of the 8 masks shows a defect"):
        trained(Good(12), tmp_path)
    source = drawn_source(4)
    with pytest.raises(SourceError, match="got 0 and 2"):
        list(train_segmenter(source, [], source.samples(), tmp_path, SMALL))
    with pytest.raises(UsageError, match="multiples of 32"):
        trained(source, tmp_path, replace(SMALL, patch=(48, 48), network=NetworkSettings("unet")))


def test_a_loss_that_is_no_number_ends_the_training(drawn_source, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "prepared", lambda *given: torch.full((4, 3, 32, 32), torch.nan))
    with pytest.raises(ModelError, match="no longer a number after 0 steps") as caught:
        trained(
            drawn_source(12), tmp_path, replace(SMALL, network=NetworkSettings("unet-original"))
        )
    assert "lower rate" in caught.value.hint


def test_a_gpu_that_is_not_there_is_told():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(UsageError, match="no GPU"):
        machine.choose_machine("cuda", "auto")
    assert machine.choose_machine("auto", "f32") == machine.Machine("cpu", "f32")


def test_the_rate_rises_then_falls_by_half_a_cosine():
    settings = replace(SMALL, rate=1.0, warm_up=0.1)
    rates = [learning_rate(settings, share) for share in np.linspace(0, 1, 101)]
    assert rates[0] == 0.01
    assert rates[5] == pytest.approx(0.5)
    assert rates[10] == 1.0
    assert rates[55] == pytest.approx(0.505)
    assert rates[100] == pytest.approx(0.01)
    assert np.argmax(rates) == 10
    assert learning_rate(replace(settings, warm_up=0.0), 0.0) == 1.0


def test_progress_is_by_steps_or_time_whichever_is_further():
    settings = replace(SMALL, epochs=10, minutes=1.0)
    assert progress(settings, 25, 5, 10.0, 10.0) == 0.5
    assert progress(settings, 25, 5, 40.0, 10.0) == pytest.approx(0.8)
    assert progress(settings, 60, 5, 0.0, 0.0) == 1.0


def test_augmentation_is_part_of_what_must_be_the_same(drawn_source, tmp_path):
    trained(drawn_source(12), tmp_path, replace(SMALL, epochs=1))
    other = replace(SMALL, epochs=1, augmentation=Augmentation(paste=0.0))
    with pytest.raises(UsageError, match="other settings: augmentation"):
        trained(drawn_source(12), tmp_path, other, resume=True)
