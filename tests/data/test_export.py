"""A zip of chosen pictures is a source again, with the same pictures and labels."""

from collections import Counter

import cv2
import numpy as np
import pytest

from flawline.data.export import write_zip
from flawline.data.source import open_source


def picture(path, level, extension=".png"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(extension, np.full((8, 8), level, np.uint8))[1].tobytes())
    return path


def contents(source):
    return Counter((sample.label, source.read(sample.name)) for sample in source.samples())


def test_names_of_a_folder_stay(tmp_path):
    for number, name in enumerate(["good/1.png", "good/2.png", "bad/a b.png"]):
        picture(tmp_path / "in" / name, number)
    with open_source(tmp_path / "in") as source:
        assert write_zip(source, source.samples(), tmp_path / "out.zip") == 3
        names = [sample.name for sample in source.samples()]
        before = contents(source)
    with open_source(tmp_path / "out.zip") as again:
        assert [sample.name for sample in again.samples()] == names
        assert contents(again) == before


@pytest.mark.parametrize("absolute", [False, True])
def test_unsafe_names_of_a_manifest_become_label_and_name(tmp_path, absolute):
    picture(tmp_path / "pics" / "a.png", 1)
    picture(tmp_path / "more" / "a.png", 2)
    picture(tmp_path / "lists" / "ok" / "a.png", 3)
    picture(tmp_path / "lists" / "C:" / "b.png", 4)
    picture(tmp_path / "lists" / ".hidden" / "c.png", 5)
    picture(tmp_path / "lists" / "ok" / "d.dat", 6, ".jpg")
    above = tmp_path.as_posix() if absolute else ".."
    rows = [
        f"{above}/pics/a.png,ok",
        f"{above}/more/a.png,ng",
        "ok/a.png,ok",
        "C:/b.png,n/a",
        ".hidden/c.png,.odd",
        "ok/d.dat,ok",
    ]
    manifest = tmp_path / "lists" / "m.csv"
    manifest.write_text("image,label\n" + "\n".join(rows))
    with open_source(manifest, root=tmp_path) as source:
        before = contents(source)
        assert write_zip(source, source.samples(), tmp_path / "out.zip") == 6
    with open_source(tmp_path / "out.zip") as again:
        names = [sample.name for sample in again.samples()]
        after = contents(again)
    assert {"ok/a.png", "ok/a-2.png", "ng/a.png"} < set(names)
    renamed = {"n/a": "n_a", ".odd": "_.odd"}
    assert after == Counter(
        {(renamed.get(label, label), data): n for (label, data), n in before.items()}
    )


def test_labels_of_a_manifest_outlive_its_folders(tmp_path):
    for number, name in enumerate(["day1/a.png", "day2/a.png", "bad/b.png", "day1/c.png"]):
        picture(tmp_path / name, number)
    manifest = tmp_path / "m.csv"
    manifest.write_text("image,label\nday1/a.png,bad\nday2/a.png,good\nbad/b.png,bad\nday1/c.png,")
    with open_source(manifest) as source:
        before = contents(source)
        write_zip(source, source.samples(), tmp_path / "out.zip")
    with open_source(tmp_path / "out.zip") as again:
        assert contents(again) == before
        names = {sample.name for sample in again.samples()}
    assert names == {"bad/a.png", "good/a.png", "bad/b.png", "c.png"}
