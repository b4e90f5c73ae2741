"""Open outputs by the name of their kind. A new kind is one file, and one line in `OUTPUTS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flawline.errors import UsageError
from flawline.outputs import console, file, webhook
from flawline.outputs.output import Output, OutputKind, OutputSettings

OUTPUTS: Mapping[str, OutputKind] = {
    "console": console.KIND,
    "file": file.KIND,
    "webhook": webhook.KIND,
}


def forms() -> str:
    """List the forms of outputs: "console, file:PATH or webhook:URL"."""
    *most, last = (kind.form for kind in OUTPUTS.values())
    return f"{', '.join(most)} or {last}"


def open_output(text: str, *, say: Callable[[str], None], environment: Mapping[str, str]) -> Output:
    """Open the output that `text` names, such as "file:alerts.jsonl".

    Args:
        text: its kind, followed by a colon and its place where it has one.
        say: writes a line for people.
        environment: the environment variables, with secrets: FLAWLINE_WEBHOOK_TOKEN is the `token` of a webhook.

    Raises:
        UsageError: there is no such kind, or its place cannot be used.
    """
    name, _, place = text.partition(":")
    kind = OUTPUTS.get(name)
    if kind is None or (":" in kind.form) != bool(place):
        raise UsageError(
            f"expected an output of {forms()}, got {name!r}",
            hint="such as console, or webhook:https://host/path",
        )
    return kind.open(OutputSettings(place, say, secrets_of(name, environment)))


def secrets_of(kind: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets of a kind of output by name: FLAWLINE_KIND_NAME is "name"."""
    prefix = f"FLAWLINE_{kind.upper()}_"
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }
