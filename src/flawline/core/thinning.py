"""Thin a stream of unknown length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def thinned(items: Iterable[T], most: int) -> list[T]:
    """Take every item, or items at an even stride so that there are at most `most`; never holds more.

    Raises:
        ValueError: `most` is below 2.
    """
    if most < 2:
        raise ValueError(f"expected to take 2 items or more, got {most}")
    taken: list[T] = []
    stride = 1
    for index, item in enumerate(items):
        if index % stride:
            continue
        if len(taken) == most:
            taken, stride = taken[::2], stride * 2
            if index % stride:
                continue
        taken.append(item)
    return taken
