"""CVAT for video: the frames of its tracks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from flawline.data.masks import open_masks
from flawline.errors import ImageError, SourceError

HEIGHT, WIDTH = 30, 40
META = (
    "<meta><task><size>4</size><start_frame>10</start_frame><stop_frame>19</stop_frame>"
    "<frame_filter>step=3</frame_filter><labels><label><name>stain</name></label></labels>"
    f"<original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size></task></meta>"
)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for frame in (10, 13, 16, 19):
        path = str(tmp_path / "images" / f"frame_{frame:06d}.png")
        cv2.imwrite(path, np.full((HEIGHT, WIDTH), frame, np.uint8))
    return tmp_path / "images"


def shape(frame: object, side: int, outside: int = 0, tag: str = "polygon", order: int = 0) -> str:
    points = f"0,0;{side},0;{side},{side};0,{side}"
    return (
        f'<{tag} frame="{frame}" outside="{outside}" keyframe="1" points="{points}" '
        f'z_order="{order}"><attribute name="a">b</attribute></{tag}>'
    )


def read(images: Path, tracks: list[str], meta: str = META) -> dict[str, int | str]:
    path = images.parent / "a.xml"
    inside = "\n".join(
        f'<track id="{n}" label="stain">{track}</track>' for n, track in enumerate(tracks)
    )
    path.write_text(f"<annotations>{meta}\n{inside}</annotations>")
    found: dict[str, int | str] = {}
    with open_masks(images, annotations=path) as masked:
        for sample in masked.samples():
            try:
                found[sample.name[6:12]] = int((masked.mask(sample) > 0).sum())
            except ImageError as error:
                found[sample.name[6:12]] = error.message
    return found


def test_frames_have_the_shapes_of_all_tracks(images: Path) -> None:
    first = shape(10, 3) + shape(13, 4) + shape(16, 4, outside=1)
    second = shape(13, 6) + shape(16, 7, outside=1)
    assert read(images, [first, second]) == {"000010": 9, "000013": 36, "000016": 0, "000019": 0}


def test_a_track_without_a_shape_in_a_frame_spoils_that_frame(images: Path) -> None:
    left, open_ended = shape(10, 3) + shape(16, 3, outside=1), shape(16, 5)
    found = read(images, [left, open_ended])
    assert (found["000010"], found["000016"]) == (9, 25)
    assert "a.xml, line 2: expected a shape of this track in frame 13" in str(found["000013"])
    assert "a.xml, line 3: expected a shape of this track in frame 19" in str(found["000019"])


def test_shapes_without_an_area_and_broken_ones_spoil_their_frame(images: Path) -> None:
    line = shape(10, 3, tag="polyline") + shape(13, 3, outside=1)
    broken = shape(13, 3).replace("0,0;", "x,0;", 1) + shape(16, 3, outside=1)
    found = read(images, [line, broken, shape(16, 2) + shape(19, 2, outside=1)])
    assert "expected an outline, got <polyline>" in str(found["000010"])
    assert "x and y in turn" in str(found["000013"])
    assert (found["000016"], found["000019"]) == (4, 0)


def test_a_shape_of_an_unknown_frame_spoils_frames_without_shapes(images: Path) -> None:
    found = read(images, [shape(10, 3) + shape(13, 3, outside=1), shape("x", 3)])
    assert found["000010"] == 9
    assert "expected a whole number as 'frame', got 'x'" in str(found["000013"])


def test_without_the_fields_of_the_task_the_frames_are_those_of_the_tracks(images: Path) -> None:
    track = shape(10, 3) + shape(13, 3) + shape(16, 3, outside=1)
    assert read(images, [track], meta="") == {"000010": 9, "000013": 9, "000016": 0}


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        (META + META, "the video of one task, got 2 tasks"),
        (META.replace(">19<", ">999999999<"), "at most 5000000 frames"),
        (META.replace("<height>30", "<height>tall"), "whole numbers as width and height"),
        (META + '<image name="a" width="4" height="4"/>', "1 pictures"),
    ],
)
def test_videos_that_cannot_be_told_apart_are_refused(images: Path, meta: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read(images, [shape(10, 3)], meta)


def test_pictures_of_other_names_are_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    with pytest.raises(SourceError, match=r"'frame_000010'") as caught:
        read(tmp_path / "images", [shape(10, 3)])
    assert "frame_000000.png" in caught.value.hint
