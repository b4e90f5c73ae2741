"""Load the templates of the reports.

Messages name a setting as its Python argument, in backticks. On a page that a command writes its option stands there:
the command line says how with `settings_named`. A page that Python writes keeps the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from flawline.core.colours import PAGE

_names: ContextVar[Callable[[str], str] | None] = ContextVar("names of settings", default=None)


@contextmanager
def settings_named(name: Callable[[str], str]) -> Iterator[None]:
    """Pass each text of the pages that are written in the block through `name`."""
    token = _names.set(name)
    try:
        yield
    finally:
        _names.reset(token)


@cache
def template(name: str) -> Any:
    """Load a Jinja template of this package; text is escaped, and undefined names are errors."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("flawline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_named,
    )
    environment.globals["palette"] = PAGE
    return environment.get_template(name)


def _named(value: Any) -> Any:
    # Markup is a finished piece of a page, such as a drawing.
    name = _names.get()
    return name(value) if name is not None and type(value) is str else value
