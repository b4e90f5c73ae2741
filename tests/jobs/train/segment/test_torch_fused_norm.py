"""Fused norms compute what norm, addition and activation compute, and take the place of those only that they can."""

from __future__ import annotations

import copy
import os

import pytest

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from flawline.compiled import NORM, SWITCH, kernel  # noqa: E402
from flawline.jobs.train.segment import fused_norm  # noqa: E402
from flawline.jobs.train.segment.architectures import build_network  # noqa: E402
from flawline.jobs.train.segment.fused_norm import FusedNorm, fuse_norms  # noqa: E402
from flawline.jobs.train.segment.quick_gradients import QuickGradients  # noqa: E402
from flawline.jobs.train.segment.segment_settings import NetworkSettings  # noqa: E402

ACTIVATIONS = [None, nn.ReLU, nn.ReLU6]
SHAPES = [
    (2, 1, 3, 5),
    (1, 3, 1, 2),
    (2, 16, 33, 31),
    (2, 48, 9, 7),
    (3, 100, 5, 5),
    (2, 700, 3, 4),
]
NETWORKS = [
    NetworkSettings(),
    NetworkSettings("unet", "resnet18"),
    NetworkSettings("unet", "resnet50"),
    NetworkSettings("unet", "vgg16_bn"),
]


@pytest.fixture(autouse=True)
def library():
    """The functions in C; skips where the CPU or the installation has none."""
    fused_norm._library.cache_clear()
    if kernel(NORM).library is None and os.environ.get("FLAWLINE_REQUIRE_NATIVE") == "1":
        pytest.fail(f"the compiled library must be there: {kernel(NORM).state}")
    if fused_norm._library() is None:
        pytest.skip(f"{kernel(NORM).state}, AVX-512: {torch.cpu._is_avx512_supported()}")
    yield
    fused_norm._library.cache_clear()


def maps(shape, seed=0, scale=1.0, offset=0.0):
    generator = torch.Generator().manual_seed(seed)
    found = torch.randn(shape, generator=generator) * scale + offset
    return found.bfloat16().to(memory_format=torch.channels_last)


def fused(channels, activation):
    torch.manual_seed(3)
    norm = nn.BatchNorm2d(channels)
    nn.init.uniform_(norm.weight, -2, 2)
    nn.init.uniform_(norm.bias, -1, 3)
    block = nn.Sequential(norm, nn.Identity() if activation is None else activation())
    fuse_norms(block)
    assert type(norm) is FusedNorm
    return norm.train()


def run(norm, x, beside, gradient):
    """What comes out, and the gradients of maps, weight and bias."""
    given = [one.clone(memory_format=torch.preserve_format).requires_grad_() for one in (x, beside)]
    norm.weight.grad = norm.bias.grad = None
    out = norm(given[0], given[1] if beside.any() else None)
    out.backward(gradient)
    return [out.detach(), given[0].grad, norm.weight.grad, norm.bias.grad, given[1].grad]


def reference(norm, x, beside, gradient):
    """The same in float64, by PyTorch; and what came before it was rectified."""
    given = [one.double().requires_grad_() for one in (x, beside)]
    weight, bias = (one.detach().double().requires_grad_() for one in (norm.weight, norm.bias))
    came = functional.batch_norm(given[0], None, None, weight, bias, True, eps=norm.eps) + given[1]
    out = came if norm.activation is None else norm.activation()(came)
    out.backward(gradient.double())
    return [out.detach(), given[0].grad, weight.grad, bias.grad, given[1].grad], came.detach()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_maps_and_gradients_are_those_of_float64(shape, added, activation) -> None:
    norm = fused(shape[1], activation)
    x, beside = maps(shape, 1, 3, 2), maps(shape, 2) if added else torch.zeros(shape)
    gradient = maps(shape, 4)
    _, came = reference(norm, x, beside, gradient)
    # Whether what is rounded to a limit passes gradients may be told either way.
    gradient[((came - 6).abs() < 1 / 16) | (came.abs() < 1e-5)] = 0
    found = run(norm, x, beside, gradient)
    expected, _ = reference(norm, x, beside, gradient)
    for mine, right in zip(found[:2], expected[:2], strict=True):
        assert mine.dtype == torch.bfloat16
        torch.testing.assert_close(mine.double(), right, rtol=2**-8, atol=1e-4)
    for mine, right in zip(found[2:4], expected[2:4], strict=True):
        torch.testing.assert_close(mine.double(), right, rtol=1e-4, atol=1e-4)
    if added:
        assert torch.equal(found[4].double(), expected[4])


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (1, 100), (1e-3, 0), (50, -1000)])
def test_statistics_are_those_of_the_batch_and_are_remembered(scale, offset) -> None:
    norm, x = fused(24, nn.ReLU), maps((4, 24, 50, 60), 1, scale, offset)
    norm(x)
    plain = nn.BatchNorm2d(24).double().train()
    plain(x.double())
    torch.testing.assert_close(norm.running_mean.double(), plain.running_mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(norm.running_var.double(), plain.running_var, rtol=1e-4, atol=1e-7)
    assert norm.num_batches_tracked == 1


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_bits_do_not_depend_on_the_number_of_threads(activation) -> None:
    norm = fused(40, activation)
    shape, threads, found = (4, 40, 60, 70), torch.get_num_threads(), []
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            found.append(run(norm, maps(shape, 1), maps(shape, 2), maps(shape, 3)))
    finally:
        torch.set_num_threads(threads)
    for other in found[1:]:
        assert all(map(torch.equal, found[0], other))


def test_what_is_not_a_number_stays_so() -> None:
    x = maps((2, 8, 6, 6))
    x[1, 3, 2, 2] = float("nan")
    found = fused(8, nn.ReLU)(x)
    assert found[:, 3].isnan().all()
    assert found[:, [0, 1, 2, 4, 5, 6, 7]].isfinite().all()


@pytest.mark.parametrize("x", [maps((2, 8, 6, 6)).float(), maps((2, 8, 6, 6)).contiguous()])
def test_other_maps_are_computed_by_pytorch(x, monkeypatch) -> None:
    norm, plain = fused(8, nn.ReLU), nn.BatchNorm2d(8).train()
    plain.load_state_dict(norm.state_dict())
    monkeypatch.setattr(fused_norm, "_call", lambda *_, **__: pytest.fail("went to the library"))
    assert torch.equal(norm(x, x), functional.relu(plain(x) + x))
    norm.eval(), plain.eval()
    x = maps((2, 8, 6, 6))
    assert torch.equal(norm(x), functional.relu(plain(x)))


def stepped(network, images, quick=True):
    """What a network gives in bf16, its gradients, and the statistics it has kept."""
    with torch.autocast("cpu", torch.bfloat16, enabled=quick), QuickGradients():
        out = network(images).float()
    (out * torch.linspace(-1, 1, out.numel()).view(out.shape)).mean().backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    return [
        torch.cat([one.detach().double().flatten() for one in some])
        for some in ([out], gradients, network.buffers())
    ]


@pytest.mark.parametrize("settings", NETWORKS, ids=lambda each: each.encoder or each.name)
def test_networks_stay_what_they_are(settings, monkeypatch) -> None:
    plain = build_network(settings, 3, seed=0).network.to(memory_format=torch.channels_last)
    network = copy.deepcopy(plain)
    fuse_norms(network)
    norms = [part for part in plain.modules() if type(part) is nn.BatchNorm2d]
    assert sum(type(part) is FusedNorm for part in network.modules()) == len(norms) > 0
    assert list(network.state_dict()) == list(plain.state_dict())
    images = torch.randn(4, 3, 64, 64).to(memory_format=torch.channels_last)
    assert torch.equal(network.eval()(images), plain.eval()(images))
    copied = copy.deepcopy(network)
    assert torch.equal(copied.eval()(images), plain(images))

    exact = copy.deepcopy(plain).double().train()
    network.train(), plain.train()
    found, usual = stepped(network, images), stepped(plain, images)
    right = stepped(exact, images.double(), quick=False)
    for mine, its, expected in zip(found, usual, right, strict=True):
        assert (mine - expected).norm() < 1.25 * (its - expected).norm()


def test_all_of_a_resnet_is_fused() -> None:
    """No activation is left where one was fused, and none is gone elsewhere."""
    network = build_network(NetworkSettings("unet", "resnet50"), 2, seed=0).network
    fuse_norms(network)
    activations = [part.activation for part in network.modules() if type(part) is FusedNorm]
    # The shortcuts of the four stages are normed without one.
    assert activations.count(None) == 4
    assert type(network.encoder.relu) is nn.Identity


def test_norms_that_are_used_twice_keep_their_activation() -> None:
    norm = nn.BatchNorm2d(4)
    network = nn.ModuleList([nn.Sequential(norm, nn.ReLU()), nn.Sequential(norm, nn.Tanh())])
    fuse_norms(network)
    assert type(network[0][1]) is nn.ReLU
    x = maps((2, 4, 5, 5), offset=-1)
    assert (network[1].train()(x) < 0).any()


@pytest.mark.parametrize(
    "wish", [{"affine": False}, {"track_running_stats": False}, {"momentum": None}]
)
def test_unusual_norms_are_computed_by_pytorch(wish) -> None:
    plain = nn.Sequential(nn.BatchNorm2d(4, **wish), nn.ReLU()).train()
    network = copy.deepcopy(plain)
    fuse_norms(network)
    x = maps((2, 4, 5, 5))
    assert torch.equal(network(x), plain(x))


def test_nothing_is_fused_without_the_library(monkeypatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    fused_norm._library.cache_clear()
    network = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU())
    fuse_norms(network)
    assert [type(part) for part in network] == [nn.BatchNorm2d, nn.ReLU]
