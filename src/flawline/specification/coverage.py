"""Find the classes that no clause of a specification covers."""

from __future__ import annotations

from collections.abc import Collection

from flawline.specification.model import Limit, Spec


def uncovered(spec: Spec, classes: Collection[str]) -> tuple[str, ...]:
    """List those of `classes` that no clause covers, sorted.

    A clause covers the class that it names, a score those of its weights, and a clause without a class covers all. A
    p-value is of the whole part and covers none.
    """
    return tuple(sorted(c for c in set(classes) if not any(_covers(x, c) for x in spec.limits)))


def _covers(limit: Limit, name: str) -> bool:
    if limit.quantity == "p_value" or limit.class_name not in (None, name):
        return False
    return limit.quantity != "score" or name in {weighed for weighed, _ in limit.weights}
