"""What is exported gives what was trained, without PyTorch."""

import json
from dataclasses import replace

import numpy as np
import pytest

from flawline.core.view.framing import Framing
from flawline.errors import ModelError
from flawline.jobs.train.segment.segment_settings import NetworkSettings, SegmentSettings
from flawline.networks.segmenter import open_segmenter

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from flawline.jobs.train.segment.architectures import build_network  # noqa: E402
from flawline.jobs.train.segment.export import export_segmenter  # noqa: E402
from flawline.jobs.train.segment.prediction import class_probabilities  # noqa: E402
from flawline.jobs.train.segment.torch_settings import Machine  # noqa: E402
from flawline.jobs.train.segment.trained import TrainedSegmenter  # noqa: E402
from flawline.networks import torch_export  # noqa: E402
from flawline.networks.torch_export import TOLERANCE  # noqa: E402

CLASSES = ("background", "scratch", "stain")


def segmenter(name="light", encoder=None, **more):
    settings = SegmentSettings(
        network=NetworkSettings(name, encoder), **{"patch": (64, 64), **more}
    )
    built = build_network(settings.network, 3)
    # Batch norms that have seen nothing would leave what they do untested.
    built.network.train()(torch.randn(4, 3, 64, 64))
    built.network.eval()
    return TrainedSegmenter(built, CLASSES, settings, ())


def picture(height, width):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "encoder", "resolution"),
    [
        ("light", None, "full"),
        ("light", None, "fit"),
        ("light", "timm:mobilenetv2_050", "full"),
        ("unet-original", None, "full"),
        ("unet", "resnet50", "full"),
        ("unet", "vgg16", "full"),
        ("deeplabv3+", "resnet18", "full"),
        ("fpn", "resnet18", "full"),
        ("segformer", "resnet18", "full"),
    ],
)
def test_the_exported_segmenter_gives_what_the_trained_one_gives(
    tmp_path, name, encoder, resolution
):
    trained = segmenter(name, encoder, resolution=resolution)
    path = tmp_path / "model.onnx"
    assert export_segmenter(trained, path) <= TOLERANCE
    loaded = open_segmenter(path, precision="f32")
    assert loaded.classes == CLASSES
    assert loaded.framing == trained.settings.framing
    pixels = picture(100, 150)
    expected = class_probabilities(
        trained.built.network,
        pixels,
        trained.built.preparation,
        loaded.framing,
        Machine("cpu", "f32"),
    )
    np.testing.assert_allclose(loaded(pixels), expected, atol=2e-3)


def test_the_file_says_what_it_is_and_is_the_same_again(tmp_path):
    import onnx

    trained = segmenter()
    paths = [tmp_path / "a.onnx", tmp_path / "b.onnx"]
    for path in paths:
        export_segmenter(trained, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    told = {entry.key: entry.value for entry in onnx.load(paths[0]).metadata_props}
    assert json.loads(told["flawline.classes"]) == list(CLASSES)
    assert json.loads(told["flawline.preparation"])["mean"] == [128.0] * 3
    assert json.loads(told["flawline.network"])["encoder"] == "flawline-small"
    other = Framing((96, 128), 1.0, 32, cell=1)
    assert open_segmenter(paths[0], framing=other)(picture(96, 128)).shape == (3, 96, 128)


def test_an_export_that_differs_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_export, "_difference", lambda *given: 0.5)
    path = tmp_path / "model.onnx"
    with pytest.raises(ModelError, match=r"differs from the original by 0.5 .* more than 0.001"):
        export_segmenter(segmenter(), path)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_takes_one_size_is_exported_for_it(tmp_path, monkeypatch):
    trained = segmenter()
    network = trained.built.network

    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network
            self.place = torch.nn.Parameter(torch.randn(1, 3, 64, 64))

        def forward(self, image):
            return self.network(image) + self.place

    fixed = replace(trained, built=replace(trained.built, network=Fixed().eval()))
    path = tmp_path / "model.onnx"
    assert export_segmenter(fixed, path) <= TOLERANCE
    assert open_segmenter(path)(picture(64, 64)).shape == (3, 64, 64)
    with pytest.raises(ModelError, match="does not run on pictures of"):
        open_segmenter(path, framing=Framing((96, 96), 1.0, 16))
