"""Operations of PyTorch with gradients that are cheap on CPUs.

Doubling maps by nearest neighbours: PyTorch first copies a gradient that is part of a larger one, which is what joining
maps beside each other leaves, and then adds up its neighbours one channel at a time. Four strided additions do both at
several times the speed; linear doubling likewise. Where a doubled map has few channels, the convolution of it, or of it
and a map joined behind it, doubles within.

Convolutions in bf16: the gradient of the weights falls to a tenth of its speed (oneDNN 3.13, on AMX) where more than
about 2000 channels come in, as in the first convolution of a decoder on ResNet-50. Taken by the thousand it keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

_WIDE = 1536
_AT_ONCE = 1024
_NARROW = 64


class QuickGradients(TorchFunctionMode):  # type: ignore[misc]
    """A context in which these operations are computed so, and all others as PyTorch does."""

    def __init__(self) -> None:
        super().__init__()
        self._doubled = _DoubledMaps()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of PyTorch, or the quick one in its place."""
        given = dict(kwargs or {})
        quick = _QUICK.get(func)
        found = quick(self._doubled, *args, **given) if quick and args else None
        return func(*args, **given) if found is None else found


class _DoubledMaps:
    """What maps are made of that begin with a doubled one, as long as none of them has changed."""

    def __init__(self) -> None:
        self._parts = WeakIdKeyDictionary()

    def put(self, found: Any, small: Any, beside: Any = None) -> Any:
        """Remember that a map is `small` doubled, with `beside` behind it; returns the map."""
        parts = [small] if beside is None else [small, beside]
        self._parts[found] = parts, [each._version for each in (found, *parts)]
        return found

    def parts(self, found: Any) -> list[Any]:
        """The map before it was doubled, and what lies behind it if anything; nothing of any other map."""
        parts, versions = self._parts.get(found, ([], []))
        return parts if versions == [each._version for each in (found, *parts)] else []


def _interpolate(
    doubled: _DoubledMaps,
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    *given: Any,
    **named: Any,
) -> Any:
    """Maps doubled; None where another size or another way is asked for."""
    if x.ndim != 4 or x.device.type != "cpu":
        return None
    twice = (2 * x.shape[2], 2 * x.shape[3])
    if not (scale_factor == 2 if size is None else tuple(size) == twice):
        return None
    if mode == "nearest":
        return doubled.put(_Doubled.apply(x), x)
    return _Smoothed.apply(x) if mode == "bilinear" and not align_corners else None


def _cat(doubled: _DoubledMaps, maps: Any, dim: int = 0, **named: Any) -> Any:
    """A doubled map and another beside each other; None for all else."""
    if dim != 1 or len(maps) != 2 or named:
        return None
    parts = doubled.parts(maps[0])
    return doubled.put(torch.cat(maps, 1), parts[0], maps[1]) if len(parts) == 1 else None


def _conv2d(
    doubled: _DoubledMaps,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """A convolution of a doubled map, or of many channels under autocast to bf16; None for any other."""
    if x.device.type != "cpu" or bias is not None or groups != 1 or isinstance(padding, str):
        return None
    form = tuple(torch.nn.modules.utils._pair(each) for each in (stride, padding, dilation))
    parts = doubled.parts(x)
    usual = weight.shape[2:] == (3, 3) and form == ((1, 1), (1, 1), (1, 1))
    if parts and usual and parts[0].shape[1] <= _NARROW:
        first, *second = weight.split([part.shape[1] for part in parts], 1)
        found = doubling_convolution(parts[0], first)
        return found + torch.conv2d(parts[1], *second, padding=1) if second else found
    in_bf16 = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16
    if in_bf16 and weight.shape[1] > _WIDE and weight[0, 0].numel() > 1:
        return _WideConvolution.apply(x.bfloat16(), weight.bfloat16(), *form)
    return None


def doubling_convolution(x: Any, weight: Any) -> Any:
    """Maps (N, C, H, W) doubled by nearest neighbours and convolved with `weight` (K, C, 3, 3), zeros around.

    The doubled maps are never made: of three weights in a row two fall on equal neighbours, so that the result is a
    transposed convolution of stride 2 with four weights, their sums among them, at less than half the multiplications.
    """
    for axis in (2, 3):
        before, middle, after = weight.unbind(axis)
        weight = torch.stack([after, middle + after, before + middle, before], axis)
    weight = weight.transpose(0, 1).contiguous(memory_format=torch.channels_last)
    return functional.conv_transpose2d(x, weight, stride=2, padding=1)


_QUICK: dict[Any, Callable[..., Any]] = {
    functional.interpolate: _interpolate,
    torch.cat: _cat,
    torch.conv2d: _conv2d,
}


class _Doubled(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return functional.interpolate(x, scale_factor=2.0)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        upper = gradient[..., ::2, ::2] + gradient[..., ::2, 1::2]
        return upper + (gradient[..., 1::2, ::2] + gradient[..., 1::2, 1::2])


class _Smoothed(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return _halved(_halved(gradient, 2), 3)


def _halved(gradient: Any, axis: int) -> Any:
    """The gradient before a linear doubling: three quarters of the two pixels inside, one of those next to them."""
    length = gradient.shape[axis] // 2
    first, second = gradient.unflatten(axis, (length, 2)).unbind(axis + 1)
    halved = (first + second) * 0.75
    for to, of, beside in ((0, 1, first), (1, 0, second)):
        part = beside.narrow(axis, of, length - 1)
        halved.narrow(axis, to, length - 1).add_(part, alpha=0.25)
    # Next to those at the edge are they themselves.
    halved.select(axis, 0).add_(first.select(axis, 0), alpha=0.25)
    halved.select(axis, -1).add_(second.select(axis, -1), alpha=0.25)
    return halved


class _WideConvolution(torch.autograd.Function):  # type: ignore[misc]
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
    """The gradients of input, weight and bias of a convolution that are wanted."""
    x, weight = (each.contiguous(memory_format=torch.channels_last) for each in (x, weight))
    return torch.ops.aten.convolution_backward(
        gradient, x, weight, None, *form, False, [0, 0], 1, wanted
    )
