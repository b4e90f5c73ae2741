"""Tell a recipe whose parts do not fit together from a fault of Flawline: its hashes say only who wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from flawline.errors import FlawlineError, ModelError

_DAMAGE = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    cv2.error,
)


@contextmanager
def naming_damage() -> Iterator[None]:
    """Raise ModelError ("recipe-damaged") for what arrays, settings and a network that do not fit together lead to.

    Errors of Flawline pass: they say already what is wrong.
    """
    try:
        yield
    except FlawlineError:
        raise
    except KeyError as error:
        raise damaged(f"{error} is missing among its arrays and settings") from error
    except _DAMAGE as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        why = lines[-1] if lines else type(error).__name__
        raise damaged(f"its arrays, settings and network do not fit together: {why}") from error


def damaged(why: str) -> ModelError:
    """Make the error of a recipe that cannot be used."""
    return ModelError(
        f"the recipe is damaged: {why}",
        hint="Copy the recipe again from where it was trained, or train again.",
        code="recipe-damaged",
    )
