"""How many examples a property test tries: `make explore` takes many times as many as `make test`."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

TIMES = int(os.environ.get("FLAWLINE_EXPLORE", "1"))


def examples(count: int, **more: Any) -> settings:
    """Try `count` examples in `make test`, instead of 100; `more` is for hypothesis."""
    return settings(max_examples=TIMES * count, **more)
