"""Load the templates of the reports."""

from __future__ import annotations

from functools import cache
from typing import Any

from flawline.core.colours import PAGE


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
    )
    environment.globals["palette"] = PAGE
    return environment.get_template(name)
