"""Files that a browser sends keep their folders, stay inside, and never take each other's place."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pytest
from fastapi import UploadFile
from hypothesis import given
from hypothesis import strategies as st

from flawline.server.errors import ServerError
from flawline.server.uploads import store_uploads
from helpers.examples import examples

NAMES = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.lists(st.sampled_from(["a", "A", "b", "..", ".", "", "c.png", "a b"]), max_size=7).map(
            "/".join
        ),
    ),
    min_size=1,
    max_size=8,
)


def written(names: list[str], folder: Path) -> list[Path]:
    """Store files of these names, each holding its number; returns their paths."""
    files = [UploadFile(io.BytesIO(str(k).encode()), filename=name) for k, name in enumerate(names)]
    store_uploads(files, folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


@given(names=NAMES)
@examples(150)
def test_every_file_is_kept_inside(names):
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "inside"
        paths = written(names, folder)
        assert sorted(path.read_text() for path in paths) == sorted(map(str, range(len(names))))
        assert list(Path(base).iterdir()) == [folder]


def test_folders_stay_because_they_are_labels(tmp_path):
    from flawline.data.source import open_source
    from helpers.discs import disc
    from helpers.full_house import png

    picture = png(disc(1))
    files = [
        UploadFile(io.BytesIO(picture), filename=name)
        for name in ("lot 7/good/1.png", "lot 7/good/2.png", "lot 7/bad/1.png")
    ]
    with open_source(store_uploads(files, tmp_path / "sent")) as source:
        found = {sample.name: sample.defective for sample in source.samples()}
    assert found == {"lot 7/good/1.png": False, "lot 7/good/2.png": False, "lot 7/bad/1.png": True}


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (["../../x.png", "/etc/x.png", "a/../b.png"], ["a/b.png", "etc/x.png", "x.png"]),
        (["a", "a/b"], ["a", "a__b"]),
        (["a/b", "a"], ["1-a", "a/b"]),
        (["x.png", "X.png"], ["1-X.png", "x.png"]),
        (["", "..."], ["file-0", "file-1"]),
    ],
)
def test_names_that_meet(tmp_path, names, paths):
    found = [path.relative_to(tmp_path / "s").as_posix() for path in written(names, tmp_path / "s")]
    assert sorted(found) == sorted(paths)


def test_nothing_sent_is_refused(tmp_path):
    with pytest.raises(ServerError, match="expected 1 to 20000 files, got 0"):
        store_uploads([], tmp_path)
