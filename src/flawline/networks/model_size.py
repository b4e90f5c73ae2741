"""Refuse models of OpenVINO that ask for more memory or work than a picture can need, before they are compiled."""

from __future__ import annotations

import math
from typing import Any

from flawline.errors import ModelError

MOST_NUMBERS = 2**28
"""Of one result: 1 GiB in float32."""
MOST_PRODUCTS = 4e12
"""Multiplications for one window: about a minute on two cores."""


def check_size(model: Any, *, open_sides: bool = False) -> None:
    """Look at every result of a model whose input has its size.

    Args:
        model: of OpenVINO.
        open_sides: whether results may have sides that are known only when it runs.

    Raises:
        ModelError: ("model-size") one of them is too large or, unless `open_sides`, of a size that depends on the
            pixels, or there is too much to compute.
    """
    _check_outputs(model)
    products = 0
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        for output in node.outputs():
            numbers = _numbers(output.partial_shape)
            if numbers is None and not open_sides:
                raise _too_much(f"the size of {kind} depends on the pixels: {output.partial_shape}")
            if numbers is not None and numbers > MOST_NUMBERS:
                raise _too_much(f"{kind} makes {numbers} numbers, expected at most {MOST_NUMBERS}")
            products += (numbers or 0) * _products_each(node, kind)
    if products > MOST_PRODUCTS:
        raise _too_much(
            f"one window takes {products:.1e} multiplications, expected {MOST_PRODUCTS:.0e}"
        )


def _check_outputs(model: Any) -> None:
    """Refuse maps with more places than the input has pixels: what works with them takes more memory still."""
    most = max((max(given.partial_shape.get_max_shape()) for given in model.inputs), default=0)
    for output in model.outputs:
        shape = output.partial_shape
        if shape.is_static and any(side > most for side in list(shape.get_max_shape())[2:]):
            raise _too_much(f"an output of {output.partial_shape}, larger than the input")


def _numbers(shape: Any) -> int | None:
    """Count the numbers of a result; None where a side is open."""
    return math.prod(shape.get_max_shape()) if shape.is_static else None


def _products_each(node: Any, kind: str) -> int:
    """Count the multiplications for each number of a result, for what takes the most time."""
    if "Convolution" in kind:
        shape = node.input(1).get_partial_shape()
        first = 2 if kind.startswith("Group") else 1
        return math.prod(shape.get_max_shape()[first:]) if shape.is_static else 1
    if kind == "MatMul":
        shape = node.input(0).get_partial_shape()
        return max(shape.get_max_shape()[-2:], default=1) if shape.is_static else 1
    return 1


def _too_much(what: str) -> ModelError:
    return ModelError(
        f"the network asks for too much: {what}",
        hint="take smaller windows or another network; a recipe of unknown origin may be hostile",
        code="model-size",
    )
