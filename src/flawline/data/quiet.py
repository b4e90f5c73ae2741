"""Silence warnings and logs of packages; what matters in them becomes an error or a note."""

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
    """Drop what Pillow warns about.

    `warnings.catch_warnings` swaps the filters of the whole process back and forth and is not safe
    from threads; one filter for Pillow's modules that stays in front is. It is looked for each
    time, since others may have reset the list.
    """
    filters = cast(list[Any], warnings.filters)
    if not filters or filters[0] is not _FILTER:
        filters.insert(0, _FILTER)
    yield


@contextmanager
def quiet_packages() -> Iterator[None]:
    """Drop what packages such as PyTorch and timm warn about and log; for one thread at a time."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
