"""Outputs as a command line names them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flawline.cli.console import printable, stderr

if TYPE_CHECKING:
    from flawline.outputs import Output


def opened_outputs(texts: Sequence[str]) -> list[Output]:
    """Open outputs by their names, with secrets from the environment; the console writes to standard error.

    Raises:
        UsageError: there is no such output, or it cannot be.
    """
    from flawline.outputs import open_output

    return [open_output(text, say=_say, environment=os.environ) for text in texts]


def _say(text: str) -> None:
    stderr().print(printable(text), markup=False, style="bold red")
