"""Outputs by their names, as a command line gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from flawline.errors import UsageError
from flawline.outputs.console import Console
from flawline.outputs.file import File
from flawline.outputs.output import Output
from flawline.outputs.webhook import Webhook

TOKEN, SECRET = "FLAWLINE_WEBHOOK_TOKEN", "FLAWLINE_WEBHOOK_SECRET"


def open_output(text: str, *, say: Callable[[str], None], environment: Mapping[str, str]) -> Output:
    """The output that `text` names: console, file:PATH or webhook:URL.

    Args:
        text: which.
        say: writes a line for people.
        environment: where the token and secret of a webhook are, under `TOKEN` and `SECRET`.

    Raises:
        UsageError: it names none, or one that cannot be.
    """
    kind, _, rest = text.partition(":")
    if kind == "console" and not rest:
        return Console(say)
    if kind == "file" and rest:
        return _file(Path(rest))
    if kind == "webhook" and rest:
        return Webhook(rest, environment.get(TOKEN, ""), environment.get(SECRET, ""))
    raise UsageError(
        f"expected an output of console, file:PATH or webhook:URL, got {kind!r}",
        hint="such as `alert=console` or `alert=webhook:https://host/path`",
    )


def _file(path: Path) -> File:
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"alerts cannot be written to {path}", hint="name a file in a folder")
    return File(path)
