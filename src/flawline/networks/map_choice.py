"""Which maps of a network are compared."""

from __future__ import annotations

from collections.abc import Mapping

from flawline.errors import ModelError

STRIDES = ("stride8", "stride16")


def choose_maps(outputs: Mapping[str, int]) -> list[str]:
    """Choose the outputs to compare: maps of stride 8 and 16 where they are named so, else every map.

    Finer maps see grain rather than defects, and coarser ones the part rather than its places.

    Raises:
        ModelError: the network has no map.
    """
    maps = [name for name, dimensions in outputs.items() if dimensions == 4]
    if not maps:
        raise ModelError(
            f"the network has no feature map among its outputs {', '.join(outputs)}",
            hint="export it with its mid-level maps as outputs, or rank with `method=forest`",
        )
    return [name for name in STRIDES if name in maps] or maps
