"""Split pictures into those to learn from and those to test with."""

from __future__ import annotations

from collections.abc import Sequence

from flawline.api.settings import ValueRange
from flawline.data.source import SourceLike, opened
from flawline.jobs.split import split as splitting
from flawline.jobs.split.splitting import Splitting
from flawline.types import Track, no_track


def split(
    source: SourceLike,
    *,
    by: str = "auto",
    column: str | None = None,
    test: float = 0.2,
    validation: float = 0.0,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    track: Track = no_track,
) -> Splitting:
    """Split pictures into those to learn from and those to test with; pictures of one part are never split apart.

    Args:
        source: anything that `open_source` takes, or an open source.
        by: what stays together: "auto" (groups that the source states, and near-copies), "group" (they must be stated),
            "duplicates" (also turned, mirrored and otherwise lit pictures of one part; slower), "lot", or "time" (the
            latest pictures are the test).
        column: the column of the group, lot or time, where it is called otherwise.
        test, validation: shares of the pictures; the rest is to learn from.
        seed: of the draw.
        good, bad, value_range, track: as for `rank`.

    Returns:
        Every picture with its split; `write_split` writes them as a manifest.

    Raises:
        UsageError: an argument makes no sense; ("split-column") the source has no such column; ("split-few-parts")
            too few groups, lots or pictures to split.
        SourceError: the source cannot be opened.
    """
    settings = splitting.SplitSettings(by, column, test, validation, seed, value_range)
    with opened(source, good, bad) as open_:
        return splitting.split(open_, settings, track=track)
