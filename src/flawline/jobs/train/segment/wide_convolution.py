"""Split the gradient of wide convolutions in bf16: with oneDNN 3.13 on AMX a step takes 33 ms instead of 110 to 250.

The gradient of the weights is slow from about 2000 input channels on, as in the first convolution of a decoder on
ResNet-50. Computed for a thousand channels at a time it is fast.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

_WIDE = 1536
_AT_ONCE = 1024
_SLOW_UNTIL = (2, 15)
"""The last version of PyTorch in which it was measured to be slow; later ones are not changed."""


def widen(network: Any) -> None:
    """Replace wide convolutions by ones that split their gradient; names and parameters stay as they are."""
    release = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if release > _SLOW_UNTIL:
        return
    for part in list(network.modules()):
        for name, child in list(part.named_children()):
            if type(child) is nn.Conv2d and _is_wide(child):
                setattr(part, name, WideConvolution(child))


def _is_wide(convolution: Any) -> bool:
    plain = convolution.bias is None and convolution.groups == 1
    zeros = convolution.padding_mode == "zeros" and not isinstance(convolution.padding, str)
    larger = convolution.kernel_size != (1, 1)
    return plain and zeros and larger and convolution.in_channels > _WIDE


class WideConvolution(nn.Conv2d):  # type: ignore[misc]
    """A convolution that shares the weights of another; under autocast to bf16 on a CPU it splits their gradient."""

    def __init__(self, of: Any) -> None:
        form = {"stride": of.stride, "padding": of.padding, "dilation": of.dilation}
        super().__init__(
            of.in_channels, of.out_channels, of.kernel_size, bias=False, device="meta", **form
        )
        self.weight = of.weight
        self.train(of.training)

    def forward(self, x: Any) -> Any:
        """Convolve maps (N, C, H, W)."""
        in_bf16 = torch.get_autocast_dtype("cpu") == torch.bfloat16
        if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu") or not in_bf16:
            return super().forward(x)
        form = (self.stride, self.padding, self.dilation)
        return _Split.apply(x.bfloat16(), self.weight.bfloat16(), *form)


class _Split(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, *form: Any) -> Any:
        ctx.save_for_backward(x, weight)
        ctx.form = form
        return torch.conv2d(x, weight, None, *form)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        x, weight = ctx.saved_tensors
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = _gradients(gradient, x, weight, ctx.form, [True, False, False])[0]
        of_weight = [
            _gradients(gradient, some, its, ctx.form, [False, True, False])[1]
            for some, its in zip(x.split(_AT_ONCE, 1), weight.split(_AT_ONCE, 1), strict=True)
        ]
        return of_x, torch.cat(of_weight, 1), None, None, None


def _gradients(gradient: Any, x: Any, weight: Any, form: Any, wanted: list[bool]) -> Any:
    """Compute those gradients of input, weight and bias of a convolution that are wanted."""
    x, weight = (each.contiguous(memory_format=torch.channels_last) for each in (x, weight))
    return torch.ops.aten.convolution_backward(
        gradient, x, weight, None, *form, False, [0, 0], 1, wanted
    )
