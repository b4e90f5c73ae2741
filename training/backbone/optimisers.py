"""Muon for the matrices of the network, AdamW for everything else, and an average of weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """Roughly the nearest orthogonal matrix (R, C), by Newton-Schulz rounds in bfloat16.

    The coefficients are those of Jordan et al., "Muon" (2024).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Muon(Optimizer):
    """Momentum whose step is made orthogonal, for convolution kernels (out, in, h, w)."""

    def __init__(self, kernels: list[nn.Parameter], rate: float, momentum: float = 0.95) -> None:
        super().__init__(kernels, {"lr": rate, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of every kernel."""
        for group in self.param_groups:
            for kernel in group["params"]:
                memory = self.state[kernel].setdefault("momentum", torch.zeros_like(kernel))
                memory.lerp_(kernel.grad, 1 - group["momentum"])
                nesterov = kernel.grad.lerp(memory, group["momentum"])
                flat = nesterov.reshape(len(nesterov), -1)
                gain = max(1.0, flat.shape[0] / flat.shape[1]) ** 0.5
                kernel.sub_(orthogonal(flat).view_as(kernel), alpha=gain * group["lr"])


def optimisers_for(network: nn.Module, kind: str, rate: float) -> list[Optimizer]:
    """``muon`` or ``adamw``; ``rate`` is AdamW's, and Muon's is ten times that."""
    kernels = [
        p for name, p in network.named_parameters()
        if kind == "muon" and p.ndim == 4 and p.shape[1] > 3 and "heads" not in name
    ]  # fmt: skip
    chosen = {id(p) for p in kernels}
    rest = [p for p in network.parameters() if id(p) not in chosen]
    matrices = [p for p in rest if p.ndim > 1]
    vectors = [p for p in rest if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.02}, {"params": vectors, "weight_decay": 0.0}]
    found: list[Optimizer] = [AdamW(groups, lr=rate, betas=(0.9, 0.99))]
    return [*found, Muon(kernels, 10 * rate)] if kernels else found


class Average:
    """An exponential moving average of a network's weights and batch statistics."""

    def __init__(self, network: nn.Module, decay: float = 0.998) -> None:
        self.decay, self.count = decay, 0
        self.state = {k: v.detach().clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move a little towards the network; early on, faster."""
        self.count += 1
        share = 1 - min(self.decay, self.count / (self.count + 10))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, share)
            else:
                self.state[name].copy_(value)
