"""Networks by name, and where their first weights are from."""

import numpy as np
import pytest

from flawline.errors import ModelError, UsageError
from flawline.jobs.train.segment.segment_settings import NetworkSettings
from flawline.networks.backbone import embedded_backbone, open_backbone
from flawline.networks.network import PRESETS

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from flawline.jobs.train.segment import architectures as networks  # noqa: E402
from flawline.jobs.train.segment.architectures import build_network  # noqa: E402
from flawline.jobs.train.segment.unet_original import OriginalUNet  # noqa: E402


def built(name, encoder=None, weights=None, seed=0, preparation=None):
    return build_network(NetworkSettings(name, encoder, weights, preparation), 3, seed=seed)


def saved_encoder(path, encoder, keep=lambda key: True):
    from safetensors.torch import save_file

    state = built("unet", encoder, seed=5).network.encoder.state_dict()
    state = {key.removeprefix("model."): value.contiguous() for key, value in state.items()}
    save_file({key: value for key, value in state.items() if keep(key)}, path)
    return state


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("light", None),
        ("light", "timm:mobilenetv2_050"),
        ("unet-original", None),
        ("unet", "resnet50"),
        ("unet", "vgg16"),
        ("unet++", "resnet18"),
        ("fpn", "resnet18"),
        ("deeplabv3+", "resnet18"),
        ("segformer", "timm:mobilenetv2_050"),
        ("linknet", "mobilenet_v2"),
    ],
)
def test_a_network_gives_logits_of_the_size_of_the_picture_and_learns(name, encoder):
    made = built(name, encoder)
    logits = made.network(torch.randn(2, 3, 64, 96))
    assert logits.shape == (2, 3, 64, 96)
    assert made.record["network"] == name
    assert 64 % made.multiple == 0
    logits.square().mean().backward()
    learning = [part.grad is not None for part in made.network.parameters()]
    # Encoders may bring stages that a decoder does not use.
    assert np.mean(learning) > 0.5


def test_the_original_has_half_of_the_filters_and_no_batch_norm():
    network = OriginalUNet(2)
    shapes = [
        tuple(p.shape)
        for n, p in network.named_parameters()
        if n.startswith("down") and p.ndim == 4
    ]
    assert [shape[0] for shape in shapes[::2]] == [32, 64, 128, 256, 512]
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    ups = [m for m in network.modules() if isinstance(m, torch.nn.ConvTranspose2d)]
    # The paper counts 23 convolutional layers in total.
    assert len(convolutions) + len(ups) == 23
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    # 31 million weights for full width; half of the filters leave a quarter.
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(31.03e6 / 4, rel=0.01)


@pytest.mark.parametrize("name", ["light", "unet-original", "unet"])
def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_one_alone(name):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    one, same, other = built(name), built(name), built(name, seed=1)
    assert torch.rand(1) == expected
    first, second, third = (list(made.network.state_dict().values()) for made in (one, same, other))
    assert all(map(torch.equal, first, second))
    assert not all(map(torch.equal, first, third))


def picture(size=96):
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)


def test_the_embedded_encoder_gives_what_the_embedded_backbone_gives():
    import onnx

    made = built("light")
    network, preparation = made.network, made.preparation
    assert made.unfold
    pixels = picture()
    image = (pixels - np.array(preparation.mean)) / np.array(preparation.std)
    image = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    network.train().unfold(image)
    assert network.encoder.training
    graph = onnx.load(embedded_backbone()).graph
    heads = {
        node.output[0]: node.input
        for node in graph.node
        if node.op_type == "Conv" and "heads" in node.input[1]
    }
    held = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    expected = open_backbone(size=96, precision="f32")(pixels)
    with torch.inference_mode():
        maps = network.eval().encoder(image)
    for stride, found in ((8, maps[2]), (16, maps[3])):
        (names,) = [names for output, names in heads.items() if f"heads.{stride}." in names[1]]
        weight = torch.from_numpy(held[f"{names[1]}.half"].astype(np.float32))
        bias = torch.tensor(held[names[2]])
        read = torch.nn.functional.conv2d(found, weight, bias)[0].numpy()
        np.testing.assert_allclose(read, expected[f"stride{stride}"], atol=2e-3)
    # In training mode the same picture has the same statistics, so that it gives the same maps.
    with torch.no_grad():
        again = network.train().encoder(image)
    torch.testing.assert_close(again[3], maps[3], atol=1e-3, rtol=1e-3)


def test_encoder_weights_are_read_from_a_file_and_recorded(tmp_path):
    path = tmp_path / "encoder.safetensors"
    state = saved_encoder(path, "resnet18")
    made = built("unet", "resnet18", str(path))
    for key, value in made.network.encoder.state_dict().items():
        assert torch.equal(value, state[key])
    told = made.record["encoder_weights"]
    assert (told["from"], told["name"], told["left_random"]) == ("file", path.name, [])
    assert len(told["sha256"]) == 64
    assert made.preparation == PRESETS["imagenet"]


def test_encoders_of_timm_take_arguments_and_files_that_end_early(tmp_path):
    path = tmp_path / "encoder.safetensors"
    saved_encoder(path, "timm:mobilenetv2_050", lambda key: not key.startswith("blocks.6"))
    made = built("fpn", "timm:mobilenetv2_050?pad_type=same", str(path), preparation="tensorflow")
    left = made.record["encoder_weights"]["left_random"]
    assert left
    assert all(name.startswith("blocks.6") for name in left)
    assert made.preparation == PRESETS["tensorflow"]


def test_pixels_are_prepared_as_timm_states():
    assert built("fpn", "timm:mobilenetv2_050").preparation == PRESETS["imagenet"]
    assert built("fpn", "timm:tf_mobilenetv3_small_minimal_100").preparation.mean == (127.5,) * 3


def test_files_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "encoder.safetensors"
    saved_encoder(path, "resnet18", lambda key: not key.startswith("layer1.0.conv1"))
    with pytest.raises(ModelError, match=r"does not hold the weights of resnet18: .* 1 missing"):
        built("unet", "resnet18", str(path))
    saved_encoder(path, "resnet34", lambda key: key.startswith(("conv1", "bn1", "layer1")))
    with pytest.raises(ModelError, match="does not hold the weights"):
        built("unet", "vgg16", str(path))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be read"):
        built("unet", "resnet18", str(path))
    with pytest.raises(ModelError, match="run any code"):
        built("unet", "resnet18", str(tmp_path / "weights.pth"))


def test_weights_by_name_need_a_network(monkeypatch):
    monkeypatch.setenv("FLAWLINE_OFFLINE", "1")
    with pytest.raises(ModelError, match="would have to be fetched") as caught:
        built("unet", "resnet18", "imagenet")
    assert "safetensors" in caught.value.hint


def test_weights_that_nobody_has_are_told(monkeypatch):
    monkeypatch.delenv("FLAWLINE_OFFLINE", raising=False)
    with pytest.raises(ModelError, match="with the weights 'luck'"):
        built("unet", "resnet18", "luck")


@pytest.mark.parametrize(
    ("name", "encoder", "weights", "error", "said"),
    [
        ("unt", None, None, ModelError, "no network 'unt'"),
        ("unet", "resnet81", None, ModelError, "no encoder 'resnet81'"),
        ("unet", "timm:resnet81", None, ModelError, "cannot be built on tu-resnet81"),
        ("unet", "timm:", None, UsageError, "expected timm:NAME"),
        ("unet-original", "resnet18", None, UsageError, "has no encoder"),
        ("light", None, "imagenet", UsageError, "has its own weights"),
    ],
)
def test_unknown_names_are_refused(name, encoder, weights, error, said):
    with pytest.raises(error, match=said) as caught:
        built(name, encoder, weights)
    assert caught.value.hint


def test_the_names_are_those_that_can_be_built():
    assert {"light", "unet-original", "unet", "unetplusplus", "fpn", "segformer"} <= set(
        networks.network_names()
    )
