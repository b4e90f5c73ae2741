"""Gather pictures without masks that a segmenter may learn from as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from flawline.core.words import counted
from flawline.data.image import read_image
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.data.stream import map_pictures
from flawline.errors import SourceError
from flawline.jobs.train.segment.segment_split import Split
from flawline.types import Picture, Sample, Track, Unjudged, no_track

_NAMED = 3


@dataclass(frozen=True, slots=True, eq=False)
class UnmaskedPictures:
    """Pictures without masks by the hash of their file, and what a person should know of those left out.

    `left_out` counts them by reason: "masked" are in the masked source as well, "part" are of one of its parts that are
    for validation or test, "copy" of another picture here, and "unreadable".
    """

    source: Source
    samples: Mapping[str, Sample]
    value_range: tuple[float, float] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()

    def picture(self, sha256: str) -> Picture:
        """Read a picture."""
        return read_image(
            self.source.read(self.samples[sha256].name),
            value_range=self.value_range,
            limits=self.source.image_limits,
        )


def gather_unmasked(
    source: Source,
    split: Split,
    hashes: Mapping[str, str],
    *,
    value_range: tuple[float, float] | None = None,
    track: Track = no_track,
) -> UnmaskedPictures:
    """Read all pictures of a source once, and choose those that a segmenter may learn from beside masked ones.

    Args:
        source: pictures without masks; masks that it has are not read.
        split: of the masked pictures.
        hashes: of the files of the masked pictures, by name.
        value_range: as for the masked pictures.
        track: shows progress.

    Raises:
        SourceError: no picture is left to learn from.
    """
    masked = set(hashes.values())
    held = {part_of(s) for s in (*split.validation, *split.test) if s.group is not None}
    samples = list(source.samples())
    reading = map_pictures(source, samples, lambda picture: picture.sha256, value_range=value_range)
    chosen: dict[str, Sample] = {}
    left_out: Counter[str] = Counter()
    unreadable: list[str] = []
    title = "reading pictures without masks"
    for sample, found in track(reading, title=title, total=len(samples)):
        if isinstance(found, Unjudged):
            left_out["unreadable"] += 1
            unreadable.append(f"{sample.name} ({found.reason})")
        elif found in masked:
            left_out["masked"] += 1
        elif sample.group is not None and part_of(sample) in held:
            left_out["part"] += 1
        elif found in chosen:
            left_out["copy"] += 1
        else:
            chosen[found] = sample
    messages = _messages(len(chosen), left_out, unreadable)
    if not chosen:
        raise SourceError(
            f"`unmasked` leaves {messages[0]}",
            hint="give pictures that are not in the masked source, or leave `unmasked` out",
            code="no-unmasked",
        )
    return UnmaskedPictures(source, chosen, value_range, dict(left_out), messages)


def _messages(chosen: int, left_out: Mapping[str, int], unreadable: list[str]) -> tuple[str, ...]:
    reasons = {
        "masked": "in the masked source as well",
        "part": "of parts that are for validation or test",
        "copy": "copies of others",
        "unreadable": "unreadable",
    }
    parts = [f"{left_out[key]} {words}" for key, words in reasons.items() if left_out.get(key)]
    left = f"; left out: {', '.join(parts)}" if parts else ""
    lines = [f"{counted(chosen, 'picture')} without a mask to learn from{left}"]
    if unreadable:
        more = len(unreadable) - _NAMED
        named = ", ".join(unreadable[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        lines.append(f"pictures without a mask that cannot be read: {named}")
    return tuple(lines)
