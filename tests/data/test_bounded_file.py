"""Files are read whole up to a limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from flawline.data.bounded_file import read_bounded
from flawline.errors import ImageError, SourceError


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5, ImageError, "image", limit="raise it") == b"12345"
    assert read_bounded(str(path), 1 << 40, ImageError, "image", limit="raise it") == b"12345"
    with pytest.raises(
        SourceError, match=r"expected 'a\.bin' to be at most 4 bytes, it holds 5"
    ) as caught:
        read_bounded(path, 4, SourceError, "annotations", limit="raise it")
    assert (caught.value.code, caught.value.hint) == ("annotations-too-large", "raise it")


@pytest.mark.parametrize("name", ["missing", ".", "nul\0"])
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match="cannot read 'the picture'") as caught:
        read_bounded(f"{tmp_path}/{name}", 5, ImageError, "image", limit="", name="the picture")
    assert caught.value.code == "image-unreadable"
    assert caught.value.hint


def test_a_device_without_an_end_is_not_read_on_and_on() -> None:
    with pytest.raises(ImageError):
        read_bounded("/dev/zero", 0, ImageError, "image", limit="")
