"""Quick upsampling gives what PyTorch gives, and is used where it says."""

import pytest

REASON = "the extra [train] is not installed; `make test-train` runs this"
torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from torch.nn import functional  # noqa: E402

from flawline.training.segment import upsampling  # noqa: E402

CALLS = [
    {"scale_factor": 2},
    {"scale_factor": 2.0, "mode": "nearest"},
    {"size": (10, 14)},
    {"size": (9, 14)},
    {"scale_factor": 3},
    {"scale_factor": 2, "mode": "bilinear", "align_corners": False},
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_gives_the_same_maps_and_gradients(call, layout):
    torch.manual_seed(0)
    given = torch.randn(2, 3, 5, 7, dtype=torch.float64).to(memory_format=layout)
    beside = torch.randn(2, 2, *functional.interpolate(given, **call).shape[2:]).double()
    weights = torch.randn(2, 5, *beside.shape[2:], dtype=torch.float64)

    def run():
        x = given.clone().requires_grad_()
        joined = torch.cat([functional.interpolate(x, **call), beside], 1)
        (joined * weights).sum().backward()
        return joined, x.grad

    plain = run()
    with upsampling.QuickUpsampling():
        quick = run()
    for one, other in zip(plain, quick, strict=True):
        torch.testing.assert_close(one, other)


def test_only_doubling_by_nearest_neighbours_is_replaced(monkeypatch):
    seen = []
    apply = upsampling._Doubled.apply
    monkeypatch.setattr(upsampling._Doubled, "apply", lambda x: seen.append(x) or apply(x))
    x = torch.zeros(1, 2, 5, 7, requires_grad=True)
    with upsampling.QuickUpsampling():
        for call in CALLS:
            functional.interpolate(x, **call)
    assert len(seen) == 3
