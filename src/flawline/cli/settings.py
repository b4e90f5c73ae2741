"""Turn the names of settings in messages into the options of the command line.

Below the command line a message names a setting as its Python argument, in backticks and with a value as `name=value`.
A person at a terminal reads `--name value` instead. The names come from the commands themselves.
"""

from __future__ import annotations

import re
from functools import cache

_LIMIT = re.compile(r"`(max_\w+)` of (?:Image|Archive)Limits")
_SETTING = re.compile(r"`([a-z_][a-z0-9_]*)(?:=([^`]+))?`")


def as_options(text: str) -> str:
    """Write options in place of the settings that a message names; other words in backticks stay."""
    if "`" not in text:
        return text
    return _SETTING.sub(_option, _LIMIT.sub(r"--limits \1=N", text))


def _option(match: re.Match[str]) -> str:
    name, value = match.groups()
    option = option_names().get(name)
    if option is None:
        return match[0]
    return option if value is None else f"{option} {value}"


@cache
def option_names() -> dict[str, str]:
    """Collect the options of all commands by the names of their parameters."""
    from flawline.cli.main import command_line

    found: dict[str, str] = {}
    waiting = [command_line()]
    while waiting:
        one = waiting.pop()
        waiting += getattr(one, "commands", {}).values()
        for parameter in one.params:
            long = [option for option in parameter.opts if option.startswith("--")]
            if parameter.name and long:
                found.setdefault(parameter.name, long[0])
    return found
