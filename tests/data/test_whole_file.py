"""Every writer leaves a whole file or the old one, and no part files."""

import json
import zipfile

import numpy as np
import pytest

from flawline.data.array_file import write_arrays
from flawline.data.csv_file import write_csv_rows
from flawline.data.export import write_zip
from flawline.data.json_file import write_json_document
from flawline.data.source import open_source
from flawline.data.whole_file import replacing, write_text


def rows_that_stop():
    yield ["a"]
    raise KeyboardInterrupt


def broken_csv(path):
    write_csv_rows(path, ["name"], rows_that_stop())


def broken_json(path):
    write_json_document(path, {"first": 1, "area": float("nan")})


def broken_arrays(path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    write_arrays(path, "test", {}, {"a": np.zeros(3)})


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize(
    ("write", "error"), [(broken_csv, KeyboardInterrupt), (broken_json, ValueError)]
)
def test_a_write_that_fails_leaves_the_old_file_or_none(tmp_path, write, error, old):
    path = tmp_path / "t.out"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(error):
        write(path)
    assert [p.name for p in tmp_path.iterdir()] == ([] if old is None else ["t.out"])
    assert old is None or path.read_bytes() == old


def test_a_full_disk_leaves_the_old_model(tmp_path, monkeypatch):
    path = tmp_path / "m.flc"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left"):
        broken_arrays(path, monkeypatch)
    assert [p.name for p in tmp_path.iterdir()] == ["m.flc"]
    assert path.read_bytes() == b"old"


def test_a_picture_that_vanishes_leaves_the_old_zip(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).write_bytes(b"x")
    out = tmp_path / "out"
    out.mkdir()
    (out / "top.zip").write_bytes(b"old")
    with open_source(tmp_path / "in") as source:
        samples = list(source.samples())
        (tmp_path / "in" / "b.png").unlink()
        with pytest.raises(Exception, match=r"b\.png"):
            write_zip(source, samples, out / "top.zip")
    assert [p.name for p in out.iterdir()] == ["top.zip"]
    assert (out / "top.zip").read_bytes() == b"old"


def test_the_old_file_stands_until_the_block_ends(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("old")
    with replacing(path) as part:
        part.write_text("new")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert len(list(tmp_path.iterdir())) == 1


def test_text_and_json_are_utf8_with_plain_line_feeds(tmp_path):
    assert write_text(tmp_path / "a", "ü\n良").read_bytes() == "ü\n良".encode()
    written = write_json_document(tmp_path / "b", {"良品": [1]}).read_bytes()
    assert written == '{\n "良品": [\n  1\n ]\n}\n'.encode()
    assert json.loads(written) == {"良品": [1]}
