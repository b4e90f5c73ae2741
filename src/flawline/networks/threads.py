"""One thread for what is fitted."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any


def one_thread(*modules: str) -> AbstractContextManager[Any]:
    """Keep linear algebra, and what the named modules bring along, on one thread inside a `with`.

    Threads add up partial sums in the order in which they happen to finish, and the last digits change with it. A limit
    reaches only libraries that are loaded already, so the modules that fit are imported here, before it is set.
    """
    for module in modules:
        import_module(module)
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limits
