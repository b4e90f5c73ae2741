"""Wide convolutions give what PyTorch gives, and are split where they say."""

import copy

import pytest

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from torch import nn  # noqa: E402

from flawline.jobs.train.segment import wide_convolution  # noqa: E402
from flawline.jobs.train.segment.wide_convolution import WideConvolution, widen  # noqa: E402


@pytest.fixture(autouse=True)
def slow_version(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.15.1+cpu")


@pytest.mark.parametrize("channels", [1537, 2048, 2500])
@pytest.mark.parametrize("form", [{"padding": 1}, {"padding": 2, "dilation": 2, "stride": 2}])
@pytest.mark.parametrize("in_bf16", [True, False])
def test_wide_convolutions_and_their_gradients(channels, form, in_bf16):
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(channels, 4, 3, bias=False, **form))
    wide = copy.deepcopy(plain)
    widen(wide)
    assert isinstance(wide[0], WideConvolution)
    given = torch.randn(2, channels, 6, 5)
    found = []
    for network in (plain, wide):
        x = given.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=in_bf16):
            y = network(x)
        y.float().square().sum().backward()
        found.append((y.detach(), x.grad, network[0].weight.grad))
    near = 0.02 if in_bf16 else 1e-5
    for expected, split in zip(*found, strict=True):
        assert split.dtype == expected.dtype
        scale = float(expected.abs().max())
        torch.testing.assert_close(split, expected, rtol=near, atol=near * scale)


def test_names_and_parameters_stay():
    network = nn.ModuleDict({"a": nn.Conv2d(2000, 4, 3, bias=False)}).eval()
    weight, names = network["a"].weight, list(network.state_dict())
    widen(network)
    assert isinstance(network["a"], WideConvolution)
    assert network["a"].weight is weight
    assert list(network.state_dict()) == names
    assert not network["a"].training


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(1536, 2, 3, bias=False),
        nn.Conv2d(2000, 2, 3),
        nn.Conv2d(2000, 2, 1, bias=False),
        nn.Conv2d(2000, 2, 3, padding="same", bias=False),
        nn.Conv2d(2000, 2, 3, padding=1, padding_mode="circular", bias=False),
        nn.Conv2d(2000, 2, 3, groups=2, bias=False),
    ],
)
def test_all_others_stay_as_they_are(convolution):
    network = nn.Sequential(convolution)
    widen(network)
    assert network[0] is convolution


@pytest.mark.parametrize("version", ["2.16.0", "3.0.0+cpu"])
def test_later_versions_of_pytorch_compute_as_they_do(version, monkeypatch):
    monkeypatch.setattr(torch, "__version__", version)
    network = nn.Sequential(nn.Conv2d(2000, 2, 3, bias=False))
    widen(network)
    assert type(network[0]) is nn.Conv2d


def test_the_gradient_is_split(monkeypatch):
    seen = []
    real = wide_convolution._gradients
    monkeypatch.setattr(
        wide_convolution,
        "_gradients",
        lambda g, x, *rest: seen.append(x.shape[1]) or real(g, x, *rest),
    )
    network = nn.Sequential(nn.Conv2d(2500, 2, 3, bias=False))
    widen(network)
    with torch.autocast("cpu", torch.bfloat16):
        network(torch.zeros(1, 2500, 3, 3)).sum().backward()
    assert seen == [1024, 1024, 452]
