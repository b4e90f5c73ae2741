"""What an interrupted run left, before another one goes on from it."""

from __future__ import annotations

from pathlib import Path

from flawline.cli.console import note


def note_start_over(*paths: Path, quiet: bool) -> None:
    """Print a note for each file from which no run can go on, such as one of an earlier version."""
    from flawline.data.work_file import is_resumable

    for path in paths:
        if not path.name.endswith("-wal") and not is_resumable(path):
            note(
                f"{path} was left by an earlier version of Flawline or is damaged: that work starts over",
                quiet=quiet,
            )
