"""Operations with quick gradients give what PyTorch gives, and are used where they say."""

from contextlib import nullcontext

import pytest

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from torch.nn import functional  # noqa: E402

from flawline.jobs.train.segment import quick_gradients  # noqa: E402
from flawline.jobs.train.segment.quick_gradients import QuickGradients  # noqa: E402

DOUBLINGS = [
    {"scale_factor": 2},
    {"scale_factor": 2.0, "mode": "nearest"},
    {"size": (10, 14)},
    {"size": (9, 14)},
    {"scale_factor": 3},
    {"scale_factor": 2, "mode": "bilinear", "align_corners": False},
    {"size": (10, 14), "mode": "bilinear"},
    {"size": (10, 15), "mode": "bilinear"},
    {"scale_factor": 2, "mode": "bilinear", "align_corners": True},
    {"scale_factor": 2, "mode": "bicubic"},
]
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def both(run, given):
    """What a function of maps gives, and its gradient, first as PyTorch computes them."""
    found = []
    for context in (nullcontext(), QuickGradients()):
        x = given.clone().requires_grad_()
        with context:
            y = run(x)
        torch.manual_seed(1)
        # Part of a larger gradient, as joining maps leaves it.
        weights = torch.randn(y.shape[0], y.shape[1] + 2, *y.shape[2:], dtype=y.dtype)
        (torch.cat([y, y[:, :2].detach()], 1) * weights).sum().backward()
        found.append((y, x.grad))
    return found


def maps(*shape, layout=torch.contiguous_format):
    torch.manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64).to(memory_format=layout)


@pytest.mark.parametrize("call", DOUBLINGS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(5, 7), (1, 1), (1, 6)])
def test_resized_maps_and_their_gradients(call, layout, size):
    given = maps(2, 3, *size, layout=layout)
    plain, quick = both(lambda x: functional.interpolate(x, **call), given)
    torch.testing.assert_close(quick, plain)


@pytest.mark.parametrize("channels", [1536, 1537, 2048, 2500])
@pytest.mark.parametrize(
    "form", [{"padding": 1}, {"padding": 2, "dilation": 2, "stride": 2}, {"padding": "same"}]
)
def test_wide_convolutions_and_their_gradients(channels, form, monkeypatch):
    seen = spied(monkeypatch, "_WideConvolution")
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(channels, 4, 3, bias=False, **form)
    given = maps(2, channels, 6, 5).float()
    found = []
    for context in (nullcontext(), QuickGradients()):
        convolution.zero_grad()
        x = given.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16), context:
            y = convolution(x)
        y.float().square().sum().backward()
        found.append((y.detach(), x.grad, convolution.weight.grad.clone()))
    for plain, quick in zip(*found, strict=True):
        assert quick.dtype == plain.dtype
        torch.testing.assert_close(quick, plain, rtol=0.02, atol=0.02 * float(plain.abs().max()))
    assert bool(seen) == (channels > 1536 and form["padding"] != "same")


def test_only_what_is_meant_is_replaced(monkeypatch):
    seen = [spied(monkeypatch, name) for name in ("_Doubled", "_Smoothed")]
    x = torch.zeros(1, 2, 5, 7, requires_grad=True)
    with QuickGradients():
        for call in DOUBLINGS:
            functional.interpolate(x, **call)
        functional.interpolate(x[0], scale_factor=2)
    assert [len(calls) for calls in seen] == [3, 2]


@pytest.mark.parametrize(
    ("channels", "beside", "form", "within"),
    [
        (64, 3, {"padding": 1}, True),
        (5, 0, {"padding": 1}, True),
        (65, 3, {"padding": 1}, False),
        (5, 3, {"padding": 1, "bias": True}, False),
        (5, 3, {"padding": 1, "stride": 2}, False),
        (5, 3, {}, False),
    ],
)
def test_convolutions_of_doubled_maps(channels, beside, form, within, monkeypatch):
    seen = []
    function = quick_gradients.doubling_convolution
    monkeypatch.setattr(
        quick_gradients, "doubling_convolution", lambda *args: seen.append(args) or function(*args)
    )
    torch.manual_seed(0)
    form = {"bias": False, **form}
    convolution = torch.nn.Conv2d(channels + beside, 4, 3, **form).double()
    given, behind = maps(2, channels, 5, 6), maps(2, beside, 10, 12)
    found = []
    for context in (nullcontext(), QuickGradients()):
        convolution.zero_grad()
        x, y = given.clone().requires_grad_(), behind.clone().requires_grad_()
        with context:
            joined = functional.interpolate(x, size=(10, 12))
            z = convolution(torch.cat([joined, y], dim=1) if beside else joined)
        z.square().sum().backward()
        found.append((z.detach(), x.grad, y.grad, convolution.weight.grad.clone()))
    for plain, quick in zip(*found, strict=True):
        torch.testing.assert_close(quick, plain)
    assert bool(seen) == within


@pytest.mark.parametrize("changed", ["doubled", "small", "beside"])
def test_a_doubled_map_that_was_changed_is_taken_as_it_is(changed):
    weight, small, beside = maps(4, 8, 3, 3), maps(2, 5, 4, 6), maps(2, 3, 8, 12)
    with QuickGradients():
        doubled = functional.interpolate(small, scale_factor=2)
        joined = torch.cat([doubled, beside], 1)
        {"doubled": joined, "small": small, "beside": beside}[changed].add_(1)
        found = torch.conv2d(joined, weight, padding=1)
    torch.testing.assert_close(found, torch.conv2d(joined, weight, padding=1))


def test_maps_joined_in_other_ways_are_joined_as_pytorch_does():
    small, beside = maps(2, 5, 4, 6), maps(2, 5, 8, 12)
    with QuickGradients():
        doubled = functional.interpolate(small, scale_factor=2)
        wide = torch.cat([doubled, beside], axis=1)
        long = torch.cat((doubled, beside))
        into = torch.cat([doubled, beside], 1, out=torch.empty_like(wide))
        three = torch.cat([doubled, beside, beside], -3)
    torch.testing.assert_close(into, wide, rtol=0, atol=0)
    assert (wide.shape[1], long.shape[0], three.shape[1]) == (10, 4, 15)


def test_convolutions_in_float32_stay_as_they_are(monkeypatch):
    seen = spied(monkeypatch, "_WideConvolution")
    with QuickGradients():
        torch.conv2d(torch.zeros(1, 2000, 3, 3), torch.zeros(1, 2000, 3, 3, requires_grad=True))
    assert not seen


def spied(monkeypatch, name):
    """A list of the calls of one of the functions."""
    seen = []
    function = getattr(quick_gradients, name)
    apply = function.apply
    monkeypatch.setattr(function, "apply", lambda *args: seen.append(args) or apply(*args))
    return seen
