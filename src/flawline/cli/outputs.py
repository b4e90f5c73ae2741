"""Outputs as a command line names them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flawline.cli.console import printable, stderr
from flawline.errors import UsageError

if TYPE_CHECKING:
    from flawline.outputs import Output


def opened_outputs(texts: Sequence[str], *, live: bool = False) -> list[Output]:
    """Open outputs by their names, with secrets from the environment; the console writes to standard error.

    `live` says whether pictures arrive, so that there is something to answer.

    Raises:
        UsageError: there is no such output, it cannot be, or it answers where nothing is to be answered.
    """
    from flawline.outputs import open_output
    from flawline.outputs.output import is_live

    outputs = [open_output(text, say=_say, environment=os.environ) for text in texts]
    answering = next((one for one in outputs if is_live(one)), None)
    if answering is not None and not live:
        raise UsageError(
            f"{answering.name} answers a line while pictures arrive",
            hint="give it to `flawline watch` or a station",
        )
    return outputs


def _say(text: str) -> None:
    stderr().print(printable(text), markup=False, style="bold red")
