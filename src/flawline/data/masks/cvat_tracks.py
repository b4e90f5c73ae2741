"""Give the pictures of a video that CVAT annotated: frames with the shapes of its tracks."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flawline.data.masks.documents import size_of, whole
from flawline.data.masks.shapes import AnnotatedPicture, BrokenShape, Shape, broken_shape

_STEP = re.compile(r"step=([0-9]{1,6})")
_MOST_FRAMES = 5_000_000


@dataclass(frozen=True, slots=True)
class TrackShape:
    """The shape of a track in one frame; `outside` where the object has left the picture."""

    frame: int
    outside: bool
    order: int
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """An object of a video: its place in the file, its class, its shapes."""

    place: str
    label: str
    shapes: list[TrackShape]


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """The frames of a video: their numbers in order, the size of the picture, the shapes of each frame.

    `gaps` are the first frame, the end and the place of every stretch in which a track has no shape although its object
    did not leave the picture.
    """

    frames: Sequence[int]
    size: tuple[int, int] | None
    shapes: Mapping[int, Sequence[TrackShape]]
    gaps: Sequence[tuple[int, int, str]]

    def names(self) -> dict[str, int]:
        """Name the frames as CVAT names their pictures."""
        return {f"frame_{frame:06d}": frame for frame in self.frames}

    def picture(self, frame: int) -> AnnotatedPicture:
        """Return the shapes of a frame; a gap in a track spoils it."""
        shapes = sorted(self.shapes.get(frame, ()), key=lambda shape: shape.order)
        missing = [
            broken_shape(place, f"expected a shape of this track in frame {frame}, found none")
            for first, end, place in self.gaps
            if first <= frame < end
        ]
        return AnnotatedPicture(self.size, (*missing, *(shape.shape for shape in shapes)))


def video_of(tracks: Sequence[Track], task: Mapping[str, str], most_pixels: int) -> Video:
    """Join tracks to a video; `task` gives the fields of the task as texts.

    The frames are those that the task states, or without them those of the tracks.

    Raises:
        BrokenShape: a size that no picture has, or more frames than any video.
    """
    shapes: dict[int, list[TrackShape]] = defaultdict(list)
    for shape in (shape for track in tracks for shape in track.shapes if not shape.outside):
        shapes[shape.frame].append(shape)
    used = sorted({shape.frame for track in tracks for shape in track.shapes})
    frames = _stated(task) or used
    end = frames[-1] + 1 if frames else 0
    size = size_of(task["height"], task["width"], most_pixels) if "height" in task else None
    gaps = [gap for track in tracks for gap in _gaps(track, frames, end)]
    return Video(frames, size, shapes, gaps)


def _stated(task: Mapping[str, str]) -> range | None:
    first, last = whole(task.get("start_frame")), whole(task.get("stop_frame"))
    step = _STEP.search(task.get("frame_filter", ""))
    if first is None or last is None:
        return None
    if not 0 <= first <= last < _MOST_FRAMES:
        raise BrokenShape(f"expected at most {_MOST_FRAMES} frames, it states {first} to {last}")
    return range(first, last + 1, max(int(step[1]), 1) if step else 1)


def _gaps(track: Track, frames: Sequence[int], end: int) -> list[tuple[int, int, str]]:
    ordered = sorted(track.shapes, key=lambda shape: shape.frame)
    ends = [*(shape.frame for shape in ordered[1:]), end]
    return [
        (shape.frame + 1, following, track.place)
        for shape, following in zip(ordered, ends, strict=False)
        if not shape.outside and bisect_left(frames, following) > bisect_right(frames, shape.frame)
    ]
