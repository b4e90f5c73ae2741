"""Batch norms that also add a map and rectify: for training in bf16 on CPUs, where they wait for memory.

Norm, addition and ReLU one after the other read or write a map 8 times forwards and 8 times backwards, 5 and 8 without
the addition; the compiled library (native/norm.c) needs 4 and 7, or 3 and 5. It is the same function but for rounding:
what is between the three is not rounded to bf16.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from flawline.compiled import NORM, kernel

_CLIPS = {
    None: (-float("inf"), float("inf")),
    nn.ReLU: (0.0, float("inf")),
    nn.ReLU6: (0.0, 6.0),
}
_LAYOUT = {"memory_format": torch.channels_last}


class _Norm(ctypes.Structure):
    """`norm` of norm.c."""

    _fields_ = (
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("x", "beside", "out", "gradient", "made", "of_beside"),
                *("weight", "bias", "running_mean", "running_variance"),
                *("mean", "inverse", "of_weight", "of_bias"),
            )
        ),
        *((name, ctypes.c_int64) for name in ("rows", "channels")),
        *((name, ctypes.c_float) for name in ("low", "high", "momentum", "epsilon")),
    )


class FusedNorm(nn.BatchNorm2d):  # type: ignore[misc]
    """A batch norm that adds a map, if one is given, and rectifies; made by `fuse_norms` out of a plain one."""

    activation: Any = None
    """nn.ReLU, nn.ReLU6 or None."""

    def forward(self, x: Any, beside: Any = None) -> Any:
        """Maps (N, C, H, W), and others of that shape or None, to what is normed, added up and clipped."""
        # Contexts such as QuickGradients are asked at each look at a tensor, some forty times.
        with torch._C.DisableTorchFunction():
            if self._usual() and _able(x) and (beside is None or _able(beside, x)):
                self.num_batches_tracked.add_(1)
                return _FusedNorm.apply(x, self.weight, self.bias, beside, self)
        normed = super().forward(x)
        if beside is not None:
            normed = normed + beside
        return normed if self.activation is None else self.activation()(normed)

    def _usual(self) -> bool:
        kept = self.affine and self.track_running_stats and self.momentum is not None
        return bool(self.training and kept)


def fuse_norms(network: Any) -> None:
    """Have the batch norms of a network compute what follows them too; nothing where the library is not there.

    That is a ReLU or ReLU6 after a norm in a sequence, and in ResNets also the shortcut that is added. Parameters,
    buffers and their names stay as they are.
    """
    if _library() is None:
        return
    parts = list(network.modules())
    places = Counter(child for part in parts for child in part.children())
    for part in parts:
        if isinstance(part, nn.Sequential) and type(part).forward is nn.Sequential.forward:
            for number, (norm, activation) in enumerate(pairwise(list(part)), 1):
                alone = type(norm) is nn.BatchNorm2d and places[norm] == 1
                if alone and type(activation) in _CLIPS:
                    _fuse(norm, type(activation))
                    part[number] = nn.Identity()
        elif type(part) in _BLOCKS and type(part.relu) is nn.ReLU:
            norms = [norm for norm in part.children() if type(norm) is nn.BatchNorm2d]
            if len(norms) == _BLOCKS[type(part)]:
                for norm in norms:
                    _fuse(norm, nn.ReLU)
                part.forward = MethodType(_block, part)
        elif isinstance(part, ResNet) and type(part.bn1) is nn.BatchNorm2d:
            _fuse(part.bn1, nn.ReLU)
            part.relu = nn.Identity()
    for part in parts:
        if type(part) is nn.BatchNorm2d:
            _fuse(part, None)


# How many batch norms a block has beside that of its shortcut.
_BLOCKS = {BasicBlock: 2, Bottleneck: 3}


def _fuse(norm: Any, activation: Any) -> None:
    norm.__class__ = FusedNorm
    norm.activation = activation


def _block(block: Any, x: Any) -> Any:
    """A block of a ResNet whose norms rectify."""
    change = block.conv2(block.bn1(block.conv1(x)))
    last = block.bn2
    if isinstance(block, Bottleneck):
        change, last = block.conv3(last(change)), block.bn3
    return last(change, x if block.downsample is None else block.downsample(x))


@cache
def _library() -> Any:
    """The functions of the library, and what starts PyTorch's threads; None where one of them is missing."""
    found = kernel(NORM).library
    if found is None or not torch.cpu._is_avx512_supported():
        return None
    try:
        start = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        return found, ctypes.cast(start.GOMP_parallel, ctypes.c_void_p)
    except (OSError, AttributeError):  # PyTorch was built with other threads
        return None


def _able(x: Any, other: Any = None) -> bool:
    """Whether the library takes a map, one of the shape of another."""
    return bool(
        x.dtype is torch.bfloat16
        and x.device.type == "cpu"
        and x.ndim == 4
        and x.is_contiguous(**_LAYOUT)
        and x.numel() > x.shape[1]
        and (other is None or x.shape == other.shape)
    )


def _call(name: str, norm: Any, x: Any, **given: Any) -> None:
    library, start = _library()
    pointers = {key: None if one is None else one.data_ptr() for key, one in given.items()}
    low, high = _CLIPS[norm.activation]
    record = _Norm(
        x=x.data_ptr(),
        rows=x.numel() // x.shape[1],
        channels=x.shape[1],
        low=low,
        high=high,
        momentum=norm.momentum,
        epsilon=norm.eps,
        **pointers,
    )
    threads = ctypes.c_uint(torch.get_num_threads())
    if not getattr(library, name)(ctypes.byref(record), start, threads):
        raise MemoryError("not enough memory for the sums of a batch norm")


class _FusedNorm(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, beside: Any, norm: Any) -> Any:
        made = torch.empty_like(x)
        mean, inverse = torch.empty_like(weight), torch.empty_like(weight)
        _call(
            "flawline_norm",
            norm,
            x,
            beside=beside,
            made=made,
            weight=weight,
            bias=bias,
            running_mean=norm.running_mean,
            running_variance=norm.running_var,
            mean=mean,
            inverse=inverse,
        )
        ctx.norm, ctx.added = norm, beside is not None
        out = made if ctx.added and norm.activation is not None else None
        ctx.save_for_backward(x, weight, bias, mean, inverse, out)
        return made

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Any) -> Any:
        x, weight, bias, mean, inverse, out = ctx.saved_tensors
        gradient = gradient.contiguous(**_LAYOUT)
        of_x, of_weight, of_bias = map(torch.empty_like, (x, weight, bias))
        of_beside = None if out is None else torch.empty_like(x)
        _call(
            "flawline_norm_gradients",
            ctx.norm,
            x,
            out=out,
            gradient=gradient,
            made=of_x,
            of_beside=of_beside,
            weight=weight,
            bias=bias,
            mean=mean,
            inverse=inverse,
            of_weight=of_weight,
            of_bias=of_bias,
        )
        if ctx.added and of_beside is None:
            of_beside = gradient
        return of_x, of_weight, of_bias, of_beside, None
