"""One thread for what is fitted."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Keep linear algebra and scikit-learn on one thread inside a `with`.

    Threads add up partial sums in the order in which they happen to finish, and the last digits change with it.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limits
