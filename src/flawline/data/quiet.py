"""Silence warnings and logs of packages; those that matter become errors or notes."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

_FILTER = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


@contextmanager
def quiet_decoder() -> Iterator[None]:
    """Drop the warnings of Pillow.

    `warnings.catch_warnings` replaces the filters of the whole process and is not thread-safe; one
    filter for Pillow's modules that stays first is. It is checked each time, since other code may
    have reset the list.
    """
    filters = cast(list[Any], warnings.filters)
    if not filters or filters[0] is not _FILTER:
        filters.insert(0, _FILTER)
    yield


@contextmanager
def quiet_packages() -> Iterator[None]:
    """Drop warnings and logs of packages such as PyTorch and timm; for one thread at a time."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
