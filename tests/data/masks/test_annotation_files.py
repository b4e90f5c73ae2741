"""The files that are given as annotations."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.helpers import tool_exports as tools

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.shapes import BrokenShape
from flawline.errors import SourceError


def test_folders_are_listed_without_what_is_hidden_or_no_file(tmp_path: Path) -> None:
    for name in ("b/2.json", "a.json", "b/.x", ".git/c.json", "__MACOSX/d.json", "b/1.JSON"):
        tools.save_json(tmp_path / name, {})
    tools.save_json(tmp_path / "b/1.JSON", {"b": [1]})
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    files = AnnotationFiles(tmp_path, 100)
    assert files.files == ("a.json", "b/1.JSON", "b/2.json")
    assert files.of_kind(".json") == ("a.json", "b/1.JSON", "b/2.json")
    assert files.heads == ({}, {"b": list}, {})


def test_only_files_below_the_annotations_are_read(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for path in (tmp_path / "out", tmp_path / "a" / "1", inner / "2"):
        path.write_bytes(path.name.encode())
    (inner / "link").symlink_to(tmp_path / "out")
    (inner / "within").symlink_to(inner / "2")
    alone = AnnotationFiles(inner / "x.json", 100)
    rooted = AnnotationFiles(inner / "x.json", 100, root=tmp_path / "a")
    assert alone.read_named("gone", "2") == b"2"
    assert alone.read_named("within") == b"2"
    assert rooted.read_named("1") == b"1"
    for files, name in ((alone, "1"), (alone, "../1"), (alone, "link"), (rooted, "../out")):
        with pytest.raises(BrokenShape):
            files.read_named(name)
    for name in (str(tmp_path / "out"), "b/../../out", "a\0b", ""):
        with pytest.raises(BrokenShape):
            rooted.read_named(name)


def test_a_link_to_a_file_elsewhere_is_refused_and_one_inside_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("0 0.1 0.1 0.9 0.1 0.9 0.9")
    (folder / "a.txt").write_text("0 0.1 0.1 0.9 0.1 0.9 0.9")
    (folder / "b.txt").symlink_to("a.txt")
    assert AnnotationFiles(folder, 100).files == ("a.txt", "b.txt")
    (folder / "c.txt").symlink_to("../secret.txt")
    with pytest.raises(SourceError, match=r"'c.txt' is a link that leaves the folder"):
        _ = AnnotationFiles(folder, 100).files
    assert AnnotationFiles(folder, 100, root=tmp_path).files == ("a.txt", "b.txt", "c.txt")
