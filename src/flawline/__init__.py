"""Flawline turns pictures of manufactured parts into decisions.

The public names load their modules on first use, so that `import flawline` stays cheap; `flawline.names` lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flawline.version import __version__ as __version__

if TYPE_CHECKING:
    # What follows would hide a wrong name from type checkers.
    from flawline.names import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        if name == "__all__":
            return sorted(_homes())
        home = None if name.startswith("_") else _homes().get(name)
        if home is None:
            raise AttributeError(f"module 'flawline' has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(home), name)
        return found


def __dir__() -> list[str]:
    return sorted(_homes())


def _homes() -> dict[str, str]:
    """The module of each public name: the imports of `flawline.names`, read but not run."""
    import re
    from pkgutil import get_data

    text = (get_data("flawline", "names.py") or b"").decode()
    found = re.findall(r"^from ([\w.]+) import (\w+) as \2$", text, re.MULTILINE)
    return {name: home for home, name in found}
