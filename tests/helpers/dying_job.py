"""A job whose process dies once, in the middle of a run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.fleet.spread import Job
from flawline.types import Sample


@dataclass(frozen=True)
class DyingJob:
    """`job`, killed without warning when it has worked on the batch that holds `name`; the file `died` says so."""

    job: Job
    name: str
    died: Path

    def open(self, stack: ExitStack) -> Callable[[Sequence[Sample]], Sequence[Any]]:
        """Open the job."""
        inner = self.job.open(stack)

        def work(samples: Sequence[Sample]) -> Sequence[Any]:
            results = inner(samples)
            if any(sample.name == self.name for sample in samples) and not self.died.exists():
                self.died.write_text("once")
                os.kill(os.getpid(), signal.SIGKILL)
            return results

        return work
