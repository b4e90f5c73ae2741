"""Files under the hash of their content."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flawline.errors import DependencyError
from flawline.records import StoreError
from flawline.records.pictures import open_pictures

NAME = hashlib.sha256(b"picture").hexdigest()


@pytest.fixture(params=["folder", "file url", "memory", "local"])
def place(request, tmp_path):
    """A place for pictures of each kind: fsspec's memory is written whole, its local files as a renamed part file."""
    if request.param == "folder":
        return str(tmp_path / "pictures")
    if request.param == "file url":
        return f"file://{tmp_path}/pictures"
    pytest.importorskip("fsspec")
    kinds = {"memory": f"memory://{tmp_path.name}", "local": f"local://{tmp_path}/pictures"}
    return kinds[request.param]


def test_what_is_put_comes_back(place):
    pictures = open_pictures(place)
    assert pictures.put(b"picture") == NAME
    assert pictures.put(b"picture") == NAME
    assert pictures.get(NAME) == b"picture"
    assert open_pictures(place).get(NAME) == b"picture"
    empty = pictures.put(b"")
    assert pictures.get(empty) == b""


def test_what_is_not_there_or_no_hash_is_said(place):
    pictures = open_pictures(place)
    for name in (NAME, "../../etc/passwd", "", NAME.upper()):
        with pytest.raises(StoreError) as caught:
            pictures.get(name)
        assert caught.value.code == "picture-missing"


def test_a_damaged_picture_is_never_given_out_and_put_again(tmp_path):
    pictures = open_pictures(tmp_path)
    pictures.put(b"picture")
    path = tmp_path / NAME[:2] / NAME[2:]
    for content in (b"PICTURE", b"pic", b""):
        path.write_bytes(content)
        with pytest.raises(StoreError) as caught:
            pictures.get(NAME)
        assert caught.value.code == "picture-damaged"
    pictures.put(b"picture")
    assert pictures.get(NAME) == b"picture", "a cut file is written again"


def test_many_may_put_the_same_at_once(tmp_path):
    pictures = open_pictures(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: pictures.put(b"x" * 100_000), range(64)))
    assert len(names) == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_disk_that_fills_up_leaves_no_part_of_a_picture(tmp_path):
    """A limit on the size of files stands for the full disk: the write fails half way."""
    script = (
        "import resource, signal, sys\n"
        "from flawline.records.pictures import open_pictures\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "pictures = open_pictures(sys.argv[1])\n"
        "pictures.put(b'small')\n"
        "try:\n"
        "    pictures.put(b'x' * 20_000)\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    assert done.stdout.strip() == "StoreError store-pictures", done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [b"small"]
    assert open_pictures(tmp_path).put(b"x" * 20_000)


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError) as caught:
        open_pictures(tmp_path).put(b"picture")
    assert caught.value.code == "store-full"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_unknown_place_is_said():
    pytest.importorskip("fsspec")
    with pytest.raises((StoreError, DependencyError)):
        open_pictures("nowhere://x/y")
